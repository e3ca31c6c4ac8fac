package laurelclient

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	leaderboardv1 "laurel.example/clients/go/laurel/leaderboard/v1"
)

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// passing are the codes of failures after which the same watch may succeed. A server that stops in the moment in which
// the watch begins answers Canceled.
var passing = map[codes.Code]bool{
	codes.Unavailable: true, codes.Canceled: true, codes.ResourceExhausted: true, codes.DeadlineExceeded: true,
}

// WatchRank calls each with where the user stands now, once a board, and then with every change, until ctx is done
// or each returns an error, which it returns.
//
// It resumes where it stood when the server ends the stream or cannot be reached, for as long as ctx lasts. An error
// that will not pass, such as an unknown user, it returns.
func WatchRank(
	ctx context.Context,
	client leaderboardv1.LeaderboardServiceClient,
	request *leaderboardv1.WatchRankRequest,
	each func(*leaderboardv1.RankUpdate) error,
) error {
	watch := &rankWatch{client: client, request: proto.CloneOf(request), each: each, pause: firstPause}
	for {
		err := watch.follow(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && (watch.refused != nil || !passing[status.Code(err)]) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watch.nextPause()):
		}
	}
}

type rankWatch struct {
	client  leaderboardv1.LeaderboardServiceClient
	request *leaderboardv1.WatchRankRequest
	each    func(*leaderboardv1.RankUpdate) error
	refused error
	pause   time.Duration
}

// follow reads one stream to its end; nil if the server ended it in-band.
func (watch *rankWatch) follow(ctx context.Context) error {
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	stream, err := watch.client.WatchRank(ctx, watch.request)
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if err != nil {
			return watch.startOver(err)
		}
		watch.pause = firstPause
		watch.request.ResumeToken = message.GetResumeToken()
		if message.GetEnd() != nil {
			return nil
		}
		if update := message.GetUpdate(); update != nil {
			if watch.refused = watch.each(update); watch.refused != nil {
				return watch.refused
			}
		}
	}
}

// startOver drops a resume token that the server does not know any more: its whole state comes next.
func (watch *rankWatch) startOver(err error) error {
	if Reason(err) == "PAGE_TOKEN_INVALID" && watch.request.ResumeToken != "" {
		watch.request.ResumeToken = ""
		return nil
	}
	return err
}

// nextPause grows with each attempt in a row and is spread, so that watchers do not come back together.
func (watch *rankWatch) nextPause() time.Duration {
	pause := watch.pause
	watch.pause = min(2*watch.pause, longestPause)
	return pause/2 + rand.N(pause)
}
