"""Photos of contacts: whose an item has, where it goes, and that nothing of anybody's is lost."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image
from tests.engine.conftest import Scene

from cirahub_sync.configuration import Approval, ConflictPolicy, Direction
from cirahub_sync.model.photo import MAX_BYTES, SIDE, Unfit, normalised

from .photos import ANN, WEEK, Photos, jpeg, kept, settled, whose


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
