"""Delta queries on users: what differs between the directory as it was and as it is.

https://learn.microsoft.com/graph/api/user-delta, https://learn.microsoft.com/graph/delta-query-users.
Tokens of directory objects live seven days; after that 410 with a `Location` that starts over
(https://learn.microsoft.com/graph/delta-query-overview, synchronization reset and token duration).
"""

from __future__ import annotations

import msgspec

from cirahub_simulator.directory import User
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.roles import require_users
from cirahub_simulator.graph.user_requests import TYPE, values_of, visible_users
from cirahub_simulator.wire import Response

PAGE_SIZE = 100
TOKEN_LIFE = 7 * 86_400.0

_TRACKED = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "accountEnabled",
    "companyName",
    "department",
    "userType",
)


class _State(msgspec.Struct):
    """What a token stands for: what the reader knows, and what is still to be told."""

    tenant_id: str | None
    issued: float
    known: dict[str, bytes]
    """Each user's tracked values, by id."""
    pending: list[str]
    """Ids of users still to be told of in this round."""
    select: tuple[str, ...]


class UserDelta:
    """The tokens of every tenant's user delta queries."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}

    def expire_tokens(self) -> None:
        """Let every token that was given out so far answer 410."""
        self._states.clear()

    def answer(self, call: Call) -> Response:
        """A page of a round."""
        whole = require_users(call.request.client)
        query = call.query(TYPE, frozenset((*_TRACKED, "id")), 999)
        for name in ("expand", "top", "orderby", "filter", "search"):
            if name in query.given:
                raise errors.bad_request(
                    f"${name} is not supported on this delta query.", "Request_UnsupportedQuery"
                )
        users = {user.id: user for user in visible_users(call)}
        given = query.skip_token or query.delta_token or None
        if given is not None and given.lower() != "latest":
            state = self._resume(call, given)
        else:
            state = self._start(call, query.select or _TRACKED)
        if not state.pending:
            state.pending = _differences(state, users)
        if given is not None and given.lower() == "latest":
            state.known = {
                user_id: _fingerprint(user, state.select) for user_id, user in users.items()
            }
            state.pending = []
        page, state.pending = state.pending[:PAGE_SIZE], state.pending[PAGE_SIZE:]
        values = []
        for user_id in page:
            user = users.get(user_id)
            if user is None:
                state.known.pop(user_id, None)
                values.append(
                    msgspec.json.encode({"id": user_id, "@removed": {"reason": "changed"}})
                )
                continue
            state.known[user_id] = _fingerprint(user, state.select)
            shown = values_of(user, (*state.select, "id"), whole=whole)
            values.append(msgspec.json.encode(shown))
        token = self._keep(call, state)
        more = bool(state.pending)
        return call.page(
            "users",
            values,
            next_link=call.link(f"$skiptoken={token}") if more else None,
            delta_link=None if more else call.link(f"$deltatoken={token}"),
        )

    def _start(self, call: Call, select: tuple[str, ...]) -> _State:
        return _State(_tenant(call), call.world.clock.time(), {}, [], select)

    def _resume(self, call: Call, token: str) -> _State:
        state = self._states.get(token)
        now = call.world.clock.time()
        if state is None or state.tenant_id != _tenant(call) or now - state.issued > TOKEN_LIFE:
            raise errors.GraphError(
                410,
                "syncStateNotFound",
                "The delta token is no longer valid; start over.",
                {"Location": call.link("$deltatoken=")},
            )
        return _State(state.tenant_id, now, dict(state.known), list(state.pending), state.select)

    def _keep(self, call: Call, state: _State) -> str:
        token = f"u{len(self._states):x}.{int(call.world.clock.time()):x}"
        state.issued = call.world.clock.time()
        self._states[token] = state
        return token


def _tenant(call: Call) -> str | None:
    client = call.request.client
    return None if client is None else client.tenant_id


def _fingerprint(user: User, select: tuple[str, ...]) -> bytes:
    return msgspec.json.encode(values_of(user, select, whole=True))


def _differences(state: _State, users: dict[str, User]) -> list[str]:
    changed = [
        user_id
        for user_id, user in users.items()
        if state.known.get(user_id) != _fingerprint(user, state.select)
    ]
    return changed + [user_id for user_id in state.known if user_id not in users]
