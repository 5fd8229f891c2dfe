"""Every situation that is known, by theme, in the order in which the page tells them."""

from __future__ import annotations

from tests.failures.situation import Situation

from . import (
    address_lists,
    calendars,
    certificates,
    cluster,
    deletions,
    exchange,
    exchange_mailboxes,
    groups,
    identity,
    installation,
    leaving,
    mail_contacts,
    mailbox,
    manifests,
    sets,
    store,
    vault,
)

THEMES: dict[str, tuple[Situation, ...]] = {
    "manifests": manifests.SITUATIONS,
    "identity": identity.SITUATIONS,
    "certificates": certificates.SITUATIONS,
    "vault": vault.SITUATIONS,
    "mailbox": mailbox.SITUATIONS,
    "exchange": (*exchange.SITUATIONS, *exchange_mailboxes.SITUATIONS),
    "calendars": calendars.SITUATIONS,
    "address-lists": address_lists.SITUATIONS,
    "mail-contacts": mail_contacts.SITUATIONS,
    "groups": groups.SITUATIONS,
    "sets": sets.SITUATIONS,
    "deletions": deletions.SITUATIONS,
    "leaving": leaving.SITUATIONS,
    "store": store.SITUATIONS,
    "cluster": (*cluster.SITUATIONS, *installation.SITUATIONS),
}
