// Package laurelclient connects to Laurel. The calls themselves are in the generated packages below laurel/.
package laurelclient

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// serviceConfig says which methods gRPC retries: the idempotent ones, on UNAVAILABLE and CANCELLED
// (which a server answers that stops in the moment in which a call comes in), for about 5 seconds.
//
//go:embed service_config.json
var serviceConfig string

// Dial returns a connection to the Laurel at address (host:port). It connects when it is used.
//
// A token says who calls, where the server asks for that. It travels as it is: over a network, give credentials for
// TLS with grpc.WithTransportCredentials, which replace the plaintext that is the default here.
func Dial(address, token string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	all := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(serviceConfig),
		// A peer that vanished is found within 40 s, also by a watch that has nothing to read.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second,
			},
			MinConnectTimeout: 2 * time.Second,
		}),
	}
	if token != "" {
		all = append(all, grpc.WithPerRPCCredentials(bearer(token)))
	}
	return grpc.NewClient(address, append(all, options...)...)
}

// NewRequestID returns an idempotency key that nobody else has. A request that is sent again under its key, also by
// another process, counts once.
func NewRequestID() string {
	return rand.Text()
}

// Reason returns the name of the error reason that Laurel gave, such as DAILY_CAP_REACHED, and empty for an error
// that is not Laurel's own.
func Reason(err error) string {
	var failure interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &failure) {
		return ""
	}
	for _, detail := range failure.GRPCStatus().Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (token bearer) RequireTransportSecurity() bool { return false }
