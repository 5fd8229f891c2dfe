"""Explanations: what decided about an item, told by what decided."""

from __future__ import annotations

import hashlib

import pytest

from cirahub_sync.configuration import (
    Condition,
    ConflictPolicy,
    DeletionLimits,
    Direction,
    FieldPolicy,
    Filter,
    Flow,
    MappingRule,
    Operator,
    Policy,
)
from cirahub_sync.engine.explain import Difference
from cirahub_sync.explain import Answer, Explanation, ToldFilter, ToldSpoke

from .conftest import Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY


async def explained(scene: Scene, contact: str, **options: object) -> Explanation:
    answer = await scene.worker.explain(contact, **options)  # type: ignore[arg-type]
    (found,) = answer.found
    return found


async def told(scene: Scene, contact: str, spoke: str) -> ToldSpoke:
    (found,) = (await explained(scene, contact, spokes=[spoke])).spokes
    return found


def only(field: str, *values: str) -> Filter:
    return Filter(any=(Condition(field, Operator.IN, values),))


async def test_people_are_found_by_key_item_and_remote_id(scene: Scene) -> None:
    scene.configure(match_on=("email", "phone", "nameAndCompany", "custom:Badge"))
    scene.connect("ann")
    scene.connect("bob", RECEIVE)
    scene.add(
        "ann",
        displayName="Ada",
        companyName="Acme",
        email="Ada@X.example",
        mobilePhone="+1 425 555 0100",
    )
    await scene.settle()
    found = await explained(scene, "ada@x.example")
    item = found.item
    (ada,) = [one.remote for one in found.sources]
    (copy,) = [one.delivery.remote for one in found.spokes if one.delivery is not None]
    for contact in (item, ada, copy, "(425) 555-0100", "ada, acme"):
        assert (await explained(scene, contact)).item == item, contact
    answer = await scene.worker.explain("nobody@x.example")
    assert answer == Answer(found=[], kept_out=[], matched_on=scene.hub.match_on)
    other = await scene.worker.explain("ada@x.example", hubs=["other"])
    assert other == Answer(found=[], kept_out=[])


@pytest.mark.parametrize(
    ("spec", "verdict"),
    [
        (
            only("companyName", "Acme"),
            ToldFilter(admits=True, decided_by="any", condition="companyName In"),
        ),
        (only("companyName", "Other"), ToldFilter(admits=False, decided_by="any")),
        (
            Filter(all=(Condition("jobTitle", Operator.EXISTS),)),
            ToldFilter(admits=False, decided_by="all", condition="jobTitle Exists"),
        ),
        (
            Filter(none=(Condition("spoke", Operator.IN, ("default/ann",)),)),
            ToldFilter(admits=False, decided_by="none", condition="spoke In"),
        ),
        (Filter(), ToldFilter(admits=True)),
        (
            Filter(expression="item.company == 'Acme'"),
            ToldFilter(admits=True, decided_by="expression"),
        ),
        (
            Filter(expression="item.company == 'Other'"),
            ToldFilter(admits=False, decided_by="expression"),
        ),
    ],
)
async def test_the_condition_that_decided_is_the_one_that_is_told(
    scene: Scene, spec: Filter, verdict: ToldFilter
) -> None:
    scene.connect("ann")
    scene.connect("bob", RECEIVE, receives=Flow(filter=spec))
    scene.add("ann", displayName="Ada", companyName="Acme", email="ada@x.example")
    await scene.settle()
    found = await told(scene, "ada@x.example", "bob")
    assert found.filter == verdict
    assert found.why == ("Current" if verdict.admits else "FilteredOut")
    assert (scene.names("bob") == ["Ada"]) is verdict.admits


async def test_what_an_expression_cannot_be_evaluated_for_is_told(scene: Scene) -> None:
    scene.connect("ann")
    spec = Filter(expression="item.categories[0] == 'VIP'")
    scene.connect("bob", RECEIVE, receives=Flow(filter=spec))
    scene.add("ann", displayName="Ada", email="ada@x.example")
    await scene.settle()
    found = await told(scene, "ada@x.example", "bob")
    assert found.filter == ToldFilter(admits=False, decided_by="expression", unjudged=True)
    assert found.why == "Unjudged"
    assert found.pending is not None
    assert found.pending.reason == "Unjudged"


async def test_what_a_contributor_s_filter_keeps_out_is_told_by_its_id(scene: Scene) -> None:
    scene.connect("ann", contributes=Flow(filter=only("companyName", "Acme")))
    scene.add("ann", displayName="Eve", email="eve@x.example")
    await scene.settle()
    with scene.worker._store.hub(scene.hub.uid).read() as tx:
        (eve,) = [one.remote for one in tx.shadows.of_spoke("spoke-ann", "", 9)]
    answer = await scene.worker.explain(eve)
    assert answer.found == []
    (kept,) = answer.kept_out
    assert (kept.spoke, kept.remote) == ("default/ann", eve)
    (counted,) = (await scene.worker.explain("eve@x.example")).kept_out
    assert (counted.spoke, counted.count, counted.remote) == ("default/ann", 1, "")


async def test_the_last_writer_and_the_rule_are_those_of_the_fold(scene: Scene) -> None:
    scene.configure(conflict_policy=ConflictPolicy.HUB)
    scene.connect("ann")
    scene.connect("bob", TWO_WAY)
    scene.add("ann", displayName="Ada", email="ada@x.example", jobTitle="Baker")
    await scene.settle()
    mine = scene.the("bob", "Ada")["id"]
    scene.edit("bob", mine, companyName="Acme")
    scene.connect("cy")
    scene.add("cy", displayName="Ada", email="ada@x.example", jobTitle="Brewer")
    await scene.settle()
    found = await explained(scene, "ada@x.example")
    words = {one.field: (one.spoke, one.rule) for one in found.fields}
    assert words["jobTitle"] == ("default/ann", "Hub")
    assert words["company"] == (
        "default/bob",
        "OnlyOne",
    )
    assert words["displayName"] == ("default/cy", "Agreed")
    assert [one.native for one in found.sources] == [True, False, True]
    (conflict,) = found.conflicts
    assert (conflict.field, conflict.winner, conflict.loser) == (
        "jobTitle",
        "default/ann",
        "default/cy",
    )


async def test_no_value_is_told_unless_it_is_asked_for(scene: Scene) -> None:
    scene.configure(conflict_policy=ConflictPolicy.MANUAL)
    scene.connect("ann")
    scene.connect("bob", RECEIVE, receives=Flow(filter=only("domain", "x.example")))
    scene.connect("cy")
    for name, job in (("ann", "Baker"), ("cy", "Brewer")):
        scene.add(name, displayName="Ada", email="ada@x.example", jobTitle=job)
        await scene.settle()
    silent = repr(await explained(scene, "ada@x.example"))
    assert not [one for one in ("Ada", "ada@", "x.example", "Baker", "Brewer") if one in silent]
    spoken = await explained(scene, "ada@x.example", values=True)
    (waiting,) = [one for one in spoken.conflicts if one.id]
    assert (waiting.field, waiting.value) == ("jobTitle", "Brewer")
    (bob,) = [one for one in spoken.spokes if one.spoke == "default/bob"]
    assert bob.filter is not None
    assert bob.filter.condition == "domain In [x.example]"


async def test_what_is_shown_otherwise_is_told_field_by_field(scene: Scene) -> None:
    flow = Flow(
        mapping=(MappingRule(field="displayName", prefix="Dr. "), MappingRule(add_category="Hub")),
        exclude=("company",),
        policies=(FieldPolicy(Policy.KEEP, ("nickname",)),),
    )
    scene.connect("ann")
    scene.connect("cy")
    scene.connect("bob", RECEIVE, receives=flow, never_sync=("notes",))
    emails = [f"a{n}@x.example" for n in range(4)]
    ada = {"displayName": "Ada", "companyName": "Acme", "nickName": "A", "personalNotes": "Secret"}
    scene.add("ann", **ada, emails=emails[:3])
    await scene.settle()
    scene.add("cy", displayName="Ada", emails=[emails[0], emails[3]])
    await scene.settle()
    differences = {one.field: one for one in (await told(scene, emails[0], "bob")).differences}
    assert differences == {
        "displayName": Difference("displayName", "Mapped", ("prefix",)),
        "categories": Difference("categories", "Mapped", ("addCategory",)),
        "company": Difference("company", "Withheld", ("fields.exclude",)),
        "nickname": Difference("nickname", "Withheld", ("Keep",)),
        "notes": Difference("notes", "Withheld", ("neverSync",)),
        "emails": Difference("emails", "Limited", missing=1),
    }


async def test_a_deletion_by_the_user_is_told_as_that(scene: Scene) -> None:
    scene.connect("ann")
    scene.connect("bob", RECEIVE)
    scene.add("ann", displayName="Ada", email="ada@x.example")
    await scene.settle()
    scene.remove("bob", scene.the("bob", "Ada")["id"])
    scene.advance(90_000)
    await scene.settle()
    found = await told(scene, "ada@x.example", "bob")
    assert (found.why, found.on_user_delete, found.action) == ("Detached", "Remember", "")


async def test_a_deletion_that_waits_is_told_with_its_reason(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=3600.0, max_count=0))
    scene.connect("ann")
    scene.connect("bob", RECEIVE)
    ada = scene.add("ann", displayName="Ada", email="ada@x.example")
    await scene.settle()
    scene.remove("ann", ada)
    await scene.settle()
    dead = await explained(scene, "ada@x.example")
    assert (dead.alive, dead.died_of) == (False, "default/ann")
    (bob,) = [one for one in dead.spokes if one.spoke == "default/bob"]
    assert bob.pending is not None
    assert (bob.why, bob.action, bob.pending.reason) == ("Deleted", "delete", "Grace")
    scene.advance(4000)
    report = await scene.sync()
    held = await told(scene, dead.item, "bob")
    assert held.pending is not None
    assert (held.pending.reason, held.approval) == ("Guarded", report.approval)


async def test_a_refusal_of_the_service_is_told(scene: Scene) -> None:
    scene.connect("ann")
    scene.connect("bob", RECEIVE)
    scene.add("ann", displayName="Ada", email="ada@x.example")
    scene.admin.add_rule(
        "status", service="graph", method="POST", path="/contacts$", status=400, batched=True
    )
    await scene.sync(2)
    found = await told(scene, "ada@x.example", "bob")
    assert (found.why, found.action) == ("Missing", "create")
    assert found.pending is not None
    assert (found.pending.reason, found.pending.error[:3]) == ("Rejected", "400")


async def test_a_change_that_no_pass_has_brought_yet_is_told_as_such(scene: Scene) -> None:
    scene.connect("ann")
    scene.connect("bob", RECEIVE)
    ada = scene.add("ann", displayName="Ada", email="ada@x.example")
    await scene.settle()
    scene.edit("ann", ada, jobTitle="Baker")
    await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    found = await told(scene, "ada@x.example", "bob")
    assert (found.why, found.action, found.considered) == ("Outdated", "update", False)


async def test_a_problem_of_the_spoke_is_told_as_of_the_last_pass(scene: Scene) -> None:
    scene.connect("ann")
    scene.connect("bob", RECEIVE, folder="Nowhere")
    scene.add("ann", displayName="Ada", email="ada@x.example")
    scene.admin.add_rule("status", service="graph", path="bob@", status=403)
    await scene.sync()
    found = await told(scene, "ada@x.example", "bob")
    assert found.problem


async def test_explaining_reads_only_and_needs_no_lease(scene: Scene) -> None:
    scene.connect("ann")
    scene.connect("bob", TWO_WAY)
    scene.add("ann", displayName="Ada", email="ada@x.example")
    await scene.settle()
    scene.forget()

    def dump() -> str:
        with scene.worker._store.database.read() as connection:
            lines = connection.connection.driver_connection.iterdump()  # type: ignore[union-attr]
            return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    held = scene.worker._store.hub(scene.hub.uid)
    held.acquire()
    try:
        before = dump()
        assert (await told(scene, "ada@x.example", "bob")).why == "Current"
        assert dump() == before
    finally:
        held.release()
    assert scene.requests() == []


async def test_other_manifests_are_judged_by_when_they_are_given(scene: Scene) -> None:
    scene.connect("ann")
    scene.connect("bob", RECEIVE)
    scene.add("ann", displayName="Ada", email="ada@x.example")
    await scene.settle()
    flow = Flow(filter=only("companyName", "Acme"))
    changed = scene.connect("bob", RECEIVE, receives=flow)
    given = [(scene.hub, [scene.spokes["ann"], changed])]
    assert (await told(scene, "ada@x.example", "bob")).why == "Current"
    answer = await scene.worker.explain("ada@x.example", spokes=["default/bob"], given=given)
    (bob,) = answer.found[0].spokes
    assert (bob.why, bob.action) == ("FilteredOut", "delete")
