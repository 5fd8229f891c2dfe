"""Delta queries on users: what differs between the directory as it was and as it is.

https://learn.microsoft.com/graph/api/user-delta, https://learn.microsoft.com/graph/delta-query-users.
"""

from __future__ import annotations

import msgspec

from cirahub_simulator.directory import User
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.directory_delta import PAGE_SIZE, Tokens, tenant_of
from cirahub_simulator.graph.roles import require_users
from cirahub_simulator.graph.user_requests import TYPE, values_of, visible_users
from cirahub_simulator.wire import Response

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
        self._tokens: Tokens[_State] = Tokens("u")

    def expire_tokens(self) -> None:
        """Let every token that was given out so far answer 410."""
        self._tokens.expire()

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
            state = self._tokens.resume(call, given)
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
        token = self._tokens.keep(call, state)
        more = bool(state.pending)
        return call.page(
            "users",
            values,
            next_link=call.link(f"$skiptoken={token}") if more else None,
            delta_link=None if more else call.link(f"$deltatoken={token}"),
        )

    def _start(self, call: Call, select: tuple[str, ...]) -> _State:
        return _State(tenant_of(call), call.world.clock.time(), {}, [], select)


def _fingerprint(user: User, select: tuple[str, ...]) -> bytes:
    return msgspec.json.encode(values_of(user, select, whole=True))


def _differences(state: _State, users: dict[str, User]) -> list[str]:
    changed = [
        user_id
        for user_id, user in users.items()
        if state.known.get(user_id) != _fingerprint(user, state.select)
    ]
    return changed + [user_id for user_id in state.known if user_id not in users]
