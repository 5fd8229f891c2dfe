"""What hubs and spokes want of a connection: what it has to be granted, and no more."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import ItemKind, Listed


class Needs(msgspec.Struct, frozen=True):
    """What is done through a connection."""

    reads: frozenset[ItemKind] = frozenset({ItemKind.CONTACT})
    """Kinds of items in mailboxes that are looked at, at least."""
    writes: frozenset[ItemKind] = frozenset()
    """Of these, the ones that are written to some mailbox."""
    groups: bool = False
    """Whether filters, or sets, ask who is in groups of its directory."""
    lists: frozenset[Listed] = frozenset()
    """What of its address list is read."""
    profiles: bool = False
    """Whether sets ask for users by a filter, which may name any property of theirs."""
    mail_contacts: bool = False
    """Whether mail contacts are written to it."""


READS_CONTACTS = Needs()
