"""A connection to Microsoft 365, and which endpoint a target there has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from cirahub_sync.configuration import (
    AddressBookTarget,
    AddressListTarget,
    CalendarTarget,
    ConnectionConfig,
    MailboxTarget,
    MailContactsTarget,
    PasswordAuth,
    PublicFolderTarget,
    SpokeConfig,
)
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Capabilities, Endpoint, Fence, Fingerprint
from cirahub_sync.endpoints.directory import Directory
from cirahub_sync.endpoints.exchange_admin import AdminSession, MailContactsEndpoint
from cirahub_sync.endpoints.exchange_admin import permissions as administration
from cirahub_sync.endpoints.exchange_admin.public_folders import public_folders
from cirahub_sync.endpoints.graph import permissions
from cirahub_sync.endpoints.graph.address_list import AddressListEndpoint
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.endpoints.graph.directory import GraphDirectory
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.subscriptions import GraphSubscriptions
from cirahub_sync.endpoints.public_folder import PublicFolder
from cirahub_sync.endpoints.session import Api, Surroundings
from cirahub_sync.endpoints.subscriptions import Subscriptions
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.identity.base import SignIn
from cirahub_sync.identity.provider import provider
from cirahub_sync.identity.roles import roles_of
from cirahub_sync.identity.settling import Settling
from cirahub_sync.model.window import Span
from cirahub_sync.needs import Needs
from cirahub_sync.origins import HOSTS


def capabilities_of(spoke: SpokeConfig) -> Capabilities:
    if isinstance(spoke.target, AddressListTarget):
        return AddressListEndpoint.capabilities
    if isinstance(spoke.target, MailContactsTarget):
        return MailContactsEndpoint.capabilities
    calendar = isinstance(spoke.target, CalendarTarget)
    return (CalendarEndpoint if calendar else GraphEndpoint).capabilities


def _target(
    spoke: SpokeConfig,
) -> MailboxTarget | CalendarTarget | AddressListTarget | MailContactsTarget:
    """Raises ConfigurationError for what Graph does not have."""
    if isinstance(spoke.target, AddressBookTarget):
        raise ConfigurationError(
            f"spoke {spoke.name}: Microsoft 365 has no address books; name a Connection to a "
            "CardDAV server"
        )
    if isinstance(spoke.target, PublicFolderTarget):
        raise ConfigurationError(
            f"spoke {spoke.name}: Microsoft Graph has no public folders; name a Connection to an "
            "Exchange Server"
        )
    return spoke.target


class GraphConnection:
    """Implements `endpoints.session.Session`."""

    def __init__(self, connection: ConnectionConfig, surroundings: Surroundings) -> None:
        self._connection = connection
        self._clock = surroundings.clock
        if isinstance(connection.auth, PasswordAuth):
            raise ConfigurationError(
                f"connection {connection.name}: Microsoft 365 takes no passwords"
            )
        self._tokens = provider(
            connection.auth,
            connection.cloud,
            surroundings.origins,
            surroundings.credentials,
            name=connection.name,
            clock=surroundings.clock,
        )
        self._graph = GraphSession(
            connection,
            self._tokens,
            surroundings.origins,
            throttle=surroundings.throttle,
            answers=surroundings.answers[Api.GRAPH],
            patience=Patience(write=surroundings.lease.write),
        )
        self._administration = AdminSession(
            connection,
            self._tokens,
            surroundings.origins,
            throttle=surroundings.throttle,
            answers=surroundings.answers[Api.EXCHANGE_ADMIN],
            patience=Patience(write=surroundings.lease.write),
        )
        self._settling = Settling(surroundings.clock)
        """Since when the same permissions are missing."""

    async def check(self, needs: Needs) -> SignIn:
        token = await self._tokens.renew(f"{HOSTS[self._connection.cloud].graph}/.default")
        roles = roles_of(token.token)
        missing: tuple[str, ...] | None = None
        excess: tuple[str, ...] = ()
        if roles is not None:
            missing, excess = permissions.judged(
                roles, needs=needs, access=self._connection.mailbox_access
            )
        if needs.mail_contacts:
            token = await self._tokens.renew(f"{HOSTS[self._connection.cloud].outlook}/.default")
            lacking = administration.missing(token.token)
            missing = (*(missing or ()), *lacking) if lacking else missing
        return SignIn(
            credential=self._tokens.credential,
            missing=missing,
            excess=excess,
            settling=self._settling.passing(missing),
        )

    async def doubt(self) -> None:
        """A role that is granted shows in tokens issued from then on."""
        await self._tokens.invalidate()

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
        target = _target(spoke)
        if isinstance(target, AddressListTarget):
            return AddressListEndpoint(self._graph, target, hub, keyed())
        if isinstance(target, MailContactsTarget):
            return MailContactsEndpoint(
                self._administration,
                self._connection,
                fence,
                installation=installation,
                hub=hub,
                spoke=spoke.uid,
                hides=target.hide is not None,
            )
        if isinstance(target, CalendarTarget):
            return CalendarEndpoint(self._graph, target, fence, span)
        return GraphEndpoint(self._graph, target, fence, custom_names=custom_names)

    def directory(self) -> Directory:
        return GraphDirectory(self._graph)

    def public_folders(self) -> AsyncIterator[PublicFolder]:
        return public_folders(self._administration, f"connection {self._connection.name}")

    def subscriptions(self, fence: Fence) -> Subscriptions:
        return GraphSubscriptions(self._graph, fence, self._clock)

    def api_of(self, spoke: SpokeConfig) -> Api:
        administered = isinstance(spoke.target, MailContactsTarget)
        return Api.EXCHANGE_ADMIN if administered else Api.GRAPH

    def take_waited(self, spoke: SpokeConfig, resolved: str) -> float:
        target = _target(spoke)
        places: list[str] = []
        if isinstance(target, MailContactsTarget):
            places.append(self._administration.lane)
        elif not isinstance(target, AddressListTarget):
            places.append(target.address)
        if resolved:
            places.append(resolved.split("/")[1])
        return sum(self._graph.throttle.take_waited(place) for place in places)

    async def close(self) -> None:
        await self._graph.close()
        await self._administration.close()
        await self._tokens.close()
