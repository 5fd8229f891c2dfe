"""A connection to an Exchange Server, and which endpoint a target there has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from cirahub_sync.configuration import (
    CalendarTarget,
    ConnectionConfig,
    MailboxTarget,
    PasswordAuth,
    PublicFolderTarget,
    SpokeConfig,
)
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Endpoint, Fence, Fingerprint
from cirahub_sync.endpoints.directory import Directory
from cirahub_sync.endpoints.exchange.calendars.endpoint import CalendarEndpoint
from cirahub_sync.endpoints.exchange.capabilities import CAPABILITIES
from cirahub_sync.endpoints.exchange.endpoint import ExchangeEndpoint
from cirahub_sync.endpoints.exchange.folders import seat_of
from cirahub_sync.endpoints.exchange.permissions import missing
from cirahub_sync.endpoints.exchange.public_folders import public_folders
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.public_folder import PublicFolder
from cirahub_sync.endpoints.session import Api, Surroundings
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.identity.base import SignIn
from cirahub_sync.identity.provider import host_proof
from cirahub_sync.identity.settling import Settling
from cirahub_sync.model.window import Span
from cirahub_sync.needs import Needs


class ExchangeConnection:
    """Implements `endpoints.session.Session`."""

    def __init__(self, connection: ConnectionConfig, surroundings: Surroundings) -> None:
        server = connection.exchange_server
        if server is None:
            raise ConfigurationError(
                f"connection {connection.name}: it leads to no Exchange Server"
            )
        self._name = connection.name
        self._by_token = not isinstance(connection.auth, PasswordAuth)
        self._proofs = host_proof(
            connection.auth,
            connection.cloud,
            surroundings.origins,
            surroundings.credentials,
            host=server.host,
            name=connection.name,
            clock=surroundings.clock,
        )
        self._settling = Settling(surroundings.clock)
        """Since when the token's role is missing."""
        self._exchange = ExchangeSession(
            connection,
            self._proofs,
            surroundings.origins,
            throttle=surroundings.throttle,
            answers=surroundings.answers[Api.EWS],
            patience=Patience(write=surroundings.lease.write),
        )

    async def check(self, needs: Needs) -> SignIn:
        """Which rights an account has shows with the first request to a mailbox only; a token tells
        of its roles."""
        proof = await self._exchange.sign_in()
        lacking = missing(proof.text) if self._by_token else None
        return SignIn(
            credential=self._proofs.credential,
            missing=lacking,
            settling=self._settling.passing(lacking),
        )

    async def doubt(self) -> None:
        """A role that is granted shows in tokens issued from then on; for another password the next
        request looks by itself, if this one is refused."""
        if self._by_token:
            await self._proofs.fresh()

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
        target = spoke.target
        if isinstance(target, CalendarTarget):
            return CalendarEndpoint(self._exchange, target, fence, span)
        if not isinstance(target, MailboxTarget | PublicFolderTarget):
            raise ConfigurationError(
                f"spoke {spoke.name}: of an Exchange Server, only mailboxes, calendars and public "
                "folders are synced; name a Connection to Microsoft 365"
            )
        return ExchangeEndpoint(
            self._exchange, target, fence, capabilities=CAPABILITIES, custom_names=custom_names
        )

    def directory(self) -> Directory:
        raise ConfigurationError(
            f"connection {self._name}: an Exchange Server has no directory in which groups could "
            "be looked up; name one to Microsoft 365 as the filter's directory"
        )

    def public_folders(self) -> AsyncIterator[PublicFolder]:
        if self._by_token:
            raise ConfigurationError(
                f"connection {self._name}: an application opens mailboxes in their owners' place "
                "and no public folders; name a Connection with auth.basic"
            )
        return public_folders(self._exchange)

    def subscriptions(self, fence: Fence) -> None:
        """It does not tell of changes."""

    def api_of(self, spoke: SpokeConfig) -> Api:
        return Api.EWS

    def take_waited(self, spoke: SpokeConfig, resolved: str) -> float:
        if not isinstance(spoke.target, MailboxTarget | CalendarTarget | PublicFolderTarget):
            return 0.0
        seat = seat_of(self._exchange.server, spoke.target)
        return self._exchange.throttle.take_waited(seat.lane)

    async def close(self) -> None:
        await self._exchange.close()
        await self._proofs.close()
