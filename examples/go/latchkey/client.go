// Package latchkey calls a Latchkey service: one connection that retries, a deadline for each call, and an error type
// for each kind of failure.
package latchkey

import (
	"context"
	_ "embed"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	authv1 "example.com/shop/gen/auth/v1"
)

// deadline covers all attempts of a call together, so that there is time for more than one.
const deadline = 5 * time.Second

//go:embed service_config.json
var serviceConfig string

// Client calls the service. Make one for the life of the process: goroutines share it.
type Client struct {
	conn   *grpc.ClientConn
	auth   authv1.AuthServiceClient
	health healthpb.HealthClient
}

// Dial makes a client. The CA file is that of the service's certificate; without one, the connection is plain text.
func Dial(address, caFile string) (*Client, error) {
	transport := insecure.NewCredentials()
	if caFile != "" {
		var err error
		if transport, err = credentials.NewClientTLSFromFile(caFile, ""); err != nil {
			return nil, err
		}
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithUnaryInterceptor(call),
	)
	if err != nil {
		return nil, err
	}
	return &Client{conn, authv1.NewAuthServiceClient(conn), healthpb.NewHealthClient(conn)}, nil
}

// Close ends the connection.
func (c *Client) Close() error {
	return c.conn.Close()
}

// IsServing reports whether the service can answer, and its store too.
func (c *Client) IsServing(ctx context.Context) (bool, error) {
	response, err := c.health.Check(ctx, &healthpb.HealthCheckRequest{})
	return response.GetStatus() == healthpb.HealthCheckResponse_SERVING, err
}

// Validate reports whether an access token is active. An inactive token is no error: its problem says why.
func (c *Client) Validate(ctx context.Context, accessToken string) (*authv1.ValidateTokenResponse, error) {
	return c.auth.ValidateToken(ctx, &authv1.ValidateTokenRequest{AccessToken: accessToken})
}

// Refresh returns the next pair of the session. Within REFRESH_GRACE, a retry gets the same pair.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (*authv1.TokenPair, error) {
	response, err := c.auth.RefreshToken(ctx, &authv1.RefreshTokenRequest{RefreshToken: refreshToken})
	return response.GetTokens(), err
}

// Logout ends the session, and with it all its tokens.
func (c *Client) Logout(ctx context.Context, refreshToken string) error {
	_, err := c.auth.Logout(ctx, &authv1.LogoutRequest{RefreshToken: refreshToken})
	return err
}

// call gives each call its deadline, and each error its meaning.
func call(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	options ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return meaningOf(invoke(ctx, method, request, reply, conn, options...))
}
