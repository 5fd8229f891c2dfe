"""Tokens by scope, asked for once however many wait, and renewed ahead of their expiry."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from cirahub_sync.errors import CredentialError, EndpointUnavailableError
from cirahub_sync.identity.base import AccessToken, Credential
from cirahub_sync.identity.entra import Granted
from cirahub_sync.identity.settling import Settling

_TOO_SHORT = 30.0
"""Seconds of life that a token needs to be of use."""
_RETRY_RENEWAL = 60.0


class Grants(Protocol):
    """Something that signs in anew each time."""

    async def acquire(self, scope: str) -> Granted: ...

    @property
    def credential(self) -> Credential:
        """What the last sign-in was proved with."""
        ...

    async def close(self) -> None: ...


class _Cached(msgspec.Struct):
    token: AccessToken
    renew_at: float


class CachedTokens:
    """The renewal falls between a half and nine tenths of a token's life, at random, so that many
    connections don't come at once; while it fails the old token serves to its end."""

    def __init__(
        self,
        grants: Grants,
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._grants = grants
        self._clock = clock
        self._jitter = jitter
        self._settling = Settling(clock)
        self._cached: dict[str, _Cached] = {}
        self._asking: dict[str, asyncio.Task[AccessToken]] = {}
        self._running: set[asyncio.Task[AccessToken]] = set()

    @property
    def credential(self) -> Credential:
        """What the last sign-in was proved with."""
        return self._grants.credential

    async def token(self, scope: str) -> AccessToken:
        cached = self._cached.get(scope)
        if cached is not None and self._clock() < cached.renew_at:
            return cached.token
        try:
            return await self.renew(scope)
        except (EndpointUnavailableError, CredentialError):
            if cached is None or self._clock() >= cached.token.expires_on - _TOO_SHORT:
                raise
            cached.renew_at = self._clock() + _RETRY_RENEWAL
            return cached.token

    async def renew(self, scope: str) -> AccessToken:
        """Sign in, whether or not there is a token. If that fails, an old one is kept."""
        asking = self._asking.get(scope)
        if asking is None:
            asking = self._asking[scope] = asyncio.create_task(self._ask(scope))
            self._running.add(asking)
            asking.add_done_callback(lambda done: self._asked(scope, done))
        # Shielded: who gives up waiting must not take the token from the others.
        return await asyncio.shield(asking)

    async def invalidate(self) -> None:
        self._cached.clear()
        self._asking.clear()

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.invalidate()
        await self._grants.close()

    async def _ask(self, scope: str) -> AccessToken:
        now = self._clock()
        try:
            granted = await self._grants.acquire(scope)
        except CredentialError as error:
            judged = self._settling.judged(error)
            if judged is error:
                raise
            raise judged from error
        self._settling.fine()
        token = AccessToken(granted.token, now + granted.expires_in)
        if self._asking.get(scope) is asyncio.current_task():
            ahead = granted.expires_in * (0.5 + 0.4 * self._jitter())
            self._cached[scope] = _Cached(token, now + ahead)
        return token

    def _asked(self, scope: str, done: asyncio.Task[AccessToken]) -> None:
        self._running.discard(done)
        if self._asking.get(scope) is done:
            del self._asking[scope]
        if not done.cancelled():
            # Everybody who waited was told; nobody may have waited any more.
            done.exception()
