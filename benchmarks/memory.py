"""The memory of whole passes: one mailbox with many contacts, and one that gets them all.

Both mailboxes are made up: what the one has is made while it is read, and what the other is sent is
counted and forgotten, so that nothing but the engine and the store keeps anything. The first pass
reads, merges, plans and delivers every item; the next one finds nothing, and a third begins anew
from nothing, as after an expired delta token, with a field changed in each. Each size is measured
in a process of its own, beside one that has no items: what Python and its modules take.

    python benchmarks/memory.py [--items N]
    python benchmarks/memory.py --full      1,000,000 items as well: half an hour
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path

import msgspec

from cirahub_sync.configuration import (
    ClientSecretAuth,
    ConnectionConfig,
    Direction,
    HubConfig,
    MailboxTarget,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.endpoints.base import (
    Capabilities,
    Create,
    Delete,
    Endpoint,
    Fence,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    RemoteItem,
    Result,
    Target,
    Unreadable,
    Whereabouts,
)
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.sync_pass import run_pass
from cirahub_sync.errors import CursorExpiredError
from cirahub_sync.model.codec import decode_item, encode_item
from cirahub_sync.model.kind import Content
from cirahub_sync.store.opening import Store
from figures import Figures, options
from merge import PAGE, people

SIZES = (10_000, 100_000)
LARGE = 1_000_000
BATCH = 20


class Mailbox:
    """An endpoint without a service. `holds`: how many contacts its owner has."""

    capabilities: Capabilities = GraphEndpoint.capabilities
    album = None

    def __init__(self, name: str, holds: int, *, expired: bool) -> None:
        self._name = name
        self._holds = holds
        self._expired = expired
        self._made = 0

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        return known or Target("tenant", self._name, "folder")

    async def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        if resume is not None:
            if self._expired:
                raise CursorExpiredError("the token has expired")
            yield Page(changes=(), cursor=resume)
            return
        rows = people(self._holds, edited=self._expired)
        for first in range(0, self._holds, PAGE):
            page = [
                RemoteItem(id=row.remote, etag=row.etag, content=row.content, modified=row.modified)
                for _, row in zip(range(PAGE), rows, strict=False)
                if row.content is not None
            ]
            last = first + PAGE >= self._holds
            yield Page(changes=page, next=None if last else "more", cursor="end" if last else None)
        if not self._holds:
            yield Page(changes=(), cursor="end")

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        raise AssertionError("nothing was removed")

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        raise AssertionError("nothing was lost")

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        raise AssertionError("no answer was lost")

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        for nobody in tuple[RemoteItem, ...]():
            yield nobody

    def encode(self, content: Content) -> bytes:
        return encode_item(content)

    def encode_changes(
        self, before: Content | None, after: Content, fields: object = None
    ) -> bytes:
        return encode_item(after)

    async def push(
        self, operations: Sequence[Operation]
    ) -> AsyncGenerator[Sequence[Outcome], None]:
        for start in range(0, len(operations), BATCH):
            await asyncio.sleep(0)
            yield [
                Outcome(index=index, result=Result.DONE, item=self._taken(operation))
                for index, operation in enumerate(operations[start : start + BATCH], start)
            ]

    def _taken(self, operation: Operation) -> RemoteItem:
        if isinstance(operation, Delete):
            raise TypeError("nothing is to be deleted")
        if isinstance(operation, Create):
            self._made += 1
        number = self._made if isinstance(operation, Create) else operation.id
        return RemoteItem(
            id=f"{self._name}{number:0>120}" if isinstance(operation, Create) else operation.id,
            etag=f"etag-{number}",
            content=decode_item(operation.body),
            modified=1_700_000_000.0,
        )

    async def close(self) -> None:
        pass


def passes(count: int) -> list[float]:
    """The peak after each of the passes, in MB."""
    connection = ConnectionConfig(
        "connection", "bench/c", ClientSecretAuth("t", "c", secret=SecretFile("nobody"))
    )
    spokes = [
        SpokeConfig(
            uid=name,
            name=f"bench/{name}",
            connection=connection,
            target=MailboxTarget(f"{name}@contoso.example", ""),
            direction=direction,
        )
        for name, direction in (("left", Direction.CONTRIBUTE), ("right", Direction.RECEIVE))
    ]
    hub = HubConfig(uid="hub", name="bench/hub")
    peaks: list[float] = []
    with tempfile.TemporaryDirectory(prefix="cirahub-bench-") as name:
        folder = Path(name)
        (folder / "key").write_bytes(base64.b64encode(os.urandom(32)))
        store = Store.open(f"sqlite:///{folder}/store.sqlite3", folder / "key", time.time)
        for expired in (False, False, True):

            async def opened(
                _hub: HubConfig, spoke: SpokeConfig, _fence: Fence, expired: bool = expired
            ) -> Endpoint:
                holds = count if spoke.direction is Direction.CONTRIBUTE else 0
                return Mailbox(spoke.uid, holds, expired=expired and bool(holds))

            context = PassContext(
                hub=hub,
                runs=[SpokeRun(spoke) for spoke in spokes],
                store=store.hub(hub.uid),
                open_endpoint=opened,
                installation="bench",
                clock=time.time,
                progress=None,
                verified={spoke.uid for spoke in spokes},
            )
            report = asyncio.run(run_pass(context))
            problems = [one.problem for one in report.spokes.values() if one.problem]
            if report.problem or problems:
                raise SystemExit(f"the pass failed: {report.problem or problems}")
            assert report.items == count, report.items
            assert report.written == (count if expired or not peaks else 0), report.written
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        store.close()
    return peaks


def alone(count: int) -> list[float]:
    """In a process of its own: the peak of one is not the next one's."""
    command = [sys.executable, __file__, "--one", str(count)]
    return msgspec.json.decode(subprocess.check_output(command), type=list[float])


def main() -> int:
    parser = options(__doc__ or "")
    parser.add_argument(
        "--items",
        type=int,
        action="append",
        metavar="N",
        help="items in the mailbox; may be repeated (default: 10,000 and 100,000)",
    )
    parser.add_argument("--full", action="store_true", help=f"{LARGE:,} as well")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(msgspec.json.encode(passes(asked.one)).decode())
        return 0
    found = Figures("memory", asked)
    print("passes over one mailbox's contacts, to another:", flush=True)
    for count in (0, *(asked.items or SIZES), *((LARGE,) if asked.full else ())):
        peaks = alone(count)
        found.one(f"{count:,}: peak RSS, MB", max(peaks))
        found.one(f"{count:,}: peak RSS of the first pass, MB", peaks[0])
    found.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
