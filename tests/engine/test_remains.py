"""What remains of who was erased: nothing that can be found in the database's files or in the logs,
in clear or sealed (invariant 15). Canaries stand in everything that the leaver had; ciphertexts are
remembered while they are written, and looked for when they should be gone."""

from __future__ import annotations

import logging
import sqlite3

import msgspec
import pytest

from cirahub_sync.configuration import ConflictPolicy, Direction, FieldRule
from cirahub_sync.endpoints.graph import delta
from cirahub_sync.engine.decide import Choice
from cirahub_sync.errors import StoreError
from cirahub_sync.model.codec import encode_item
from cirahub_sync.model.contact import Contact
from cirahub_sync.store import backend
from cirahub_sync.store.erasure import ErasureTable
from cirahub_sync.store.opening import Store

from .conftest import Scene

CANARIES = (
    "Quetzalina",
    "Zimtstern",
    "geheimnis-example",
    "5550147",
    "Schnurzelgasse",
    "likes marzipan",
    "Pimpernell",
    "quetzbox",
    "default/leaver",
)
CONTACT = {
    "displayName": "Quetzalina Zimtstern",
    "givenName": "Quetzalina",
    "surname": "Zimtstern",
    "email": "quetz.zimtstern@geheimnis-example.org",
    "businessPhones": ["+1 425 5550147"],
    "mobilePhone": "+1 425 5550147",
    "homeAddress": {"street": "Schnurzelgasse 3", "city": "Pimpernell"},
    "personalNotes": "likes marzipan",
    "children": ["Pimpernell"],
    "categories": ["Pimpernell"],
    "imAddresses": ["quetz.zimtstern@geheimnis-example.org"],
}
_SEALED_EMPTY = 31 + len(encode_item(Contact()))
"""Bytes of a contact without a value, sealed."""
TWO_WAY, RECEIVE = Direction.TWO_WAY, Direction.RECEIVE
LEAVER = "spoke-leaver"
_TO_ITS_ITEMS = (
    "SELECT content FROM items WHERE id IN "
    f"(SELECT item FROM shadows WHERE spoke = '{LEAVER}' AND own IS NOT NULL)"
)
_OF_LEAVER = (
    f"SELECT content FROM shadows WHERE spoke = '{LEAVER}'",
    f"SELECT own FROM shadows WHERE spoke = '{LEAVER}'",
    f"SELECT content FROM staging WHERE spoke = '{LEAVER}'",
    f"SELECT value FROM conflicts WHERE '{LEAVER}' IN (loser, winner)",
    f"SELECT sealed FROM configurations WHERE owner = '{LEAVER}'",
    "SELECT content FROM erasures",
    _TO_ITS_ITEMS,
    "SELECT sealed FROM decisions",
    f"SELECT sealed FROM earlier WHERE spoke = '{LEAVER}'",
    f"SELECT sealed FROM rewound WHERE spoke = '{LEAVER}'",
)
_OF_HUB = (
    "SELECT content FROM shadows",
    "SELECT own FROM shadows",
    "SELECT content FROM items",
    "SELECT value FROM conflicts",
    "SELECT sealed FROM configurations",
    "SELECT content FROM erasures",
    "SELECT sealed FROM decisions",
    "SELECT sealed FROM earlier",
    "SELECT sealed FROM rewound",
    "SELECT wrapped_key FROM hubs",
)


class Watcher:
    """Remembers every ciphertext that it sees."""

    def __init__(self, scene: Scene, queries: tuple[str, ...]) -> None:
        self._scene = scene
        self._queries = queries
        self.seen: set[bytes] = set()

    def look(self) -> None:
        with sqlite3.connect(self._scene.database) as connection:
            for query in self._queries:
                for (sealed,) in connection.execute(query):
                    if sealed is not None:
                        # Behind format, version and nonce. A page may end within it.
                        self.seen.add(bytes(sealed)[15:39])

    async def sync(self) -> None:
        await self._scene.settle()
        self.look()

    def left(self) -> int:
        """Not counting items that are as they would be without the leaver, whose value had lost."""
        with sqlite3.connect(self._scene.database) as connection:
            rows = connection.execute("SELECT content FROM items WHERE alive")
            kept = {bytes(sealed)[15:39] for (sealed,) in rows}
        files = _files(self._scene)
        return sum(sealed in files for sealed in self.seen - kept)


def _files(scene: Scene) -> bytes:
    """All that there is beside the key."""
    folder = scene.database.parent
    found = {path.name for path in folder.iterdir()}
    assert found <= {"key", "store.sqlite3", "store.sqlite3-wal", "store.sqlite3-shm"}
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name != "key")


def _told(told: str | bytes, more: tuple[str, ...] = ()) -> list[str]:
    text = (told.decode("latin-1") if isinstance(told, bytes) else told).casefold()
    return [canary for canary in (*CANARIES, *more) if canary.casefold() in text]


def _logged(said: pytest.LogCaptureFixture) -> str:
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    others = ("cirahub_simulator", "aiohttp", "asyncio")
    return "\n".join(formatter.format(r) for r in said.records if not r.name.startswith(others))


async def _lead_a_life(scene: Scene, watch: Watcher) -> None:
    """Contacts of the leaver's own, shared ones, edits of others' and by others, conflicts, one of
    which a person decides, items that go, and rows that are written again and again."""
    scene.configure(field_rules=(FieldRule("profession", ConflictPolicy.MANUAL),))
    leaver = scene.connect("quetzbox", TWO_WAY)
    scene.spokes["quetzbox"] = msgspec.structs.replace(leaver, uid=LEAVER, name="default/leaver")
    scene.connect("ada", TWO_WAY)
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    own = scene.add("quetzbox", **CONTACT)
    ann = {"displayName": "Ann", "email": "ann@example.org"}
    shared = scene.add("quetzbox", **ann, jobTitle="Pimpernell", profession="Pimpernell")
    for number in range(40):
        scene.add(
            "quetzbox",
            displayName=f"Zimtstern {number}",
            email=f"z{number}@geheimnis-example.org",
            personalNotes="likes marzipan " * 300,
        )
        scene.add("ada", displayName=f"Pal {number}", email=f"pal{number}@example.org")
    scene.add("ada", **ann, jobTitle="Baker")
    scene.add("ben", **ann, department="Bread", profession="Bakery")
    await watch.sync()
    (conflict,) = await scene.worker.conflicts()
    await scene.worker.decide(conflict.id, Choice(value="Pimpernell's bakery"))
    watch.look()
    for number in range(3):
        scene.edit("quetzbox", own, department=f"Pimpernell {number}")
        scene.edit("quetzbox", shared, officeLocation=f"Schnurzelgasse {number}")
        scene.edit("ada", scene.the("ada", "Ann")["id"], officeLocation=f"Bakery {number}")
        await watch.sync()
    scene.edit("ada", scene.the("ada", "Quetzalina Zimtstern")["id"], businessPhones=[])
    scene.edit("quetzbox", scene.the("quetzbox", "Pal 7")["id"], jobTitle="Pimpernell")
    scene.remove("quetzbox", scene.the("quetzbox", "Zimtstern 8")["id"])
    moment = scene.clock()
    await watch.sync()
    await scene.worker.restore("staff", spoke="leaver", since=moment)
    await watch.sync()
    assert len(watch.seen) > 100


async def test_nothing_of_an_erased_spoke_can_be_found(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    watch = Watcher(scene, _OF_LEAVER)
    await _lead_a_life(scene, watch)
    folder = _ids(scene)
    assert watch.left() > 40, "it is found while it is there"
    assert _told(_files(scene), folder), "and so are the ids of its folder"
    before = _shown(scene)
    await scene.leave("quetzbox", grace=60.0)
    watch.look()
    scene.advance(61.0)
    report = await scene.worker.erase(LEAVER)
    assert report.complete, report
    assert report.items_erased == 41
    assert watch.left() == 0
    assert _told(_files(scene), folder) == []
    assert _told(_logged(caplog), folder) == []
    for name in ("ada", "ben", "cy"):
        assert _told(repr(list(scene.admin.contacts(scene.mailbox(name))))) == []
        assert before[name] - set(scene.names(name)) <= {
            "Quetzalina Zimtstern",
            *(f"Zimtstern {n}" for n in range(40)),
        }
    await scene.settle()
    assert _told(_files(scene), folder) == []


async def test_nothing_of_an_erased_hub_can_be_found_not_even_its_key(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    watch = Watcher(scene, _OF_HUB)
    await _lead_a_life(scene, watch)
    with sqlite3.connect(scene.database) as connection:
        (key,) = connection.execute("SELECT wrapped_key FROM hubs").fetchone()
    assert bytes(key) in _files(scene)
    folder = _ids(scene)
    rule = scene.admin.add_rule("status", service="graph", status=403)
    assert await scene.worker.leave_hub(scene.hub, erase_at=scene.clock())
    watch.look()
    report = await scene.worker.erase(scene.hub.uid)
    assert not report.complete
    assert bytes(key) in _files(scene), "it goes last"
    scene.admin.remove_rule(rule)
    report = await scene.worker.erase(scene.hub.uid)
    assert report.complete, report
    assert bytes(key) not in _files(scene)
    assert watch.left() == 0
    assert _told(_files(scene), folder) == []
    assert _told(_logged(caplog), folder) == []


async def test_an_unreachable_leaver_s_content_is_gone_at_once(scene: Scene) -> None:
    watch = Watcher(scene, _OF_LEAVER[:4])
    await _lead_a_life(scene, watch)
    scene.admin.add_rule("status", service="graph", status=403)
    await scene.leave("quetzbox")
    report = await scene.worker.erase(LEAVER)
    assert not report.complete
    with sqlite3.connect(scene.database) as connection:
        assert connection.execute(
            "SELECT count(*) FROM shadows WHERE spoke = ? AND item IS NOT NULL", (LEAVER,)
        ).fetchone() == (0,)
        assert connection.execute(_OF_LEAVER[3]).fetchall() == []
        kept = [value for query in _OF_LEAVER[:4] for (value,) in connection.execute(query)]
    assert {len(value) for value in kept if value is not None} == {_SEALED_EMPTY}


async def test_what_was_read_of_the_leaver_and_not_merged_yet_goes_with_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta, "PAGE_SIZE", 5)
    scene.connect("leaver", TWO_WAY)
    for number in range(12):
        scene.add("leaver", displayName=f"Zimtstern {number}", email=f"z{number}@example.org")
    scene.admin.add_rule("status", service="graph", path="delta", status=403, skip=1)

    def staged() -> int:
        with sqlite3.connect(scene.database) as connection:
            return int(connection.execute("SELECT count(*) FROM staging").fetchone()[0])

    await scene.sync()
    assert staged() == 5
    scene.admin.add_rule("status", service="graph", status=403)
    await scene.leave("leaver")
    report = await scene.worker.erase(LEAVER)
    assert not report.complete
    assert staged() == 0


async def test_a_tombstone_keeps_nothing_that_the_leaver_had_changed(scene: Scene) -> None:
    """Of an item that somebody else deleted, and that has its grace."""
    scene.connect("ada", TWO_WAY)
    scene.connect("leaver", TWO_WAY)
    pal = scene.add("ada", displayName="Pal", email="pal@example.org")
    await scene.settle()
    scene.edit("leaver", scene.the("leaver", "Pal")["id"], jobTitle="Pimpernell")
    await scene.settle()
    scene.remove("ada", pal)
    await scene.settle()

    def tombstones() -> list[int]:
        with sqlite3.connect(scene.database) as connection:
            found = connection.execute("SELECT content FROM items WHERE NOT alive")
            return [len(content) for (content,) in found]

    (before,) = tombstones()
    assert before > _SEALED_EMPTY
    await scene.erase("leaver")
    assert tombstones() == [_SEALED_EMPTY]


async def test_the_file_is_rewritten_before_an_erasure_is_complete(scene: Scene) -> None:
    """What rows left in the gaps of pages that they were moved from is overwritten by nothing
    else: see tests/store/test_remnants.py."""
    await _lead_a_life(scene, Watcher(scene, _OF_LEAVER))
    await scene.leave("quetzbox")
    assert (await scene.worker.erase(LEAVER)).complete
    with sqlite3.connect(scene.database) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)


async def test_what_the_job_remembered_of_the_leaver_is_gone_with_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name, and the way to its mailbox: it is sealed anew with each attempt."""
    sealed: list[bytes] = []
    seal = ErasureTable._seal

    def remembered(table: ErasureTable, job: str, content: bytes) -> bytes:
        made = seal(table, job, content)
        if b"default/quetzbox" in content:
            sealed.append(made[15:39])
        return made

    monkeypatch.setattr(ErasureTable, "_seal", remembered)
    scene.connect("quetzbox")
    scene.add("quetzbox", displayName="Ann", email="ann@example.org")
    await scene.settle()
    assert (await scene.erase("quetzbox")).complete
    files = _files(scene)
    assert len(sealed) > 1
    assert [one for one in sealed if one in files] == []


async def test_what_others_took_away_does_not_tell_what_the_leaver_had_put_in(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("leaver", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", categories=["all"])
    await scene.settle()
    copy = scene.the("leaver", "Ann")["id"]
    scene.edit("leaver", copy, categories=["all", "Pimpernell"])
    await scene.settle()
    scene.edit("ada", ann, categories=["all"])
    await scene.settle()

    def kept() -> str:
        store = Store.open(f"sqlite:///{scene.database}", scene.settings.key_file, scene.clock)
        with store.hub(scene.hub.uid).read() as tx:
            owns = [shadow.own for shadow in tx.shadows.of_spoke("spoke-ada", "", 10)]
        store.close()
        return repr(owns)

    assert _told(kept()) == ["Pimpernell"]
    assert (await scene.erase("leaver")).complete
    assert _told(kept()) == []


@pytest.mark.parametrize("whole_hub", [False, True], ids=["spoke", "hub"])
async def test_it_is_not_complete_while_somebody_reads_what_was_there_before(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, whole_hub: bool
) -> None:
    """A backup, say: for as long as it reads, the write-ahead log can't be emptied."""
    monkeypatch.setattr(backend, "LOCK_TIMEOUT_MS", 50)
    await scene.restart()
    watch = Watcher(scene, _OF_HUB[:-1] if whole_hub else _OF_LEAVER)
    await _lead_a_life(scene, watch)
    if whole_hub:
        job = scene.hub.uid
        assert await scene.worker.leave_hub(scene.hub, erase_at=scene.clock())
    else:
        job = (await scene.leave("quetzbox")).uid
    backup = sqlite3.connect(scene.database, isolation_level=None)
    backup.execute("BEGIN")
    backup.execute("SELECT count(*) FROM items").fetchone()
    report = await scene.worker.erase(job)
    assert [problem.reason for problem in report.problems] == [StoreError.reason]
    assert not report.complete
    assert watch.left() > 40
    assert [open_job.id for open_job in await scene.worker.erasures()] == [job]
    backup.execute("COMMIT")
    backup.close()
    report = await scene.worker.erase(job)
    assert report.complete, report
    assert watch.left() == 0
    assert await scene.worker.erasures() == []
    if whole_hub:
        with sqlite3.connect(scene.database) as connection:
            assert connection.execute("SELECT count(*) FROM hubs").fetchone() == (0,)


def _ids(scene: Scene) -> tuple[str, ...]:
    """Of the leaver's user and folder, as the store knows them."""
    with sqlite3.connect(scene.database) as connection:
        (target,) = connection.execute(
            "SELECT target FROM spokes WHERE uid = ?", (LEAVER,)
        ).fetchone()
    _, mailbox, folder = str(target).split("/", 2)
    return mailbox, folder


def _shown(scene: Scene) -> dict[str, set[str]]:
    return {name: set(scene.names(name)) for name in ("ada", "ben", "cy")}
