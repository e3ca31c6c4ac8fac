package laurelclient_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	leaderboardv1 "laurel.example/clients/go/laurel/leaderboard/v1"
	rewardsv1 "laurel.example/clients/go/laurel/rewards/v1"
	typev1 "laurel.example/clients/go/laurel/type/v1"
	"laurel.example/clients/go/laurelclient"
)

var week = &typev1.BoardRef{Scope: "global", Period: typev1.Period_PERIOD_WEEKLY}

// dial connects to the running Laurel that LAUREL_ADDRESS names.
func dial(t *testing.T) (*grpc.ClientConn, context.Context) {
	t.Helper()
	address := os.Getenv("LAUREL_ADDRESS")
	if address == "" {
		t.Skip("LAUREL_ADDRESS names no running Laurel")
	}
	connection, err := laurelclient.Dial(address, os.Getenv("LAUREL_TOKEN"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(func() { cancel(); connection.Close() })
	return connection, ctx
}

func purchase(user, requestID string) *rewardsv1.AwardPointsRequest {
	return &rewardsv1.AwardPointsRequest{
		RequestId: requestID, UserId: user, Action: "PURCHASE", Attributes: map[string]string{"order_value": "1999.00"},
	}
}

func award(t *testing.T, ctx context.Context, connection *grpc.ClientConn, request *rewardsv1.AwardPointsRequest) *rewardsv1.AwardPointsResponse {
	t.Helper()
	answer, err := rewardsv1.NewRewardsServiceClient(connection).AwardPoints(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func newUser() string { return "go-" + laurelclient.NewRequestID() }

func TestAnAwardCountsOnceUnderItsKey(t *testing.T) {
	connection, ctx := dial(t)
	request := purchase(newUser(), laurelclient.NewRequestID())
	first, second := award(t, ctx, connection, request), award(t, ctx, connection, request)
	if first.GetTransaction().GetPoints() != 19 || first.GetReplayed() || !second.GetReplayed() {
		t.Errorf("awarded %v, then %v", first, second)
	}
	if points := second.GetRewards().GetTotalPoints(); points != 19 {
		t.Errorf("the balance is %d", points)
	}
}

func TestAnErrorHasItsReason(t *testing.T) {
	connection, ctx := dial(t)
	request := purchase(newUser(), laurelclient.NewRequestID())
	request.Action = "JUGGLING"
	_, err := rewardsv1.NewRewardsServiceClient(connection).AwardPoints(ctx, request)
	if status.Code(err) != codes.NotFound || laurelclient.Reason(err) != "ACTION_NOT_FOUND" {
		t.Errorf("refused with %v", err)
	}
	if reason := laurelclient.Reason(errors.New("of another kind")); reason != "" {
		t.Errorf("another error has the reason %q", reason)
	}
}

func TestAWatchTellsOfEveryAward(t *testing.T) {
	connection, ctx := dial(t)
	user, enough := newUser(), errors.New("enough")
	award(t, ctx, connection, purchase(user, laurelclient.NewRequestID()))
	var scores []int64
	err := laurelclient.WatchRank(ctx, leaderboardv1.NewLeaderboardServiceClient(connection),
		&leaderboardv1.WatchRankRequest{UserId: user, Boards: []*typev1.BoardRef{week}},
		func(update *leaderboardv1.RankUpdate) error {
			scores = append(scores, update.GetScore())
			if update.GetScore() >= 38 {
				return enough
			}
			award(t, ctx, connection, purchase(user, laurelclient.NewRequestID()))
			return nil
		})
	if !errors.Is(err, enough) || scores[0] != 19 {
		t.Errorf("scores %v, ended by %v", scores, err)
	}
}

func TestAWatchOfNobodyIsRefused(t *testing.T) {
	connection, ctx := dial(t)
	err := laurelclient.WatchRank(ctx, leaderboardv1.NewLeaderboardServiceClient(connection),
		&leaderboardv1.WatchRankRequest{UserId: newUser()}, func(*leaderboardv1.RankUpdate) error { return nil })
	if laurelclient.Reason(err) != "USER_NOT_FOUND" {
		t.Errorf("ended by %v", err)
	}
}

// A server that ends the stream, or cannot be reached, is asked again with the latest token.
func TestAWatchResumes(t *testing.T) {
	enough := errors.New("enough")
	server := &endingServer{}
	var ranks []int64
	err := laurelclient.WatchRank(t.Context(), server, &leaderboardv1.WatchRankRequest{UserId: "ada"},
		func(update *leaderboardv1.RankUpdate) error {
			ranks = append(ranks, update.GetRank())
			if len(ranks) == 4 {
				return enough
			}
			return nil
		})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	tokens := server.tokens
	if !slices.Equal(tokens, []string{"", "after-1", "after-2", "after-2", ""}) {
		t.Errorf("resumed with %q", tokens)
	}
}
