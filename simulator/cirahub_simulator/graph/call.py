"""One request being served: who asks, what they prefer, and how an answer is put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from cirahub_simulator.graph.query import Query, parse_query
from cirahub_simulator.graph.routing import Route
from cirahub_simulator.odata import request_ids
from cirahub_simulator.switches import Switches
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

JSON = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)
"""https://learn.microsoft.com/graph/json-batching shows it in full."""

SHOW_TIMES = frozenset(("events", "event", "event-instances", "view", "view-delta"))
"""Nouns whose answers have times and bodies, and heed what is preferred for those."""

_MAX_PAGE_SIZE = re.compile(r"\bodata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)
_TIME_ZONE = re.compile(r"\boutlook\.timezone\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", re.IGNORECASE)
_BODY = re.compile(r"\boutlook\.body-content-type\s*=\s*\"?(text|html)\"?", re.IGNORECASE)
_MINIMAL = re.compile(r"\breturn\s*=\s*minimal\b", re.IGNORECASE)
_IMMUTABLE = re.compile(r"\bIdType\s*=\s*\"?ImmutableId\"?", re.IGNORECASE)


class Preferences(NamedTuple):
    """What `Prefer` asked for."""

    immutable_ids: bool
    max_page_size: int | None
    time_zone: str | None = None
    """In which start and end of events are shown; UTC without it."""
    body_type: Literal["text", "html"] | None = None
    minimal: bool = False
    """Whether delta tells no more of an object than what has changed of it."""


@lru_cache(maxsize=256)
def read_preferences(prefer: str) -> Preferences:
    """Read a `Prefer` header; what is not known is passed over, as RFC 7240 wants."""
    size = _MAX_PAGE_SIZE.search(prefer)
    zone = _TIME_ZONE.search(prefer)
    body = _BODY.search(prefer)
    return Preferences(
        immutable_ids=_IMMUTABLE.search(prefer) is not None,
        max_page_size=int(size[1]) if size and int(size[1]) > 0 else None,
        time_zone=(zone[1] or zone[2] or "") if zone else None,
        minimal=_MINIMAL.search(prefer) is not None,
        body_type=None if body is None else ("text" if body[1].lower() == "text" else "html"),
    )


class Call:
    """A request on its way through the service."""

    __slots__ = ("path", "preferences", "request", "route", "switches", "world")

    def __init__(self, world: World, request: Request, route: Route) -> None:
        self.world = world
        self.switches: Switches = world.switches
        self.request = request
        self.route = route
        self.path = request.path
        prefer = request.headers.get("prefer")
        self.preferences = read_preferences(prefer) if prefer else _NONE

    def query(
        self,
        type_name: str,
        properties: frozenset[str],
        max_top: int,
        sortable: frozenset[str] = frozenset(),
    ) -> Query:
        """The request's query options, for a type. Raises GraphError."""
        return parse_query(
            self.request.query,
            type_name=type_name,
            properties=properties,
            max_top=max_top,
            sortable=sortable,
        )

    @property
    def root(self) -> str:
        """Where this service is, as the client knows it."""
        return f"{self.request.origin}/v1.0"

    def link(self, options: str) -> str:
        """A link to the same path with other options."""
        return f"{self.root}{self.path}?{options}"

    def context(self, what: str) -> str:
        """The value of `@odata.context`."""
        return f"{self.root}/$metadata#{what}"

    def answer(self, status: int, body: bytes, *, applied: Iterable[str] = ()) -> Response:
        """A success with JSON."""
        request_id, client_request_id = request_ids(self.request)
        headers = {
            "Content-Type": JSON,
            "Cache-Control": "private",
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        honoured = list(applied)
        if self.preferences.immutable_ids:
            honoured.append('IdType="ImmutableId"')
        if self.route.noun in SHOW_TIMES:
            if self.preferences.time_zone is not None:
                honoured.append(f'outlook.timezone="{self.preferences.time_zone}"')
            if self.preferences.body_type is not None:
                honoured.append(f'outlook.body-content-type="{self.preferences.body_type}"')
        if honoured:
            headers["Preference-Applied"] = ", ".join(honoured)
        return Response(status, headers, body)

    def nothing(self) -> Response:
        """204."""
        request_id, client_request_id = request_ids(self.request)
        return Response(
            204,
            {
                "Cache-Control": "private",
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        )

    def number(self, count: int) -> Response:
        """What `$count` answers."""
        answer = self.answer(200, str(count).encode())
        answer.headers["Content-Type"] = "text/plain"
        return answer

    def entity(self, status: int, context: str, values: Mapping[str, object]) -> Response:
        """One object, of the properties given."""
        body = msgspec.json.encode({"@odata.context": self.context(context), **values})
        return self.answer(status, body)

    def page(
        self,
        context: str,
        values: Iterable[bytes],
        *,
        count: int | None = None,
        next_link: str | None = None,
        delta_link: str | None = None,
        applied: Iterable[str] = (),
    ) -> Response:
        """A page of a collection, of objects that are encoded already."""
        head: dict[str, object] = {"@odata.context": self.context(context)}
        if count is not None:
            head["@odata.count"] = count
        if next_link is not None:
            head["@odata.nextLink"] = next_link
        if delta_link is not None:
            head["@odata.deltaLink"] = delta_link
        body = msgspec.json.encode(head)[:-1] + b',"value":[' + b",".join(values) + b"]}"
        return self.answer(200, body, applied=applied)


_NONE = Preferences(immutable_ids=False, max_page_size=None)
