"""What the worker asks of a connection, whatever system it leads to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from cirahub_sync.configuration import SpokeConfig
from cirahub_sync.endpoints.base import Endpoint, Fence, Fingerprint
from cirahub_sync.endpoints.directory import Directory
from cirahub_sync.endpoints.public_folder import PublicFolder
from cirahub_sync.endpoints.subscriptions import Subscriptions
from cirahub_sync.identity.base import CredentialSource, SignIn
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.model.window import Span
from cirahub_sync.needs import Needs
from cirahub_sync.origins import Origins
from cirahub_sync.throttle import Throttle


class Api(StrEnum):
    """What of a service requests go to, each with limits of its own."""

    GRAPH = "graph"
    EWS = "ews"
    EXCHANGE_ADMIN = "exchange-admin"
    CARDDAV = "carddav"


Answers = defaultdict[Api, Counter[str]]
"""HTTP answers by API and status code; `none` where no whole answer came."""


def no_answers() -> Answers:
    return defaultdict(Counter)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is made with besides its connection."""

    origins: Origins
    credentials: CredentialSource
    clock: Callable[[], float]
    """POSIX seconds."""
    lease: LeaseTerms
    throttle: Throttle
    """Shared by all connections whose requests the service counts together."""
    answers: Answers
    """Counted on."""


class Session(Protocol):
    """Everything that a process holds of one connection: its credential, its sockets. Belongs to
    one event loop."""

    async def check(self, needs: Needs) -> SignIn:
        """Sign in anew, and look at the permissions that come with it: `needs` says for what.
        Raises CredentialError or EndpointUnavailableError."""
        ...

    async def doubt(self) -> None:
        """A request was refused: what the next one signs in with is got anew."""
        ...

    def open_target(
        self,
        spoke: SpokeConfig,
        fence: Fence,
        *,
        installation: str,
        hub: str,
        custom_names: Sequence[str],
        span: Span,
        keyed: Callable[[], Fingerprint],
    ) -> Endpoint:
        """The endpoint of a spoke, for the hub of that uid in an installation. Sends nothing yet.
        `custom_names` are of contacts, `span` is what is looked at of a calendar, `keyed` gives
        what etags are made with where a service has none. Raises ConfigurationError."""
        ...

    def directory(self) -> Directory:
        """Raises ConfigurationError where there is none."""
        ...

    def public_folders(self) -> AsyncIterator[PublicFolder]:
        """All that what signs in may see, each after the one that it is in. Raises
        ConfigurationError where it can't see any."""
        ...

    def subscriptions(self, fence: Fence) -> Subscriptions | None:
        """None where the service does not tell of changes."""
        ...

    def api_of(self, spoke: SpokeConfig) -> Api:
        """What requests about a spoke's items go to."""
        ...

    def take_waited(self, spoke: SpokeConfig, resolved: str) -> float:
        """Seconds that requests of a spoke waited for the service's limits since this was last
        asked. `resolved` is the text of its Target; blank if it has not been resolved."""
        ...

    async def close(self) -> None: ...
