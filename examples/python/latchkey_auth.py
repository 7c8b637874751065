"""Authentication for Django REST framework by access tokens of Latchkey, which is asked about each of them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import grpc
from auth.v1.auth_service_pb2 import ValidateTokenRequest, ValidateTokenResponse
from auth.v1.auth_service_pb2_grpc import AuthServiceStub
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

TIMEOUT_SECONDS = 1
CHANNEL_OPTIONS = [
    # A service that returns is found again within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A connection that is dead without a word is noticed within seconds.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
]

_stubs: dict[int, AuthServiceStub] = {}
_lock = threading.Lock()


def _stub() -> AuthServiceStub:
    """The stub of this process, on one channel for all its threads and requests.

    It is made at the first request: a channel does not work in a process that was forked after it was made.
    """
    pid = os.getpid()
    if pid not in _stubs:
        with _lock:
            if pid not in _stubs:
                _stubs[pid] = AuthServiceStub(_channel())
    return _stubs[pid]


def _channel() -> grpc.Channel:
    ca = getattr(settings, "LATCHKEY_CA", None)
    if ca is None:
        return grpc.insecure_channel(settings.LATCHKEY_ADDRESS, CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(Path(ca).read_bytes())
    return grpc.secure_channel(settings.LATCHKEY_ADDRESS, credentials, CHANNEL_OPTIONS)


class CannotTell(APIException):
    """503 with `Retry-After`: nothing is known about the token. Never a 401, for which clients drop good tokens."""

    status_code = 503
    wait = 1

    def __init__(self) -> None:
        text = "Service temporarily unavailable, try again later."
        super().__init__({"detail": text, "code": "service_unavailable"})


class InvalidToken(AuthenticationFailed):
    """401 with the body that clients of simplejwt know."""

    def __init__(self, text: str = "Given token not valid for any token type") -> None:
        super().__init__({"detail": text, "code": "token_not_valid"})


class LatchkeyAuthentication(BaseAuthentication):
    """Takes `Authorization: Bearer <access token>`. `request.auth` is the answer of ValidateToken."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, ValidateTokenResponse] | None:
        scheme, *rest = get_authorization_header(request).split() or [b""]
        if scheme.lower() != b"bearer":
            return None
        if len(rest) != 1 or not rest[0].isascii():
            raise InvalidToken()
        validation = self.validate(rest[0].decode("ascii"))
        if not validation.active:
            raise InvalidToken()
        return self.user_of(validation), validation

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def validate(self, token: str) -> ValidateTokenResponse:
        request = ValidateTokenRequest(access_token=token, include_claims=True)
        try:
            return _stub().ValidateToken(request, timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            # The token is empty or too long. Every other failure says nothing about it.
            if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                raise InvalidToken() from None
            raise CannotTell() from error

    def user_of(self, validation: ValidateTokenResponse) -> AbstractBaseUser:
        """The user whose primary key is the subject; for users that are kept elsewhere, make your own here."""
        try:
            user = get_user_model().objects.get(pk=validation.subject)
        except (ObjectDoesNotExist, ValidationError, ValueError):
            raise InvalidToken("User not found") from None
        if not user.is_active:
            raise InvalidToken("User is inactive")
        return user
