"""A pass from files over two address books of a real Radicale and a mailbox of the simulator."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.endpoints.carddav.radicale import HOST, PASSWORD, Server

from .laptop import Laptop, opened
from .stage import Manifest, books_connection, spoke

CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:grace\r\nFN:Grace\r\nN:Hopper;Grace;;;\r\n"
    "EMAIL:Grace@x.org\r\nX-SOCIALPROFILE;TYPE=mastodon:https://social.example/@grace\r\n"
    "END:VCARD\r\n"
)


@contextmanager
def radicale() -> Iterator[Server]:
    """In a thread of its own: the command has a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = Server()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with radicale() as server:
        yield server


@pytest.fixture
def laptop(tmp_path: Path, server: Server) -> Iterator[Laptop]:
    with opened(tmp_path) as laptop:
        laptop.trust(server.origins, server.ca_file)
        yield laptop


def book(name: str, **spec: object) -> Manifest:
    place = {"mailbox": None, "addressBook": {"name": name}, "connectionRef": {"name": "books"}}
    return spoke(name.lower(), **{**place, **spec})


def password(host: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "books", "annotations": {"cirahub.io/hosts": host}},
        "stringData": {"password": PASSWORD},
    }


def texts(folder: Path) -> list[str]:
    """Its cards, without their folds."""
    cards = sorted(folder.glob("*.vcf"))
    return [one.read_bytes().decode().replace("\r\n ", "") for one in cards]


def test_two_address_books_and_a_mailbox_are_one_hub(laptop: Laptop, server: Server) -> None:
    private, team = server.make("Private", "private"), server.make("Team", "team")
    (private / "grace.vcf").write_bytes(CARD.encode())
    laptop.add("ann", "Ada", jobTitle="Countess")
    laptop.declare(
        spoke("ann"),
        spoke("bob", direction="Receive"),
        book("Private", direction="TwoWay"),
        book("Team", direction="Receive"),
        books_connection(),
        password(HOST),
    )
    laptop.sync()
    assert laptop.names("bob") == ["Ada", "Grace"]
    assert [sum(f"FN:{name}" in one for one in texts(team)) for name in ("Ada", "Grace")] == [1, 1]
    assert len(texts(private)) == 2

    # Two passes in which nothing changed: a delta each, of the one that contributes.
    counted = server.world.journal.counters
    before = counted.copy()
    laptop.sync()
    assert counted - before == {"carddav REPORT 207": 2}

    # Edited in one address book: it goes to the other and to the mailbox.
    card = private / "grace.vcf"
    edited = card.read_bytes().decode().replace("END:VCARD", "TITLE:Admiral\r\nEND:VCARD")
    card.write_bytes(edited.encode())
    laptop.sync()
    assert sum("TITLE:Admiral" in one for one in texts(team)) == 1
    (grace,) = [
        one["contact"]
        for one in laptop.simulator.admin.contacts("bob@contoso.com")
        if one["contact"]["displayName"] == "Grace"
    ]
    assert grace["jobTitle"] == "Admiral"
    assert "X-SOCIALPROFILE" in card.read_bytes().decode()


NEEDLESS = (
    "alembic",
    "cel_expr_python",
    "cirahub_operator.settings",
    "cirahub_sync.endpoints.exchange",
    "cryptography.x509",
    "dateutil",
    "jwt",
    "phonenumbers",
    "PIL",
    "tzlocal",
    "vobject",
    "xml.sax",
)
"""What no pass over address books needs in which nothing changed. Half of its time, and more, is
Python loading modules."""
PROCESS = """
import gc, importlib.metadata, json, sys

def looked_through(*_, **__):
    raise AssertionError("the files of all distributions")

importlib.metadata.entry_points = looked_through
from cirahub_operator.cli import main

collections = []

def collected(phase, of):
    if not gc.get_freeze_count():
        collections.append(of["generation"])

gc.callbacks.append(collected)
sys.argv = ["cirahub", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit as end:
    told = end.code, collections.count(2), gc.get_freeze_count() > 50_000, *sys.modules
print(*told)
"""


def test_a_pass_in_which_nothing_changed_loads_nothing_that_it_does_not_need(
    laptop: Laptop, server: Server
) -> None:
    """In a process of its own: here everything has long been loaded."""
    private, _ = server.make("Private", "private"), server.make("Team", "team")
    (private / "grace.vcf").write_bytes(CARD.encode())
    laptop.declare(
        book("Private"), book("Team", direction="Receive"), books_connection(), password(HOST)
    )
    laptop.sync()
    words = json.dumps(laptop.words("pass", "-q", files=True))
    ran = subprocess.run(
        [sys.executable, "-c", PROCESS, words], capture_output=True, text=True, check=True
    )
    code, searches, kept_aside, *loaded = ran.stdout.splitlines()[-1].split()
    assert (code, kept_aside) == ("0", "True")
    # What is loaded was never looked through for garbage while more was.
    assert searches == "0"
    assert "cirahub_sync.endpoints.carddav.session" in loaded
    assert not [name for name in loaded if name.startswith(NEEDLESS)]


def test_a_password_that_does_not_name_the_server_is_sent_nowhere(
    laptop: Laptop, server: Server
) -> None:
    laptop.declare(book("Team"), books_connection(), password("mail.contoso.example"))
    ran = laptop.run("pass", "-q", files=True)
    assert ran.exit_code == 1
    assert "HostNotNamed" in ran.output
    assert PASSWORD not in ran.output
    assert server.headers == []
