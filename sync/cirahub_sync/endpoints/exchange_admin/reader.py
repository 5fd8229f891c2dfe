"""Reading the mail contacts of one hub: by alias, or all of them.

Each is read in two halves, Get-MailContact's and Get-Contact's, which have the GUID in common. They
are asked for by filters: what is not there is then missing from a list, and no error to understand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from cirahub_sync.endpoints.alias import aliases_begin, item_of, made_by_us
from cirahub_sync.endpoints.base import RemoteItem, Stamp, Unreadable
from cirahub_sync.endpoints.exchange_admin import codec
from cirahub_sync.endpoints.exchange_admin.codec import ContactHalf, MailHalf
from cirahub_sync.endpoints.exchange_admin.runner import CmdletRunner, Command
from cirahub_sync.endpoints.graph.wire import UNREADABLE
from cirahub_sync.errors import ProtocolError
from cirahub_sync.model.contact import Contact

ASKED_AT_ONCE = 20
"""Contacts in one filter."""
PAGE = 500
"""Contacts in a page that the engine gets."""
_ANY_ATTEMPT = "x"
"""In a stamp that was read from an alias, which does not name the attempt. Sorts after those."""

Half = TypeVar("Half")


class Recipient(msgspec.Struct, rename="pascal"):
    """Of Get-Recipient: who has an address."""

    alias: str = ""
    external_directory_object_id: str | None = None


class ContactReader:
    """Those of one hub, in one tenant."""

    def __init__(
        self,
        runner: CmdletRunner,
        what: str,
        *,
        installation: str,
        hub: str,
        spoke: str,
        hides: bool = False,
    ) -> None:
        """`what` names the place; `spoke` the one for which stamps are told. `hides`: whether it is
        ours to say if address lists show them."""
        self._runner = runner
        self._what = what
        self._installation = installation
        self._hub = hub
        self._spoke = spoke
        self._hides = hides
        self._begin = aliases_begin(installation, hub)

    def ours(self, alias: str) -> bool:
        """Whether this hub made the contact with this alias."""
        return made_by_us(alias) and alias.lower().startswith(self._begin)

    async def here(self, aliases: Sequence[str]) -> set[str]:
        """Those of these contacts that are there."""
        return set(await self._mail_halves(aliases))

    async def items(self, aliases: Sequence[str]) -> dict[str, RemoteItem | Unreadable | None]:
        """Two requests for 20."""
        mails = await self._mail_halves(aliases)
        contacts: dict[str, ContactHalf] = {}
        for some in _some(list(mails)):
            contacts |= _by_guid(await self._list("Get-Contact", _any("Name", some), ContactHalf))
        return {
            alias: await self._item(mails[alias], contacts) if alias in mails else None
            for alias in aliases
        }

    async def every(self) -> AsyncIterator[list[RemoteItem | Unreadable]]:
        """All that the hub made, in pages: two requests for 1,000."""
        like = f"{self._begin}*"
        mails = await self._list("Get-MailContact", f"Alias -like '{like}'", MailHalf)
        contacts = _by_guid(await self._list("Get-Contact", f"Name -like '{like}'", ContactHalf))
        ours = [one for one in mails if self.ours(one.alias)]
        for start in range(0, len(ours), PAGE):
            yield [await self._item(one, contacts) for one in ours[start : start + PAGE]]

    async def holder(self, address: str) -> Recipient | None:
        """The recipient of the tenant that has an e-mail address."""
        quoted = address.replace("'", "''")
        text = f"EmailAddresses -eq 'smtp:{quoted}'"
        return next(iter(await self._list("Get-Recipient", text, Recipient)), None)

    async def _mail_halves(self, aliases: Sequence[str]) -> dict[str, MailHalf]:
        found: dict[str, MailHalf] = {}
        for some in _some([alias for alias in aliases if self.ours(alias)]):
            for one in await self._list("Get-MailContact", _any("Alias", some), MailHalf):
                found[one.alias.lower()] = one
        return found

    async def _item(
        self, mail: MailHalf, contacts: Mapping[str, ContactHalf]
    ) -> RemoteItem | Unreadable:
        alias = mail.alias.lower()
        half = contacts.get(mail.guid)
        if half is None:  # an administrator gave it another name
            text = f"Guid -eq '{mail.guid}'"
            half = next(iter(await self._list("Get-Contact", text, ContactHalf)), None)
        if half is None:
            return Unreadable(alias, "Get-Contact does not show it")
        return self._whole(alias, mail, half)

    def _whole(self, alias: str, mail: MailHalf, half: ContactHalf) -> RemoteItem:
        changed = max(mail.when_changed_u_t_c or "", half.when_changed_u_t_c or "")
        return RemoteItem(
            id=alias,
            etag=changed,
            content=codec.decode(mail, half, hides=self._hides),
            stamp=self.stamp(alias),
            created=codec.seconds(mail.when_created_u_t_c),
            modified=codec.seconds(changed),
        )

    def stamp(self, alias: str) -> str:
        item = item_of(alias) or ""
        return str(Stamp(self._installation, self._hub, item, self._spoke, _ANY_ATTEMPT))

    def as_sent(self, alias: str, content: Contact) -> RemoteItem:
        """A contact that was written, and can't be read yet."""
        return RemoteItem(id=alias, etag="", content=content, stamp=self.stamp(alias))

    async def _list(self, cmdlet: str, text: str, kind: type[Half]) -> list[Half]:
        command = Command(cmdlet, {"Filter": text, "ResultSize": "Unlimited"})
        found: list[Half] = []
        for page in await self._runner.read(command):
            try:
                found += msgspec.json.decode(page, type=list[kind])  # type: ignore[valid-type]
            except UNREADABLE as error:
                raise ProtocolError(
                    f"{self._what}: what {cmdlet} put out cannot be read; will be tried again"
                ) from error
        return found


def _by_guid(halves: Iterable[ContactHalf]) -> dict[str, ContactHalf]:
    return {one.guid: one for one in halves}


def _any(name: str, values: Sequence[str]) -> str:
    """Aliases of ours have nothing to quote."""
    return " -or ".join(f"{name} -eq '{value}'" for value in values)


def _some(values: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(values), ASKED_AT_ONCE):
        yield values[start : start + ASKED_AT_ONCE]
