"""Who ought to be in a set of spokes, as its directory tells. All of it or an error: part of an
answer would have people leave."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import ConnectionConfig
from cirahub_sync.endpoints.directory import Directory, Member
from cirahub_sync.engine.context import digest
from cirahub_sync.spoke_set import SpokeSetConfig


class Found(msgspec.Struct, frozen=True):
    """Somebody who ought to be a member."""

    id: str
    addresses: tuple[str, ...]
    listed: str = ""
    """The address by which the manifest names them."""
    resolved: bool = True
    """Whether the directory knows them; otherwise the id is a digest of the address."""


class Reader:
    """For one pass: what several sets ask of a directory is asked once."""

    def __init__(self, open_directory: Callable[[ConnectionConfig], Awaitable[Directory]]) -> None:
        self._open = open_directory
        self._groups: dict[tuple[str, str], Sequence[Member]] = {}

    async def read(self, one: SpokeSetConfig, known: Mapping[str, Found]) -> dict[str, Found]:
        """By id. `known`: mailboxes of the list that were found before, by their addresses in
        small letters, and are not looked for again. Raises what a directory raises."""
        source, connection = one.source, one.template.connection
        directory = await self._open(connection)
        found: dict[str, Found] = {}
        for group in source.groups:
            for member in await self._members(connection, directory, group):
                _add(found, member)
        if source.filter:
            for member in await directory.matching(source.filter):
                _add(found, member)
        for address in source.mailboxes:
            listed = known.get(address.casefold()) or await _look_up(directory, address)
            found[listed.id] = listed
        if source.opt_in:
            wanted = await self._ids(connection, directory, source.opt_in)
            found = {id_: each for id_, each in found.items() if id_ in wanted}
        if source.opt_out:
            refused = await self._ids(connection, directory, source.opt_out)
            found = {id_: each for id_, each in found.items() if id_ not in refused}
        without = {name.casefold() for name in source.excluding}
        return {
            id_: each
            for id_, each in found.items()
            if without.isdisjoint((id_, *(address.casefold() for address in each.addresses)))
        }

    async def _ids(
        self, connection: ConnectionConfig, directory: Directory, group: str
    ) -> frozenset[str]:
        return frozenset(member.id for member in await self._members(connection, directory, group))

    async def _members(
        self, connection: ConnectionConfig, directory: Directory, group: str
    ) -> Sequence[Member]:
        key = (connection.uid, group)
        if key not in self._groups:
            self._groups[key] = await directory.members(group)
        return self._groups[key]


def source_key(one: SpokeSetConfig) -> str:
    """Of what decides who the members are."""
    return digest(one.source, one.template.connection.tenant_id)


def _add(found: dict[str, Found], member: Member) -> None:
    """Guests and contacts have no mailbox here, and are none."""
    if member.user:
        found[member.id] = Found(member.id, member.addresses)


async def _look_up(directory: Directory, address: str) -> Found:
    member = await directory.user(address)
    if member is None:
        unknown = hashlib.blake2b(address.casefold().encode(), digest_size=12).hexdigest()
        return Found(f"unknown-{unknown}", (address,), address, resolved=False)
    return Found(member.id, (*member.addresses, address), address)
