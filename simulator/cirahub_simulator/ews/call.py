"""One request: who asks, as whom, and what they may open.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/impersonation-and-ews-in-exchange,
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/delegate-access-and-ews-in-exchange
"""

from __future__ import annotations

from cirahub_simulator.calendar.event import Event, Instance
from cirahub_simulator.calendar.recurrence import nth_day
from cirahub_simulator.calendar.zone import UTC_NAME
from cirahub_simulator.directory import Principal, User
from cirahub_simulator.ews import attachment, errors
from cirahub_simulator.ews.contents import find_item, folder_of
from cirahub_simulator.ews.envelope import Envelope
from cirahub_simulator.ews.identifiers import graph_id
from cirahub_simulator.ews.markup import Element, children, find, local_name, text_of
from cirahub_simulator.ews.property import Item, Reading
from cirahub_simulator.graph.attachment import Attachment
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.world import World

FULL_ACCESS_AS_APP = "full_access_as_app"
"""The app role of Exchange Online for EWS.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth
"""
IMPERSONATION = "ApplicationImpersonation"
ACCOUNT = "account"
"""Stands among a principal's roles for somebody who signed in with name and password."""
PUBLIC_ROOT = "publicfoldersroot"


class Call:
    """A request with its caller."""

    def __init__(self, world: World, envelope: Envelope, principal: Principal) -> None:
        self.world = world
        self.envelope = envelope
        self.organisation_id = principal.tenant_id
        self._principal = principal
        self.user = self._acting_user()
        """As whom the request acts."""

    @property
    def request(self) -> Element:
        """The operation's element."""
        return self.envelope.body

    # Who

    def _acting_user(self) -> User:
        roles = self._principal.roles
        impersonated = self.envelope.impersonated
        if impersonated is None:
            own = self.world.directory.find_user(self._principal.client_id)
            if ACCOUNT not in roles or own is None:
                raise errors.SoapFaultError(
                    "ErrorInvalidExchangeImpersonationHeaderData",
                    "ExchangeImpersonation SOAP header must be present for this type of OAuth "
                    "token.",
                )
            return own
        kind, value = impersonated
        user = self.world.directory.addressee(self.organisation_id, value)
        if kind not in ("PrincipalName", "PrimarySmtpAddress", "SmtpAddress"):
            raise errors.SoapFaultError(
                "ErrorInvalidExchangeImpersonationHeaderData",
                "The simulator knows nobody by a SID.",
            )
        if user is None:
            raise errors.SoapFaultError(
                "ErrorNonExistentMailbox",
                "The SMTP address has no mailbox associated with it.",
            )
        if IMPERSONATION not in roles and FULL_ACCESS_AS_APP not in roles:
            raise errors.SoapFaultError(
                "ErrorImpersonateUserDenied",
                "The account does not have permission to impersonate the requested user.",
            )
        return user

    def may_open(self, user_id: str) -> bool:
        """Whether the caller may open a user's mailbox."""
        if user_id == self.user.id:
            return True
        server = self.world.directory.exchange_server(self.organisation_id)
        return server is not None and self.user.id in server.full_access.get(user_id, ())

    # Where

    def own_mailbox(self) -> Mailbox:
        """The caller's mailbox. Raises EwsError."""
        return self._mailbox(self.user)

    def mailbox_at(self, address: str) -> Mailbox:
        """The mailbox of an address. Raises EwsError."""
        user = self.world.directory.addressee(self.organisation_id, address)
        if user is None:
            raise errors.no_mailbox()
        if not self.may_open(user.id):
            raise errors.access_denied()
        return self._mailbox(user)

    def _mailbox(self, user: User) -> Mailbox:
        if not user.has_mailbox or not user.account_enabled:
            raise errors.EwsError(
                "ErrorMissingEmailAddress" if user.account_enabled else "ErrorAccountDisabled",
                "When making a request as an account that does not have a mailbox, you must "
                "specify the mailbox primary SMTP address for any distinguished folder Ids."
                if user.account_enabled
                else "The account is disabled.",
            )
        return mailbox_of(self.world, user.id)

    def public_folders(self) -> Mailbox:
        """The organisation's public folders. Raises EwsError."""
        found = self.world.public_folders.get(self.organisation_id)
        if found is None:
            raise errors.EwsError(
                "ErrorPublicFolderServerNotFound",
                "A public folder server could not be found for the mailbox.",
            )
        return found

    def _open_mailboxes(self) -> list[Mailbox]:
        """The mailboxes that ids may lead into: the caller's own first."""
        found = [self.own_mailbox()] if self.user.has_mailbox else []
        public = self.world.public_folders.get(self.organisation_id)
        if public is not None:
            found.append(public)
        for user_id, mailbox in self.world.mailboxes.items():
            if user_id != self.user.id and self.may_open(user_id):
                found.append(mailbox)
        return found

    # What

    def folder_of(self, node: Element) -> tuple[Mailbox, Folder]:
        """The folder of a FolderId or DistinguishedFolderId. Raises EwsError, SoapFaultError."""
        if local_name(node) == "DistinguishedFolderId":
            return self._distinguished(node)
        if local_name(node) != "FolderId" or node.get("Id") is None:
            raise errors.schema_violation(f"The element '{local_name(node)}' is no folder's id.")
        wanted = graph_id(node.get("Id", ""))
        for mailbox in self._open_mailboxes():
            folder = mailbox.find_folder(wanted)
            if folder is not None:
                return mailbox, folder
        raise errors.folder_not_found()

    def _distinguished(self, node: Element) -> tuple[Mailbox, Folder]:
        name = node.get("Id", "")
        address = find(node, "t:Mailbox")
        if name == PUBLIC_ROOT:
            public = self.public_folders()
            return public, public.distinguished[PUBLIC_ROOT]
        mailbox = self.own_mailbox()
        if address is not None:
            smtp = find(address, "t:EmailAddress")
            mailbox = self.mailbox_at("" if smtp is None else text_of(smtp).strip())
        folder = mailbox.distinguished.get(name)
        if folder is None:
            raise errors.folder_not_found()
        return mailbox, folder

    def folders_of(self, request: Element, prefixed: str) -> list[Element]:
        """The ids in a list of folders' ids. Raises SoapFaultError when there are none."""
        node = find(request, prefixed)
        ids = [] if node is None else list(children(node))
        if not ids:
            raise errors.schema_violation(f"The element '{prefixed[2:]}' is missing or empty.")
        return ids

    def target_folder(self, request: Element, prefixed: str) -> tuple[Mailbox, Folder]:
        """The folder of a TargetFolderIdType. Raises EwsError, SoapFaultError."""
        ids = self.folders_of(request, prefixed)
        return self.folder_of(ids[0])

    def item_of(self, node: Element) -> tuple[Mailbox, Item]:
        """The item of an ItemId, of an occurrence's id, or the master of an occurrence.

        [MS-OXWSCORE] 2.2.4.36 (OccurrenceItemIdType: occurrences are counted from one, deleted
        ones too). Raises EwsError, SoapFaultError.
        """
        match local_name(node):
            case "ItemId" | "ParentItemId" | "ReferenceItemId" if node.get("Id") is not None:
                return self._item(node.get("Id", ""))
            case "OccurrenceItemId" if node.get("RecurringMasterId") is not None:
                mailbox, item = self._item(node.get("RecurringMasterId", ""))
                return mailbox, occurrence(item, node.get("InstanceIndex", ""))
            case "RecurringMasterItemId" if node.get("OccurrenceId") is not None:
                mailbox, item = self._item(node.get("OccurrenceId", ""))
                if not isinstance(item, Instance):
                    raise errors.EwsError(
                        "ErrorCalendarCannotUseIdForOccurrenceId",
                        "The id is not of an occurrence.",
                    )
                return mailbox, item.event
            case other:
                raise errors.schema_violation(f"The element '{other}' is no item's id.")

    def attachment_of(self, node: Element) -> tuple[Mailbox, Item, Attachment]:
        """The attachment of an AttachmentId, and its item. Raises EwsError."""
        owner, number = attachment.read_id(node.get("Id", ""))
        mailbox, item = self._item(owner)
        for one in attachment.attachments_of(mailbox, item):
            if one.number == number:
                return mailbox, item, one
        raise errors.item_not_found()

    def _item(self, text: str) -> tuple[Mailbox, Item]:
        wanted = graph_id(text)
        for mailbox in self._open_mailboxes():
            item = find_item(mailbox, wanted)
            if item is not None:
                return mailbox, item
        raise errors.item_not_found()

    def reading(self, mailbox: Mailbox, item: Item, body_type: str = "Best") -> Reading:
        """An item to be answered."""
        owner = self.world.directory.find_user(mailbox.user_id)
        name = self.user.display_name if owner is None else owner.display_name
        return Reading(item, mailbox, folder_of(mailbox, item), name, body_type)

    @property
    def time_zone(self) -> str:
        """The zone of times without one."""
        return self.envelope.time_zone or UTC_NAME


def occurrence(item: Item, index: str) -> Instance:
    """The occurrence of a series by its number. Raises EwsError, SoapFaultError."""
    if not index.isdigit() or int(index) < 1:
        raise errors.schema_violation(f"The 'InstanceIndex' attribute is invalid: '{index}'.")
    if not isinstance(item, Event) or item.series is None:
        raise errors.EwsError(
            "ErrorCalendarCannotUseIdForRecurringMasterId",
            "The id is not of a recurring master.",
        )
    day = nth_day(item.series.recurrence, int(index))
    if day is None:
        raise errors.EwsError(
            "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
            "The occurrence index is out of the range of the recurrence.",
        )
    found = item.instance(day)
    if found is None:
        raise errors.EwsError(
            "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
            "The occurrence was deleted from the recurrence.",
        )
    return found


def attribute(
    node: Element, name: str, choices: tuple[str, ...], default: str | None = None
) -> str:
    """An enumerated attribute. Raises SoapFaultError when it is missing or none of the choices."""
    value = node.get(name, default)
    if value is None:
        raise errors.schema_violation(f"The required attribute '{name}' is missing.")
    if value not in choices:
        raise errors.schema_violation(f"The '{name}' attribute is invalid: '{value}'.")
    return value


def child(node: Element, prefixed: str) -> Element:
    """A required child. Raises SoapFaultError."""
    found = find(node, prefixed)
    if found is None:
        raise errors.schema_violation(
            f"The element '{local_name(node)}' has no '{prefixed.partition(':')[2]}'."
        )
    return found
