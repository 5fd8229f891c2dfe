"""Every situation that is known, by theme, in the order in which the page tells them."""

from __future__ import annotations

from tests.failures.situation import Situation

from . import (
    certificates,
    cluster,
    deletions,
    groups,
    identity,
    installation,
    leaving,
    mailbox,
    manifests,
    store,
    vault,
)

THEMES: dict[str, tuple[Situation, ...]] = {
    "manifests": manifests.SITUATIONS,
    "identity": identity.SITUATIONS,
    "certificates": certificates.SITUATIONS,
    "vault": vault.SITUATIONS,
    "mailbox": mailbox.SITUATIONS,
    "groups": groups.SITUATIONS,
    "deletions": deletions.SITUATIONS,
    "leaving": leaving.SITUATIONS,
    "store": store.SITUATIONS,
    "cluster": (*cluster.SITUATIONS, *installation.SITUATIONS),
}
