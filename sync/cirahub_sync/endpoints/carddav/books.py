"""Which address book a spoke means: by its path, or by its name among the account's (RFC 6764 6,
RFC 6352 7.1.1)."""

from __future__ import annotations

import uuid
from urllib.parse import quote, unquote

import msgspec

from cirahub_sync.configuration import AddressBookTarget
from cirahub_sync.endpoints.attempts import AnswerLostError
from cirahub_sync.endpoints.base import Fence, Target
from cirahub_sync.endpoints.carddav import wire
from cirahub_sync.endpoints.carddav.answers import failure, summary
from cirahub_sync.endpoints.carddav.session import WELL_KNOWN, Call, CardDavSession
from cirahub_sync.endpoints.carddav.wire import Found
from cirahub_sync.errors import (
    AccessDeniedError,
    FolderNotFoundError,
    ProtocolError,
    TargetNotFoundError,
)

_OWN = uuid.UUID("4ccb3a2b-8be6-5b8b-9a4c-6f6d0b6a7d15")
"""Of the paths of address books that we make."""
_BOOK = [wire.TYPE, wire.NAME]


class Book(msgspec.Struct, frozen=True):
    """An address book by its unquoted path, which ends with a slash."""

    path: str

    @property
    def lane(self) -> str:
        """The throttle's name for it."""
        return f"carddav {self.path}"

    def item(self, id_: str) -> str:
        """The path of one of its items."""
        return self.path + id_

    def id_of(self, path: str) -> str:
        """Of an item by its path: the last segment. Blank for what is none of it."""
        id_ = path.removeprefix(self.path)
        return "" if id_ == path or "/" in id_ else id_

    def target(self, host: str) -> Target:
        return Target(host, "addressbooks", quote(self.path, safe=""))

    @classmethod
    def named(cls, folder: str) -> Book:
        """By the folder of its Target."""
        return cls(unquote(folder))


class Terms(msgspec.Struct, frozen=True):
    """What an address book takes."""

    version: str = "3.0"
    """Of vCards; 4.0 where the other is not taken. RFC 6352 10.4: 3.0 if nothing is said."""
    largest: int | None = None
    """Octets of a card."""


class BookFinder:
    """Of one spoke."""

    def __init__(self, session: CardDavSession, target: AddressBookTarget, fence: Fence) -> None:
        self._session = session
        self._target = target
        self._fence = fence

    async def book(self, *, create: bool) -> Book:
        """Raises FolderNotFoundError, or makes it with `create`."""
        if self._target.path:
            return await self._at(self._target.path, create=create)
        home = await self._home()
        if found := await self._named(home):
            return found
        if not create:
            raise FolderNotFoundError(
                f"{self._what}: the account has no such address book: create it, or name another "
                "one by a spoke of its own"
            )
        # The same for everybody who looks for that name here, so that it is made once.
        path = f"{home}cirahub-{uuid.uuid5(_OWN, self._target.name)}/"
        await self._make(path, self._target.name)
        return await self._named(home) or await self._at(path, create=False)

    @property
    def _what(self) -> str:
        return f"{self._session.what}: {self._target.told}"

    async def _at(self, path: str, *, create: bool) -> Book:
        path = path if path.endswith("/") else f"{path}/"
        try:
            found = await self._session.find(path, _BOOK, what=self._what, lane=self._what)
        except TargetNotFoundError as error:
            if not create:
                raise FolderNotFoundError(str(error)) from error
            await self._make(path, path.rstrip("/").rpartition("/")[2])
            return await self._at(path, create=False)
        if not any(one.is_book for one in found.found):
            raise TargetNotFoundError(
                f"{self._what}: what is there is no address book; delete the spoke, and create one "
                "that names the path of an address book"
            )
        return Book(path)

    async def _home(self) -> str:
        """Where the account's address books are."""
        session = self._session
        asked = [wire.PRINCIPAL, wire.HOME]
        path, answer = await session.discover(session.server.path or WELL_KNOWN, asked)
        for _ in range(2):
            for one in answer.found:
                if home := one.href(wire.HOME):
                    path = session.path(home)
                    return path if path.endswith("/") else f"{path}/"
            principal = next((one.href(wire.PRINCIPAL) for one in answer.found), "")
            if not principal:
                break
            path, answer = await session.discover(session.path(principal), asked)
        raise ProtocolError(
            f"{self._what}: {session.server.host} does not say where the account's address books "
            "are; name the address book by its path, or have cardDAV.url lead to the account's "
            "principal"
        )

    async def _named(self, home: str) -> Book | None:
        listed = await self._session.find(home, _BOOK, what=self._what, lane=self._what, depth="1")
        books = [one for one in listed.found if one.is_book and self._is_meant(one)]
        if len(books) > 1:
            raise TargetNotFoundError(
                f"{self._what}: the account has {len(books)} address books of that name: rename "
                "one, or name the address book by its path"
            )
        return Book(books[0].path) if books else None

    def _is_meant(self, one: Found) -> bool:
        return one.text(wire.NAME) == self._target.name

    async def _make(self, path: str, name: str) -> None:
        """Whoever is first; who comes later, or asks again, finds it there."""
        try:
            call = Call.dav("MKCOL", path, wire.mkcol(name))
            answer = await self._session.write(call, lane=self._what, fence=self._fence)
        except AnswerLostError:
            return
        if answer.status in (401, 403):
            raise AccessDeniedError(
                f"{self._what}: the CardDAV server answered {summary(answer)}; create the address "
                "book there, or let the account do it"
            )
        # 405: it is there already (RFC 4918 9.3.1). 409: so say some, too.
        if answer.status not in (201, 405, 409):
            raise failure(answer, self._what)


async def terms_of(session: CardDavSession, book: Book, what: str) -> Terms:
    """One request."""
    answer = await session.find(book.path, [wire.FORMS, wire.LARGEST], what=what, lane=book.lane)
    found = next((one for one in answer.found if one.properties), None)
    if found is None:
        return Terms()
    forms = found.properties.get(wire.FORMS)
    told = set() if forms is None else {one.get("version", "3.0") for one in forms}
    largest = found.text(wire.LARGEST)
    return Terms(
        version="4.0" if told and "3.0" not in told and "4.0" in told else "3.0",
        largest=int(largest) if largest.isdecimal() else None,
    )
