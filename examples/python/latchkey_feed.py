"""Validates access tokens under ES256 by the revocation feed (docs/revocation-feed.md), and asks about all others."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import queue
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from auth.v1.auth_service_pb2 import JsonWebKey, Ping, Pong, Settings, Start
from auth.v1.auth_service_pb2 import ValidateTokensRequest, WatchRevocationsRequest, WatchRevocationsResponse
from auth.v1.auth_service_pb2_grpc import AuthServiceStub
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

MARGIN_MS = 10_000
SLACK_MS = 70_000
# Beyond these numbers the oldest revocations are dropped, and no further ping is sent.
MOST_REVOCATIONS = 200_000
MOST_PINGS = 1_000
MOST_TOKEN_CHARACTERS = 8_192
PING_SECONDS = 0.25
# A stream on which nothing comes for so long, not even a pong, is replaced.
SILENT_SECONDS = 2.0
# How long a strict call waits for its pong before it asks, and how long an answer may take.
PATIENCE_SECONDS = 0.25
TIMEOUT_SECONDS = 1.0
# Without pings of HTTP/2 a connection that is cut without a reset looks alive.
CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


class CannotTell(Exception):
    """Nothing is known about the token: answer 503."""


class NotActive(Exception):
    """The token is not active."""


class Ask(Exception):
    """The feed cannot tell."""


@dataclass(frozen=True)
class SentPing:
    id: int
    steady: float
    wall: float

    def age(self) -> float:
        """Seconds. The monotonic clock of a suspended machine stands still, and the wall clock may be set back."""
        return max(time.monotonic() - self.steady, time.time() - self.wall)


@dataclass
class Shard:
    born_ms: int = 0
    adopted_since_ms: int | None = None
    complete_since_ms: float = math.inf
    as_of: SentPing | None = None
    # The complete-since of the present stream, before its first pong that covers the shard; later it is None.
    pending_ms: float | None = None
    is_present: bool = False

    def raise_to(self, ms: float) -> None:
        self.complete_since_ms = max(self.complete_since_ms, ms)
        if self.pending_ms is not None:
            self.pending_ms = max(self.pending_ms, ms)


@dataclass
class Revoked:
    shard: int
    at_ms: int
    not_before_ms: int


class Knowledge:
    """What the feed has delivered, over all streams. Not for several threads at a time."""

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.keys: dict[str, ec.EllipticCurvePublicKey] = {}
        self.pings: dict[int, SentPing] = {}
        self._last_ping = 0
        self._forget()

    def _forget(self) -> None:
        self.shards: dict[int, Shard] = {}
        # By kind and id, in the order in which they came last.
        self.revoked: dict[tuple[str, bytes], Revoked] = {}
        self.store_ms, self.read_at, self.latest_ms, self.floor_ms = -math.inf, 0.0, -math.inf, 0.0

    def stream_begins(self) -> None:
        self.pings.clear()
        for shard in self.shards.values():
            shard.pending_ms, shard.is_present = None, False

    def ping(self) -> int:
        self._last_ping += 1
        self.pings[self._last_ping] = SentPing(self._last_ping, time.monotonic(), time.time())
        return self._last_ping

    def now_ms(self) -> float:
        return self.store_ms + (time.monotonic() - self.read_at) * 1000

    def take(self, batch: WatchRevocationsResponse) -> None:
        """Takes in one message as a whole, in the order of its fields."""
        if batch.HasField("settings"):
            if self.settings and self.settings.shards != batch.settings.shards:
                self._forget()
            self.settings = batch.settings
        if batch.HasField("keys"):
            self.keys = {key.kid: public_key(key) for key in batch.keys.keys if key.alg == "ES256"}
        for state in batch.shards:
            shard = self.shards.setdefault(state.shard, Shard())
            if state.born_ms >= shard.born_ms:
                shard.born_ms = state.born_ms
                shard.adopted_since_ms = state.adopted_since_ms if state.HasField("adopted_since_ms") else None
            if not shard.is_present and shard.pending_ms is None:
                shard.pending_ms = state.complete_since_ms
            else:
                shard.raise_to(state.complete_since_ms)
        for each in batch.revocations:
            kind = each.WhichOneof("what")
            if kind is None:  # Of a later version of the service.
                self._dropped(each.shard, each.at_ms)
                continue
            name = (kind, each.subject.subject if kind == "subject" else getattr(each, kind))
            known = self.revoked.pop(name, Revoked(each.shard, 0, 0))
            latest_ms = max(known.not_before_ms, each.subject.not_before_ms)
            self.revoked[name] = Revoked(each.shard, max(known.at_ms, each.at_ms), latest_ms)
        if batch.HasField("pong"):
            self._answered(batch.pong)
        self._drop()

    def _answered(self, pong: Pong) -> None:
        ping = self.pings.get(pong.id)
        self.pings = {id: each for id, each in self.pings.items() if id > pong.id}
        if ping is None:
            return
        for number, shard in self.shards.items():
            byte = number // 8
            is_uncovered = byte < len(pong.uncovered) and pong.uncovered[byte] >> number % 8 & 1
            if is_uncovered or (not shard.is_present and shard.pending_ms is None):
                continue
            if shard.pending_ms is not None:
                shard.complete_since_ms = shard.pending_ms
            shard.pending_ms, shard.is_present, shard.as_of = None, True, ping
        if pong.store_time_ms > 0:
            self._learn_time(pong.store_time_ms, ping)

    def _learn_time(self, store_ms: int, ping: SentPing) -> None:
        bound_ms, received = self.now_ms(), time.monotonic()
        most_ms = store_ms + (received - ping.steady) * 1000
        if store_ms > bound_ms or bound_ms > most_ms:
            self.store_ms, self.read_at = store_ms, received
        self.latest_ms = max(self.latest_ms, bound_ms)
        if self.latest_ms > most_ms + MARGIN_MS:  # The clock of the store was set back.
            self.floor_ms = max(self.floor_ms, self.latest_ms + MARGIN_MS)
        self.latest_ms = max(self.latest_ms, store_ms)

    def _dropped(self, shard: int, at_ms: int) -> None:
        if shard in self.shards:
            self.shards[shard].raise_to(at_ms + MARGIN_MS)

    def _drop(self) -> None:
        if self.settings is None:
            return
        before_ms = self.now_ms() - self.settings.access_ttl_seconds * 1000 - SLACK_MS
        while self.revoked:
            name, oldest = next(iter(self.revoked.items()))
            if oldest.at_ms >= before_ms and len(self.revoked) <= MOST_REVOCATIONS:
                break
            del self.revoked[name]
            self._dropped(oldest.shard, oldest.at_ms)

    def read(self, token: str) -> tuple[dict[str, Any], bytes, int]:
        """The claims, the hash of the subject and the shard, by rows 1 to 4 of the table. @raises NotActive, Ask"""
        if len(token) > MOST_TOKEN_CHARACTERS:
            raise NotActive
        try:
            head, payload, signature = token.split(".")
            header, raw, signed = json.loads(decode(head)), decode(signature), f"{head}.{payload}".encode()
            kid, alg, typ = (str(header.get(name)) for name in ("kid", "alg", "typ"))
        except (ValueError, AttributeError, RecursionError):
            raise NotActive from None
        key = self.keys.get(kid)
        if key is None or alg != "ES256" or self.settings is None:
            raise Ask
        try:
            r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise NotActive from None
        claims = json.loads(decode(payload))
        names = claims.get("aud", [])
        audience = {names} if isinstance(names, str) else set(names)
        is_ours = not self.settings.HasField("issuer") or claims.get("iss") == self.settings.issuer
        is_meant = not self.settings.audience or not audience.isdisjoint(self.settings.audience)
        if len(raw) != 64 or typ != "at+jwt" or not is_ours or not is_meant:
            raise NotActive
        digest = hashlib.sha256(claims["sub"].encode()).digest()
        return claims, digest[:16], digest[0] % self.settings.shards

    def judge(self, token: str, max_age: float, from_ping: int | None) -> dict[str, Any]:
        """The claims of an active token. @raises NotActive, Ask"""
        claims, subject, number = self.read(token)
        session = uuid.UUID(claims["sid"]).bytes
        started_ms, issued_ms = int.from_bytes(session[:6], "big"), claims["iat"] * 1000
        cut_off = self.revoked.get(("subject", subject))
        if ("session_id", session) in self.revoked or (cut_off and started_ms <= cut_off.not_before_ms):
            raise NotActive
        shard, settings = self.shards.get(number), self.settings
        if shard is None or settings is None:
            raise Ask
        is_adopted = claims.get("adopted") is True and shard.adopted_since_ms is not None
        if started_ms <= (shard.adopted_since_ms if is_adopted else shard.born_ms):
            raise NotActive
        ttl_ms, session_ms = settings.access_ttl_seconds * 1000, settings.session_max_seconds * 1000
        now_ms = self.now_ms()
        if now_ms >= min(claims["exp"] * 1000, issued_ms + ttl_ms, started_ms + session_ms):
            raise NotActive
        is_doubtful = ("doubtful_session_id", session) in self.revoked or ("doubtful_subject", subject) in self.revoked
        is_known = max(shard.complete_since_ms, self.floor_ms) <= issued_ms <= now_ms + MARGIN_MS
        if is_doubtful or not is_known or claims.get("nbf", 0) * 1000 > now_ms or shard.as_of is None:
            raise Ask
        if shard.as_of.age() > max_age if from_ping is None else shard.as_of.id < from_ping:
            raise Ask
        return claims


class FeedValidator:
    """Follows the feed in threads of its own. Make one for the life of a process, after it was forked."""

    def __init__(self, channel: grpc.Channel, max_age: float = 2.0) -> None:
        """`max_age`: how old the knowledge may be by which a token is called active, seconds."""
        self._stub = AuthServiceStub(channel)
        self._max_age = max_age
        self._knowledge = Knowledge()
        self._changed = threading.Condition()
        self._requests: queue.SimpleQueue[WatchRevocationsRequest | None] | None = None
        self._call: Any = None
        self._heard = 0.0
        self._closed = threading.Event()
        self.asks = 0
        for work in (self._follow, self._keep_pinging):
            threading.Thread(target=work, daemon=True).start()

    def validate(self, token: str, strict: bool = False) -> dict[str, Any] | None:
        """The claims of an active token; None: it is not active. `strict`: as of now. @raises CannotTell"""
        try:
            with self._changed:
                from_ping = None
                if strict:
                    number = self._knowledge.read(token)[2]
                    from_ping = self._ping(urgent=True)
                    if from_ping is None:
                        raise Ask
                    self._changed.wait_for(lambda: self._has_pong(number, from_ping), PATIENCE_SECONDS)
                return self._knowledge.judge(token, self._max_age, from_ping)
        except NotActive:
            return None
        except Ask:
            return self._ask(token)

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            if self._call:
                self._call.cancel()

    def _has_pong(self, number: int, ping: int) -> bool:
        shard = self._knowledge.shards.get(number)
        return shard is not None and shard.as_of is not None and shard.as_of.id >= ping

    def _ask(self, token: str) -> dict[str, Any] | None:
        self.asks += 1
        try:
            request = ValidateTokensRequest(access_tokens=[token])
            result = self._stub.ValidateTokens(request, timeout=TIMEOUT_SECONDS).results[0]
        except grpc.RpcError as error:
            raise CannotTell from error
        if result.WhichOneof("result") != "validation":
            raise CannotTell
        if not result.validation.active:
            return None
        return json.loads(decode(token.split(".")[1])) | {"sub": result.validation.subject}

    def _ping(self, urgent: bool) -> int | None:
        """The id of the ping; None without a stream, or if too many pings wait for their pongs."""
        if self._requests is None or len(self._knowledge.pings) >= MOST_PINGS:
            return None
        ping = self._knowledge.ping()
        self._requests.put(WatchRevocationsRequest(ping=Ping(id=ping, urgent=urgent)))
        return ping

    def _follow(self) -> None:
        while not self._closed.is_set():
            requests: queue.SimpleQueue[WatchRevocationsRequest | None] = queue.SimpleQueue()
            requests.put(WatchRevocationsRequest(start=Start()))
            with self._changed:
                self._knowledge.stream_begins()
                self._requests, self._heard = requests, time.monotonic()
                self._ping(urgent=True)
                self._call = self._stub.WatchRevocations(iter(requests.get, None))
            try:
                for batch in self._call:
                    with self._changed:
                        self._heard = time.monotonic()
                        self._knowledge.take(batch)
                        self._changed.notify_all()
            except grpc.RpcError:
                pass
            with self._changed:
                self._requests = None
            requests.put(None)
            self._closed.wait(PING_SECONDS)

    def _keep_pinging(self) -> None:
        while not self._closed.wait(PING_SECONDS):
            with self._changed:
                self._ping(urgent=False)
                if self._call and time.monotonic() - self._heard > SILENT_SECONDS:
                    self._call.cancel()


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def public_key(key: JsonWebKey) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(decode(coordinate), "big") for coordinate in (key.x, key.y))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def main() -> None:
    """Reads tokens, one a line, the word `strict` after it or not, and prints what they are."""
    address, ca = os.environ.get("AUTH_SERVICE_ADDRESS", "127.0.0.1:50051"), os.environ.get("AUTH_SERVICE_TLS_CA")
    if ca is None:
        channel = grpc.insecure_channel(address, CHANNEL_OPTIONS)
    else:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(Path(ca).read_bytes()), CHANNEL_OPTIONS)
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
    channel.close()


if __name__ == "__main__":
    main()
