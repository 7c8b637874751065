"""A client of Latchkey: one channel that retries, a deadline for each call, and an exception for each kind of failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import grpc
from auth.v1.auth_service_pb2 import (
    LogoutRequest,
    RefreshTokenRequest,
    ValidateTokenRequest,
    ValidateTokenResponse,
)
from auth.v1.auth_service_pb2_grpc import AuthServiceStub
from auth.v1.token_pb2 import TokenPair
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_status import rpc_status

# Covers all attempts of a call together, so that there is time for more than one.
DEADLINE_SECONDS = 5
# How long to wait where the service names no time.
RETRY_SECONDS = 1.0
SERVICE_CONFIG = Path(__file__).with_name("service_config.json")

Response = TypeVar("Response", bound=Message)

UNANSWERED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}


class TokenRefused(Exception):
    """The token is not good. `reason` is a TokenProblem without its prefix; `cause` says what ended a session."""

    def __init__(self, info: ErrorInfo) -> None:
        super().__init__(info.reason)
        self.reason: str = info.reason
        self.cause: str | None = info.metadata.get("cause")


class InvalidRequest(Exception):
    """The request breaks the contract. `violations` says of each wrong field what is wrong with it."""

    def __init__(self, details: BadRequest) -> None:
        self.violations = {violation.field: violation.description for violation in details.field_violations}
        super().__init__(str(self.violations))


class CannotTell(Exception):
    """The service or its store did not answer, which says nothing about the token: keep it, and try again later."""

    def __init__(self, retry_seconds: float) -> None:
        super().__init__(f"cannot tell; try again in {retry_seconds:g} s")
        self.retry_seconds = retry_seconds


class Latchkey:
    """Calls the service. Make one for the life of the process: threads share it."""

    def __init__(self, address: str, ca: Path | None = None) -> None:
        """`ca` is the file of the CA that signed the service's certificate; None: plain text."""
        options = [("grpc.service_config", SERVICE_CONFIG.read_text())]
        if ca is None:
            self._channel = grpc.insecure_channel(address, options)
        else:
            credentials = grpc.ssl_channel_credentials(ca.read_bytes())
            self._channel = grpc.secure_channel(address, credentials, options)
        self._auth = AuthServiceStub(self._channel)
        self._health = HealthStub(self._channel)

    def __enter__(self) -> Latchkey:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def is_serving(self) -> bool:
        """Whether the service can answer, and its store too."""
        response = self._call(self._health.Check, HealthCheckRequest())
        return response.status == HealthCheckResponse.SERVING

    def validate(self, access_token: str) -> ValidateTokenResponse:
        """An inactive token is an answer: `active` is false, and `problem` says why."""
        return self._call(self._auth.ValidateToken, ValidateTokenRequest(access_token=access_token))

    def refresh(self, refresh_token: str) -> TokenPair:
        """The next pair of the session. Within REFRESH_GRACE, a retry gets the same pair."""
        return self._call(self._auth.RefreshToken, RefreshTokenRequest(refresh_token=refresh_token)).tokens

    def logout(self, refresh_token: str) -> None:
        """Ends the session, and with it all its tokens."""
        self._call(self._auth.Logout, LogoutRequest(refresh_token=refresh_token))

    def _call(self, method: Callable[..., Response], request: Message) -> Response:
        try:
            return method(request, timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            raise _meaning_of(error) from error


def _meaning_of(error: grpc.RpcError) -> Exception:
    """The exception for a status and its details; the error itself where there is none."""
    info, bad_request, retry = ErrorInfo(), BadRequest(), RetryInfo()
    status = rpc_status.from_call(error)
    found = [
        message
        for detail in (status.details if status else ())
        for message in (info, bad_request, retry)
        if detail.Unpack(message)
    ]
    if error.code() in UNANSWERED:
        return CannotTell(retry.retry_delay.ToTimedelta().total_seconds() if retry in found else RETRY_SECONDS)
    if info in found:
        return TokenRefused(info)
    if bad_request in found:
        return InvalidRequest(bad_request)
    return error
