// Command awardandwatch awards points to a user and says where that takes him.
//
//	go run ./examples/awardandwatch -user ada -action PURCHASE -attribute order_value=1999.00
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	leaderboardv1 "laurel.example/clients/go/laurel/leaderboard/v1"
	rewardsv1 "laurel.example/clients/go/laurel/rewards/v1"
	typev1 "laurel.example/clients/go/laurel/type/v1"
	"laurel.example/clients/go/laurelclient"
)

var errSeen = errors.New("the award is on the board")

func main() {
	address := flag.String("address", "127.0.0.1:50051", "host:port of Laurel")
	user := flag.String("user", "ada", "who gets points")
	action := flag.String("action", "REVIEW", "for what")
	attribute := flag.String("attribute", "", "NAME=VALUE for the action's formula")
	flag.Parse()

	connection, err := laurelclient.Dial(*address, os.Getenv("LAUREL_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	answer, err := rewardsv1.NewRewardsServiceClient(connection).AwardPoints(ctx, &rewardsv1.AwardPointsRequest{
		RequestId:  laurelclient.NewRequestID(),
		UserId:     *user,
		Action:     *action,
		Attributes: attributes(*attribute),
	})
	if err != nil {
		log.Fatalf("%s %v", laurelclient.Reason(err), err)
	}
	fmt.Printf("%s gets %d points and has %d\n", *user, answer.GetTransaction().GetPoints(), answer.GetRewards().GetTotalPoints())

	board := &typev1.BoardRef{Scope: "global", Period: typev1.Period_PERIOD_WEEKLY}
	request := &leaderboardv1.WatchRankRequest{UserId: *user, Boards: []*typev1.BoardRef{board}}
	err = laurelclient.WatchRank(ctx, leaderboardv1.NewLeaderboardServiceClient(connection), request,
		func(update *leaderboardv1.RankUpdate) error {
			fmt.Printf("rank %d of %d this week %s\n", update.GetRank(), update.GetTotal(), update.GetMessage())
			return errSeen
		})
	if !errors.Is(err, errSeen) {
		log.Fatal(err)
	}
}

func attributes(pair string) map[string]string {
	name, value, given := strings.Cut(pair, "=")
	if !given {
		return nil
	}
	return map[string]string{name: value}
}
