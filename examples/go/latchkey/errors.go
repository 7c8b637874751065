package latchkey

import (
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// defaultRetry is how long to wait where the service names no time.
const defaultRetry = time.Second

// TokenRefusedError says that a token is not good.
type TokenRefusedError struct {
	// Reason is the name of a TokenProblem without its prefix.
	Reason string
	// Cause says what ended the session; empty if nothing did.
	Cause string
}

func (e *TokenRefusedError) Error() string {
	return "the token is refused: " + e.Reason
}

// InvalidRequestError says that a request breaks the contract.
type InvalidRequestError struct {
	Violations []*errdetails.BadRequest_FieldViolation
}

func (e *InvalidRequestError) Error() string {
	return fmt.Sprintf("the request is not valid: %v", e.Violations)
}

// CannotTellError says that the service or its store did not answer, which says nothing about the token: keep it, and
// try again later.
type CannotTellError struct {
	RetryAfter time.Duration
	status     error
}

func (e *CannotTellError) Error() string {
	return fmt.Sprintf("cannot tell; try again in %g s", e.RetryAfter.Seconds())
}

// Unwrap returns the error of the gRPC library.
func (e *CannotTellError) Unwrap() error {
	return e.status
}

// meaningOf returns the error for a status and its details, and the error itself where there is none.
func meaningOf(err error) error {
	var meaning error
	retryAfter := defaultRetry
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			meaning = &TokenRefusedError{Reason: detail.GetReason(), Cause: detail.GetMetadata()["cause"]}
		case *errdetails.BadRequest:
			meaning = &InvalidRequestError{Violations: detail.GetFieldViolations()}
		case *errdetails.RetryInfo:
			retryAfter = detail.GetRetryDelay().AsDuration()
		}
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
		return &CannotTellError{RetryAfter: retryAfter, status: err}
	}
	if meaning == nil {
		return err
	}
	return meaning
}
