"""What can be set about the operator. The command's flags and environment variables fill it in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from cirahub_operator.worker_template import WorkerTemplate
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.origins import Origins

LEASE_SPREAD = 0.2
"""The random part of the time between two tries, so that those who wait don't come all at once."""


@dataclass(frozen=True, kw_only=True)
class OwnIdentity:
    """A namespace whose Connections may sign in as the operator itself: without a
    `serviceAccountName`, with the token that is projected into the operator's own pod."""

    namespace: str
    tenant: str
    """The only tenant for which it may be used."""
    vaults: frozenset[str] = frozenset()
    """Host names of the only vaults to which it may be shown."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds, all of them."""

    settle: float = 0.3
    """How long to wait after a change for others that come along with it."""
    jitter: float = 0.1
    """The random part of an interval, so that hubs don't all run at once. A share, not seconds."""
    retry_first: float = 5.0
    """Wait after a first failure; it doubles with each further one."""
    retry_most: float = 300.0
    """The longest wait between retries."""
    check_interval: float = 3600.0
    """Between sign-in checks of a Connection that works."""
    expiry_warning: float = 30 * 86_400.0
    """How long ahead of its end a client secret or a certificate is warned of."""
    erase_timeout: float = 3600.0
    """How long an object is held while what it left behind can't be erased. After that it is let
    go, and what remains is reported and tried on."""
    erase_retry_most: float = 3600.0
    """The longest wait between attempts at an erasure that is older than `erase_timeout`."""
    backlog_interval: float = 60.0
    """Between looks for erasures that turned up in the store without an object telling of them."""
    release_delay: float = 5.0
    """How long a deleted Connection is held at least, for the Spokes that are being deleted
    together with it to be noticed."""
    relist_interval: float = 300.0
    """Between two looks at whether the watches have told us everything."""
    progress_interval: float = 15.0
    """Between two reports of progress, on the Hub, of a pass that takes long."""
    drain: float = 3.0
    """At shutdown: how long running passes may go on to end by themselves before they are
    stopped. Stopping one anywhere is safe; ending is only tidier."""
    watch_round: float = 60.0
    """After how long a watch stream is ended and opened anew, so that a living one is never silent
    for longer."""
    watch_silence: float = 240.0
    """How long our own write may go unseen by the watch, and how long a watch may be silent, before
    we count as not alive."""
    engine_silence: float = 120.0
    """How long the engine's event loop may be busy with one thing before we count as not alive."""


@dataclass(frozen=True, kw_only=True)
class LeaseTiming:
    """Seconds. What client-go's users are used to."""

    duration: float = 15.0
    """How long the others leave a Lease alone that isn't renewed any more."""
    renew_deadline: float = 10.0
    """How long the holder goes on trying to renew before it gives up. What is left of the duration
    is its time to end."""
    retry_period: float = 2.0
    """Between two renewals, and between two looks of those who wait."""

    def __post_init__(self) -> None:
        """Raises ValueError for times that would let two lead, or nobody."""
        if self.duration < 1 or self.duration != math.floor(self.duration):
            raise ValueError("the lease duration has to be whole seconds, one at least")
        if self.renew_deadline >= self.duration:
            raise ValueError("the renew deadline has to be shorter than the lease duration")
        if self.retry_period <= 0 or self.retry_period * (1 + LEASE_SPREAD) >= self.renew_deadline:
            raise ValueError("the retry period has to be well below the renew deadline")


@dataclass(frozen=True, kw_only=True)
class Election:
    """The Lease by which operators take turns."""

    namespace: str = ""
    """Blank: the operator's own in a pod, else `default`."""
    name: str = "cirahub-operator"
    timing: LeaseTiming = field(default_factory=LeaseTiming)


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Who does the parts of passes over Hubs with the runner Job."""

    template: WorkerTemplate
    """Of the pods of their Jobs."""
    namespace: str = ""
    """Of the Jobs. Blank: the operator's own in a pod, else `default`."""
    parallelism: int = 8
    """Pods of one Job, which is one Connection's, that may run at the same time."""
    shard_size: int = 200
    """Spokes and members that a worker has at most."""
    look: float = 5.0
    """Seconds between two looks at Jobs. Only that they failed is learned from them."""
    start_within: float = 600.0
    """Seconds for which workers are waited for while none of them runs."""


@dataclass(frozen=True, kw_only=True)
class Notifications:
    """Where services tell of changes."""

    url: str
    """Public, `https:`; what is told to services."""
    port: int = 8443
    """0 picks a free one."""
    certificate: Path | None = None
    """PEM, with the chain. None: no TLS here, but in front of us."""
    private_key: Path | None = None
    pause: float = 2.0
    """Seconds between two passes over a hub that notifications asked for."""
    look: float = 1.0
    """Seconds between two looks for what stand-bys have taken."""
    certificate_look: float = 30.0
    """Seconds between two looks at the certificate's files."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    database: str
    """SQLAlchemy URL of the store."""
    key_file: Path
    """File with the key-encryption key."""
    installation: str = ""
    """Who we are in the stamps of our copies; blank: the UID of the namespace kube-system."""
    namespaces: tuple[str, ...] = ()
    """Namespaces to serve; none: all of them."""
    origins: Origins = field(default_factory=Origins)
    cluster_ranges: tuple[str, ...] = ()
    """Ranges of the cluster (CIDR), besides those of its Services: no remote may be there."""
    own_identity: tuple[OwnIdentity, ...] = ()
    """Namespaces that may use the operator's own identity. None by default."""
    host: str = "0.0.0.0"  # noqa: S104 (probes and scrapers come from outside the pod)
    """Address that probes and metrics are served on."""
    health_port: int = 8080
    """For /healthz and /readyz; 0 picks a free one."""
    metrics_port: int = 9090
    """For /metrics; 0 picks a free one. May be the same as `health_port`."""
    concurrent_passes: int = 8
    """Passes, of different hubs, that may run at the same time."""
    election: Election | None = None
    """None: serve at once, and trust that nobody else does."""
    hub_lease: float = LeaseTerms().seconds
    """Seconds for which a hub stays held in the store after the last sign of life of the pass over
    it. Writes get four ninths of that."""
    workers: Workers | None = None
    """None: Hubs with the runner Job are not passed over."""
    notifications: Notifications | None = None
    """None: no service is asked to tell of changes."""
    timing: Timing = field(default_factory=Timing)
