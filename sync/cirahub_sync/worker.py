"""The engine put together: store, endpoints and identity behind the few calls that a runner or
the command line makes. This is what a thread of the operator, a Job or `cirahub pass` runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from cirahub_sync.configuration import ConnectionConfig, HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.identity.base import CredentialSource
from cirahub_sync.origins import Origins

Progress = Callable[[str], None]
"""Called now and then during long work with a short line (no personal data) for people."""


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    database: str
    """SQLAlchemy URL; `sqlite:////var/lib/cirahub/store.sqlite3`."""
    key_file: Path | None
    """File with the key-encryption key (32 bytes, base64), as mounted from a Secret."""
    installation: str
    """Who we are in the stamps of our copies: 1 to 36 characters of `[a-z0-9-]`, the same for as
    long as the copies live (on a cluster: the UID of kube-system, by default)."""
    origins: Origins = Origins()


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    copies_deleted: int
    """Permanently, in mailboxes."""
    items_erased: int
    """Left the hub because nobody else contributed them."""
    items_changed: int
    """Stayed, without what the leaver had put in."""
    copies_remaining: int
    """Could not be reached; try again."""
    problems: Sequence[Problem] = ()

    @property
    def complete(self) -> bool:
        return self.copies_remaining == 0 and not self.problems


class PlannedAction(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a plan. `item` is an id; `fields` names what an update changes."""

    spoke: str
    action: str
    """`create`, `update` or `delete`."""
    item: str
    fields: Sequence[str] = ()
    held: str = ""
    """Why it would not be sent now (a PendingReason), blank if it would."""


class PlanReport(msgspec.Struct, frozen=True, kw_only=True):
    report: PassReport
    actions: Sequence[PlannedAction]


class Worker:
    """Interface being built; see the calls' docstrings for the contract.

    All coroutines run in one event loop; the store is used from that loop's thread only. Passes
    of different hubs may run concurrently, of one hub never (a lease sees to that).
    """

    @classmethod
    def open(cls, settings: WorkerSettings, credentials: CredentialSource) -> Worker:
        """Open the store, migrating it if it is older. Raises KeyUnavailableError, StoreError."""
        raise NotImplementedError

    async def check(self, connection: ConnectionConfig) -> None:
        """Sign in. Raises CredentialError, AccessDeniedError or EndpointUnavailableError."""
        raise NotImplementedError

    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        approved: frozenset[str] = frozenset(),
        progress: Progress | None = None,
    ) -> PassReport:
        """One pass. `approved` holds digests from earlier `PassReport.approval`s. Raises only
        what concerns the process (LeaseLostError); everything else is in the report."""
        raise NotImplementedError

    async def plan(
        self, hub: HubConfig, spokes: Sequence[SpokeConfig], *, progress: Progress | None = None
    ) -> PlanReport:
        """Pull, merge and plan, but send nothing."""
        raise NotImplementedError

    async def erase_spoke(
        self, hub: HubConfig, spoke: SpokeConfig, remaining: Sequence[SpokeConfig]
    ) -> ErasureReport:
        """Take a spoke out: its copies elsewhere and ours in it go (unless it is retained), the
        rest is folded again without it. Idempotent; call again while not complete."""
        raise NotImplementedError

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None:
        """Forget a spoke whose deletionPolicy is Retain: nothing is deleted anywhere, its
        contributions stay in the hub as the hub's own."""
        raise NotImplementedError

    async def erase_hub(self, hub: HubConfig, spokes: Sequence[SpokeConfig]) -> ErasureReport:
        """Delete every copy of the hub's items in `spokes`, then the hub's rows and its key."""
        raise NotImplementedError

    async def retain_hub(self, hub: HubConfig) -> None:
        """Delete the hub's rows and its key, and leave every copy where it is."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
