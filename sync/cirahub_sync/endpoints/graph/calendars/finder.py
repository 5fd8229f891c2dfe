"""From the names in a manifest to ids: the user's default calendar, or the one of a name."""

from __future__ import annotations

from functools import partial

from cirahub_sync.configuration import CalendarTarget
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.graph.answers import read
from cirahub_sync.endpoints.graph.calendars import wire
from cirahub_sync.endpoints.graph.calendars.place import ROLES, WRITE_ROLE, CalendarPlace
from cirahub_sync.endpoints.graph.making import made
from cirahub_sync.endpoints.graph.place import query, segment
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.users import user_id
from cirahub_sync.errors import (
    ConfigurationError,
    FolderNotFoundError,
)

_SELECT = query(select="id,name,owner", top=250)


class CalendarFinder:
    """Resolves one calendar target, in two requests, or three for a calendar with a name."""

    def __init__(self, session: GraphSession, target: CalendarTarget, fence: Fence) -> None:
        self._session = session
        self._target = target
        self._fence = fence
        self._what = f"connection {session.connection.name}"

    async def place(self, *, create: bool) -> CalendarPlace:
        """Raises TargetNotFoundError, ConfigurationError and AccessDeniedError."""
        mailbox = await user_id(self._session, self._target.address)
        default = await self._default(mailbox)
        name = self._target.name.strip()
        if not name:
            return CalendarPlace(mailbox, default.id)
        found = await self._named(mailbox, name, default)
        if found is None and not create:
            raise FolderNotFoundError(
                f"{self._what}: mailbox {mailbox} has no calendar of the spoke's name; make it in "
                "the mailbox, or delete the spoke and create one for another calendar"
            )
        if found is None:
            found = await made(
                self._session,
                mailbox,
                f"/v1.0/users/{segment(mailbox)}/calendars",
                {"name": name},
                fence=self._fence,
                what=f"{self._what}: a calendar in mailbox {mailbox}",
                role=WRITE_ROLE,
                seen=partial(self._named, mailbox, name, default),
            )
        return CalendarPlace(mailbox, found)

    async def _default(self, mailbox: str) -> wire.WireCalendar:
        what = f"{self._what}: the default calendar of mailbox {mailbox}"
        path = f"/v1.0/users/{segment(mailbox)}/calendar"
        answer = await self._session.get(mailbox, path, what=what, role=ROLES)
        return read(wire.CALENDAR, answer, what)

    async def _named(self, mailbox: str, name: str, default: wire.WireCalendar) -> str | None:
        """The mailbox's own calendar of this name. Exchange compares names without regard to case.
        Those of others that its user has opened are listed beside the own ones."""
        what = f"{self._what}: the calendars of mailbox {mailbox}"
        found: list[str] = []
        page: str | None = f"/v1.0/users/{segment(mailbox)}/calendars?{_SELECT}"
        while page is not None:
            answer = await self._session.get(mailbox, page, what=what, role=ROLES)
            calendars = read(wire.CALENDAR_PAGE, answer, what)
            found += [
                each.id
                for each in calendars.value
                if (each.name or "").strip().casefold() == name.casefold()
                and _owner(each) in ("", _owner(default))
            ]
            page = self._session.path(calendars.next) if calendars.next else None
        if len(found) > 1:
            raise ConfigurationError(
                f"{what}: {len(found)} calendars have the spoke's name; rename one of them"
            )
        return found[0] if found else None


def _owner(calendar: wire.WireCalendar) -> str:
    return ((calendar.owner.address if calendar.owner else "") or "").casefold()
