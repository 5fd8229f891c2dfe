"""From the names in a manifest to ids: the folder at a path of display names."""

from __future__ import annotations

from functools import partial

from cirahub_sync.configuration import MailboxTarget
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.graph import wire
from cirahub_sync.endpoints.graph.answers import NO_MAILBOX, failure, read
from cirahub_sync.endpoints.graph.making import made
from cirahub_sync.endpoints.graph.place import ROLES, WRITE_ROLE, Place, query, segment
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.users import user_id
from cirahub_sync.errors import (
    ConfigurationError,
    FolderNotFoundError,
)

_SELECT = query(select="id,displayName,parentFolderId", top=250)


class FolderFinder:
    """Resolves one mailbox target. Needs as many requests as the path has names, plus two."""

    def __init__(self, session: GraphSession, target: MailboxTarget, fence: Fence) -> None:
        self._session = session
        self._target = target
        self._fence = fence
        self._what = f"connection {session.connection.name}"

    async def place(self, *, create: bool) -> Place:
        """Raises TargetNotFoundError, ConfigurationError and AccessDeniedError."""
        names = self._names()
        mailbox = await user_id(self._session, self._target.address)
        default = await self._default_folder(mailbox)
        folder = default
        path = f"/users/{segment(mailbox)}/contactFolders"
        for depth, name in enumerate(names):
            found = await self._child(mailbox, path, name, depth, default)
            if found is None:
                if not create:
                    raise FolderNotFoundError(
                        f"{self._what}: mailbox {mailbox} has no contact folder at level "
                        f"{depth + 1} of the spoke's path; make it in the mailbox, or delete the "
                        "spoke and create one for another folder"
                    )
                found = await made(
                    self._session,
                    mailbox,
                    f"/v1.0{path}",
                    {"displayName": name},
                    fence=self._fence,
                    what=f"{self._what}: a contact folder in mailbox {mailbox}",
                    role=WRITE_ROLE,
                    seen=partial(self._child, mailbox, path, name, depth, default),
                )
            folder = found
            path = f"/users/{segment(mailbox)}/contactFolders/{segment(folder)}/childFolders"
        return Place(mailbox, folder)

    def _names(self) -> list[str]:
        if not self._target.folder:
            return []
        names = [name.strip() for name in self._target.folder.split("/")]
        if not all(names):
            raise ConfigurationError(
                f"{self._what}: a spoke's folder is a path like Team/External, without a blank "
                "part or a slash at either end"
            )
        return names

    async def _default_folder(self, mailbox: str) -> str:
        """By its well-known name, as Exchange has it. No document promises that Graph takes it for
        contact folders; where it does not, as a parent: contacts at `/contacts` are in the default
        folder, folders at `/contactFolders` below it."""
        what = f"{self._what}: the default contact folder of mailbox {mailbox}"
        user = f"/v1.0/users/{segment(mailbox)}"
        named = await self._session.ask(
            mailbox, f"{user}/contactFolders/contacts", what=what, role=ROLES
        )
        if named.ok:
            return read(wire.FOLDER, named, what).id
        if named.code in NO_MAILBOX or named.status not in (400, 404):
            raise failure(named, what, role=ROLES)
        for path in (
            f"{user}/contacts?{query(select='id,parentFolderId', top=1)}",
            f"{user}/contactFolders?{_SELECT}",
        ):
            answer = await self._session.get(mailbox, path, what=what, role=ROLES)
            for each in read(wire.PLACE_PAGE, answer, what).value:
                if each.parent_folder_id:
                    return each.parent_folder_id
        raise failure(named, what, role=ROLES)

    async def _child(
        self, mailbox: str, path: str, name: str, depth: int, default: str
    ) -> str | None:
        """The folder of this name. Exchange compares names without regard to case.

        The default folder may be among those of the first level; it is nobody's child.
        """
        what = f"{self._what}: the contact folders of mailbox {mailbox}"
        found: list[str] = []
        page: str | None = f"/v1.0{path}?{_SELECT}"
        while page is not None:
            answer = await self._session.get(mailbox, page, what=what, role=ROLES)
            folders = read(wire.FOLDER_PAGE, answer, what)
            found += [
                each.id
                for each in folders.value
                if (each.display_name or "").strip().casefold() == name.casefold()
                and each.id != default
            ]
            page = self._session.path(folders.next) if folders.next else None
        if len(found) > 1:
            raise ConfigurationError(
                f"{what}: {len(found)} folders match at level {depth + 1} of the spoke's path; "
                "rename one of them"
            )
        return found[0] if found else None
