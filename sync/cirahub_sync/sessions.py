"""The sessions that a process has: one a connection, made anew when its configuration changes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cirahub_sync.configuration import ConnectionConfig
from cirahub_sync.endpoints.opening import counted_with, open_session
from cirahub_sync.endpoints.session import Answers, Session, Surroundings, no_answers
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.suspects import suspects
from cirahub_sync.identity.base import CredentialSource
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.origins import Origins
from cirahub_sync.throttle import Throttle


class _Opened(msgspec.Struct):
    connection: ConnectionConfig
    session: Session


class Sessions:
    """Belongs to one event loop."""

    def __init__(
        self,
        origins: Origins,
        lease: LeaseTerms,
        credentials: CredentialSource,
        clock: Callable[[], float],
        make_throttle: Callable[[], Throttle],
    ) -> None:
        self._origins = origins
        self._lease = lease
        self._credentials = credentials
        self._clock = clock
        self._make_throttle = make_throttle
        self._sessions: dict[str, _Opened] = {}
        self._answers: dict[str, Answers] = {}
        self._throttles: dict[tuple[str, str], Throttle] = {}

    async def of(self, connection: ConnectionConfig) -> Session:
        """Raises ConfigurationError."""
        opened = self._sessions.get(connection.uid)
        if opened is not None and opened.connection == connection:
            return opened.session
        if opened is not None:
            await self._drop(connection.uid)
        surroundings = Surroundings(
            origins=self._origins,
            credentials=self._credentials,
            clock=self._clock,
            lease=self._lease,
            throttle=self._throttles.setdefault(counted_with(connection), self._make_throttle()),
            answers=self._answers.setdefault(connection.uid, no_answers()),
        )
        session = open_session(connection, surroundings)
        self._sessions[connection.uid] = _Opened(connection, session)
        return session

    def account(self, context: PassContext) -> None:
        """Note in the pass's report what was asked and waited for since the last one."""
        for run in context.runs:
            opened = self._sessions.get(run.config.connection.uid)
            if opened is not None:
                waited = opened.session.take_waited(run.config, run.report.target)
                run.report.throttled_seconds += waited
                if waited:
                    api = opened.session.api_of(run.config)
                    traffic = context.report.traffic_with(run.config.connection.name, api)
                    traffic.throttled_seconds += waited
                for api, codes in self._answers.get(run.config.connection.uid, {}).items():
                    if codes:
                        traffic = context.report.traffic_with(run.config.connection.name, api)
                        traffic.count(codes)
                        codes.clear()
            member = context.members.get(run.uid)
            if member is not None and member.set_uid in context.report.sets:
                of_set = context.report.sets[member.set_uid]
                of_set.throttled_seconds += run.report.throttled_seconds

    async def doubt(self, context: PassContext) -> None:
        """After a refusal, the next pass signs in anew instead of going on with a token of up to
        an hour ago."""
        for uid in suspects(context.runs) & self._sessions.keys():
            await self._sessions[uid].session.doubt()

    async def close(self) -> None:
        for uid in list(self._sessions):
            await self._drop(uid)

    async def _drop(self, uid: str) -> None:
        await self._sessions.pop(uid).session.close()
