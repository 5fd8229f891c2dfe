"""What users do with photos on their own contacts and on copies."""

from __future__ import annotations

from tests.engine.conftest import Scene

from cirahub_sync.configuration import Direction, OnUserDelete

from .photos import ANN, WEEK, Photos, jpeg, rows, settled, whose


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
