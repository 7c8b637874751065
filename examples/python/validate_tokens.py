"""Reads access tokens, one a line, the word `strict` after it or not, and prints what they are."""

import os
import sys
from pathlib import Path

import grpc
from latchkey_feed import CannotTell, FeedValidator

# Without pings of HTTP/2 a connection that is cut without a reset looks alive.
CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


def open_channel() -> grpc.Channel:
    address, ca = os.environ.get("AUTH_SERVICE_ADDRESS", "127.0.0.1:50051"), os.environ.get("AUTH_SERVICE_TLS_CA")
    if ca is None:
        return grpc.insecure_channel(address, CHANNEL_OPTIONS)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(Path(ca).read_bytes()), CHANNEL_OPTIONS)


def main() -> None:
    with open_channel() as channel:
        validator = FeedValidator(channel)
        for line in sys.stdin:
            token, *options = line.split()
            before = validator.asks
            try:
                claims = validator.validate(token, strict="strict" in options)
                verdict = "not active" if claims is None else f"{claims['sub']} is active"
            except CannotTell:
                verdict = "cannot tell"
            print(f"{verdict}, {'asked' if validator.asks > before else 'by the feed'}", flush=True)
        validator.close()


if __name__ == "__main__":
    main()
