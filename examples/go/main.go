// Command go validates, refreshes and logs out a session, and reads the details of two errors.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"example.com/shop/latchkey"
)

func main() {
	log.SetFlags(0)
	address := os.Getenv("AUTH_SERVICE_ADDRESS")
	if address == "" {
		address = "127.0.0.1:50051"
	}
	client, err := latchkey.Dial(address, os.Getenv("AUTH_SERVICE_TLS_CA"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := walk(context.Background(), client, os.Getenv("ACCESS"), os.Getenv("REFRESH")); err != nil {
		log.Fatal(err)
	}
}

func walk(ctx context.Context, client *latchkey.Client, accessToken, refreshToken string) error {
	serving, err := client.IsServing(ctx)
	if err != nil {
		return err
	}
	if !serving {
		return errors.New("the service is not serving")
	}
	fmt.Println("the service is serving")

	validation, err := client.Validate(ctx, accessToken)
	if err != nil {
		return err
	}
	if !validation.GetActive() {
		return fmt.Errorf("the access token is not active: %s", validation.GetProblem())
	}
	fmt.Printf("%s is active\n", validation.GetSubject())

	pair, err := client.Refresh(ctx, refreshToken)
	if err != nil {
		return err
	}
	fmt.Printf("the session goes on: %t\n", pair.GetSessionId() == validation.GetSessionId())

	if err := client.Logout(ctx, pair.GetRefreshToken()); err != nil {
		return err
	}
	validation, err = client.Validate(ctx, pair.GetAccessToken())
	if err != nil {
		return err
	}
	fmt.Printf("after the logout: %s\n", validation.GetProblem())

	_, err = client.Refresh(ctx, pair.GetRefreshToken())
	var refused *latchkey.TokenRefusedError
	if !errors.As(err, &refused) {
		return fmt.Errorf("a refresh after the logout: %w", err)
	}
	fmt.Printf("and a refresh: %s, because of a %s\n", refused.Reason, refused.Cause)

	_, err = client.Refresh(ctx, "")
	var invalid *latchkey.InvalidRequestError
	if !errors.As(err, &invalid) {
		return fmt.Errorf("a refresh without a token: %w", err)
	}
	for _, violation := range invalid.Violations {
		fmt.Printf("an empty token: %s: %s\n", violation.GetField(), violation.GetDescription())
	}
	return nil
}
