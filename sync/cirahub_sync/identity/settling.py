"""Whether a refusal may be one that passes: what was changed a moment ago takes minutes to count.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations (a new
federated credential), https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
(a role on a vault, up to ten minutes). A new application, or a new consent, answers AADSTS700016
meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from cirahub_sync.errors import CredentialError

WITHIN = 600.0
"""Seconds during which the same refusal is taken for one that may pass."""
REASONS = frozenset(
    {"AssertionRejected", "ClientNotFound", "CertificateRejected", "ConsentMissing"}
    | {"VaultForbidden", "VaultIdentityRejected"}
)


class PassingError(CredentialError):
    """A refusal that was judged, and may pass."""

    stalled = False


class Settling:
    """Since when the same refusal has been answered."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reason = ""
        self._since = 0.0

    def fine(self) -> None:
        self._reason = ""

    def until(self, reason: str) -> float | None:
        """When this refusal stops being a fresh one; None if it has."""
        now = self._clock()
        if reason != self._reason:
            self._reason, self._since = reason, now
        end = self._since + WITHIN
        return end if now < end else None

    def passing(self, missing: Collection[str] | None) -> bool:
        """Whether the permissions that are missing may be there in a moment."""
        if not missing:
            self.fine()
            return False
        return self.until(",".join(missing)) is not None

    def judged(self, error: CredentialError) -> CredentialError:
        """The error, not stalled while it may pass by itself."""
        if isinstance(error, PassingError):
            # By the sign-in to a vault, which is a part of this one.
            return error
        if error.reason not in REASONS or (end := self.until(error.reason)) is None:
            return error
        time = datetime.fromtimestamp(end, UTC).strftime("%H:%M")
        return PassingError(
            f"{error}. What was changed just now can take minutes to count: tried again, and taken "
            f"for final at {time} UTC",
            reason=error.reason,
        )
