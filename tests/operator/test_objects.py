"""What is known of the cluster: never less than there is, never older than what we wrote."""

from __future__ import annotations

from typing import Any

import pytest

from cirahub_operator.api import Connection, Hub, Metadata, Spoke
from cirahub_operator.cluster import Identified, Known, Unparsable
from cirahub_operator.objects import NotListedError, Objects
from cirahub_operator.workqueue import Key

from . import stage

STAFF = Key("demo", "staff")
ANN = Key("demo", "ann")


def body(manifest: stage.Manifest, version: int, uid: str = "", **metadata: Any) -> dict[str, Any]:
    name = manifest["metadata"]["name"]
    told = {"name": name, "namespace": "demo", "uid": uid or f"uid-{name}", "generation": 1}
    return manifest | {"metadata": told | {"resourceVersion": str(version)} | metadata}


@pytest.fixture
def objects() -> Objects:
    made = Objects()
    made.whole = True
    return made


def spoke_of(objects: Objects) -> Spoke | None:
    found = objects.get(Spoke, ANN)
    assert not isinstance(found, Unparsable)
    return found


async def test_nothing_is_handed_out_before_everything_is_known() -> None:
    objects = Objects()
    objects.put(Hub, body(stage.hub(), 1))
    with pytest.raises(NotListedError):
        objects.get(Hub, STAFF)
    with pytest.raises(NotListedError):
        await objects.roster(STAFF)
    with pytest.raises(NotListedError):
        objects.hubs_through(Key("demo", "contoso"))


async def test_a_namespace_that_could_not_be_listed_holds_up_no_hub_of_another(
    objects: Objects,
) -> None:
    """Though a watch may have told of a part of it."""
    objects.unlisted.add("guests")
    objects.put(Spoke, body(stage.spoke("ann"), 1))
    named = {"name": "staff", "namespace": "demo"}
    objects.put(Spoke, body(stage.spoke("bob", hubRef=named), 2, namespace="guests"))
    assert [one.name for one in (await objects.roster(STAFF)).members] == ["ann"]
    with pytest.raises(NotListedError):
        objects.get(Connection, Key("guests", "contoso"))
    objects.unlisted.discard("guests")
    found = (await objects.roster(STAFF)).members
    assert [one.name for one in found] == ["ann", "bob"]


async def test_spokes_are_found_by_what_they_name(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke("ann"), 1))
    objects.put(Spoke, body(stage.spoke("bob", hubRef={"name": "other"}), 2))
    objects.put(Spoke, body(stage.spoke("cid", connectionRef={"name": "fabrikam"}), 3))
    found = (await objects.roster(STAFF)).members
    assert [one.name for one in found] == ["ann", "cid"]
    through = objects.spokes_through(Key("demo", "contoso"))
    assert [one.metadata.name async for one in through] == ["ann", "bob"]
    assert list(objects.hubs_through(Key("demo", "contoso"))) == [Key("demo", "other"), STAFF]
    assert objects.hubs() == {STAFF, Key("demo", "other")}
    objects.remove(Spoke, ANN, "uid-ann")
    assert [one.name for one in (await objects.roster(STAFF)).members] == ["cid"]


async def test_a_connection_whose_directory_a_filter_asks_is_named_too(objects: Objects) -> None:
    condition = {"field": "group", "operator": "In", "values": ["a@b.example"]}
    condition["connectionRef"] = {"name": "directory"}  # type: ignore[assignment]
    receives = {"filter": {"any": [condition]}}
    objects.put(Spoke, body(stage.spoke("ann", direction="Receive", receives=receives), 1))
    (member,) = (await objects.roster(STAFF)).members
    assert member.connections == (Key("demo", "contoso"), Key("demo", "directory"))
    assert list(objects.hubs_through(Key("demo", "directory"))) == [STAFF]
    objects.put(Spoke, body(stage.spoke("ann"), 2))
    assert list(objects.hubs_through(Key("demo", "directory"))) == []


def test_what_is_older_does_not_replace_what_we_wrote(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke(), 9))
    objects.answered(Spoke, body(stage.spoke(), 12) | {"status": {"items": 5}})
    assert not objects.put(Spoke, body(stage.spoke(), 10) | {"status": {"items": 1}})
    found = spoke_of(objects)
    assert found is not None
    assert found.status.items == 5
    assert objects.put(Spoke, body(stage.spoke(), 100) | {"status": {"items": 6}})


def test_an_answer_that_comes_after_the_deletion_brings_nothing_back(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke(), 1))
    objects.remove(Spoke, ANN, "uid-ann")
    objects.answered(Spoke, body(stage.spoke(), 2))
    assert spoke_of(objects) is None


def test_a_successor_stays_when_its_predecessor_is_told_to_be_gone(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke(), 1, uid="first"))
    objects.put(Spoke, body(stage.spoke(), 3, uid="second"))
    objects.remove(Spoke, ANN, "first")
    found = spoke_of(objects)
    assert found is not None
    assert found.metadata.uid == "second"


def test_what_the_api_server_says_is_gone_is_gone(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke(), 1))
    objects.missed(Spoke, Metadata(name="ann", namespace="demo", uid="uid-ann"))
    assert spoke_of(objects) is None


async def test_what_fits_no_model_is_handed_out_as_that(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke("ann", shape="round"), 1))
    objects.put(Spoke, body(stage.spoke("bob"), 2))
    nameless = stage.spoke("cid")
    del nameless["spec"]["hubRef"]
    objects.put(Spoke, body(nameless, 3))
    roster = await objects.roster(STAFF)
    assert [one.name for one in roster.members] == ["bob"]
    assert [one.metadata.name for one in roster.unparsable] == ["ann"]


def test_what_nobody_reads_is_not_kept(objects: Objects) -> None:
    told: dict[str, Any] = {
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "cirahub.io/approve": "abc",
        },
    }
    given = body(stage.hub(), 1, **told)
    objects.put(Hub, given)
    kept = objects.body(Hub, STAFF)
    assert kept is not None
    assert "managedFields" not in kept["metadata"]
    assert kept["metadata"]["annotations"] == {"cirahub.io/approve": "abc"}
    assert "managedFields" in given["metadata"]


def listed(version: int, **names: int) -> Known:
    items = [Identified(name, "demo", f"uid-{name}", str(at)) for name, at in names.items()]
    return Known(str(version), items)


def test_a_listing_tells_what_is_behind_and_what_has_vanished(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke("ann"), 5))
    objects.put(Spoke, body(stage.spoke("bob"), 6))
    objects.put(Spoke, body(stage.spoke("new"), 31))
    found = objects.compare(Spoke, listed(30, ann=7, cid=9), None)
    assert set(found.behind) == {ANN, Key("demo", "cid")}
    assert found.vanished == [Key("demo", "bob")]


def test_a_listing_of_a_namespace_says_nothing_of_others(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke("ann"), 5))
    assert objects.compare(Spoke, listed(30), "another").vanished == []
    assert objects.compare(Spoke, listed(30), "demo").vanished == [ANN]


async def test_a_member_stays_as_it_was_listed_until_it_is_listed_again(objects: Objects) -> None:
    objects.put(Spoke, body(stage.spoke(), 1) | {"status": {"items": 5}})
    (listed,) = (await objects.roster(STAFF)).members
    objects.put(Spoke, body(stage.spoke(), 2) | {"status": {"items": 6}})
    assert listed.spoke().status.items == 5
    (listed,) = (await objects.roster(STAFF)).members
    assert listed.spoke().status.items == 6


async def test_a_member_tells_what_its_hub_has_to_know_of_the_spoke(objects: Objects) -> None:
    raw = body(stage.spoke(), 1)
    raw["metadata"]["annotations"] = {"reconcile.cirahub.io/requestedAt": "now"}
    raw["metadata"]["finalizers"] = ["cirahub.io/finalizer"]
    objects.put(Spoke, raw)
    (fresh,) = (await objects.roster(STAFF)).members
    spoke = fresh.spoke()
    assert (fresh.uid, fresh.namespace, fresh.name) == ("uid-ann", "demo", "ann")
    assert (fresh.label, fresh.connections) == (spoke.label, (Key("demo", "contoso"),))
    assert (fresh.requested_at, fresh.held, fresh.deleting) == ("now", True, False)
    assert not fresh.synced
    raw["metadata"] |= {"resourceVersion": "2", "deletionTimestamp": "2026-11-23T10:00:00Z"}
    objects.put(Spoke, raw | {"status": {"copies": 0}})
    (leaving,) = (await objects.roster(STAFF)).members
    assert leaving.deleting
    assert leaving.synced
