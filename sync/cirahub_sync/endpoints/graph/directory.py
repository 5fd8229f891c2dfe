"""The directory of a tenant: groups, and users by a filter or an address.

A filter is sent as an advanced query, so that all that Graph can do is allowed in it
(https://learn.microsoft.com/graph/aad-advanced-queries): over an index that may lag, which is why
fewer users than it counts are no answer.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.endpoints.directory import Member
from cirahub_sync.endpoints.graph import person
from cirahub_sync.endpoints.graph.answers import Answer, failure, read
from cirahub_sync.endpoints.graph.groups import GroupReader
from cirahub_sync.endpoints.graph.place import DIRECTORY_LANE, DIRECTORY_ROLES, query, segment
from cirahub_sync.endpoints.graph.properties import quoted
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CirahubError, FilterRefusedError, ProtocolError

FILTER_ROLE = "User.Read.All"
"""A filter may ask for any property, and basic profiles have few:
https://learn.microsoft.com/graph/permissions-reference."""
_REFUSED = frozenset({"Request_UnsupportedQuery", "Request_BadRequest", "BadRequest"})


class _Page(msgspec.Struct):
    value: list[person.Person]
    count: int | None = msgspec.field(default=None, name="@odata.count")
    """On the first page."""
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")


_read_page = msgspec.json.Decoder(_Page)
_read_person = msgspec.json.Decoder(person.Person)


class GraphDirectory:
    """Implements `endpoints.directory.Directory`."""

    def __init__(self, session: GraphSession) -> None:
        self._session = session
        self._groups = GroupReader(session)
        self._what = f"connection {session.connection.name}: the users that a set names"

    async def members(self, group: str) -> tuple[Member, ...]:
        return await self._groups.members(group)

    async def matching(self, filter: str) -> tuple[Member, ...]:  # noqa: A002 (OData's name)
        options = query(select=person.PROPERTIES, count="true", top=999, filter=filter)
        page: str | None = f"/v1.0/users?{options}"
        found: dict[str, Member] = {}
        counted = 0
        while page is not None:
            answer = await self._session.ask(
                DIRECTORY_LANE, page, what=self._what, role=FILTER_ROLE, eventual=True
            )
            if not answer.ok:
                raise self._refused(answer)
            got = read(_read_page, answer, self._what)
            counted = max(counted, got.count or 0)
            for each in got.value:
                found[each.id] = person.member(each, self._what)
            page = self._session.path(got.next) if got.next else None
        if len(found) < counted:
            raise ProtocolError(
                f"{self._what}: Graph counts {counted} users that fit the filter and shows "
                f"{len(found)}; will be tried again"
            )
        return tuple(found.values())

    async def user(self, address: str) -> Member | None:
        path = f"/v1.0/users/{segment(address)}?{query(select=person.PROPERTIES)}"
        answer = await self._session.ask(
            DIRECTORY_LANE, path, what=self._what, role=DIRECTORY_ROLES
        )
        if answer.ok:
            return person.member(read(_read_person, answer, self._what), self._what)
        if answer.status != 404:
            raise failure(answer, self._what, role=DIRECTORY_ROLES)
        options = query(select=person.PROPERTIES, filter=f"mail eq {quoted(address)}")
        answer = await self._session.get(
            DIRECTORY_LANE, f"/v1.0/users?{options}", what=self._what, role=DIRECTORY_ROLES
        )
        users = read(_read_page, answer, self._what).value
        return person.member(users[0], self._what) if len(users) == 1 else None

    def _refused(self, answer: Answer) -> CirahubError:
        if answer.status == 400 and answer.code in _REFUSED:
            return FilterRefusedError(
                f"{self._what}: Graph answered {answer.summary} to members.filter; correct it: "
                "properties, operators and functions are those of Graph's $filter on users"
            )
        return failure(answer, self._what, role=FILTER_ROLE)
