"""The mail contacts of one hub in a tenant's global address list, as the engine's protocol wants
it: written only, and looked at for what administrators did to them.

Idempotency key: the alias, which holds the stamp as far as there is room (`endpoints.alias`). There
is no delta: each round lists what the hub has made, whose aliases begin alike.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import ConnectionConfig
from cirahub_sync.endpoints.alias import alias_of
from cirahub_sync.endpoints.base import (
    Capabilities,
    Fence,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    RemoteItem,
    Stamp,
    Target,
    Unreadable,
    Whereabouts,
)
from cirahub_sync.endpoints.exchange_admin import codec
from cirahub_sync.endpoints.exchange_admin.outbox import Outbox
from cirahub_sync.endpoints.exchange_admin.reader import ContactReader
from cirahub_sync.endpoints.exchange_admin.runner import CmdletRunner
from cirahub_sync.endpoints.exchange_admin.session import BATCH_SIZE
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.kind import Content, as_contact

PLACE = "mailContacts"


class MailContactsEndpoint:
    """Implements `endpoints.base.Endpoint`."""

    capabilities = Capabilities(
        limits=codec.LIMITS,
        permanent_delete=True,
        honours_if_match=False,
        batch=BATCH_SIZE,
        composed=True,
    )
    album = None

    def __init__(
        self,
        runner: CmdletRunner,
        connection: ConnectionConfig,
        fence: Fence,
        *,
        installation: str,
        hub: str,
        spoke: str,
        hides: bool = False,
    ) -> None:
        """`hub` and `spoke` by their uids. `hides`: whether it is ours to say if address lists show
        a contact."""
        what = f"connection {connection.name}: mail contacts"
        self._tenant = connection.tenant_id.lower()
        self._hub = hub
        self._hides = hides
        self._reader = ContactReader(
            runner, what, installation=installation, hub=hub, spoke=spoke, hides=hides
        )
        self._outbox = Outbox(runner, self._reader, fence, what)

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        """Without a request: a tenant has its address list, and a hub one place in it."""
        return Target(self._tenant, PLACE, self._hub)

    async def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        """A round is a listing; one that was broken off is listed again."""
        last: list[RemoteItem | Unreadable] = []
        async for page in self._reader.every():
            if last:
                yield Page(changes=last, next=PLACE)
            last = page
        yield Page(changes=last, cursor="")

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        here = await self._reader.here(ids)
        return {each: Whereabouts.HERE if each in here else Whereabouts.GONE for each in ids}

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        return await self._reader.items(ids)

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        """By alias, which is the same for every attempt."""
        aliases = {key: alias_of(stamp) for key in keys if (stamp := Stamp.parse(key)) is not None}
        held = await self._reader.items(list(dict.fromkeys(aliases.values())))
        found: dict[str, Sequence[RemoteItem]] = dict.fromkeys(keys, ())
        for key, alias in aliases.items():
            item = held[alias]
            if isinstance(item, Unreadable):  # it is there, which is what counts here
                item = self._reader.as_sent(alias, Contact())
            if item is not None:
                found[key] = [msgspec.structs.replace(item, stamp=key)]
        return found

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        async for page in self._reader.every():
            for each in page:
                if isinstance(each, RemoteItem):
                    yield each

    def encode(self, content: Content) -> bytes:
        return codec.encode(as_contact(content), hides=self._hides)

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        held = None if before is None else as_contact(before)
        return codec.encode_changes(held, as_contact(after), fields, hides=self._hides)

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        return self._outbox.push(operations)

    async def close(self) -> None:
        """Leaves the session open: it belongs to the connection."""
