"""Two address books on one server: `cirahub pass` beside vdirsyncer and beside bare requests.

The server is Radicale, a process of its own behind TLS. Each contender has two address books there,
one with contacts and one without, and is a process as its user would start it, with its own state.
"Bare" is what the server takes: the cards that ours wrote, by ready-made PUTs, so many at a time,
and nothing kept; what that takes of the processor, TLS and HTTP alone do. Then runs in which
nothing changed, and in which one contact in a hundred did. They take turns: figures are ratios, so
that a slow machine slows all. A first sync of ours is measured more than once, vdirsyncer's once,
and of the bare PUTs a part after each of ours: the server takes most of the time.

Beside the bare PUTs stands what nobody who merges does without: the same, and Python that loads the
libraries, and what has to be asked of the server before (the cards that there are) and after (what
it made of those that were written; Radicale answers with an ETag though it writes a card anew).

vdirsyncer (https://vdirsyncer.pimutils.org) is configured as its documentation shows, for a pair of
CardDAV storages. It only mirrors; that ours merges, stamps and could send the contacts on to other
spokes is not made up for.

    python benchmarks/carddav.py [--contacts N] [--rounds R] [--turns T] [--full]
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import aiohttp
import trustme
import yaml

from bare import contact
from figures import Figures, options

HOST = "127.0.0.1"
NAMED = "dav.bench.example"
"""In the Connection; the endpoints file says where it is."""
ACCOUNT = "bench"
PASSWORD = "benchmark"
CONCURRENT = 4
"""As many as ours, for an address book."""
HUNDREDTH = 100
PATIENCE = 30.0
LEFT = "left"
"""The address book that is brought to another one: of all contenders."""
BARE = "bare-right"
PAGE = 100
BATCH = 20
"""Cards that ours asks for at once: of what there is, and of what it wrote."""
_SYNC = (
    b'<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token/>'
    b"<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
)
_MULTIGET = (
    b'<?xml version="1.0"?><C:addressbook-multiget xmlns:D="DAV:" '
    b'xmlns:C="urn:ietf:params:xml:ns:carddav"><D:prop><D:getetag/><C:address-data/></D:prop>'
    b"%s</C:addressbook-multiget>"
)
LOADING = "import aiohttp, lxml.etree, pydantic, sqlalchemy, vobject"
"""What no process of ours does without, by others."""


def card(number: int) -> bytes:
    """The contact of `fanout`, as a vCard 3.0 (RFC 2426)."""
    fields = contact(number)
    lines = (
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:person-{number}",
        f"FN:{fields['displayName']}",
        f"N:{fields['surname']};{fields['givenName']};;;",
        f"ORG:{fields['companyName']}",
        f"TITLE:{fields['jobTitle']}",
        f"TEL;TYPE=WORK:+1 425 555 {number:04d}",
        f"TEL;TYPE=CELL:{fields['mobilePhone']}",
        f"EMAIL;TYPE=INTERNET:p{number}@example.org",
        "ADR;TYPE=WORK:;;1 Main St;Everett;WA;;",
        f"NOTE:{fields['personalNotes']}",
        "END:VCARD",
        "",
    )
    return "\r\n".join(lines).encode()


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: of the clock, and of the processor for the client's process alone."""

    wall: float
    cpu: float


class Radicale:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        issued = authority.issue_cert(HOST)
        issued.private_key_pem.write_to_path(folder / "key.pem")
        for one in issued.cert_chain_pems:
            one.write_to_path(folder / "certificate.pem", append=True)
        (folder / "users").write_text(f"{ACCOUNT}:{PASSWORD}\n")
        self.port = _free_port()
        self.url = f"https://{HOST}:{self.port}"
        (folder / "configuration").write_text(
            f"[server]\nhosts = {HOST}:{self.port}\nssl = True\n"
            f"certificate = {folder}/certificate.pem\nkey = {folder}/key.pem\n"
            f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\n"
            "htpasswd_encryption = plain\ndelay = 0\n"
            f"[storage]\nfilesystem_folder = {folder}/storage\n[logging]\nlevel = critical\n"
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        configuration = str(self.folder / "configuration")
        command = [sys.executable, "-m", "radicale", "--config", configuration]
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        try:
            until = time.monotonic() + PATIENCE
            while not self._answers():
                if process.poll() is not None or time.monotonic() > until:
                    said = (self.folder / "log").read_text(errors="replace")
                    raise SystemExit(f"Radicale does not start:\n{said}")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait()

    def book(self, name: str) -> Path:
        """Where its cards are; it is made if it is not there."""
        place = self.folder / "storage" / "collection-root" / ACCOUNT / name
        if not place.exists():
            place.mkdir(parents=True)
            properties = {"tag": "VADDRESSBOOK", "D:displayname": name}
            (place / ".Radicale.props").write_text(json.dumps(properties))
        return place

    def session(self) -> aiohttp.ClientSession:
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        return aiohttp.ClientSession(
            self.url,
            headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, PASSWORD)},
            connector=aiohttp.TCPConnector(ssl=trust),
        )

    async def look_through(self, name: str) -> None:
        """So that what the server keeps of its cards in a cache is there: whoever comes first
        would do it for those who come later."""
        async with self.session() as session:
            await self._reported(session, name, _SYNC)

    async def _reported(self, session: aiohttp.ClientSession, name: str, body: bytes) -> None:
        async with session.request("REPORT", f"/{ACCOUNT}/{name}/", data=body) as answer:
            await answer.read()
            if answer.status != HTTPStatus.MULTI_STATUS:
                raise SystemExit(f"Radicale answers a report with {answer.status}")

    async def read_as_who_merges(self) -> float:
        """Seconds for what whoever merges has to ask beside the PUTs, one request after the other:
        what is on the left, whole, and what the server has made of what was written. Radicale does
        one thing at a time where anything is written."""
        left, right = sorted(_cards(self.book(LEFT))), sorted(_cards(self.book(BARE)))
        asked = [(LEFT, left[at : at + PAGE]) for at in range(0, len(left), PAGE)]
        asked += [(BARE, right[at : at + BATCH]) for at in range(0, len(right), BATCH)]
        async with self.session() as session:
            began = time.perf_counter()
            await self._reported(session, LEFT, _SYNC)
            for name, files in asked:
                paths = "".join(f"<D:href>/{ACCOUNT}/{name}/{file}</D:href>" for file in files)
                await self._reported(session, name, _MULTIGET % paths.encode())
            return time.perf_counter() - began

    async def put(self, name: str, cards: Mapping[str, bytes], *, new: bool) -> Took:
        """All of them, CONCURRENT at a time."""
        waiting = list(cards.items())
        condition = {"If-None-Match": "*"} if new else {}
        headers = {"Content-Type": "text/vcard; charset=utf-8", **condition}

        async def send(session: aiohttp.ClientSession) -> None:
            while waiting:
                file, body = waiting.pop()
                url = f"/{ACCOUNT}/{name}/{file}"
                async with session.put(url, data=body, headers=headers) as answer:
                    await answer.read()
                    answer.raise_for_status()

        async with self.session() as session:
            began, cpu = time.perf_counter(), time.process_time()
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENT):
                    group.create_task(send(session))
            return Took(time.perf_counter() - began, time.process_time() - cpu)

    def _answers(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def _free_port() -> int:
    """Radicale takes none that it chooses itself."""
    with socket.create_server((HOST, 0)) as held:
        return int(held.getsockname()[1])


class Ours:
    """`cirahub pass` over two Spokes, the left contributing and the right receiving."""

    def __init__(self, server: Radicale, folder: Path, number: int) -> None:
        """Each of them with a store and a right address book of its own."""
        folder = folder.with_name(f"{folder.name}-{number}")
        folder.mkdir()
        self.right = self.named(number)
        server.book(self.right)
        (folder / "key").write_bytes(base64.b64encode(os.urandom(32)))
        origins = {f"https://{NAMED}": server.url}
        endpoints = {"origins": origins, "ca_file": str(server.ca_file)}
        (folder / "endpoints.json").write_text(json.dumps(endpoints))
        (folder / "manifests.yaml").write_text(yaml.safe_dump_all(_manifests(self.right)))
        self._command: list[str | Path] = [
            Path(sys.executable).with_name("cirahub"),
            *("pass", "--quiet", "--filename", folder / "manifests.yaml"),
            *("--database", f"sqlite:///{folder}/store.sqlite3", "--key-file", folder / "key"),
            *("--installation-id", "benchmark", "--endpoints", folder / "endpoints.json"),
        ]

    @staticmethod
    def named(number: int) -> str:
        """The right address book."""
        return f"ours-right-{number}"

    def sync(self) -> Took:
        return _ran(self._command)


def _manifests(right: str) -> Iterator[Mapping[str, object]]:
    def manifest(kind: str, name: str, **fields: object) -> Mapping[str, object]:
        metadata: dict[str, object] = {"name": name, "namespace": "bench"}
        if kind == "Secret":
            metadata["annotations"] = {"cirahub.io/hosts": NAMED}
            return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}
        return {
            "apiVersion": "cirahub.io/v1alpha1",
            "kind": kind,
            "metadata": metadata,
            "spec": fields,
        }

    password = {"name": "books", "key": "password"}
    basic = {"username": ACCOUNT, "scheme": "Basic", "secretRef": password}
    yield manifest("Secret", "books", stringData={"password": PASSWORD})
    yield manifest(
        "Connection", "books", cardDAV={"url": f"https://{NAMED}"}, auth={"basic": basic}
    )
    yield manifest("Hub", "everybody", itemKind="Contact", interval="1h")
    for name, book, direction in (("left", LEFT, "Contribute"), ("right", right, "Receive")):
        yield manifest(
            "Spoke",
            name,
            hubRef={"name": "everybody"},
            connectionRef={"name": "books"},
            addressBook={"name": book},
            direction=direction,
        )


class Vdirsyncer:
    """A pair of CardDAV storages."""

    right = "vdirsyncer-right"

    def __init__(self, server: Radicale, folder: Path) -> None:
        folder.mkdir()
        server.book(self.right)
        storages = "".join(
            f'[storage {name}]\ntype = "carddav"\n'
            f'url = "{server.url}/{ACCOUNT}/{book}/"\n'
            f'username = "{ACCOUNT}"\npassword = "{PASSWORD}"\nverify = "{server.ca_file}"\n'
            for name, book in (("left", LEFT), ("right", self.right))
        )
        (folder / "config").write_text(
            f'[general]\nstatus_path = "{folder}/status"\n'
            '[pair books]\na = "left"\nb = "right"\ncollections = null\n'
            f'conflict_resolution = "a wins"\n{storages}'
        )
        program = Path(sys.executable).with_name("vdirsyncer")
        self._command: list[str | Path] = [program, "--config", folder / "config"]
        _ran([*self._command, "discover"])

    def sync(self) -> Took:
        return _ran([*self._command, "sync"])


def _ran(command: Sequence[str | Path]) -> Took:
    """The whole process, from its start to its end."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if told.returncode != 0:
        output = (told.stdout + told.stderr).decode(errors="replace")
        raise SystemExit(f"{Path(command[0]).name} ended with {told.returncode}:\n{output}")
    return Took(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


async def measure(contacts: int, rounds: int, turns: int, found: Figures) -> None:
    with tempfile.TemporaryDirectory(prefix="cirahub-bench-") as temporary:
        folder = Path(temporary)
        server = Radicale(folder)
        left = server.book(LEFT)
        for number in range(contacts):
            (left / f"person-{number}.vcf").write_bytes(card(number))
        with server.running():
            await server.look_through(LEFT)
            theirs = Vdirsyncer(server, folder / "vdirsyncer")
            ours = [Ours(server, folder / "ours", number) for number in range(rounds)]
            firsts, their_first, bare = await _first_syncs(server, ours, theirs)
            _assert_whole(server, contacts, rounds)
            reads = await server.read_as_who_merges()
            # What a first run leaves to do is done: one more, that is not measured.
            ours[0].sync()
            theirs.sync()
            quiet = [
                (ours[0].sync(), theirs.sync(), _ran([sys.executable, "-c", LOADING]))
                for _ in range(turns)
            ]
            changed = [await _change(server, ours[0], theirs, turn) for turn in range(rounds)]
            _assert_whole(server, contacts, rounds, sum(many for _, _, _, many in changed))
    loading = statistics.median(load.wall for _, _, load in quiet)
    merging = (bare.wall + reads + loading) / bare.wall
    figures: dict[str, Sequence[float]] = {
        "first sync, wall, ours / bare": [one.wall / bare.wall for one in firsts],
        "first sync, wall, bare, reads and loading / bare": [merging],
        "first sync, wall, vdirsyncer / bare": [their_first.wall / bare.wall],
        "first sync, wall, ours / vdirsyncer": [one.wall / their_first.wall for one in firsts],
        "first sync, CPU, ours / vdirsyncer": [one.cpu / their_first.cpu for one in firsts],
        "first sync, CPU, bare / vdirsyncer": [bare.cpu / their_first.cpu],
        "first sync, CPU, ours, s": [one.cpu for one in firsts],
        "no-op, process, ours / vdirsyncer": [one.wall / their.wall for one, their, _ in quiet],
        "no-op, process, loading alone / vdirsyncer": [
            load.wall / their.wall for _, their, load in quiet
        ],
        "no-op, process, ours, s": [one.wall for one, _, _ in quiet],
        "no-op, CPU, ours / vdirsyncer": [one.cpu / their.cpu for one, their, _ in quiet],
        "1 % changed, wall, ours / bare": [one.wall / put.wall for one, _, put, _ in changed],
        "1 % changed, wall, ours / vdirsyncer": [
            one.wall / their.wall for one, their, _, _ in changed
        ],
        "bare, ms a card": [1e3 * bare.wall / contacts],
    }
    for name, values in figures.items():
        found.one(name, *values)


async def _first_syncs(
    server: Radicale, ours: Sequence[Ours], theirs: Vdirsyncer
) -> tuple[list[Took], Took, Took]:
    """Ours, vdirsyncer's once, and bare PUTs of the cards that ours wrote: a part after each of
    ours, so that what disturbs the machine for a while is in no contender's time alone."""
    server.book(BARE)
    firsts, parts = [], []
    their_first: Took | None = None
    for number, one in enumerate(ours):
        firsts.append(one.sync())
        made = sorted(_cards(server.book(ours[0].right)).items())
        parts.append(await server.put(BARE, dict(made[number :: len(ours)]), new=True))
        their_first = their_first or theirs.sync()
    assert their_first is not None
    bare = Took(sum(one.wall for one in parts), sum(one.cpu for one in parts))
    return firsts, their_first, bare


async def _change(
    server: Radicale, ours: Ours, theirs: Vdirsyncer, turn: int
) -> tuple[Took, Took, Took, int]:
    """One in a hundred of the left cards, as their owner would in another client; and how many."""
    right, left = server.book(ours.right), server.book(LEFT)
    before = _cards(right)
    numbers = range(turn, len(before), HUNDREDTH)
    for number in numbers:
        file = left / f"person-{number}.vcf"
        file.write_bytes(file.read_bytes().replace(b"TITLE:Baker", b"TITLE:Brewer"))
    later, their_later = ours.sync(), theirs.sync()
    after = _cards(right)
    differing = {file: body for file, body in after.items() if before[file] != body}
    return later, their_later, await server.put(BARE, differing, new=False), len(numbers)


def _cards(book: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in book.glob("*.vcf")}


def _assert_whole(server: Radicale, contacts: int, rounds: int, changed: int = 0) -> None:
    """All have brought everything to the right; the first of ours what was changed since, too."""
    for name in (*map(Ours.named, range(rounds)), Vdirsyncer.right):
        cards = _cards(server.book(name)).values()
        found = len(cards), sum(b"TITLE:Brewer" in one for one in cards)
        due = changed if name in (Ours.named(0), Vdirsyncer.right) else 0
        if found != (contacts, due):
            raise SystemExit(f"{name}: {found} cards and changed ones, not {(contacts, due)}")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--contacts", type=int, default=1000, help="in the left address book")
    parser.add_argument("--rounds", type=int, default=2, help="first syncs of ours, and changes")
    parser.add_argument("--turns", type=int, default=9, help="runs in which nothing changed")
    parser.add_argument("--full", action="store_true", help="10,000 contacts")
    asked = parser.parse_args()
    contacts = 10_000 if asked.full else asked.contacts
    found = Figures("carddav", asked)
    print(f"{contacts:,} contacts, {asked.rounds} first syncs, {asked.turns} turns:", flush=True)
    asyncio.run(measure(contacts, asked.rounds, asked.turns, found))
    found.write()


if __name__ == "__main__":
    main()
