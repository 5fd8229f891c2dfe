"""A user's mailbox: the tree of contact folders, the contacts, and everything that happens to them.

These methods are what both Graph requests and the admin endpoint ("as the user") go through.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import ContactBody
from cirahub_simulator.graph.calendar import Place
from cirahub_simulator.graph.calendars import Calendars
from cirahub_simulator.graph.changes import Change, ChangeLog
from cirahub_simulator.graph.contact import FIELDS, Contact, ContactFields
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.identifiers import Numbering, looks_like_id

if TYPE_CHECKING:
    from cirahub_simulator.world import World

DEFAULT_FOLDER = "contacts"
"""The well-known name of the default folder. Well-known names are compared without case."""

_generations = itertools.count(1)
"""Of delta tokens. No two mailboxes share one, nor do a user's old mailbox and a new one."""

_NAME_PARTS = frozenset(("givenName", "middleName", "surname"))


class Mailbox:
    """Folders and contacts of one user."""

    def __init__(self, user_id: str, world: World) -> None:
        self.user_id = user_id
        self._world = world
        self._numbering = Numbering(user_id)
        self._next_number = 1
        self._sequence = 0
        self._second = -1
        self._stamp = ""
        self._folders: dict[str, Folder] = {}
        self._contacts: dict[str, Contact] = {}
        self.folder_changes: ChangeLog[Folder] = ChangeLog()
        self.bin: dict[str, Contact] = {}
        """Deleted Items, by immutable id."""
        self.token_generation = next(_generations)
        self._root_id = self._numbering.folder_id(self._number())
        self.bin_folder = self._new_folder("Deleted Items", None, self._root_id)
        self.default_folder = self._new_folder("Contacts", None, self._root_id)
        self._folders[self.default_folder.id] = self.default_folder
        self._write_folder(self.default_folder)
        self.calendars = Calendars(
            Place(
                world=world,
                user_id=user_id,
                numbering=self._numbering,
                number=self._number,
                sequence=self._next_sequence,
                stamp=self._stamp_now,
                new_folder=lambda name: self._new_folder(name, None, self._root_id),
                bin_folder=self.bin_folder,
            )
        )

    # Reading

    def folder(self, id_or_name: str) -> Folder:
        """The folder of this id or well-known name. Raises GraphError."""
        folder = self._folders.get(id_or_name)
        if folder is not None:
            return folder
        if id_or_name.lower() == DEFAULT_FOLDER:
            return self.default_folder
        if not looks_like_id(id_or_name):
            raise errors.malformed_id()
        raise errors.item_not_found()

    def contact(self, contact_id: str, folder: Folder | None = None) -> Contact:
        """The contact of this id, of either kind; in this folder, if one is given.

        Raises GraphError.
        """
        contact = self._contacts.get(contact_id)
        if contact is None and self._world.switches.immutable_id_in_bin and folder is None:
            contact = self.bin.get(contact_id)
        if contact is not None and (folder is None or contact.folder is folder):
            return contact
        if contact is None and not looks_like_id(contact_id):
            raise errors.malformed_id()
        raise errors.item_not_found()

    def folders(self, parent: Folder | None = None) -> Iterator[Folder]:
        """A folder and everything below it, parents first. Default: the whole tree."""
        folder = parent or self.default_folder
        yield folder
        for child in folder.children:
            yield from self.folders(child)

    def has_folder(self, folder: Folder) -> bool:
        """Whether a folder is still there."""
        return folder.id in self._folders

    def folder_at(self, path: tuple[str, ...]) -> Folder | None:
        """The folder at a path of display names below the default folder."""
        folder: Folder | None = self.default_folder
        for name in path:
            if folder is None:
                return None
            folder = folder.child(name)
        return folder

    # Folders

    def create_folder(
        self, parent: Folder, display_name: str, extended: Mapping[str, str | None] | None = None
    ) -> Folder:
        """Add a folder below another. Raises GraphError when the name is taken."""
        if parent.child(display_name) is not None:
            raise errors.folder_exists()
        folder = self._new_folder(display_name, parent, parent.id)
        parent.children.append(folder)
        self._folders[folder.id] = folder
        self._extend(folder.extended, extended or {})
        self._write_folder(folder)
        return folder

    def update_folder(
        self,
        folder: Folder,
        display_name: str | None,
        extended: Mapping[str, str | None] | None = None,
    ) -> Folder:
        """Rename a folder; None keeps its name. Raises GraphError when the name is taken."""
        if display_name is not None:
            same = folder.parent.child(display_name) if folder.parent is not None else None
            if same is not None and same is not folder:
                raise errors.folder_exists()
            folder.display_name = display_name
        self._extend(folder.extended, extended or {})
        self._write_folder(folder)
        return folder

    def delete_folder(self, folder: Folder) -> None:
        """Remove a folder with all that is in and below it. Raises GraphError for the default one.

        It goes to Deleted Items; here that means that nothing in it is found any more.
        """
        if folder.parent is None:
            raise errors.GraphError(
                400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."
            )
        for gone in list(self.folders(folder)):
            for contact in gone.contacts.values():
                del self._contacts[contact.id]
                del self._contacts[contact.immutable_id]
            del self._folders[gone.id]
            self._sequence += 1
            self.folder_changes.append(
                Change(self._sequence, self._world.clock.time(), gone, gone.id, removed=True)
            )
        folder.parent.children.remove(folder)

    # Contacts

    def create_contact(self, folder: Folder, body: ContactBody) -> Contact:
        """Add a contact. Raises GraphError."""
        switches = self._world.switches
        fields = body.fields
        if switches.given_name_required and not fields.given_name:
            raise errors.bad_request(
                "The property 'GivenName' is required when creating the entity.",
                "ErrorInvalidProperty",
            )
        if fields.display_name is None:
            fields.display_name = _generated_name(fields)
        if fields.file_as is None:
            fields.file_as = _file_as(fields) if switches.file_as == "last-first" else ""
        if fields.personal_notes is None:
            fields.personal_notes = ""
        extended = {name: value for name, value in body.extended.items() if value is not None}
        return self._add(folder, fields, extended)

    def update_contact(self, contact: Contact, body: ContactBody) -> Contact:
        """Write the fields that the body names, and no others.

        https://learn.microsoft.com/graph/api/contact-update: existing properties that are not in
        the request keep their values.
        """
        fields = contact.fields
        for name in body.names:
            attribute = FIELDS[name]
            setattr(fields, attribute, getattr(body.fields, attribute))
        if (
            not self._world.switches.display_name_kept
            and "displayName" not in body.names
            and not _NAME_PARTS.isdisjoint(body.names)
        ):
            fields.display_name = _generated_name(fields)
        if fields.personal_notes is None:
            fields.personal_notes = ""
        self._extend(contact.extended, body.extended)
        self._write(contact, self._stamp_now())
        return contact

    def delete_contact(self, contact: Contact) -> None:
        """Move a contact to Deleted Items; one that is there already goes for good."""
        if self.bin.pop(contact.immutable_id, None) is not None:
            return
        self._remove(contact)
        contact.folder = self.bin_folder
        contact.id = self._numbering.item_id(self.bin_folder.item_prefix, self._number())
        self.bin[contact.immutable_id] = contact

    def purge_contact(self, contact: Contact) -> None:
        """Delete a contact for good: https://learn.microsoft.com/graph/api/contact-permanentdelete"""
        if self.bin.pop(contact.immutable_id, None) is None:
            self._remove(contact)

    def move_contact(self, contact: Contact, folder: Folder) -> Contact:
        """Move a contact, within the mailbox or back out of Deleted Items, as its user does.

        Its regular id changes, its immutable id does not.
        https://learn.microsoft.com/graph/outlook-immutable-id
        """
        if contact.folder is folder:
            return contact
        if self.bin.pop(contact.immutable_id, None) is None:
            self._remove(contact)
        contact.folder = folder
        contact.id = self._numbering.item_id(folder.item_prefix, self._number())
        self._place(contact, folder)
        self._write(contact, self._stamp_now())
        return contact

    def copy_contact(self, contact: Contact, folder: Folder | None = None) -> Contact:
        """Copy a contact, as its user does in Outlook; by default beside itself."""
        extended = contact.extended if self._world.switches.copy_keeps_extended_properties else {}
        fields = msgspec.convert(msgspec.to_builtins(contact.fields), ContactFields)
        return self._add(folder or contact.folder, fields, dict(extended))

    # Delta tokens

    def expire_delta_tokens(self) -> None:
        """Let every delta and skip token that was given out so far answer 410."""
        self.token_generation = next(_generations)

    @property
    def sequence(self) -> int:
        """The number of the last write."""
        return self._sequence

    # Inside

    def _number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def _new_folder(self, display_name: str, parent: Folder | None, parent_id: str) -> Folder:
        number = self._number()
        return Folder(
            folder_id=self._numbering.folder_id(number),
            display_name=display_name,
            parent=parent,
            parent_id=parent_id,
            item_prefix=self._numbering.item_prefix(number),
        )

    def _add(self, folder: Folder, fields: ContactFields, extended: dict[str, str]) -> Contact:
        number = self._number()
        stamp = self._stamp_now()
        contact = Contact(
            item_id=self._numbering.item_id(folder.item_prefix, number),
            immutable_id=self._numbering.immutable_id(number),
            folder=folder,
            fields=fields,
            extended=extended,
            created=stamp,
        )
        self._place(contact, folder)
        self._write(contact, stamp)
        return contact

    def _place(self, contact: Contact, folder: Folder) -> None:
        self._contacts[contact.id] = contact
        self._contacts[contact.immutable_id] = contact
        folder.contacts[contact.immutable_id] = contact

    def _write(self, contact: Contact, stamp: str) -> None:
        self._sequence += 1
        sequence = self._sequence
        contact.touch(
            sequence=sequence,
            change_key=self._numbering.change_key(sequence),
            modified=stamp,
        )
        folder = contact.folder
        if folder is self.bin_folder:
            return
        returned = contact.immutable_id in folder.immutable_ids_gone
        if returned:
            folder.immutable_ids_gone.discard(contact.immutable_id)
        folder.changes.append(
            Change(sequence, self._world.clock.time(), contact, contact.id, returned=returned)
        )

    def _remove(self, contact: Contact) -> None:
        folder = contact.folder
        del self._contacts[contact.id]
        del self._contacts[contact.immutable_id]
        del folder.contacts[contact.immutable_id]
        folder.immutable_ids_gone.add(contact.immutable_id)
        self._sequence += 1
        folder.changes.append(
            Change(self._sequence, self._world.clock.time(), contact, contact.id, removed=True)
        )

    def _write_folder(self, folder: Folder) -> None:
        self._sequence += 1
        folder.sequence = self._sequence
        self.folder_changes.append(
            Change(self._sequence, self._world.clock.time(), folder, folder.id)
        )

    def _stamp_now(self) -> str:
        """Graph's date and time of now, whole seconds, as its examples show."""
        now = self._world.clock.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = f"{self._world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        return self._stamp

    @staticmethod
    def _extend(extended: dict[str, str], changes: Mapping[str, str | None]) -> None:
        """Set extended properties; null removes one. Those not named stay."""
        for name, value in changes.items():
            if value is None:
                extended.pop(name, None)
            else:
                extended[name] = value


def _generated_name(fields: ContactFields) -> str | None:
    """The display name that Outlook makes of the others.

    The example of https://learn.microsoft.com/graph/api/user-post-contacts makes it of given name
    and surname; the company and the e-mail address are Outlook's own next choices.
    """
    parts = [part for part in (fields.given_name, fields.middle_name, fields.surname) if part]
    if parts:
        return " ".join(parts)
    if fields.company_name:
        return fields.company_name
    return next((e.address for e in fields.email_addresses if e.address), None)


def _file_as(fields: ContactFields) -> str:
    """Outlook's "Last, First Middle"."""
    first = " ".join(part for part in (fields.given_name, fields.middle_name) if part)
    if fields.surname and first:
        return f"{fields.surname}, {first}"
    return fields.surname or first or fields.company_name or fields.display_name or ""
