"""Who is in a group of Entra ID, nested groups included, in a request for each 999.

By `transitiveMembers` without a cast: a cast is an advanced query, over an index that may lag
(https://learn.microsoft.com/graph/api/group-list-transitivemembers). Members that the application
may not read come with their ids only (https://learn.microsoft.com/graph/permissions-overview); and
what is hidden may be left out without a word. Neither is taken for what the group is.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from cirahub_sync.endpoints.directory import Member
from cirahub_sync.endpoints.graph import person
from cirahub_sync.endpoints.graph.answers import failure, read
from cirahub_sync.endpoints.graph.place import DIRECTORY_LANE, query, segment
from cirahub_sync.endpoints.graph.properties import quoted
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import AccessDeniedError, GroupNotFoundError

ROLE = "GroupMember.Read.All"
HIDDEN_ROLE = "Member.Read.Hidden"
_GROUP = query(select="id,visibility")
_MEMBERS = query(select=f"{person.PROPERTIES},visibility", top=999)
_HIDDEN = "HiddenMembership"
_PEOPLE = frozenset((person.USER, person.CONTACT))


class _Group(msgspec.Struct):
    id: str
    visibility: str | None = None


class _Member(person.Person, rename="camel"):
    visibility: str | None = None
    """Of a group that is a member."""


class _GroupPage(msgspec.Struct):
    value: list[_Group]


class _MemberPage(msgspec.Struct):
    value: list[_Member]
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")


_read_group = msgspec.json.Decoder(_Group)
_read_groups = msgspec.json.Decoder(_GroupPage)
_read_members = msgspec.json.Decoder(_MemberPage)


class GroupReader:
    def __init__(self, session: GraphSession) -> None:
        self._session = session
        self._what = f"connection {session.connection.name}: a group that a filter or set names"

    async def members(self, group: str) -> tuple[Member, ...]:
        found = await self._group(group)
        hidden = found.visibility == _HIDDEN
        members: dict[str, Member] = {}
        page: str | None = f"/v1.0/groups/{segment(found.id)}/transitiveMembers?{_MEMBERS}"
        while page is not None:
            answer = await self._session.ask(DIRECTORY_LANE, page, what=self._what, role=ROLE)
            if answer.status == 404:
                raise self._gone()
            if not answer.ok:
                raise failure(answer, self._what, role=ROLE)
            got = read(_read_members, answer, self._what)
            for each in got.value:
                hidden = hidden or each.visibility == _HIDDEN
                if each.type in _PEOPLE:
                    members[each.id] = person.member(each, self._what)
            page = self._session.path(got.next) if got.next else None
        if hidden:
            await self._require_hidden()
        return tuple(members.values())

    async def _group(self, group: str) -> _Group:
        if "@" not in group:
            path = f"/v1.0/groups/{segment(group)}?{_GROUP}"
            answer = await self._session.ask(DIRECTORY_LANE, path, what=self._what, role=ROLE)
            if answer.status == 404:
                raise self._gone()
            if not answer.ok:
                raise failure(answer, self._what, role=ROLE)
            return read(_read_group, answer, self._what)
        path = f"/v1.0/groups?{query(filter=f'mail eq {quoted(group)}')}&{_GROUP}"
        answer = await self._session.get(DIRECTORY_LANE, path, what=self._what, role=ROLE)
        found = read(_read_groups, answer, self._what).value
        if len(found) != 1:
            raise self._gone(len(found))
        return found[0]

    async def _require_hidden(self) -> None:
        roles: Collection[str] | None = await self._session.roles()
        if roles is not None and HIDDEN_ROLE not in roles:
            raise AccessDeniedError(
                f"{self._what}: its membership, or that of a group in it, is hidden; grant the "
                f"application the role {HIDDEN_ROLE} in this tenant"
            )

    def _gone(self, count: int = 0) -> GroupNotFoundError:
        how = f"{count} groups" if count else "no group"
        return GroupNotFoundError(
            f"{self._what}: the tenant {self._session.connection.tenant_id} has {how} of this id "
            "or address; restore it, or name another one"
        )
