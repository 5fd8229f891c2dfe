"""The global address list of a tenant, as the engine's protocol wants it. Microsoft Graph only
shows it: nothing is ever written here, which a manifest that would is refused for.

The parts do the work: `delta` pulls, `objects` reads, `codec` translates, `listing` says what there
is. Mail contacts of ours are none of its items: see `endpoints.alias`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence

from cirahub_sync.configuration import AddressListTarget
from cirahub_sync.endpoints.base import (
    Capabilities,
    Fingerprint,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    RemoteItem,
    Target,
    Unreadable,
    Whereabouts,
)
from cirahub_sync.endpoints.graph.address_list.codec import LIMITS
from cirahub_sync.endpoints.graph.address_list.delta import ListDelta
from cirahub_sync.endpoints.graph.address_list.objects import ObjectReader
from cirahub_sync.endpoints.graph.place import DIRECTORY_LANE
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.kind import Content


class AddressListEndpoint:
    """Implements `endpoints.base.Endpoint`, but for writing."""

    capabilities = Capabilities(
        limits=LIMITS, permanent_delete=False, honours_if_match=False, batch=1
    )
    album = None

    def __init__(
        self, session: GraphSession, target: AddressListTarget, hub: str, fingerprint: Fingerprint
    ) -> None:
        """`hub`: the uid of the hub that it is read for; a list may be read for several, by one
        spoke each."""
        self._session = session
        self._hub = hub
        self._objects = ObjectReader(session, target, fingerprint)
        self._delta = ListDelta(self._objects)

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        """Without a request: a tenant has its directory."""
        return Target(self._session.connection.tenant_id.lower(), DIRECTORY_LANE, self._hub)

    def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        return self._delta.pages(resume)

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        """What a delta told to be there, and not in the list, is not asked for again: the object
        may be answered by a replica that lags."""
        asked = [each for each in ids if each not in self._delta.left]
        held = await self.fetch(asked) if asked else {}
        found = dict.fromkeys(ids, Whereabouts.MOVED)
        return found | {
            each: Whereabouts.GONE if got is None else Whereabouts.HERE
            for each, got in held.items()
        }

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        await self._objects.require_whole()
        return await self._objects.items(ids)

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        return dict.fromkeys(keys, ())

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        none: tuple[RemoteItem, ...] = ()
        for one in none:
            yield one

    def encode(self, content: Content) -> bytes:
        raise self._read_only()

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        raise self._read_only()

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        raise self._read_only()

    async def close(self) -> None:
        """Leaves the session open: it belongs to the connection."""

    def _read_only(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self._objects.what}: Microsoft Graph only shows it; set direction to Contribute"
        )
