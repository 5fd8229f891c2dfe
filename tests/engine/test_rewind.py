"""`cirahub restore --to`: items, and mailboxes, as they were at an earlier moment."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cirahub_sync.configuration import (
    Approval,
    Condition,
    ConflictPolicy,
    DeletedBy,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    MappingRule,
    Operator,
)
from cirahub_sync.engine.decide import Choice
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.past import changed_in
from cirahub_sync.engine.rewind import rewind, to_rewind
from cirahub_sync.errors import DecisionError
from cirahub_sync.model.event import Role
from cirahub_sync.store.earlier import Moment

from .calendars import NINE, REVIEW, TEN, Calendars, but
from .conftest import Scene
from .test_merging import item_of, natives, rows

pytestmark = pytest.mark.every_database

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
DAY = 86_400.0
ANN = {"displayName": "Ann", "email": "ann@example.org"}
FRIENDS = Flow(filter=Filter(all=(Condition("category", Operator.IN, ("Friend",)),)))


async def lived(scene: Scene, direction: Direction = TWO_WAY) -> tuple[str, float]:
    """Ann is Ada's, and Ben sees her: the contact's id, and a moment before anything went wrong."""
    scene.connect("ada", direction)
    scene.connect("ben", TWO_WAY)
    ann = scene.add(
        "ada",
        **ANN,
        jobTitle="Baker",
        mobilePhone="+49 30 901820",
        categories=["Bread", "Berlin"],
    )
    await scene.settle()
    scene.advance(60.0)
    return ann, scene.clock()


async def wreck(scene: Scene, ann: str) -> None:
    """A bad script was there."""
    scene.advance(60.0)
    scene.edit("ada", ann, jobTitle="BAKER!!", mobilePhone=None, categories=["Bread", "Spam"])
    await scene.settle()
    wrecked = scene.the("ben", "Ann")
    assert (wrecked["jobTitle"], wrecked["mobilePhone"]) == ("BAKER!!", None)
    assert wrecked["categories"] == ["Bread", "Spam"]


def is_as_it_was(contact: dict[str, object]) -> bool:
    return (contact["jobTitle"], contact["mobilePhone"], contact["categories"]) == (
        "Baker",
        "+49 30 901820",
        ["Bread", "Berlin"],
    )


async def test_an_item_reads_again_as_it_did_at_a_moment(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    item = item_of(scene, "ada")
    told = await scene.worker.restore("staff", items=[item], since=moment, dry=True)
    assert [(one.item, sorted(one.fields)) for one in told] == [
        (item, ["categories", "jobTitle", "phones"])
    ]
    assert b"Baker" not in msgspec.json.encode(told)
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "BAKER!!", "that was only a preview"
    assert await scene.worker.restore("staff", items=[item], since=moment) == told
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))
    assert is_as_it_was(scene.the("ada", "Ann")), "a mailbox that receives is put right as well"
    scene.forget()
    await scene.settle()
    assert scene.writes() == []


async def test_what_was_deleted_since_lives_again_as_it_was(scene: Scene) -> None:
    ann, moment = await lived(scene)
    item = item_of(scene, "ada")
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    await scene.settle()
    between = scene.clock()
    await wreck(scene, ann)
    scene.remove("ada", ann)
    await scene.settle()
    scene.advance(2 * DAY)
    await scene.settle()
    assert scene.names("ben") == []
    (told,) = await scene.worker.restore("staff", items=[item], since=between)
    assert not told.alive
    await scene.settle()
    for name in ("ada", "ben"):
        assert is_as_it_was(scene.the(name, "Ann"))
        assert scene.the(name, "Ann")["department"] == "Bread", "what was edited in a copy, too"
    (back,) = await scene.worker.restore("staff", items=[item], since=moment)
    assert back.fields == ["department"]
    await scene.settle()
    assert scene.the("ben", "Ann")["department"] is None


async def test_what_a_mailbox_s_user_changed_is_taken_back_and_what_others_did_stays(
    scene: Scene,
) -> None:
    ann, moment = await lived(scene)
    bob = scene.add("ada", displayName="Bob", email="bob@example.org", jobTitle="Miller")
    zoe = scene.add("ben", displayName="Zoe", email="zoe@example.org", jobTitle="Poet")
    await scene.settle()
    moment = scene.clock()
    await wreck(scene, ann)
    scene.edit("ada", scene.the("ada", "Zoe")["id"], jobTitle="POET!!")
    scene.remove("ada", bob)
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    await scene.settle()
    told = await scene.worker.restore("staff", spoke="ada", since=moment, dry=True)
    assert sorted((sorted(one.fields), one.alive) for one in told)[1:] == [
        (["displayName", "emails", "jobTitle"], False),
        (["jobTitle"], True),
    ]
    assert await scene.worker.restore("staff", spoke="ada", since=moment) == told
    await scene.settle()
    for name in ("ada", "ben"):
        assert is_as_it_was(scene.the(name, "Ann"))
        assert scene.the(name, "Ann")["department"] == "Bread"
        assert scene.the(name, "Bob")["jobTitle"] == "Miller"
        assert scene.the(name, "Zoe")["jobTitle"] == "Poet"
    assert scene.the("ben", "Zoe")["id"] == zoe


async def test_what_a_mailbox_s_user_added_since_stays(scene: Scene) -> None:
    ann, _ = await lived(scene)
    mine = item_of(scene, "ada")
    zoe = {"displayName": "Zoe", "email": "zoe@example.org"}
    former = scene.add("ada", **zoe)
    await scene.settle()
    scene.remove("ada", former)
    await scene.settle()
    moment = scene.clock()
    scene.add("ada", displayName="Bob", email="bob@example.org")
    scene.add("ada", **zoe, jobTitle="Poet")
    await wreck(scene, ann)
    (told,) = await scene.worker.restore("staff", spoke="ada", since=moment)
    assert told.item == mine
    scene.advance(2 * DAY)
    await scene.settle()
    assert scene.names("ben") == scene.names("ada") == ["Ann", "Bob", "Zoe"]
    assert scene.the("ben", "Zoe")["jobTitle"] == "Poet"


async def test_copies_that_a_user_removed_since_come_back_with_their_mailbox(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    for name in ("Ann", "Bob"):
        scene.add("ada", displayName=name, email=f"{name}@example.org")
    await scene.settle()
    scene.remove("ben", scene.the("ben", "Bob")["id"])
    await scene.sync()
    scene.advance(2 * DAY)
    await scene.settle()
    moment = scene.clock()
    scene.remove("ben", scene.the("ben", "Ann")["id"])
    scene.advance(2 * DAY)
    await scene.settle()
    (told,) = await scene.worker.restore("staff", spoke="ben", since=moment)
    assert (told.spokes, told.fields) == (["default/ben"], [])
    await scene.settle()
    assert scene.names("ben") == ["Ann"], "what they had removed before stays removed"
    assert await scene.worker.restore("staff", spoke="ben", since=moment) == []


async def test_what_is_put_back_is_not_written_to_a_mailbox_that_only_contributes(
    scene: Scene,
) -> None:
    ann, moment = await lived(scene, Direction.CONTRIBUTE)
    await wreck(scene, ann)
    await scene.worker.restore("staff", spoke="ada", since=moment)
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))
    assert scene.the("ada", "Ann")["jobTitle"] == "BAKER!!"
    scene.edit("ada", ann, department="Bread")
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann")), "another field is another word"
    assert scene.the("ben", "Ann")["department"] == "Bread"
    scene.edit("ada", ann, jobTitle="Miller")
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Miller", "their next edit of it counts"
    assert scene.the("ben", "Ann")["categories"] == ["Bread", "Berlin"]


async def test_what_is_put_back_outlives_that_its_mailbox_is_judged_anew(scene: Scene) -> None:
    ann, moment = await lived(scene, Direction.CONTRIBUTE)
    await wreck(scene, ann)
    await scene.worker.restore("staff", spoke="ada", since=moment)
    scene.connect("ada", contributes=Flow(exclude=("notes",)))
    await scene.settle()
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    await scene.settle()
    await scene.restart()
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))


async def test_putting_back_twice_changes_nothing_more(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    item = item_of(scene, "ada")
    await scene.worker.restore("staff", items=[item], since=moment)
    for _ in range(2):
        assert await scene.worker.restore("staff", items=[item], since=moment) == []
        assert await scene.worker.restore("staff", spoke="ada", since=moment) == []
        await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))


async def test_putting_back_can_be_taken_back(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    item = item_of(scene, "ada")
    await scene.worker.restore("staff", items=[item], since=moment)
    await scene.settle()
    assert await scene.worker.take_back("staff", [item]) == [item]
    assert await scene.worker.take_back("staff", [item]) == []
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "BAKER!!"
    assert scene.the("ada", "Ann")["categories"] == ["Bread", "Spam"]
    await scene.worker.restore("staff", spoke="ada", since=moment)
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))
    assert await scene.worker.take_back("staff", spoke="ada") == [item]
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "BAKER!!"


async def test_a_moment_between_two_puttings_back_is_one_like_others(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    item = item_of(scene, "ada")
    wrecked = scene.clock()
    scene.advance(60.0)
    await scene.worker.restore("staff", items=[item], since=moment)
    await scene.settle()
    right = scene.clock()
    scene.advance(60.0)
    await scene.worker.restore("staff", items=[item], since=wrecked)
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "BAKER!!"
    scene.advance(60.0)
    await scene.worker.restore("staff", items=[item], since=right)
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))


async def test_who_came_since_says_nothing_of_an_item_that_is_put_back(scene: Scene) -> None:
    _, moment = await lived(scene)
    scene.advance(60.0)
    scene.connect("cy")
    cy = scene.add("cy", **ANN, businessPhones=["+49 30 1111111"], department="Bread")
    await scene.settle()
    assert scene.the("ben", "Ann")["department"] == "Bread"
    item = item_of(scene, "ada")
    (told,) = await scene.worker.restore("staff", items=[item], since=moment)
    assert (sorted(told.fields), told.spokes) == (["department", "phones"], ["default/cy"])
    await scene.settle()
    assert scene.the("ben", "Ann")["businessPhones"] == []
    assert await scene.worker.restore("staff", items=[item], since=moment) == []
    scene.edit("cy", cy, department="Pastry")
    await scene.settle()
    assert scene.the("ben", "Ann")["department"] == "Pastry", "their next edit counts"


async def test_an_item_that_was_not_there_is_not_put_back(scene: Scene) -> None:
    _, moment = await lived(scene)
    scene.advance(60.0)
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await scene.settle()
    (bob,) = set(natives(scene, "ada")) - {item_of_ann(scene)}
    with pytest.raises(DecisionError, match=f"item {bob}: the hub had nothing"):
        await scene.worker.restore("staff", items=[bob], since=moment)
    with pytest.raises(DecisionError, match="item nobody"):
        await scene.worker.restore("staff", items=["nobody"], since=moment)


def item_of_ann(scene: Scene) -> str:
    (item,) = {
        item for (item,) in rows(scene, "SELECT item FROM replicas ORDER BY delivered_seq")[:1]
    }
    return str(item)


async def test_a_time_of_which_nothing_is_known_is_refused_with_since_when_it_is(
    scene: Scene,
) -> None:
    began = scene.clock()
    ann, moment = await lived(scene)
    item = item_of(scene, "ada")
    for at in (began - 60.0, scene.clock() + 60.0):
        with pytest.raises(DecisionError, match=f"^hub staff, item {item}: .*; name an? .*time"):
            await scene.worker.restore("staff", items=[item], since=at)
    await wreck(scene, ann)
    scene.advance(30 * DAY)
    await scene.settle()
    with pytest.raises(DecisionError, match="the hub knows what was since 20"):
        await scene.worker.restore("staff", items=[item], since=moment)
    assert rows(scene, "SELECT count(*) FROM earlier") == [(0,)], "and nothing of it is kept"
    assert len(rows(scene, "SELECT * FROM moments")) == 1


async def test_a_decision_made_since_counts_no_more(scene: Scene) -> None:
    scene.configure(conflict_policy=ConflictPolicy.MANUAL)
    for name in ("ada", "ben"):
        scene.connect(name)
    scene.connect("cy", RECEIVE)
    scene.add("ada", **ANN, jobTitle="Baker")
    scene.add("ben", **ANN, jobTitle="Miller")
    await scene.settle()
    scene.advance(60.0)
    moment = scene.clock()
    (conflict,) = await scene.worker.conflicts()
    await scene.worker.decide(conflict.id, Choice(), spoke="ben")
    await scene.settle()
    decided = scene.clock()
    assert scene.the("cy", "Ann")["jobTitle"] == "Miller"
    item = item_of(scene, "ada")
    (told,) = await scene.worker.restore("staff", items=[item], since=moment)
    assert told.fields == ["jobTitle"]
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    assert [one.item for one in await scene.worker.conflicts()] == [item], "it waits again"
    scene.advance(60.0)
    await scene.worker.restore("staff", items=[item], since=decided)
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Miller"
    await scene.worker.restore("staff", items=[item], since=moment)
    assert await scene.worker.take_back("staff", [item]) == [item]
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Miller"


async def test_what_is_put_back_waits_in_a_plan(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    scene.configure(approval=Approval.MANUAL)
    await scene.worker.restore("staff", spoke="ada", since=moment)
    scene.forget()
    report = await scene.sync()
    assert scene.writes() == []
    assert report.plan is not None
    assert report.plan.updates == 2
    await scene.sync(approved=frozenset({report.plan.id}))
    assert is_as_it_was(scene.the("ben", "Ann"))
    assert is_as_it_was(scene.the("ada", "Ann"))


async def test_what_a_filter_kept_out_since_is_not_put_back(scene: Scene) -> None:
    scene.connect("ada", contributes=FRIENDS)
    scene.connect("ben", TWO_WAY)
    ann = scene.add("ada", **ANN, categories=["Friend"], jobTitle="Baker")
    scene.add("ben", **ANN, department="Bread")
    await scene.settle()
    scene.advance(60.0)
    moment = scene.clock()
    scene.edit("ada", ann, categories=["Foe"])
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Pastry")
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] is None
    item = item_of(scene, "ben")
    (told,) = await scene.worker.restore("staff", items=[item], since=moment)
    assert (told.fields, told.unknown) == (["department"], ["default/ada"])
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] is None
    assert scene.the("ben", "Ann")["department"] == "Bread"
    scene.edit("ada", ann, categories=["Friend"])
    await scene.settle()
    assert await scene.worker.restore("staff", items=[item], since=moment) == []
    assert scene.the("ben", "Ann")["jobTitle"] == "Baker", "and nothing is taken for new"


async def test_what_a_mapping_has_changed_since_stays_as_it_is(scene: Scene) -> None:
    ann, moment = await lived(scene, Direction.CONTRIBUTE)
    scene.edit("ada", ann, jobTitle="Miller")
    await scene.settle()
    scene.connect(
        "ada", contributes=Flow(mapping=(MappingRule(field="jobTitle", suffix=" (ext)"),))
    )
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Miller (ext)"
    item = item_of(scene, "ada")
    assert await scene.worker.restore("staff", items=[item], since=moment) == []
    assert await scene.worker.restore("staff", spoke="ada", since=moment) == []


async def test_of_what_never_syncs_nothing_is_kept_and_nothing_put_back(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    item = item_of(scene, "ada")
    await scene.worker.restore("staff", spoke="ada", since=moment)
    await scene.settle()
    assert kept(scene, item).count("job_title") > 1
    scene.connect("ada", TWO_WAY, never_sync=("jobTitle",))
    refused = scene.admin.add_rule("status", service="graph", path="delta", status=403)
    await scene.sync()
    assert "job_title" not in kept(scene, item), "here and now, also if it can't be read again"
    assert "phones" in kept(scene, item)
    scene.admin.remove_rule(refused)
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] is None
    assert await scene.worker.restore("staff", items=[item], since=moment) == []
    scene.connect("ada", TWO_WAY)
    await scene.settle()
    assert await scene.worker.restore("staff", spoke="ada", since=moment) == []


def kept(scene: Scene, item: str) -> str:
    """What the store has of an item's past, and of what was put back of it."""
    store = scene.opened()
    with store.hub(scene.hub.uid).read() as tx:
        found = repr([tx.earlier.since([item], 0), tx.rewound.said([item])])
    store.close()
    return found.casefold()


async def test_a_spoke_that_leaves_takes_its_past_and_what_was_put_back_along(
    scene: Scene,
) -> None:
    ann, moment = await lived(scene)
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Pastry")
    await wreck(scene, ann)
    item = item_of(scene, "ada")
    for at in (scene.clock(), moment):
        await scene.worker.restore("staff", spoke="ben", since=at)
        await scene.worker.restore("staff", items=[item], since=at)
    await scene.settle()
    assert rows(scene, "SELECT count(*) FROM rewound WHERE spoke = 'spoke-ben'") != [(0,)]
    await scene.erase("ben")
    for table in ("earlier", "rewound"):
        assert rows(scene, f"SELECT count(*) FROM {table} WHERE spoke = 'spoke-ben'") == [(0,)]
        assert rows(scene, f"SELECT count(*) FROM {table} WHERE spoke = 'spoke-ada'") != [(0,)]
    await scene.settle()
    assert is_as_it_was(scene.the("ada", "Ann"))
    assert scene.the("ada", "Ann")["department"] is None


async def test_what_others_said_before_does_not_tell_what_a_leaver_had_put_in(
    scene: Scene,
) -> None:
    """Ada took away a category that only Ben had given, and her doing so is of the past, and of
    what was put back."""
    ann, _ = await lived(scene)
    copy = scene.the("ben", "Ann")["id"]
    scene.edit("ben", copy, categories=["Bread", "Berlin", "Pimpernell"])
    await scene.settle()
    scene.edit("ada", ann, categories=["Bread", "Berlin"])
    await scene.settle()
    scene.advance(60.0)
    moment = scene.clock()
    for categories in (["Bread"], ["Bread", "Rye"]):
        scene.edit("ada", ann, categories=categories, jobTitle=categories[-1])
        await scene.settle()
    scene.edit("ben", copy, categories=["Bread", "Pimpernell"])
    await scene.settle()
    scene.edit("ada", ann, categories=["Bread"])
    await scene.settle()
    await scene.worker.restore("staff", spoke="ada", since=moment)

    item = item_of(scene, "ada")
    assert kept(scene, item).count("pimpernell") > 1
    await scene.erase("ben")
    assert "pimpernell" not in kept(scene, item)
    assert "baker" in kept(scene, item), "what was hers is still there"


async def test_an_event_is_put_back_but_never_whose_it_is(tmp_path: Path) -> None:
    calendars = Calendars(tmp_path)
    calendars.connect("ada")
    calendars.connect("ben", RECEIVE)
    calendars.sees("ada", "r1", REVIEW)
    await calendars.merge()
    with calendars.opened.read() as tx:
        moment = Moment(tx.seq, calendars.now)
    changed = but(REVIEW, subject="REVIEW!!", schedule=TEN, role=Role.ORGANIZER.value)
    calendars.sees("ada", "r1", changed, etag="2")
    context = await calendars.merge()
    calendars.opened.acquire()
    with calendars.opened.write() as tx:
        ids = changed_in(tx, moment, "ada")
        (found,) = to_rewind(context, tx, moment, ids, "ada")
        assert found.fields == ("subject", "schedule")
        rewind(context, tx, [found])
        assert to_rewind(context, tx, moment, ids, "ada") == []
        assert to_rewind(context, tx, moment, ids) == []
    calendars.opened.release()
    event = calendars.event()
    assert (event.subject, event.schedule, event.uid) == ("Review", NINE, "u1")
    with calendars.opened.read() as tx:
        (one,) = inputs_of(context, tx, ids)[ids[0]]
    assert one.own.scalars["role"].value == Role.ORGANIZER.value
    calendars.close()


async def test_after_a_lost_store_no_earlier_moment_is_known(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    await scene.worker.restore("staff", spoke="ada", since=moment)
    await scene.settle()
    await scene.lose_store()
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann")), "what was brought to the mailboxes stays"
    with pytest.raises(DecisionError, match="is not known"):
        await scene.worker.restore("staff", spoke="ada", since=moment)


async def test_an_own_item_that_is_made_anew_says_what_it_says(scene: Scene) -> None:
    """A phone that deletes everything and puts it in again."""
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    await scene.worker.restore("staff", spoke="ada", since=moment)
    await scene.settle()
    put_right = scene.clock()
    scene.remove("ada", ann)
    await scene.settle()
    scene.add("ada", **ANN, jobTitle="Poet")
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Poet"
    assert scene.the("ben", "Ann")["categories"] == [], "what had been put back is of the past"
    await scene.worker.restore("staff", spoke="ada", since=put_right)
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))


async def test_edits_of_a_copy_are_put_back_though_the_copy_is_gone(scene: Scene) -> None:
    _, _ = await lived(scene)
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    await scene.settle()
    scene.advance(60.0)
    moment = scene.clock()
    scene.remove("ben", scene.the("ben", "Ann")["id"])
    await scene.settle()
    assert scene.the("ada", "Ann")["department"] is None
    item = item_of(scene, "ada")
    await scene.worker.restore("staff", items=[item], since=moment)
    await scene.settle()
    assert scene.the("ada", "Ann")["department"] == "Bread"
    assert scene.names("ben") == [], "their copy stays removed: the item was put back, not they"
    scene.remove("ada", scene.the("ada", "Ann")["id"])
    await scene.settle()
    scene.advance(2 * DAY)
    await scene.settle()
    assert scene.names("ada") == [], "and keeps nobody's item alive"


async def test_what_was_put_back_goes_with_what_is_merged_and_split(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    ann = scene.add("ada", **ANN, jobTitle="Baker")
    scene.add("ben", displayName="Ann", email="berg@example.org", department="Bread")
    await scene.settle()
    scene.advance(60.0)
    moment = scene.clock()
    scene.edit("ada", ann, jobTitle="BAKER!!")
    await scene.settle()
    await scene.worker.restore("staff", spoke="ada", since=moment)
    mine, other = item_of(scene, "ada"), item_of(scene, "ben")
    await scene.worker.merge("default/staff", other, mine)
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    made = await scene.worker.split("default/staff", other, ["default/ada"])
    await scene.settle()
    assert sorted(c["jobTitle"] or "" for c in scene.held("cy")) == ["", "Baker"]
    assert await scene.worker.take_back("staff", [made]) == [made]
    await scene.settle()
    assert sorted(c["jobTitle"] or "" for c in scene.held("cy")) == ["", "BAKER!!"]


async def test_a_spoke_that_is_made_again_keeps_its_past(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    before = scene.spokes["ada"]
    await scene.leave("ada", grace=3600.0)
    scene.spokes["ada"] = msgspec.structs.replace(before, uid="spoke-other", name="default/other")
    await scene.settle()
    (told,) = await scene.worker.restore("staff", spoke="other", since=moment)
    assert sorted(told.fields) == ["categories", "jobTitle", "phones"]
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))


async def test_where_nobody_may_delete_a_deletion_is_no_change(scene: Scene) -> None:
    limits = DeletionLimits(3600.0, max_percent=100, allowed_by=DeletedBy.NEVER)
    scene.configure(deletion=limits)
    ann, moment = await lived(scene, Direction.CONTRIBUTE)
    await wreck(scene, ann)
    scene.remove("ada", ann)
    await scene.settle()
    (told,) = await scene.worker.restore("staff", spoke="ada", since=moment)
    assert told.alive
    await scene.settle()
    assert is_as_it_was(scene.the("ben", "Ann"))


async def test_a_pass_in_which_nothing_changed_keeps_nothing_of_it(scene: Scene) -> None:
    ann, moment = await lived(scene)
    await wreck(scene, ann)
    await scene.worker.restore("staff", spoke="ada", since=moment)
    await scene.settle()
    tables = ("moments", "earlier", "rewound")
    before = [rows(scene, f"SELECT * FROM {table}") for table in tables]
    scene.advance(600.0)
    await scene.settle()
    assert [rows(scene, f"SELECT * FROM {table}") for table in tables] == before
