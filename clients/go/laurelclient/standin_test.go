package laurelclient_test

import (
	"context"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	leaderboardv1 "laurel.example/clients/go/laurel/leaderboard/v1"
)

// endingServer tells one rank a stream and ends it: in-band, then by breaking off, then it
// stops, then it has forgotten the token.
type endingServer struct {
	leaderboardv1.LeaderboardServiceClient
	tokens []string
}

func (server *endingServer) WatchRank(
	_ context.Context, request *leaderboardv1.WatchRankRequest, _ ...grpc.CallOption,
) (grpc.ServerStreamingClient[leaderboardv1.WatchRankResponse], error) {
	server.tokens = append(server.tokens, request.GetResumeToken())
	return &endingStream{number: len(server.tokens)}, nil
}

type endingStream struct {
	grpc.ServerStreamingClient[leaderboardv1.WatchRankResponse]
	number, sent int
}

func (stream *endingStream) Recv() (*leaderboardv1.WatchRankResponse, error) {
	stream.sent++
	token := fmt.Sprintf("after-%d", stream.number)
	if stream.number == 3 {
		return nil, status.Error(codes.Canceled, "stopping")
	}
	if stream.number == 4 {
		return nil, forgotten()
	}
	if stream.sent <= 1 || stream.number == 5 {
		update := &leaderboardv1.RankUpdate{Rank: int64(stream.number)}
		return &leaderboardv1.WatchRankResponse{ResumeToken: token, Event: &leaderboardv1.WatchRankResponse_Update{Update: update}}, nil
	}
	if stream.number == 1 {
		end := &leaderboardv1.StreamEnd{Reason: "DRAINING", ResumeToken: token}
		return &leaderboardv1.WatchRankResponse{ResumeToken: token, Event: &leaderboardv1.WatchRankResponse_End{End: end}}, nil
	}
	return nil, status.Error(codes.Unavailable, "broken off")
}

func forgotten() error {
	refusal, err := status.New(codes.InvalidArgument, "unknown token").WithDetails(
		&errdetails.ErrorInfo{Reason: "PAGE_TOKEN_INVALID", Domain: "laurel"},
	)
	if err != nil {
		return err
	}
	return refusal.Err()
}
