"""What a mapping leaves to a mailbox's user: a part of the notes, fields by policy; and fields that
never sync, of which nothing may be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cirahub_sync.configuration import (
    Condition,
    Direction,
    FieldPolicy,
    Filter,
    Flow,
    OnUserDelete,
    Operator,
    Policy,
)
from cirahub_sync.store.inbound import StagingTable
from cirahub_sync.store.rows import Staged

from .conftest import Scene
from .page import connect_as_documented

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
BLOCK = "--- Directory ---\n{}\n--- End of directory ---"


def _only(scene: Scene, name: str) -> dict[str, Any]:
    (found,) = scene.held(name)
    return found


def _notes(scene: Scene, name: str) -> str:
    return str(_only(scene, name)["personalNotes"]).replace("\r\n", "\n")


async def test_notes_around_a_section_as_documented(scene: Scene) -> None:
    scene.connect("ada")
    connect_as_documented(scene, "ben", "Notes around a section")
    ann = scene.add("ada", displayName="Ann", personalNotes="Prefers e-mail.")
    await scene.settle()
    assert _notes(scene, "ben") == BLOCK.format("Prefers e-mail.")
    copy = _only(scene, "ben")["id"]
    theirs = f"Met in Oslo.\n{BLOCK.format('Prefers e-mail.')}\nCall on Monday."
    scene.edit("ben", copy, personalNotes=theirs)
    scene.edit("ada", ann, personalNotes="Prefers calls.\nNot on Fridays.", jobTitle="Cook")
    await scene.settle()
    assert _notes(scene, "ben") == theirs.replace(
        "Prefers e-mail.", "Prefers calls.\nNot on Fridays."
    )
    assert _only(scene, "ben")["jobTitle"] == "Cook"
    scene.edit("ada", ann, personalNotes="")
    await scene.settle()
    assert _notes(scene, "ben") == "Met in Oslo.\nCall on Monday."
    scene.forget()
    await scene.settle()
    assert scene.writes() == []


async def test_a_change_of_other_fields_leaves_the_notes_of_a_receivers_user_alone(
    scene: Scene,
) -> None:
    scene.connect("ada")
    connect_as_documented(scene, "ben", "Notes around a section")
    ann = scene.add("ada", displayName="Ann")
    await scene.settle()
    scene.edit("ben", _only(scene, "ben")["id"], personalNotes="Met in Oslo.")
    scene.edit("ada", ann, jobTitle="Cook")
    await scene.settle()
    assert (_notes(scene, "ben"), _only(scene, "ben")["jobTitle"]) == ("Met in Oslo.", "Cook")


async def test_restoring_a_copy_restores_our_section_and_leaves_the_rest(scene: Scene) -> None:
    scene.connect("ada")
    connect_as_documented(
        scene, "ben", "Notes around a section", onUserDelete="Restore", verifyInterval="1m"
    )
    assert scene.spokes["ben"].on_user_delete is OnUserDelete.RESTORE
    scene.add("ada", displayName="Ann", personalNotes="Prefers e-mail.")
    await scene.settle()
    copy = _only(scene, "ben")["id"]
    scene.edit("ben", copy, personalNotes=f"Mine.\n{BLOCK.format('Hates e-mail.')}")
    scene.advance(100)
    await scene.settle()
    assert _notes(scene, "ben") == f"Mine.\n{BLOCK.format('Prefers e-mail.')}"
    scene.edit("ben", copy, personalNotes=f"Ours.\n{BLOCK.format('Prefers e-mail.')}")
    scene.advance(100)
    scene.forget()
    await scene.settle()
    assert _notes(scene, "ben").startswith("Ours.\n")
    assert [entry for entry in scene.writes() if entry["client_id"] is not None] == []
    scene.advance(100)
    report = await scene.settle()
    assert report.spokes["spoke-ben"].pending == {}


async def test_in_a_two_way_mailbox_an_edit_of_the_section_is_one_of_the_hubs_notes(
    scene: Scene,
) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "Notes around a section", direction="TwoWay")
    scene.add("ada", displayName="Ann", personalNotes="Prefers e-mail.")
    await scene.settle()
    copy = _only(scene, "ben")["id"]
    scene.edit("ben", copy, personalNotes=f"Mine.\n{BLOCK.format('Prefers calls.')}\nAlso mine.")
    await scene.settle()
    assert _notes(scene, "ada") == "Prefers calls."
    scene.edit("ben", copy, personalNotes="Mine.\nPrefers calls.\n--- End of directory ---")
    await scene.settle()
    assert _notes(scene, "ada") == "Prefers calls.", "who removes a line says nothing of the notes"
    assert _notes(scene, "ben").endswith(BLOCK.format("Prefers calls."))
    assert _notes(scene, "ben").startswith("Mine.\n")


@pytest.mark.parametrize("direction", [RECEIVE, TWO_WAY])
async def test_a_section_that_is_introduced_takes_the_place_of_our_notes(
    scene: Scene, direction: Direction
) -> None:
    scene.connect("ada")
    scene.connect("ben", direction)
    ann = scene.add("ada", displayName="Ann", personalNotes="Prefers e-mail.")
    await scene.settle()
    connect_as_documented(scene, "ben", "Notes around a section", direction=direction.value)
    await scene.settle()
    assert _notes(scene, "ben") == BLOCK.format("Prefers e-mail.")
    scene.edit("ada", ann, personalNotes="Prefers calls.")
    scene.connect("ben", direction)
    await scene.settle()
    assert _notes(scene, "ben") == "Prefers calls."


async def test_fields_left_to_the_mailbox_as_documented(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "Fields left to the mailbox")
    ann = scene.add(
        "ada",
        displayName="Ann",
        nickName="Annie",
        mobilePhone="+1 425 555 0101",
        personalNotes="Ada's.",
        birthday="1958-10-13T00:00:00Z",
        children=["Kim"],
    )
    await scene.settle()
    copy = _only(scene, "ben")
    assert (copy["nickName"], copy["mobilePhone"]) == ("Annie", "+1 425 555 0101")
    assert (copy["personalNotes"] or "", copy["birthday"], copy["children"]) == ("", None, [])
    scene.edit("ben", copy["id"], nickName="Nan", personalNotes="Ben's.")
    scene.edit("ada", ann, mobilePhone="+1 425 555 0199", jobTitle="Cook")
    report = await scene.settle()
    assert report.conflicts == 0
    copy = _only(scene, "ben")
    assert (copy["nickName"], copy["mobilePhone"]) == ("Nan", "+1 425 555 0101")
    assert (copy["personalNotes"], copy["jobTitle"]) == ("Ben's.", "Cook")
    source = _only(scene, "ada")
    assert (source["nickName"], source["personalNotes"]) == ("Annie", "Ada's.")
    scene.edit("ben", copy["id"], nickName="")
    await scene.settle()
    assert _only(scene, "ben")["nickName"] == "Annie", "blank is filled"
    scene.edit("ben", copy["id"], children=["Lou"])
    report = await scene.sync()
    assert report.conflicts == 1
    assert _only(scene, "ben")["children"] == []
    assert _only(scene, "ada")["children"] == ["Kim"]


async def test_a_receiver_is_filled_where_it_is_blank_and_keeps_what_its_user_wrote(
    scene: Scene,
) -> None:
    scene.connect("ada")
    connect_as_documented(scene, "ben", "Fields left to the mailbox", direction="Receive")
    ann = scene.add("ada", displayName="Ann", nickName="Annie")
    await scene.settle()
    scene.edit("ben", _only(scene, "ben")["id"], nickName="Nan")
    scene.edit("ada", ann, nickName="Anna", jobTitle="Cook", mobilePhone="+1 425 555 0101")
    await scene.settle()
    copy = _only(scene, "ben")
    assert (copy["nickName"], copy["jobTitle"], copy["mobilePhone"]) == (
        "Nan",
        "Cook",
        "+1 425 555 0101",
    )


async def test_a_native_contact_keeps_what_the_policies_leave_to_its_mailbox(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    connect_as_documented(scene, "ben", "Fields left to the mailbox")
    ada = scene.add("ada", displayName="Ann", email="ann@example.org", nickName="Annie")
    scene.add("ben", displayName="Ann", email="ann@example.org", nickName="Nan", children=["Lou"])
    await scene.settle()
    scene.edit("ada", ada, nickName="Anna", personalNotes="Ada's.", jobTitle="Cook")
    await scene.settle()
    native = _only(scene, "ben")
    assert (native["nickName"], native["children"]) == ("Nan", ["Lou"])
    assert (native["personalNotes"] or "", native["jobTitle"]) == ("", "Cook")


async def test_a_policy_that_is_taken_away_overwrites_what_was_left(scene: Scene) -> None:
    def filling(*fields: str) -> Flow:
        return Flow(policies=(FieldPolicy(Policy.FILL_IF_BLANK, fields),) if fields else ())

    scene.connect("ada")
    scene.connect("ben", RECEIVE, receives=filling("nickname"))
    scene.connect("cy", TWO_WAY, receives=filling("nickname"))
    ann = scene.add("ada", displayName="Ann", nickName="Annie")
    await scene.settle()
    scene.edit("ada", ann, nickName="Anna")
    await scene.settle()
    assert [_only(scene, name)["nickName"] for name in ("ben", "cy")] == ["Annie", "Annie"]
    scene.connect("ben", RECEIVE, receives=filling())
    scene.connect("cy", TWO_WAY, receives=filling())
    await scene.settle()
    assert [_only(scene, name)["nickName"] for name in ("ben", "cy")] == ["Anna", "Anna"]


# Fields that never sync


def _sealed(scene: Scene) -> list[str]:
    """Everything that the store holds of contacts, opened."""
    store = scene.worker._store.hub(scene.hub.uid)
    with store.read() as tx:
        found = [repr(row) for uid in tx.spokes() for row in tx.shadows.of_spoke(uid, "", 1000)]
        found += [repr(item) for item in tx.items.after(0, 1000)]
        found += [repr(row) for uid in tx.spokes() for row in tx.staging.after(uid, 0, 1000)]
    return found


async def test_fields_that_never_sync_as_documented(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged: list[str] = []
    add = StagingTable.add

    def noted(table: StagingTable, spoke: str, rows: Sequence[Staged]) -> None:
        staged.extend(map(repr, rows))
        add(table, spoke, rows)

    monkeypatch.setattr(StagingTable, "add", noted)
    connect_as_documented(scene, "ada", "Fields that never sync")
    connect_as_documented(scene, "ben", "Fields that never sync")
    ann = scene.add("ada", displayName="Ann", personalNotes="Secret.", spouseName="Bob")
    await scene.settle()
    copy = _only(scene, "ben")
    assert (copy["personalNotes"] or "", copy["spouseName"]) == ("", None)
    scene.edit("ben", copy["id"], personalNotes="Secret, too.", jobTitle="Cook")
    scene.edit("ada", ann, personalNotes="More secret.")
    await scene.settle()
    source = _only(scene, "ada")
    assert (source["personalNotes"], source["spouseName"]) == ("More secret.", "Bob")
    assert source["jobTitle"] == "Cook"
    assert _only(scene, "ben")["personalNotes"] == "Secret, too."
    assert any("Ann" in text for text in staged)
    assert any("Cook" in text for text in _sealed(scene))
    everything = "\n".join((*staged, *_sealed(scene)))
    assert "ecret" not in everything
    assert "Bob" not in everything


async def test_a_field_that_never_syncs_from_now_on_is_forgotten_at_once(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", personalNotes="Secret.")
    await scene.settle()
    assert _only(scene, "ben")["personalNotes"] == "Secret."
    scene.edit("ben", _only(scene, "ben")["id"], personalNotes="Ben's secret.")
    await scene.settle()
    for name in ("ada", "ben"):
        scene.connect(name, TWO_WAY, never_sync=("notes",))
    scene.admin.add_rule("status", service="graph", status=403)
    report = await scene.sync()
    assert {spoke.problem.reason for spoke in report.spokes.values() if spoke.problem} == {
        "AccessDenied"
    }
    assert "ecret" not in "\n".join(_sealed(scene)), "also while the mailboxes are not reached"


async def test_others_lose_what_they_had_from_a_field_that_never_syncs(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", personalNotes="Secret.")
    await scene.settle()
    scene.connect("ada", never_sync=("notes",))
    await scene.settle()
    assert (_only(scene, "ben")["personalNotes"] or "") == ""
    assert _only(scene, "ada")["personalNotes"] == "Secret."
    scene.connect("ada")
    await scene.settle()
    assert _only(scene, "ben")["personalNotes"] == "Secret."


async def test_a_filter_on_a_field_that_is_not_even_read_is_refused(scene: Scene) -> None:
    wanted = Filter(all=(Condition("notes", Operator.EXISTS),))
    scene.connect("ada", contributes=Flow(filter=wanted), never_sync=("notes",))
    report = await scene.sync()
    problem = report.spokes["spoke-ada"].problem
    assert problem is not None
    assert "asks for notes" in problem.message
