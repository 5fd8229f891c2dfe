"""Photos of contacts: whose an item has, where it goes, and that nothing of anybody's is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from tests.engine.conftest import Scene

from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.photo import read_photo
from cirahub_sync.configuration import Approval, ConflictPolicy, Direction, OnUserDelete
from cirahub_sync.model.photo import MAX_BYTES, SIDE, Unfit, normalised
from cirahub_sync.store.hub import Transaction

WEEK = 7 * 86_400.0
ANN = {"displayName": "Ann", "email": "ann@example.org"}


def jpeg(colour: str, side: int = 64, **more: Any) -> bytes:
    made = BytesIO()
    Image.new("RGB", (side, side), colour).save(made, "JPEG", **more)
    return made.getvalue()


class Photos:
    """Photos in the mailboxes of a scene, as their users see and change them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        scene.configure(photo_interval=WEEK)

    def put(self, name: str, raw: bytes | None, contact: str = "Ann") -> None:
        mailbox, held = self._find(name, contact)
        mailbox.set_photo(held, None if raw is None else read_photo(raw))

    def of(self, name: str, contact: str = "Ann") -> bytes | None:
        photo = self._find(name, contact)[1].photo
        return None if photo is None else photo.data

    def colour(self, name: str, contact: str = "Ann") -> str | None:
        """The nearest of red, green and blue; None without a photo."""
        raw = self.of(name, contact)
        if raw is None:
            return None
        pixel = Image.open(BytesIO(raw)).convert("RGB").getpixel((1, 1))
        assert isinstance(pixel, tuple)
        return ("red", "green", "blue")[pixel.index(max(pixel))]

    def asked(self, method: str, end: str) -> list[str]:
        """Paths of requests since the scene was told to forget them."""
        return [
            entry["path"]
            for entry in self.scene.requests()
            if entry["method"] == method and entry["path"].endswith(end)
        ]

    @property
    def writes(self) -> list[str]:
        return [path for one in ("PUT", "DELETE") for path in self.asked(one, "/photo/$value")]

    def _find(self, name: str, contact: str) -> tuple[Mailbox, Contact]:
        world = self.scene.simulator.world
        user = world.directory.find_user(self.scene.mailbox(name))
        assert user is not None
        mailbox = world.mailboxes[user.id]
        held = mailbox.find_contact(str(self.scene.the(name, contact)["id"]))
        assert held is not None
        return mailbox, held


@pytest.fixture
def photos(scene: Scene) -> Photos:
    return Photos(scene)


def rows(scene: Scene, ask: Callable[[Transaction], Any]) -> Any:
    with scene.worker._store.hub(scene.hub.uid).read() as tx:
        return ask(tx)


def kept(scene: Scene) -> int:
    """Pictures in the store."""

    def count(tx: Transaction) -> Any:
        return tx.connection.exec_driver_sql("SELECT count(*) FROM pictures").scalar_one()

    return int(rows(scene, count))


def whose(scene: Scene) -> list[str]:
    """Whose photos items have."""
    return sorted(one.spoke for one in rows(scene, lambda tx: tx.portraits.all()).values())


async def settled(scene: Scene) -> None:
    """Until nothing is on its way any more; nothing may go wrong."""
    for _ in range(6):
        report = await scene.sync()
        problems = [report.problem, *(one.problem for one in report.spokes.values())]
        assert [problem for problem in problems if problem is not None] == []
        counts = [one.counts for one in report.spokes.values()]
        if not report.written + sum(one.photos_written + one.photos_removed for one in counts):
            return
    raise AssertionError("something is still written after six passes")


@pytest.mark.parametrize("changes", [True, False])
@pytest.mark.parametrize("absent", ["not-found", "one-pixel"])
async def test_a_photo_comes_with_its_contact_and_a_second_pass_asks_for_none(
    scene: Scene, photos: Photos, changes: bool, absent: str
) -> None:
    scene.admin.switch(photo_changes_contact=changes, absent_photo=absent)
    for name, direction in (("ada", Direction.CONTRIBUTE), ("ben", Direction.RECEIVE)):
        scene.connect(name, direction)
    scene.connect("cy", Direction.TWO_WAY)
    scene.add("ada", **ANN)
    scene.add("cy", displayName="Bob", email="bob@example.org")
    photos.put("ada", jpeg("red"))

    report = await scene.settle()

    assert (photos.colour("ben"), photos.colour("cy")) == ("red", "red")
    assert [photos.of(name, "Bob") for name in ("ben", "cy")] == [None, None]
    await scene.settle()
    await scene.restart()  # a process that remembers nothing has nothing to ask either
    scene.forget()
    report = await scene.settle()
    assert [one["path"] for one in scene.requests() if "/photo" in one["path"]] == []
    assert [one.counts.photos_read for one in report.spokes.values()] == [0, 0, 0]


async def test_the_photo_of_who_joined_first_stands(scene: Scene, photos: Photos) -> None:
    for name, colour in (("ada", None), ("ben", "green"), ("cy", "blue")):
        scene.connect(name)
        scene.add(name, **ANN)
        photos.put(name, jpeg(colour) if colour else None)
    scene.connect("dee", Direction.RECEIVE)

    await scene.settle()
    assert photos.colour("dee") == "green"

    photos.put("ada", jpeg("red"))
    await settled(scene)
    assert photos.colour("dee") == "red"

    scene.configure(conflict_policy=ConflictPolicy.PRIORITY, priority=("default/cy",))
    await settled(scene)
    assert photos.colour("dee") == "blue"


async def test_a_photo_of_a_users_own_contact_is_never_replaced(
    scene: Scene, photos: Photos
) -> None:
    for name, colour in (("ada", "red"), ("ben", "green"), ("cy", None)):
        scene.connect(name, Direction.TWO_WAY)
        scene.add(name, **ANN)
        photos.put(name, jpeg(colour) if colour else None)
    before = photos.of("ben")

    await settled(scene)

    assert [photos.colour(name) for name in ("ada", "ben", "cy")] == ["red", "green", "red"]
    assert photos.of("ben") == before
    assert whose(scene) == ["spoke-ada"]


@pytest.mark.parametrize("changes", [True, False])
async def test_a_photo_that_changes_is_brought_along(
    scene: Scene, photos: Photos, changes: bool
) -> None:
    """At once where a service tells of it, else within the interval."""
    scene.admin.switch(photo_changes_contact=changes)
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)

    photos.put("ada", jpeg("green"))
    await scene.settle()
    assert photos.colour("ben") == ("green" if changes else "red")

    scene.advance(WEEK)
    await settled(scene)
    assert photos.colour("ben") == "green"
    assert kept(scene) == 1, "the old one is forgotten"


async def test_a_photo_that_did_not_change_is_not_fetched_again(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    for number in range(30):
        scene.add("ada", displayName=f"P{number}", email=f"p{number}@example.org")
    photos.put("ada", jpeg("red"), "P7")
    await settled(scene)
    asked: list[int] = []
    for _ in range(8):
        scene.advance(WEEK / 8)
        scene.forget()
        await scene.sync()
        asked.append(len(photos.asked("GET", "/photo")))
        assert (photos.asked("GET", "/photo/$value"), photos.writes) == ([], [])

    assert sum(asked) == 30, "each once in its interval"
    assert max(asked) < 15, "and not all at once"


async def test_a_photo_that_is_taken_away_gives_way_to_the_next_ones(
    scene: Scene, photos: Photos
) -> None:
    for name, colour in (("ada", "red"), ("ben", "green")):
        scene.connect(name)
        scene.add(name, **ANN)
        photos.put(name, jpeg(colour))
    scene.connect("cy", Direction.RECEIVE)
    scene.connect("dee", Direction.TWO_WAY)
    await settled(scene)

    photos.put("ada", None)
    await settled(scene)
    assert (photos.colour("cy"), photos.colour("dee")) == ("green", "green")

    scene.remove("ben", scene.the("ben", "Ann")["id"])
    await settled(scene)
    assert (photos.of("cy"), photos.of("dee")) == (None, None)
    assert kept(scene) == 0


async def test_a_photo_that_a_receivers_user_replaced_stays_until_the_item_has_another(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)
    photos.put("ben", jpeg("blue"))
    photos.put("cy", None)
    scene.advance(2 * WEEK)
    await settled(scene)
    assert (photos.colour("ben"), photos.of("cy")) == ("blue", None)

    photos.put("ada", jpeg("green"))
    await settled(scene)
    assert (photos.colour("ben"), photos.colour("cy")) == ("green", "green")

    photos.put("ben", jpeg("blue"))
    photos.put("ada", None)
    await settled(scene)
    assert (photos.colour("ben"), photos.of("cy")) == ("blue", None), "only ours is taken away"


async def test_a_replaced_photo_is_put_back_where_the_spoke_restores(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, on_user_delete=OnUserDelete.RESTORE)
    scene.connect("cy", Direction.RECEIVE, on_user_delete=OnUserDelete.RESTORE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)
    photos.put("ben", jpeg("blue"))
    photos.put("cy", None)
    scene.advance(WEEK)
    await settled(scene)

    assert (photos.colour("ben"), photos.colour("cy")) == ("red", "red")


async def test_a_photo_that_a_two_way_user_puts_on_a_copy_is_theirs_and_travels(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", **ANN)
    await settled(scene)
    photos.put("ben", jpeg("blue"))
    await settled(scene)
    assert (photos.colour("cy"), whose(scene)) == ("blue", ["spoke-ben"])

    photos.put("ada", jpeg("red"))
    await settled(scene)
    assert [photos.colour(name) for name in ("ada", "ben", "cy")] == ["red", "blue", "red"]

    photos.put("ben", None)
    await settled(scene)
    assert photos.colour("ben") == "red", "once theirs is gone, the item's comes"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (jpeg("red") + bytes(MAX_BYTES), Unfit.TOO_LARGE),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\x27\x10\x27\x10" + bytes(60), Unfit.UNREADABLE),
    ],
)
async def test_a_photo_that_is_unfit_stays_where_it_is_and_is_counted(
    scene: Scene, photos: Photos, raw: bytes, why: Unfit
) -> None:
    assert normalised(raw) == why
    scene.connect("ada", Direction.TWO_WAY)
    scene.connect("ben", Direction.TWO_WAY)
    scene.add("ada", **ANN)
    scene.add("ada", displayName="Bob", email="bob@example.org")
    photos.put("ada", raw)
    photos.put("ada", jpeg("green"), "Bob")

    report = await scene.sync()
    assert report.spokes["spoke-ada"].counts.photos_refused == 1
    assert report.spokes["spoke-ada"].problem is None

    await settled(scene)
    assert (photos.of("ada"), photos.of("ben"), photos.colour("ben", "Bob")) == (raw, None, "green")


async def test_what_is_written_is_small_and_has_no_metadata(scene: Scene, photos: Photos) -> None:
    exif = Image.Exif()
    exif[0x010F] = "CANARY-CAMERA"
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red", 1500, exif=exif, comment=b"CANARY-COMMENT"))

    await settled(scene)

    written = photos.of("ben")
    assert written is not None
    assert b"CANARY" not in written
    assert Image.open(BytesIO(written)).size == (SIDE, SIDE)


async def test_photos_are_synced_only_where_they_are_switched_on(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.connect("cy", Direction.RECEIVE, photos=False)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    scene.configure(photo_interval=None)
    await settled(scene)
    assert [one for one in scene.requests() if "/photo" in one["path"]] == []

    scene.configure(photo_interval=WEEK)
    await settled(scene)
    assert (photos.colour("ben"), photos.of("cy")) == ("red", None)

    scene.connect("ada", photos=False)
    await settled(scene)
    assert photos.of("ben") is None, "what the spoke had put in counts no more"


async def test_photos_that_are_switched_off_are_not_kept_and_stay_where_they_are(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)

    scene.configure(photo_interval=None)
    await settled(scene)
    assert (kept(scene), photos.colour("ben")) == (0, "red")

    scene.configure(photo_interval=WEEK)
    await settled(scene)
    assert (kept(scene), whose(scene)) == (1, ["spoke-ada"])
    photos.put("ada", None)
    await settled(scene)
    assert photos.of("ben") is None


@pytest.mark.parametrize("on", [True, False])
async def test_who_leaves_takes_their_photo_along(scene: Scene, photos: Photos, on: bool) -> None:
    """Also where photos have been switched off since."""
    scene.connect("ada", Direction.TWO_WAY)
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    for name in ("ada", "ben"):
        scene.add(name, **ANN)
    photos.put("ada", jpeg("red", quality=95))
    await settled(scene)
    assert photos.colour("cy") == "red"
    if not on:
        scene.configure(photo_interval=None)
        await scene.settle()

    report = await scene.erase("ada")

    assert (report.complete, photos.of("cy")) == (True, None)
    assert (kept(scene), whose(scene)) == (0, [])


async def test_a_photo_that_cannot_be_taken_away_keeps_an_erasure_open(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    for name in ("ada", "ben"):
        scene.add(name, **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)
    rule = scene.admin.add_rule(
        "status", status=503, service="graph", method="DELETE", path="/photo/"
    )

    leaver = await scene.leave("ada")
    report = await scene.worker.erase(leaver.uid, spokes=list(scene.spokes.values()))
    assert (report.complete, report.copies_remaining) == (False, 1)

    scene.admin.remove_rule(rule)
    scene.advance(3600.0)
    report = await scene.worker.erase(leaver.uid, spokes=list(scene.spokes.values()))
    assert (report.complete, photos.of("cy")) == (True, None)


async def test_after_a_lost_store_photos_of_ours_are_nobodys_own(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)

    await scene.lose_store()
    await settled(scene)
    assert whose(scene) == ["spoke-ada"]

    photos.put("ada", None)
    await settled(scene)
    assert (photos.of("ben"), photos.of("cy")) == (None, None)


async def test_a_photo_that_fails_holds_nothing_else_up(scene: Scene, photos: Photos) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    scene.admin.add_rule(
        "status", status=500, service="graph", method="PUT", path="/photo/", count=1
    )

    report = await scene.sync()

    assert [one.problem for one in report.spokes.values()] == [None, None]
    assert report.spokes["spoke-ben"].counts.photos_failed == 1
    scene.advance(60.0)
    await settled(scene)
    assert photos.colour("ben") == "red"


async def test_a_photo_that_the_service_refuses_is_not_sent_at_every_pass(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    rule = scene.admin.add_rule("status", status=415, service="graph", method="PUT", path="/photo/")
    report = await scene.sync()
    assert report.spokes["spoke-ben"].counts.photos_refused == 1
    scene.forget()
    await scene.sync(3)
    assert photos.writes == []

    scene.admin.remove_rule(rule)
    photos.put("ada", jpeg("green"))
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await settled(scene)
    assert photos.colour("ben") == "green", "another one is tried at once"


async def test_an_access_that_is_missing_for_photos_makes_its_spoke_not_ready(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    rule = scene.admin.add_rule("status", status=403, service="graph", method="PUT", path="/photo/")

    report = await scene.sync()

    problem = report.spokes["spoke-ben"].problem
    assert problem is not None
    assert problem.reason == "AccessDenied"
    scene.admin.remove_rule(rule)
    await settled(scene)
    assert photos.colour("ben") == "red"


async def test_with_manual_no_photo_is_written(scene: Scene, photos: Photos) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    scene.configure(approval=Approval.MANUAL)
    report = await scene.sync()
    assert report.plan is not None
    await scene.sync(2, approved=frozenset({report.plan.id}))
    assert (scene.names("ben"), photos.of("ben")) == (["Ann"], None)


async def test_an_item_that_changes_after_its_photo_was_written_still_gets_there(
    scene: Scene, photos: Photos
) -> None:
    """The photo has changed the etag of the copy, which an update is compared with."""
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    contact = scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)
    scene.edit("ada", contact, jobTitle="Baker")

    await scene.sync(3)

    assert scene.the("ben", "Ann")["jobTitle"] == "Baker"
    assert photos.colour("ben") == "red"


async def test_a_contact_that_goes_and_comes_back_within_the_grace_keeps_its_copies_photo(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    contact = scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)
    scene.remove("ada", contact)
    scene.forget()

    await scene.settle()

    assert (photos.colour("ben"), photos.writes) == ("red", [])


async def test_nothing_of_a_photo_is_in_the_file_of_the_store(scene: Scene, photos: Photos) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)

    written = photos.of("ben")
    assert written is not None
    files = b"".join(one.read_bytes() for one in scene.database.parent.glob("store*"))
    assert re.search(re.escape(written[-40:-8]), files) is None


async def test_an_explanation_says_from_whom_the_photo_is(scene: Scene, photos: Photos) -> None:
    for name, colour in (("ada", None), ("ben", "green")):
        scene.connect(name)
        scene.add(name, **ANN)
        photos.put(name, jpeg(colour) if colour else None)
    await settled(scene)

    async def told() -> dict[str, bool]:
        (found,) = (await scene.worker.explain(ANN["email"])).found
        return {one.spoke: one.gives_photo for one in found.sources}

    assert await told() == {"default/ada": False, "default/ben": True}
    scene.configure(photo_interval=None)
    await scene.sync()
    assert await told() == {"default/ada": False, "default/ben": False}


async def test_a_two_way_mailbox_that_only_receives_from_then_on_has_nothing_of_its_own(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", **ANN)
    await settled(scene)
    photos.put("ben", jpeg("blue"))
    await settled(scene)
    assert photos.colour("cy") == "blue"

    scene.connect("ben", Direction.RECEIVE)
    await settled(scene)
    assert (whose(scene), photos.of("cy"), photos.colour("ben")) == ([], None, "blue")
    photos.put("ada", jpeg("red"))
    await settled(scene)
    assert (photos.colour("ben"), photos.colour("cy")) == ("red", "red")
    scene.advance(2 * WEEK)
    await settled(scene)
    scene.forget()
    await scene.sync()
    assert rows(scene, lambda tx: tx.photos.due(scene.clock())) == set()
