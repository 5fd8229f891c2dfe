"""An address book of a CardDAV server."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from tests.endpoints.carddav.conftest import Desk

from cirahub_sync.endpoints.base import Create, Endpoint, Fence
from cirahub_sync.origins import Origins

from .place import Counting, Session, Trait
from .samples import ADDRESS_BOOKS


class AddressBook:
    traits = frozenset({Trait.WRITES, Trait.DELTA, Trait.COLLECTION})
    samples = ADDRESS_BOOKS
    create_fault: Mapping[str, Any] = {"method": "PUT"}
    read_fault: Mapping[str, Any] = {"method": "REPORT"}
    making_fault: Mapping[str, Any] = {"method": "MKCOL"}
    busy: Mapping[str, Any] = {"status": 429}
    together = False
    plenty = 25

    def __init__(self) -> None:
        self._desk = Desk()
        self.world = self._desk.server.world

    async def __aenter__(self) -> Self:
        await self._desk.server.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._desk.server.__aexit__(*error)

    @property
    def origins(self) -> Mapping[str, str]:
        return self._desk.server.origins

    @asynccontextmanager
    async def session(self, origins: Origins | None = None) -> AsyncIterator[Session]:
        async with self._desk.session(origins) as session:

            def opened(elsewhere: bool, fence: Fence) -> Endpoint:
                name = "Elsewhere" if elsewhere else "Team"
                return self._desk.endpoint(session, name, fence=fence)

            yield Session(Counting(self.world, "carddav"), opened)

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        return Create(key=key, body="Péson\r\n".encode())

    def held(self) -> int:
        return sum(len(self._cards(book)) for book in self._desk.server.books())

    def binned(self) -> int:
        raise AssertionError("CardDAV has no bin")

    def user_adds(self, number: int) -> None:
        (self._book() / f"native-{number}.vcf").write_text(
            f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:native-{number}\r\nFN:native {number}\r\n"
            f"N:;native {number};;;\r\nEND:VCARD\r\n",
            newline="",
        )

    def user_edits(self, text: str) -> None:
        first = self._cards(self._book())[0]
        lines = first.read_bytes().decode().split("\r\n")
        kept = [line for line in lines if not line.startswith("TITLE:")]
        first.write_bytes("\r\n".join([*kept[:-2], f"TITLE:{text}", *kept[-2:]]).encode())

    def user_purges(self) -> None:
        self._cards(self._book())[0].unlink()

    def user_moves_away(self) -> None:
        elsewhere = self._desk.server.make("Private", "private")
        first = self._cards(self._book())[0]
        first.rename(elsewhere / first.name)

    def folder_goes(self) -> None:
        shutil.rmtree(self._book())

    def cursors_expire(self) -> None:
        # Radicale knows its latest token by the state that it stands for, whatever it has kept.
        self.user_edits("later")
        self._desk.server.forget_tokens()

    async def stop(self) -> None:
        await self._desk.server.stop()

    def _book(self) -> Path:
        return self._desk.server.books()[0]

    def _cards(self, book: Path) -> list[Path]:
        return sorted(book.glob("*.vcf"))
