"""Filling mailboxes without requests: what a seed file holds, put where it belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_simulator.graph.body import read_contact
from cirahub_simulator.graph.distinguished import PUBLIC
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.world import World


def mailbox_of(world: World, user_id: str) -> Mailbox:
    """A user's mailbox, made when there is none yet."""
    mailbox = world.mailboxes.get(user_id)
    if mailbox is None:
        mailbox = world.mailboxes[user_id] = Mailbox(user_id, world)
    return mailbox


def ensure_folder(mailbox: Mailbox, path: Sequence[str], root: Folder | None = None) -> Folder:
    """The folder at a path of display names, made where it is missing.

    The path begins below the default folder unless another root is given.
    """
    folder = root or mailbox.default_folder
    for name in path:
        folder = folder.child(name) or mailbox.create_folder(folder, name)
    return folder


def public_folders_of(world: World, server_id: str) -> Mailbox:
    """An Exchange Server's public folders, made when there are none yet.

    They are a mailbox's folders too, since Exchange Server 2013:
    https://learn.microsoft.com/exchange/collaboration/public-folders/public-folders
    """
    mailbox = world.public_folders.get(server_id)
    if mailbox is None:
        mailbox = world.public_folders[server_id] = Mailbox(f"public {server_id}", world, PUBLIC)
    return mailbox


def add_public_contacts(
    world: World,
    server_id: str,
    folder_path: Sequence[str],
    contacts: Iterable[Mapping[str, object]],
) -> None:
    """Add contacts to a public folder, in the form in which Graph takes them. Raises GraphError."""
    mailbox = public_folders_of(world, server_id)
    folder = ensure_folder(mailbox, folder_path, mailbox.distinguished["publicfoldersroot"])
    for contact in contacts:
        body = read_contact(msgspec.json.encode(contact), world.switches)
        mailbox.create_contact(folder, body)


def add_contacts(
    world: World,
    user_id: str,
    folder_path: Sequence[str],
    contacts: Iterable[Mapping[str, object]],
) -> int:
    """Add contacts, in the form in which Graph takes them; say how many.

    Raises GraphError for a contact that Graph would refuse.
    """
    mailbox = mailbox_of(world, user_id)
    folder = ensure_folder(mailbox, folder_path)
    count = 0
    for contact in contacts:
        body = read_contact(msgspec.json.encode(contact), world.switches)
        mailbox.create_contact(folder, body)
        count += 1
    return count
