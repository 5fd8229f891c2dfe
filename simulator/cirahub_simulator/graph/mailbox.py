"""A mailbox: the tree of its folders, the contacts, and everything that happens to them.

These methods are what Graph requests, Exchange Web Services and the admin endpoint ("as the user")
go through. Graph sees the default folder and what lies below it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.attachment import Attachment
from cirahub_simulator.graph.body import ContactBody
from cirahub_simulator.graph.calendar import Place
from cirahub_simulator.graph.calendars import Calendars
from cirahub_simulator.graph.changes import Change, ChangeLog
from cirahub_simulator.graph.contact import FIELDS, Contact, ContactFields
from cirahub_simulator.graph.contact_name import file_as_of, generated_name
from cirahub_simulator.graph.distinguished import DISTINGUISHED
from cirahub_simulator.graph.folder import CALENDAR_CLASS, CONTACTS_CLASS, Folder
from cirahub_simulator.graph.identifiers import Numbering, looks_like_id
from cirahub_simulator.graph.photo import Photo
from cirahub_simulator.graph.user_configuration import UserConfiguration

if TYPE_CHECKING:
    from cirahub_simulator.world import World

DEFAULT_FOLDER = "contacts"
"""The well-known name of the default folder. Well-known names are compared without case."""

_generations = itertools.count(1)
"""Of delta tokens. No two mailboxes share one, nor do a user's old mailbox and a new one."""

_NAME_PARTS = frozenset(("givenName", "middleName", "surname"))


class Mailbox:
    """Folders and contacts of one user."""

    def __init__(
        self, user_id: str, world: World, tree: Sequence[tuple[str, str, str, str]] = DISTINGUISHED
    ) -> None:
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
        self.token_generation = next(_generations)
        self.attachments: dict[str, dict[int, Attachment]] = {}
        """Files of items, by the item's immutable id and by number; photos of contacts aside."""
        self.photo: Photo | None = None
        """Its owner's."""
        self.settings: dict[str, object] = {}
        """What of its settings was changed, by Graph's names."""
        self.user_configurations: dict[tuple[str, str], UserConfiguration] = {}
        """What applications keep beside a folder's items, by the folder's id and a name."""
        self.distinguished: dict[str, Folder] = {}
        """The folders that every mailbox has, by their name in Exchange Web Services."""
        for name, display_name, parent, folder_class in tree:
            above = self.distinguished.get(parent)
            made = self._new_folder(display_name, above, folder_class, name)
            self.distinguished[name] = made
            self._write_folder(made)
        self.root = self.distinguished["root"]
        self.bin_folder = self.distinguished["deleteditems"]
        self.default_folder = self.distinguished["contacts"]
        self.calendars = Calendars(
            Place(
                world=world,
                user_id=user_id,
                numbering=self._numbering,
                number=self._number,
                sequence=self._next_sequence,
                stamp=self._stamp_now,
                folder=self.distinguished["calendar"],
                new_folder=self._calendar_folder,
                touch_folder=self._write_folder,
                drop_folder=self.purge_folder,
                bin_folder=self.bin_folder,
            )
        )

    # Reading

    @property
    def bin(self) -> dict[str, Contact]:
        """Deleted Items, by immutable id."""
        return self.bin_folder.contacts

    def find_folder(self, folder_id: str) -> Folder | None:
        """The folder of this id, wherever in the tree it is."""
        return self._folders.get(folder_id)

    def find_contact(self, contact_id: str) -> Contact | None:
        """The contact of this id, of either kind, in whatever folder it is."""
        return self._contacts.get(contact_id)

    def folder_change_key(self, folder: Folder) -> str:
        """The change key that the last write of a folder left."""
        return self._numbering.change_key(folder.sequence)

    def folder(self, id_or_name: str) -> Folder:
        """The folder of this id or well-known name, as Graph sees it. Raises GraphError."""
        folder = self._folders.get(id_or_name)
        if folder is not None and self.below(folder, self.default_folder):
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
        if contact is not None and not self.below(contact.folder, self.default_folder):
            binned = contact.folder is self.bin_folder and contact_id == contact.immutable_id
            if not binned or not self._world.switches.immutable_id_in_bin or folder is not None:
                raise errors.item_not_found()
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

    def new_item_id(self, folder: Folder) -> str:
        """The id of an item that nothing here is but its owner's."""
        return self._numbering.item_id(folder.item_prefix, self._number())

    def change_key_now(self) -> str:
        """The change key of a write that changes nothing else."""
        return self._numbering.change_key(self._next_sequence())

    def has_folder(self, folder: Folder) -> bool:
        """Whether a folder is still one that Graph sees."""
        return folder.id in self._folders and self.below(folder, self.default_folder)

    @staticmethod
    def below(folder: Folder, above: Folder) -> bool:
        """Whether a folder is another one or lies below it."""
        node: Folder | None = folder
        while node is not None and node is not above:
            node = node.parent
        return node is not None

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
        self,
        parent: Folder,
        display_name: str,
        extended: Mapping[str, str | None] | None = None,
        folder_class: str = CONTACTS_CLASS,
    ) -> Folder:
        """Add a folder below another. Raises GraphError when the name is taken."""
        if parent.child(display_name) is not None:
            raise errors.folder_exists()
        folder = self._new_folder(display_name, parent, folder_class)
        self._extend(folder.extended, extended or {})
        self._write_folder(folder)
        if folder_class.startswith(CALENDAR_CLASS):
            self.calendars.adopt_folder(folder)
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
        """Move a folder to Deleted Items, where Graph sees nothing of it any more.

        Raises GraphError for one that every mailbox has.
        """
        if folder.distinguished:
            raise errors.GraphError(
                400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."
            )
        name, number = folder.display_name, 0
        while self.bin_folder.child(folder.display_name) is not None:
            number += 1
            folder.display_name = f"{name}{number}"
        self.move_folder(folder, self.bin_folder)

    def move_folder(self, folder: Folder, parent: Folder) -> None:
        """Hang a folder, with all below it, below another. Raises GraphError for a taken name."""
        if parent.child(folder.display_name) is not None:
            raise errors.folder_exists()
        seen = self.has_folder(folder)
        if folder.parent is not None:
            folder.parent.children.remove(folder)
        if seen and not self.below(parent, self.default_folder):
            for gone in list(self.folders(folder)):
                self._note_folder_gone(gone)
        folder.parent = parent
        parent.children.append(folder)
        for moved in self.folders(folder) if not seen else (folder,):
            self._write_folder(moved)

    def purge_folder(self, folder: Folder) -> None:
        """Delete a folder with all that is in and below it for good."""
        for gone in list(self.folders(folder)):
            for contact in list(gone.contacts.values()):
                self._remove(contact)
            self.calendars.drop_folder(gone)
            for key in [key for key in self.user_configurations if key[0] == gone.id]:
                del self.user_configurations[key]
            del self._folders[gone.id]
            self._note_folder_gone(gone)
        if folder.parent is not None:
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
            fields.display_name = generated_name(fields)
        if fields.file_as is None:
            fields.file_as = file_as_of(fields) if switches.file_as == "last-first" else ""
        if fields.personal_notes is None:
            fields.personal_notes = ""
        extended = {name: value for name, value in body.extended.items() if value is not None}
        contact = self._add(folder, fields, extended)
        body.own.write(contact.multiple, contact.extensions)
        return contact

    def update_contact(self, contact: Contact, body: ContactBody) -> Contact:
        """Write the fields that the body names, and no others.

        https://learn.microsoft.com/graph/api/contact-update: existing properties that are not in
        the request keep their values.
        """
        body.own.check(contact.extensions)
        fields = contact.fields
        for name in body.names:
            attribute = FIELDS[name]
            setattr(fields, attribute, getattr(body.fields, attribute))
        if (
            not self._world.switches.display_name_kept
            and "displayName" not in body.names
            and not _NAME_PARTS.isdisjoint(body.names)
        ):
            fields.display_name = generated_name(fields)
        if fields.personal_notes is None:
            fields.personal_notes = ""
        self._extend(contact.extended, body.extended)
        body.own.write(contact.multiple, contact.extensions)
        self._write(contact, self._stamp_now())
        return contact

    def delete_contact(self, contact: Contact) -> None:
        """Move a contact to Deleted Items; one that is there already goes for good."""
        binned = contact.folder is self.bin_folder
        self._remove(contact)
        if not binned:
            self._enter(contact, self.bin_folder)
            self._log(contact, placed=True)

    def purge_contact(self, contact: Contact) -> None:
        """Delete a contact for good: https://learn.microsoft.com/graph/api/contact-permanentdelete"""
        self._remove(contact)

    def move_contact(self, contact: Contact, folder: Folder) -> Contact:
        """Move a contact, within the mailbox or back out of Deleted Items, as its user does.

        Its regular id changes, its immutable id does not.
        https://learn.microsoft.com/graph/outlook-immutable-id
        """
        if contact.folder is folder:
            return contact
        self._remove(contact)
        self._enter(contact, folder)
        self._write(contact, self._stamp_now(), placed=True)
        return contact

    def copy_contact(self, contact: Contact, folder: Folder | None = None) -> Contact:
        """Copy a contact, as its user does in Outlook; by default beside itself."""
        extended = contact.extended if self._world.switches.copy_keeps_extended_properties else {}
        fields = msgspec.convert(msgspec.to_builtins(contact.fields), ContactFields)
        copy = self._add(folder or contact.folder, fields, dict(extended))
        copy.photo = contact.photo
        return copy

    def set_photo(self, contact: Contact, photo: Photo | None) -> None:
        """Give a contact a picture, or none."""
        contact.photo = photo
        if self._world.switches.photo_changes_contact:
            self._write(contact, self._stamp_now())

    def touch_contact(self, contact: Contact) -> None:
        """Note a write to what belongs to a contact and is no field of it."""
        self._write(contact, self._stamp_now())

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

    def _calendar_folder(self, name: str) -> Folder:
        """The folder of a new calendar, below the default one."""
        parent = self.distinguished["calendar"]
        folder = self._new_folder(name, parent, parent.folder_class)
        self._write_folder(folder)
        return folder

    def _new_folder(
        self,
        display_name: str,
        parent: Folder | None,
        folder_class: str,
        distinguished: str = "",
    ) -> Folder:
        number = self._number()
        folder = Folder(
            folder_id=self._numbering.folder_id(number),
            display_name=display_name,
            parent=parent,
            item_prefix=self._numbering.item_prefix(number),
            folder_class=folder_class,
            distinguished=distinguished,
        )
        self._folders[folder.id] = folder
        if parent is not None:
            parent.children.append(folder)
        return folder

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
        self._write(contact, stamp, placed=True)
        return contact

    def _enter(self, contact: Contact, folder: Folder) -> None:
        """Put a contact that was taken out into a folder: it gets another regular id."""
        contact.folder = folder
        contact.id = self._numbering.item_id(folder.item_prefix, self._number())
        self._place(contact, folder)

    def _place(self, contact: Contact, folder: Folder) -> None:
        self._contacts[contact.id] = contact
        self._contacts[contact.immutable_id] = contact
        folder.contacts[contact.immutable_id] = contact

    def _write(self, contact: Contact, stamp: str, *, placed: bool = False) -> None:
        sequence = self._sequence + 1
        contact.touch(
            sequence=sequence,
            change_key=self._numbering.change_key(sequence),
            modified=stamp,
        )
        self._log(contact, placed=placed)

    def _log(self, contact: Contact, *, placed: bool) -> None:
        self._sequence += 1
        folder = contact.folder
        returned = contact.immutable_id in folder.immutable_ids_gone
        if returned:
            folder.immutable_ids_gone.discard(contact.immutable_id)
        folder.changes.append(
            Change(
                self._sequence,
                self._world.clock.time(),
                contact,
                contact.id,
                returned=returned,
                placed=placed,
            )
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

    def _note_folder_gone(self, folder: Folder) -> None:
        self._sequence += 1
        self.folder_changes.append(
            Change(
                self._sequence,
                self._world.clock.time(),
                folder,
                folder.id,
                removed=True,
                parent_id=folder.parent_id,
            )
        )

    def _write_folder(self, folder: Folder) -> None:
        self._sequence += 1
        new = folder.sequence == 0
        folder.sequence = self._sequence
        self.folder_changes.append(
            Change(self._sequence, self._world.clock.time(), folder, folder.id, placed=new)
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
