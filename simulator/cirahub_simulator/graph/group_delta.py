"""Delta queries on groups: what differs between them, and who is in them, as it was and as it is.

https://learn.microsoft.com/graph/api/group-delta, https://learn.microsoft.com/graph/delta-query-groups.
Members are direct ones. They are told of by default, with `$select=members` and with
`$expand=members`; one who left, or who was deleted, as `@removed`. A group with many members comes
again and again, with some of them each time.
"""

from __future__ import annotations

import re

import msgspec

from cirahub_simulator.directory import Group
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.directory_delta import PAGE_SIZE, Tokens, tenant_of
from cirahub_simulator.graph.group_requests import PROPERTIES, TYPE, shown, visible_groups
from cirahub_simulator.graph.object_delta import told_of
from cirahub_simulator.graph.query import Query
from cirahub_simulator.graph.roles import require_groups
from cirahub_simulator.wire import Response

MEMBERS_PER_PAGE = 500
"""Of all groups of a page together. No number is documented."""
MOST_FILTERED = 50
"""https://learn.microsoft.com/graph/api/group-delta"""
_MEMBERS = "members"
_TERM = re.compile(r"\s*id\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


class _Known(msgspec.Struct):
    """What the reader was told of a group."""

    values: bytes = b""
    members: set[str] = set()


class _State(msgspec.Struct):
    tenant_id: str | None
    issued: float
    select: tuple[str, ...]
    members: bool
    only: tuple[str, ...]
    """Ids of the groups that are tracked; empty: all."""
    known: dict[str, _Known] = {}
    pending: list[str] = []
    """Ids of groups still to be told of in this round."""


class GroupDelta:
    """The tokens of every tenant's group delta queries."""

    def __init__(self) -> None:
        self._tokens: Tokens[_State] = Tokens("g")

    def answer(self, call: Call) -> Response:
        """A page of a round."""
        require_groups(call.request.client)
        query = call.query(TYPE, frozenset((*PROPERTIES, _MEMBERS)), 999)
        for name in ("top", "orderby", "search"):
            if name in query.given:
                raise errors.bad_request(
                    f"${name} is not supported on this delta query.", "Request_UnsupportedQuery"
                )
        given = query.skip_token or query.delta_token or None
        latest = given is not None and given.lower() == "latest"
        state = (
            _started(call, query) if given is None or latest else self._tokens.resume(call, given)
        )
        groups = {
            group.id: group
            for group in visible_groups(call)
            if not state.only or group.id.lower() in state.only
        }
        if latest:
            state.known = {
                group.id: _Known(_values(group, state), set(_members(call, group)))
                for group in groups.values()
            }
        elif not state.pending:
            state.pending = _differing(call, state, groups)
        values = _page(call, state, groups)
        token = self._tokens.keep(call, state)
        more = bool(state.pending)
        return call.page(
            "groups",
            values,
            next_link=call.link(f"$skiptoken={token}") if more else None,
            delta_link=None if more else call.link(f"$deltatoken={token}"),
        )


def _started(call: Call, query: Query) -> _State:
    expanded = tuple(name.lower() for name in query.expand)
    if expanded not in ((), (_MEMBERS,)):
        raise errors.not_simulated("$expand of anything but members in a delta query on groups")
    only: tuple[str, ...] = ()
    if query.filter is not None:
        terms = [_TERM.fullmatch(term) for term in re.split(r"\bor\b", query.filter)]
        if not all(terms) or len(terms) > MOST_FILTERED:
            raise errors.bad_request(
                "The only filter of this delta query is id eq '{id}', of 50 groups at most.",
                "Request_UnsupportedQuery",
            )
        only = tuple(term[1].lower() for term in terms if term)
    select = tuple(name for name in query.select if name != _MEMBERS)
    members = not query.select or _MEMBERS in query.select or bool(expanded)
    if not query.select:
        select = tuple(PROPERTIES)
    return _State(tenant_of(call), call.world.clock.time(), select, members, only)


def _values(group: Group, state: _State) -> bytes:
    return msgspec.json.encode(shown(group, state.select) if state.select else {})


def _members(call: Call, group: Group) -> dict[str, str]:
    """Direct ones that there are, by their ids: their types."""
    directory, found = call.world.directory, {}
    for member in group.members:
        if directory.user(group.tenant_id, member) is not None:
            found[member] = "#microsoft.graph.user"
        elif directory.group(group.tenant_id, member) is not None:
            found[member] = "#microsoft.graph.group"
    return found


def _differs(call: Call, state: _State, group: Group) -> bool:
    known = state.known.get(group.id)
    if known is None or known.values != _values(group, state):
        return True
    return state.members and known.members != _members(call, group).keys()


def _differing(call: Call, state: _State, groups: dict[str, Group]) -> list[str]:
    changed = [group.id for group in groups.values() if _differs(call, state, group)]
    return changed + [group_id for group_id in state.known if group_id not in groups]


def _page(call: Call, state: _State, groups: dict[str, Group]) -> list[bytes]:
    page: list[bytes] = []
    room = MEMBERS_PER_PAGE
    while state.pending and len(page) < PAGE_SIZE and room > 0:
        group = groups.get(state.pending[0])
        if group is None:
            gone = state.pending.pop(0)
            state.known.pop(gone, None)
            removed = {"id": gone, "@removed": {"reason": "changed"}}
            page.append(msgspec.json.encode(removed))
            continue
        known = state.known.setdefault(group.id, _Known())
        told: list[dict[str, object]] = []
        if state.members:
            now = _members(call, group)
            gone_or_come = [
                *sorted(known.members - now.keys()),
                *(member for member in now if member not in known.members),
            ]
            for member in gone_or_come[:room]:
                entry: dict[str, object] = {
                    "@odata.type": now.get(member, "#microsoft.graph.user"),
                    "id": member,
                }
                if member in now:
                    known.members.add(member)
                else:
                    known.members.remove(member)
                    entry["@removed"] = {"reason": "deleted"}
                told.append(entry)
            room -= len(told)
        values: dict[str, object] = {"id": group.id}
        if state.select:
            changed = call.switches.directory_delta == "changed"
            values |= told_of(shown(group, state.select), known.values or None, changed=changed)
        known.values = _values(group, state)
        if told:
            values["members@delta"] = told
        page.append(msgspec.json.encode(values))
        if not _differs(call, state, group):
            state.pending.pop(0)
    return page
