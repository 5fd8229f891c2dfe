"""A connection to a CardDAV server, and which endpoint a target there has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from cirahub_sync.configuration import AddressBookTarget, ConnectionConfig, SpokeConfig
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Endpoint, Fence, Fingerprint
from cirahub_sync.endpoints.carddav.books import Book
from cirahub_sync.endpoints.carddav.endpoint import CardDavEndpoint
from cirahub_sync.endpoints.carddav.session import CardDavSession
from cirahub_sync.endpoints.directory import Directory
from cirahub_sync.endpoints.public_folder import PublicFolder
from cirahub_sync.endpoints.session import Api, Surroundings
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.identity.base import SignIn
from cirahub_sync.identity.provider import host_proof
from cirahub_sync.model.window import Span
from cirahub_sync.needs import Needs


class CardDavConnection:
    """Implements `endpoints.session.Session`."""

    def __init__(self, connection: ConnectionConfig, surroundings: Surroundings) -> None:
        server = connection.card_dav
        if server is None:
            raise ConfigurationError(f"connection {connection.name}: it leads to no CardDAV server")
        self._name = connection.name
        self._clock = surroundings.clock
        self._proofs = host_proof(
            connection.auth,
            connection.cloud,
            surroundings.origins,
            surroundings.credentials,
            host=server.host,
            name=connection.name,
            clock=surroundings.clock,
        )
        self._carddav = CardDavSession(
            connection,
            self._proofs,
            surroundings.origins,
            throttle=surroundings.throttle,
            answers=surroundings.answers[Api.CARDDAV],
            patience=Patience(write=surroundings.lease.write),
        )

    async def check(self, needs: Needs) -> SignIn:
        """Which rights an account has shows with the first request to an address book only."""
        await self._carddav.sign_in()
        return SignIn(credential=self._proofs.credential)

    async def doubt(self) -> None:
        """For another password the next request looks by itself, if this one is refused."""

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
        if not isinstance(spoke.target, AddressBookTarget):
            raise ConfigurationError(
                f"spoke {spoke.name}: of a CardDAV server, only address books are synced; set "
                "addressBook, or name a Connection of another kind"
            )
        return CardDavEndpoint(
            self._carddav, spoke.target, fence, custom_names=custom_names, clock=self._clock
        )

    def directory(self) -> Directory:
        raise ConfigurationError(
            f"connection {self._name}: a CardDAV server has no directory in which groups could be "
            "looked up; name a Connection to Microsoft 365 as the filter's directory"
        )

    def public_folders(self) -> AsyncIterator[PublicFolder]:
        raise ConfigurationError(
            f"connection {self._name}: a CardDAV server has no public folders; name a Connection "
            "to an Exchange Server"
        )

    def subscriptions(self, fence: Fence) -> None:
        """It does not tell of changes."""

    def api_of(self, spoke: SpokeConfig) -> Api:
        return Api.CARDDAV

    def take_waited(self, spoke: SpokeConfig, resolved: str) -> float:
        folder = resolved.rpartition("/")[2]
        if not folder:
            return 0.0
        return self._carddav.throttle.take_waited(Book.named(folder).lane)

    async def close(self) -> None:
        await self._carddav.close()
        await self._proofs.close()
