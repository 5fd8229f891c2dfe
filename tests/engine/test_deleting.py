"""Whose deletion an item dies of (`deletion.allowedBy`), and what becomes of what others have."""

from __future__ import annotations

import msgspec
import pytest

from cirahub_sync.configuration import DeletedBy, DeletionLimits, Direction, OnUserDelete

from .conftest import Scene

ANN = {"displayName": "Ann", "email": "ann@example.org"}
GRACE = 3600.0


def _let(scene: Scene, allowed_by: DeletedBy, **limits: float) -> None:
    settings = {"grace_period": GRACE, "max_count": 50, "max_percent": 100} | limits
    scene.configure(deletion=DeletionLimits(allowed_by=allowed_by, **settings))  # type: ignore[arg-type]


async def _shared(scene: Scene, ben: Direction = Direction.CONTRIBUTE) -> str:
    """Ann is native in two mailboxes, and copied into a third; her id in the first."""
    scene.connect("ada")
    scene.connect("ben", ben)
    scene.connect("cy", Direction.RECEIVE)
    ann = scene.add("ada", **ANN, jobTitle="Baker")
    scene.add("ben", **ANN, department="Bread")
    await scene.settle()
    assert scene.names("cy") == ["Ann"]
    return ann


async def test_with_any_contributor_an_item_dies_of_the_first_deletion(scene: Scene) -> None:
    _let(scene, DeletedBy.ANY_CONTRIBUTOR)
    ann = await _shared(scene)
    scene.remove("ada", ann)
    await scene.settle()
    assert scene.names("cy") == ["Ann"]
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.names("cy") == []


async def test_what_a_contributing_mailbox_has_itself_stays_and_revives_nothing(
    scene: Scene,
) -> None:
    _let(scene, DeletedBy.ANY_CONTRIBUTOR)
    scene.remove("ada", await _shared(scene))
    await scene.settle()
    scene.advance(GRACE + 1)
    await scene.settle()
    scene.forget()
    scene.admin.expire_delta_tokens(scene.mailbox("ben"))
    await scene.settle()
    assert (scene.names("ben"), scene.names("cy")) == (["Ann"], [])
    assert scene.writes() == []


async def test_an_edit_by_another_contributor_revives_what_one_deleted(scene: Scene) -> None:
    _let(scene, DeletedBy.ANY_CONTRIBUTOR)
    scene.remove("ada", await _shared(scene))
    await scene.settle()
    scene.advance(GRACE + 1)
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Cakes")
    await scene.settle()
    copy = scene.the("cy", "Ann")
    assert (copy["department"], copy["jobTitle"]) == ("Cakes", None)


@pytest.mark.parametrize("deleter", ["ada", "ben"])
async def test_a_deletion_and_an_edit_that_knew_not_of_each_other_leave_the_item(
    scene: Scene, deleter: str
) -> None:
    """Whichever of the two is merged first."""
    _let(scene, DeletedBy.ANY_CONTRIBUTOR, grace_period=0.0)
    await _shared(scene)
    editor = "ben" if deleter == "ada" else "ada"
    scene.remove(deleter, scene.the(deleter, "Ann")["id"])
    scene.edit(editor, scene.the(editor, "Ann")["id"], companyName="Mill")
    await scene.settle()
    assert scene.the("cy", "Ann")["companyName"] == "Mill"


async def test_a_two_way_mailbox_s_own_item_goes_to_its_bin_after_the_grace(scene: Scene) -> None:
    _let(scene, DeletedBy.ANY_CONTRIBUTOR)
    ann = await _shared(scene, Direction.TWO_WAY)
    scene.remove("ada", ann)
    await scene.settle()
    assert scene.names("ben") == ["Ann"]
    scene.advance(GRACE + 1)
    await scene.settle()
    assert (scene.names("ben"), scene.binned("ben")) == ([], 1)


async def test_own_items_that_others_deleted_are_guarded(scene: Scene) -> None:
    _let(scene, DeletedBy.ANY_CONTRIBUTOR, grace_period=0.0, max_percent=20)
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    people = [{"displayName": f"P{n}", "email": f"p{n}@example.org"} for n in range(10)]
    ids = [scene.add("ada", **person) for person in people]
    for person in people:
        scene.add("ben", **person)
    await scene.settle()
    for one in ids[:3]:
        scene.remove("ada", one)
    report = await scene.sync(2)
    assert (report.guarded, len(scene.held("ben"))) == (3, 10)
    await scene.sync(approved=frozenset({report.approval}))
    assert len(scene.held("ben")) == 7


async def test_with_never_an_item_stays_though_nobody_contributes_it(scene: Scene) -> None:
    _let(scene, DeletedBy.NEVER, grace_period=0.0, keep_for=0.0)
    ann = await _shared(scene)
    scene.remove("ada", ann)
    await scene.settle()
    scene.remove("ben", scene.the("ben", "Ann")["id"])
    report = await scene.settle()
    scene.advance(10_000_000)
    await scene.settle()
    copy = scene.the("cy", "Ann")
    assert (copy["jobTitle"], copy["department"], report.items) == ("Baker", "Bread", 1)


async def test_erasing_a_spoke_takes_what_its_user_had_deleted(scene: Scene) -> None:
    """Also where nobody may delete: who leaves leaves nothing."""
    _let(scene, DeletedBy.NEVER)
    scene.remove("ada", await _shared(scene))
    scene.connect("dot")
    lone = scene.add("ada", displayName="Lone", email="lone@example.org")
    await scene.settle()
    scene.remove("ada", lone)
    await scene.settle()
    assert scene.names("cy") == ["Ann", "Lone"]
    await scene.erase("ada")
    await scene.settle()
    assert scene.names("cy") == ["Ann"]
    assert scene.the("cy", "Ann")["jobTitle"] is None


async def test_erasing_who_deleted_an_item_gives_it_back_to_those_who_have_it(
    scene: Scene,
) -> None:
    _let(scene, DeletedBy.ANY_CONTRIBUTOR)
    scene.remove("ada", await _shared(scene))
    await scene.settle()
    await scene.erase("ada")
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.the("cy", "Ann")["department"] == "Bread"


async def test_a_setting_that_becomes_all_contributors_gives_back_what_others_have(
    scene: Scene,
) -> None:
    _let(scene, DeletedBy.ANY_CONTRIBUTOR)
    scene.remove("ada", await _shared(scene))
    await scene.settle()
    _let(scene, DeletedBy.ALL_CONTRIBUTORS)
    await scene.settle()
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.names("cy") == ["Ann"]


async def test_a_setting_that_becomes_never_keeps_what_waits_and_not_what_is_gone(
    scene: Scene,
) -> None:
    _let(scene, DeletedBy.ALL_CONTRIBUTORS)
    scene.connect("ada")
    scene.connect("cy", Direction.RECEIVE)
    gone = scene.add("ada", displayName="Gone", email="gone@example.org")
    waits = scene.add("ada", displayName="Waits", email="waits@example.org")
    await scene.settle()
    scene.remove("ada", gone)
    await scene.settle()
    scene.advance(GRACE + 1)
    await scene.settle()
    scene.remove("ada", waits)
    await scene.settle()
    _let(scene, DeletedBy.NEVER)
    await scene.settle()
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.names("cy") == ["Waits"]


async def test_a_setting_that_is_never_no_more_lets_go_what_nobody_has_after_the_grace(
    scene: Scene,
) -> None:
    _let(scene, DeletedBy.NEVER)
    scene.connect("ada")
    scene.connect("cy", Direction.RECEIVE)
    ann = scene.add("ada", **ANN)
    await scene.settle()
    scene.remove("ada", ann)
    await scene.settle()
    scene.advance(2 * GRACE)
    _let(scene, DeletedBy.ALL_CONTRIBUTORS)
    await scene.settle()
    assert scene.names("cy") == ["Ann"]
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.names("cy") == []


async def test_on_user_delete_may_change_both_ways(scene: Scene) -> None:
    """From Restore to Remember nothing comes back from then on; from Remember to Restore what
    was removed before stays removed."""
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, on_user_delete=OnUserDelete.RESTORE)
    scene.add("ada", **ANN)
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await scene.settle()

    async def removed(name: str) -> list[str]:
        scene.remove("ben", scene.the("ben", name)["id"])
        scene.advance(100_000)
        await scene.settle()
        return scene.names("ben")

    assert await removed("Ann") == ["Ann", "Bob"]
    scene.spokes["ben"] = msgspec.structs.replace(
        scene.spokes["ben"], on_user_delete=OnUserDelete.REMEMBER
    )
    assert await removed("Ann") == ["Bob"]
    scene.spokes["ben"] = msgspec.structs.replace(
        scene.spokes["ben"], on_user_delete=OnUserDelete.RESTORE
    )
    assert await removed("Bob") == ["Bob"]
