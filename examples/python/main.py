"""Validates, refreshes and logs out a session, and reads the details of two errors."""

import os
import sys
from pathlib import Path

from auth.v1.token_pb2 import TokenProblem
from latchkey_client import CannotTell, InvalidRequest, Latchkey, TokenRefused


def walk(latchkey: Latchkey, access_token: str, refresh_token: str) -> None:
    if not latchkey.is_serving():
        raise SystemExit("the service is not serving")
    print("the service is serving")

    validation = latchkey.validate(access_token)
    if not validation.active:
        raise SystemExit(f"the access token is not active: {TokenProblem.Name(validation.problem)}")
    print(f"{validation.subject} is active")

    pair = latchkey.refresh(refresh_token)
    print(f"the session goes on: {str(pair.session_id == validation.session_id).lower()}")

    latchkey.logout(pair.refresh_token)
    print(f"after the logout: {TokenProblem.Name(latchkey.validate(pair.access_token).problem)}")

    try:
        latchkey.refresh(pair.refresh_token)
    except TokenRefused as refusal:
        print(f"and a refresh: {refusal.reason}, because of a {refusal.cause}")
    try:
        latchkey.refresh("")
    except InvalidRequest as error:
        for field, description in error.violations.items():
            print(f"an empty token: {field}: {description}")


if __name__ == "__main__":
    ca = os.environ.get("AUTH_SERVICE_TLS_CA")
    address = os.environ.get("AUTH_SERVICE_ADDRESS", "127.0.0.1:50051")
    with Latchkey(address, Path(ca) if ca else None) as client:
        try:
            walk(client, os.environ["ACCESS"], os.environ["REFRESH"])
        except CannotTell as error:
            sys.exit(str(error))
