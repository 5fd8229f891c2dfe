"""Every situation that is known, by theme, in the order in which the page tells them."""

from __future__ import annotations

from tests.failures.situation import Situation

from . import identity, manifests

THEMES: dict[str, tuple[Situation, ...]] = {
    "manifests": manifests.SITUATIONS,
    "identity": identity.SITUATIONS,
}
