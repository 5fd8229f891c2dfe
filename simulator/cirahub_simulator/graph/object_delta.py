"""Delta queries on directory objects: what differs between the directory as it was and as it is.

https://learn.microsoft.com/graph/api/user-delta, https://learn.microsoft.com/graph/api/orgcontact-delta,
https://learn.microsoft.com/graph/delta-query-users. What has never been set is not told at all.
Items may repeat and come in any order, and pages may be empty
(https://learn.microsoft.com/graph/delta-query-overview): see the switches.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from cirahub_simulator.directory import Principal
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.directory_delta import PAGE_SIZE, Tokens, tenant_of
from cirahub_simulator.switches import Switches
from cirahub_simulator.wire import Response

MAX_FILTERED = 50
"""Objects that `$filter` may name: https://learn.microsoft.com/graph/api/orgcontact-delta"""

_IDS = re.compile(r"\s*id\s+eq\s+'([^']+)'\s*", re.IGNORECASE)

Object = TypeVar("Object")


@dataclass(frozen=True, kw_only=True)
class Tracked(Generic[Object]):
    """What is tracked of one type of objects."""

    type_name: str
    context: str
    properties: tuple[str, ...]
    """What is told without `$select`."""
    selectable: frozenset[str]
    objects: Callable[[Call], Mapping[str, Object]]
    """The objects of the caller's tenant, by id."""
    values: Callable[[Object, Iterable[str], bool], dict[str, object]]
    """An object's members; the last argument: whether the caller sees whole objects."""
    admit: Callable[[Principal | None], bool]
    """Whether the caller sees whole objects. Raises GraphError for one who sees none."""
    restorable: bool = False
    """Whether what is deleted can be restored.

    https://learn.microsoft.com/graph/api/resources/directory (deletedItems)
    """


class _State(msgspec.Struct):
    """What a token stands for: what the reader knows, and what is still to be told."""

    tenant_id: str | None
    issued: float
    known: dict[str, bytes]
    """Each object's tracked values, by id."""
    pending: list[str]
    """Ids of objects still to be told of in this round."""
    select: tuple[str, ...]
    only: frozenset[str] | None
    """Ids that a filter named."""
    pages: int = 0
    """Of this round, so far."""
    last: str = ""
    """The id of the last object that was told in this round."""


class ObjectDelta(Generic[Object]):
    """The tokens of every tenant's delta queries on one type of objects."""

    def __init__(self, tracked: Tracked[Object]) -> None:
        self._tracked = tracked
        self._tokens: Tokens[_State] = Tokens(tracked.context[0])

    def answer(self, call: Call) -> Response:
        """A page of a round."""
        tracked = self._tracked
        whole = tracked.admit(call.request.client)
        query = call.query(tracked.type_name, tracked.selectable, 999)
        for name in ("expand", "top", "orderby", "search"):
            if name in query.given:
                raise _unsupported(name)
        objects = tracked.objects(call)
        given = query.skip_token or query.delta_token or None
        latest = given is not None and given.lower() == "latest"
        if given is not None and not latest:
            state = self._tokens.resume(call, given)
        else:
            only = None if query.filter is None else _named(query.filter)
            state = self._start(call, query.select or tracked.properties, only)
        seen = {
            object_id: value
            for object_id, value in objects.items()
            if state.only is None or object_id in state.only
        }
        if not state.pending:
            state.pending = self._differences(state, seen)
        if latest:
            state.known = {
                object_id: self._fingerprint(value, state) for object_id, value in seen.items()
            }
            state.pending = []
        page = self._page(state, call.switches)
        minimal = call.preferences.minimal and query.delta_token is not None
        changed = minimal or call.switches.directory_delta == "changed"
        values = [self._told(state, seen, object_id, whole, changed) for object_id in page]
        more = bool(state.pending)
        if not more:
            state.pages, state.last = 0, ""
        token = self._tokens.keep(call, state)
        return call.page(
            tracked.context,
            values,
            next_link=call.link(f"$skiptoken={token}") if more else None,
            delta_link=None if more else call.link(f"$deltatoken={token}"),
            applied=("return=minimal",) if minimal else (),
        )

    def _page(self, state: _State, switches: Switches) -> list[str]:
        """Ids of the objects that are told of now."""
        state.pages += 1
        if switches.delta_empty_first_page and state.pages == 1 and state.pending:
            return []
        page, state.pending = state.pending[:PAGE_SIZE], state.pending[PAGE_SIZE:]
        again = [state.last] if switches.delta_repeats and state.last in state.known else []
        state.last = page[-1] if page else ""
        if switches.delta_order == "newest-first":
            page.reverse()
        elif switches.delta_order == "shuffled":
            random.Random(len(page)).shuffle(page)  # noqa: S311 - repeatable disorder
        return again + page

    def _told(self, state: _State, seen: Mapping[str, Object], object_id: str, *how: bool) -> bytes:
        """An entry, after which the reader knows the object as it is."""
        whole, changed = how
        found = seen.get(object_id)
        before = state.known.pop(object_id, None)
        if found is None:
            reason = "changed" if self._tracked.restorable else "deleted"
            return msgspec.json.encode({"id": object_id, "@removed": {"reason": reason}})
        state.known[object_id] = self._fingerprint(found, state)
        shown = self._tracked.values(found, (*state.select, "id"), whole)
        return msgspec.json.encode(told_of(shown, before, changed=changed))

    def _start(self, call: Call, select: tuple[str, ...], only: frozenset[str] | None) -> _State:
        return _State(tenant_of(call), call.world.clock.time(), {}, [], select, only)

    def _fingerprint(self, found: Object, state: _State) -> bytes:
        return msgspec.json.encode(self._tracked.values(found, state.select, True))

    def _differences(self, state: _State, seen: Mapping[str, Object]) -> list[str]:
        changed = [
            object_id
            for object_id, found in seen.items()
            if state.known.get(object_id) != self._fingerprint(found, state)
        ]
        return changed + [object_id for object_id in state.known if object_id not in seen]


def told_of(
    shown: Mapping[str, object], before: bytes | None, *, changed: bool
) -> Mapping[str, object]:
    """What is told of an object that the reader knew as `before`: with `changed` only what differs,
    else all but what has never been set."""
    then: dict[str, object] = {} if before is None else msgspec.json.decode(before)
    if before is not None and changed:
        return {n: v for n, v in shown.items() if n == "id" or v != then.get(n)}
    return {n: v for n, v in shown.items() if v is not None or then.get(n) is not None}


def _named(expression: str) -> frozenset[str]:
    """The ids of `id eq '…' or id eq '…'`, all that delta filters by. Raises GraphError."""
    terms = [_IDS.fullmatch(term) for term in re.split(r"\bor\b", expression)]
    ids = frozenset(term[1] for term in terms if term is not None)
    if not all(terms) or len(ids) > MAX_FILTERED:
        raise _unsupported("filter")
    return ids


def _unsupported(name: str) -> errors.GraphError:
    return errors.bad_request(
        f"${name} is not supported on this delta query.", "Request_UnsupportedQuery"
    )
