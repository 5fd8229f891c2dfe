"""From the names in a manifest to ids: the folder at a path of display names."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.configuration import (
    CalendarTarget,
    ExchangeServer,
    MailboxRights,
    MailboxTarget,
    PublicFolderTarget,
)
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.base import Fence, Target
from cirahub_sync.endpoints.exchange import wire
from cirahub_sync.endpoints.exchange.answers import Reply, failure
from cirahub_sync.endpoints.exchange.place import PUBLIC_FOLDERS, Place, known_place, plain
from cirahub_sync.endpoints.exchange.session import ExchangeSession, Seat
from cirahub_sync.endpoints.exchange.wire import Element, escaped
from cirahub_sync.errors import (
    CirahubError,
    ConfigurationError,
    FolderNotFoundError,
    ProtocolError,
)

CONTACTS_CLASS = "IPF.Contact"
"""[MS-OXOCNTC] 2.2.3.1: the container class of folders for contacts."""
CALENDAR_CLASS = "IPF.Appointment"
"""[MS-OXOCAL] 2.2.11.1: of calendars."""
_PAGE = 500


def seat_of(
    server: ExchangeServer, target: MailboxTarget | CalendarTarget | PublicFolderTarget
) -> Seat:
    """As whom a target is opened. Public folders always as the account itself."""
    if isinstance(target, PublicFolderTarget):
        return Seat(PUBLIC_FOLDERS, content_mailbox=target.content_mailbox)
    impersonated = server.rights is MailboxRights.IMPERSONATION
    return Seat(
        target.address.lower(), target.address, impersonated=impersonated, rights=server.rights
    )


class FolderFinder:
    """Resolves one target. Needs as many requests as the path has names, plus one."""

    def __init__(
        self,
        session: ExchangeSession,
        target: MailboxTarget | CalendarTarget | PublicFolderTarget,
        fence: Fence,
    ) -> None:
        self._session = session
        self._target = target
        self._fence = fence
        self._seat = seat_of(session.server, target)
        self._what = f"connection {session.connection.name}"

    async def place(self, *, create: bool, known: Target | None = None) -> Place:
        """Of a target that was resolved earlier (`known`), without a request. Raises
        TargetNotFoundError, ConfigurationError and AccessDeniedError."""
        if known is not None and known.tenant == self._session.server.host:
            return known_place(self._seat, known)
        if isinstance(self._target, CalendarTarget):
            return await self._calendar(self._target.name.strip(), create=create)
        names = self._names(self._target)
        mailbox, folder = await self._roots()
        kind = CONTACTS_CLASS
        for depth, name in enumerate(names):
            found = await self._child(folder, name, depth)
            if found is None:
                if not create:
                    raise FolderNotFoundError(
                        f"{self._what}: there is no folder at level {depth + 1} of the spoke's "
                        f"path below folder {plain(folder)}; make it there, or delete the spoke "
                        "and create one for another folder"
                    )
                found = (await self._make(folder, name, depth), CONTACTS_CLASS)
            folder, kind = found
        if not kind.startswith(CONTACTS_CLASS):
            raise ConfigurationError(
                f"{self._what}: folder {plain(folder)} is not one for contacts; delete the spoke "
                "and create one for a folder that is"
            )
        return Place(self._seat, mailbox, folder)

    async def _calendar(self, name: str, *, create: bool) -> Place:
        """The default calendar of the mailbox, or the one of a name below it or beside it, where
        Outlook puts those that its user makes."""
        top, default = await self._named("msgfolderroot", "calendar")
        mailbox = plain(top)
        if not name:
            return Place(self._seat, mailbox, default)
        found = [
            each
            for parent in (default, top)
            for each, kind in await self._children(parent, name)
            if kind.startswith(CALENDAR_CLASS)
        ]
        if len(found) > 1:
            raise ConfigurationError(
                f"{self._what}: {len(found)} calendars of the mailbox have the spoke's name; "
                "rename one of them"
            )
        if not found and not create:
            raise FolderNotFoundError(
                f"{self._what}: the mailbox has no calendar of the spoke's name; make it in the "
                "mailbox, or delete the spoke and create one for another calendar"
            )
        folder = found[0] if found else await self._make(default, name, 0, "CalendarFolder")
        return Place(self._seat, mailbox, folder)

    def _names(self, target: MailboxTarget | PublicFolderTarget) -> list[str]:
        path = target.path if isinstance(target, PublicFolderTarget) else target.folder
        if not path and isinstance(target, MailboxTarget):
            return []
        names = [name.strip() for name in path.split("/")]
        if not all(names):
            raise ConfigurationError(
                f"{self._what}: a spoke's folder is a path like Team/External, without a blank "
                "part or a slash at either end"
            )
        return names

    async def _roots(self) -> tuple[str, str]:
        """The mailbox's id, and the folder that paths begin at."""
        if isinstance(self._target, PublicFolderTarget):
            (root,) = await self._named("publicfoldersroot")
            return PUBLIC_FOLDERS, root
        root, contacts = await self._named("msgfolderroot", "contacts")
        return plain(root), contacts

    async def _named(self, *names: str) -> Sequence[str]:
        """Ids of folders that are the same everywhere."""
        what = f"{self._what}: folder {names[-1]}"
        owner = ""
        if self._seat.rights is MailboxRights.DELEGATE:
            owner = (
                f"<t:Mailbox><t:EmailAddress>{escaped(self._seat.address)}</t:EmailAddress>"
                "</t:Mailbox>"
            )
        ids = "".join(
            f'<t:DistinguishedFolderId Id="{name}">{owner}</t:DistinguishedFolderId>'
            for name in names
        )
        reply = await self._session.read(
            self._seat,
            f"<m:GetFolder>{wire.shape(kind='FolderShape')}<m:FolderIds>{ids}</m:FolderIds>"
            "</m:GetFolder>".encode(),
            what=what,
        )
        return [folder for folder, _ in self._folders(reply, what, len(names))]

    async def _child(self, parent: str, name: str, depth: int) -> tuple[str, str] | None:
        """The folder of this name, and its class."""
        found = await self._children(parent, name)
        if len(found) > 1:
            raise ConfigurationError(
                f"{self._what}: the folders of folder {plain(parent)}: {len(found)} match at level "
                f"{depth + 1} of the spoke's path; rename one of them"
            )
        return found[0] if found else None

    async def _children(self, parent: str, name: str) -> list[tuple[str, str]]:
        """The folders of this name, each with its class. Exchange compares names without regard to
        case."""
        what = f"{self._what}: the folders of folder {plain(parent)}"
        found: list[tuple[str, str]] = []
        shape = wire.shape(
            (wire.field("folder:FolderClass"), wire.field("folder:DisplayName")),
            kind="FolderShape",
        )
        offset: int | None = 0
        while offset is not None:
            reply = await self._session.read(
                self._seat,
                f'<m:FindFolder Traversal="Shallow">{shape}<m:IndexedPageFolderView '
                f'MaxEntriesReturned="{_PAGE}" Offset="{offset}" BasePoint="Beginning"/>'
                f"<m:ParentFolderIds>{wire.folder_id(parent)}</m:ParentFolderIds>"
                "</m:FindFolder>".encode(),
                what=what,
            )
            self._sound(reply, what)
            for folder in reply.messages[0].items():
                shown = wire.text_at(folder, "DisplayName").strip()
                if shown.casefold() == name.casefold():
                    folder_id = wire.id_of(folder, "FolderId")[0]
                    found.append((folder_id, wire.text_at(folder, "FolderClass")))
            offset = wire.next_offset(reply.messages[0])
        return found

    async def _make(
        self, parent: str, name: str, depth: int, element: str = "ContactsFolder"
    ) -> str:
        """Make the folder; where that stays open, look whether somebody did.

        Exchange refuses a second folder of the same name (`ErrorFolderExists`), so two that make
        it at the same time end with the same one, and an answer that was lost does no harm.
        """
        what = f"{self._what}: a folder in folder {plain(parent)}"
        operation = (
            f"<m:CreateFolder><m:ParentFolderId>{wire.folder_id(parent)}</m:ParentFolderId>"
            f"<m:Folders><t:{element}><t:DisplayName>{escaped(name)}</t:DisplayName>"
            f"</t:{element}></m:Folders></m:CreateFolder>"
        ).encode()
        lost: CirahubError
        try:
            reply = await self._session.write(self._seat, operation, fence=self._fence)
            message = reply.messages[0] if reply.ok else None
            if message is not None and message.ok:
                return self._folders(reply, what, 1)[0][0]
            lost = failure(reply, what, self._seat.rights, message)
            if message is not None and message.code == "ErrorFolderExists":
                lost = ProtocolError(f"{what}: {reply.told(message)}, and it is not to be seen")
            elif isinstance(lost, ProtocolError):
                raise lost
        except (AnswerLostError, NotSentError) as error:
            lost = error
        found = await self._child(parent, name, depth)
        if found is None:
            raise lost
        return found[0]

    def _sound(self, reply: Reply, what: str) -> None:
        for message in reply.messages:
            if not message.ok:
                raise failure(reply, what, self._seat.rights, message)

    def _folders(self, reply: Reply, what: str, count: int) -> list[tuple[str, Element]]:
        """Their ids. Raises ProtocolError if there are fewer."""
        self._sound(reply, what)
        try:
            found = [
                (wire.id_of(folder, "FolderId")[0], folder)
                for message in reply.messages
                for folder in message.items()
            ]
        except wire.UnreadableError as error:
            raise ProtocolError(f"{what}: a folder without an id ({reply.summary})") from error
        if len(found) != count:
            raise ProtocolError(f"{what}: {len(found)} folders instead of {count}")
        return found
