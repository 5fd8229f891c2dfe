"""Filling mailboxes without requests: what a seed file holds, put where it belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_simulator.graph.body import read_contact
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.world import World


def mailbox_of(world: World, user_id: str) -> Mailbox:
    """A user's mailbox, made when there is none yet."""
    mailbox = world.mailboxes.get(user_id)
    if mailbox is None:
        mailbox = world.mailboxes[user_id] = Mailbox(user_id, world)
    return mailbox


def ensure_folder(mailbox: Mailbox, path: Sequence[str]) -> Folder:
    """The folder at a path of display names below the default one, made where it is missing."""
    folder = mailbox.default_folder
    for name in path:
        folder = folder.child(name) or mailbox.create_folder(folder, name)
    return folder


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
