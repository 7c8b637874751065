"""Validates access tokens under ES256 by the revocation feed (docs/revocation-feed.md), and asks about all others."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import grpc
import jwt
from auth.v1 import auth_service_pb2 as pb
from auth.v1.auth_service_pb2_grpc import AuthServiceStub
from google.protobuf.json_format import MessageToDict

MARGIN_MS = 10_000
# Beyond these numbers the stream is replaced: a new one begins with nothing but what still matters.
MOST_REVOCATIONS, MOST_PINGS = 400_000, 1_000
MOST_TOKEN_CHARACTERS = 8_192
# The most and the least time between two pings.
PING_SECONDS, LEAST_PING_SECONDS = 0.25, 0.001
# How long a strict call waits for its pong before it asks, and how long an answer may take.
PATIENCE_SECONDS, TIMEOUT_SECONDS = 0.25, 1.0


class CannotTell(Exception):
    """Nothing is known about the token: answer 503."""


class Ask(Exception):
    """The feed cannot tell."""


class SentPing(NamedTuple):
    id: int
    steady: float
    wall: float

    def age(self) -> float:
        """Seconds. The monotonic clock of a suspended machine stands still, and the wall clock may be set back."""
        return max(time.monotonic() - self.steady, time.time() - self.wall)


class Feed:
    """What one stream has delivered. Hold `changed` to call `take` and `judge`."""

    def __init__(self) -> None:
        self.changed, self.hurry = threading.Condition(), threading.Event()
        self.call: Any = None
        self.settings, self.store_ms, self.read_at = pb.Settings(), 0.0, 0.0
        self.keys: dict[str, Any] = {}
        self.last_ping = self.answered = 0
        self.pings: dict[int, SentPing] = {}
        # By shard: its state, and the last ping whose pong covers it.
        self.shards: dict[int, pb.ShardState] = {}
        self.as_of: dict[int, SentPing] = {}
        # The shards of ends that only a later version of this program can read.
        self.unread: set[int] = set()
        # By kind and id.
        self.revoked: dict[tuple[str, bytes], pb.Revocation] = {}

    def requests(self) -> Iterator[pb.WatchRevocationsRequest]:
        """Pings regularly, and at once for strict callers, who share the next ping."""
        yield pb.WatchRevocationsRequest(start=pb.Start())
        urgent = True
        while len(self.pings) < MOST_PINGS and len(self.revoked) < MOST_REVOCATIONS:
            with self.changed:
                self.last_ping += 1
                self.pings[self.last_ping] = SentPing(self.last_ping, time.monotonic(), time.time())
            yield pb.WatchRevocationsRequest(ping=pb.Ping(id=self.last_ping, urgent=urgent))
            time.sleep(LEAST_PING_SECONDS)
            urgent = self.hurry.wait(PING_SECONDS)
            self.hurry.clear()
        self.call.cancel()

    def take(self, batch: pb.WatchRevocationsResponse) -> None:
        """Takes in one message as a whole, in the order of its fields."""
        if batch.HasField("settings"):
            self.settings = batch.settings
        if batch.HasField("keys"):
            self.keys = {key.kid: jwt.PyJWK(MessageToDict(key)) for key in batch.keys.keys if key.alg == "ES256"}
        self.shards |= {state.shard: state for state in batch.shards}
        for each in batch.revocations:
            kind = each.WhichOneof("what")
            if kind is None:
                self.unread.add(each.shard)
            else:
                self.revoked[kind, each.subject.subject if kind == "subject" else getattr(each, kind)] = each
        if ping := self.pings.get(batch.pong.id):
            self.answered = ping.id
            self.pings = {id: each for id, each in self.pings.items() if id > ping.id}
            uncovered = int.from_bytes(batch.pong.uncovered, "little")
            self.as_of |= {shard: ping for shard in self.shards if not uncovered >> shard & 1}
            if batch.pong.store_time_ms > 0:
                self.store_ms, self.read_at = batch.pong.store_time_ms, time.monotonic()

    def judge(self, token: str, max_age: float, from_ping: int) -> dict[str, Any] | None:
        """The claims of an active token; None: it is not active. The rows of the table, in their order. @raises Ask"""
        settings, claims = self.settings, self._read(token)
        if claims is None:
            return None
        digest = hashlib.sha256(claims["sub"].encode()).digest()
        session, subject = bytes.fromhex(claims["sid"].replace("-", "")), digest[:16]
        number = digest[0] % settings.shards
        started_ms, issued_ms = int.from_bytes(session[:6], "big"), claims["iat"] * 1000
        cut_off = self.revoked.get(("subject", subject))
        if ("session_id", session) in self.revoked or (cut_off and started_ms <= cut_off.subject.not_before_ms):
            return None
        shard, as_of = self.shards.get(number), self.as_of.get(number)
        if shard is None or as_of is None:
            raise Ask
        is_adopted = claims.get("adopted") is True and shard.HasField("adopted_since_ms")
        if started_ms <= (shard.adopted_since_ms if is_adopted else shard.born_ms):
            return None
        now_ms = self.store_ms + (time.monotonic() - self.read_at) * 1000
        ttl_ms, session_ms = settings.access_ttl_seconds * 1000, settings.session_max_seconds * 1000
        if now_ms >= min(claims["exp"] * 1000, issued_ms + ttl_ms, started_ms + session_ms):
            return None
        doubts = {("doubtful_session_id", session), ("doubtful_subject", subject)} & self.revoked.keys()
        is_complete = shard.complete_since_ms <= issued_ms <= now_ms + MARGIN_MS and number not in self.unread
        is_fresh = as_of.id >= from_ping and as_of.age() <= max_age
        if doubts or not is_complete or claims.get("nbf", 0) * 1000 > now_ms or not is_fresh:
            raise Ask
        return claims

    def _read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that this service has signed, by rows 1 to 3; None: it has not. @raises Ask"""
        if len(token) > MOST_TOKEN_CHARACTERS:
            return None
        audience, issuer = list(self.settings.audience) or None, self.settings.issuer or None
        # Times are judged by the clock of the store.
        checks = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": audience is not None}
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "ES256" or header.get("kid") not in self.keys:
                raise Ask
            claims = jwt.decode(token, self.keys[header["kid"]], ["ES256"], checks, audience=audience, issuer=issuer)
            return claims if header.get("typ") == "at+jwt" else None
        except jwt.InvalidTokenError:
            return None


class FeedValidator:
    """Follows the feed in threads of its own. Make one for the life of a process, after it was forked."""

    def __init__(self, channel: grpc.Channel, max_age: float = 2.0) -> None:
        """`max_age`: how old the knowledge may be by which a token is called active, seconds."""
        self._stub, self._max_age = AuthServiceStub(channel), max_age
        self._feed, self._closed = Feed(), threading.Event()
        self.asks = 0
        threading.Thread(target=self._follow, daemon=True).start()

    def validate(self, token: str, strict: bool = False) -> dict[str, Any] | None:
        """The claims of an active token; None: it is not active. `strict`: as of now. @raises CannotTell"""
        feed, from_ping = self._feed, 0
        try:
            with feed.changed:
                if strict:
                    from_ping = feed.last_ping + 1
                    feed.hurry.set()
                    feed.changed.wait_for(lambda: feed.answered >= from_ping, PATIENCE_SECONDS)
                return feed.judge(token, self._max_age, from_ping)
        except Ask:
            return self._ask(token)

    def close(self) -> None:
        """The last stream ends with its channel."""
        self._closed.set()

    def _ask(self, token: str) -> dict[str, Any] | None:
        self.asks += 1
        try:
            request = pb.ValidateTokensRequest(access_tokens=[token])
            [result] = self._stub.ValidateTokens(request, timeout=TIMEOUT_SECONDS).results
        except grpc.RpcError as error:
            raise CannotTell from error
        if not result.HasField("validation"):
            raise CannotTell
        if not result.validation.active:
            return None
        return jwt.decode(token, options={"verify_signature": False}) | {"sub": result.validation.subject}

    def _follow(self) -> None:
        """Opens one stream after the other. The last one is used until a new one has its first pong."""
        while not self._closed.wait(PING_SECONDS):
            feed = Feed()
            feed.call = self._stub.WatchRevocations(feed.requests())
            with suppress(grpc.RpcError):
                for batch in feed.call:
                    with feed.changed:
                        feed.take(batch)
                        feed.changed.notify_all()
                    if feed.answered:
                        self._feed = feed
