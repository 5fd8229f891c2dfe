"""Spokes of other namespaces: only where the Hub admits them, on a real API server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rbac.conftest import Office

from cluster import Cluster, KubectlFailedError

from .conftest import Operate
from .objects import connection as connection_model
from .objects import hub as hub_model
from .scripted import ScriptedEngine
from .stage import Manifest, Stage, connection, hub, spoke


@pytest.fixture
def guests(control_plane: Cluster, definitions: None) -> Iterator[Stage]:
    """Another team's namespace."""
    name = f"guests-{secrets.token_hex(4)}"
    control_plane.kubectl("create", "namespace", name)
    stage = Stage(control_plane, name)
    yield stage
    stage.end()


@pytest.fixture
def narrow(
    stage: Stage, operate: Operate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """An operator that may look into the stage's namespace only."""
    office = Office(stage.plane)
    office.grant("operator.yaml")
    office.grant("served-namespace.yaml", to=stage.namespace)
    monkeypatch.setenv("KUBECONFIG", str(office.kubeconfig(tmp_path / "config")))
    yield office
    stage.plane.delete_namespace(office.namespace)


def naming(stage: Stage, name: str = "ann", hub: str = "staff") -> Manifest:
    """A Spoke that names a Hub of that stage."""
    return spoke(name, hubRef={"name": hub, "namespace": stage.namespace})


async def message(stage: Stage, name: str) -> str:
    conditions = (await stage.status("spoke", name))["conditions"]
    return next(str(one["message"]) for one in conditions if one["type"] == "Stalled")


async def test_a_spoke_that_is_admitted_takes_part_with_a_connection_of_its_own_namespace(
    stage: Stage, guests: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate(also=(guests.namespace,)):
        await stage.apply(connection(), hub(allowedNamespaces=[guests.namespace]), spoke("ann"))
        await guests.apply(connection(), naming(stage, "ann"))
        await guests.comes("spoke", "ann", "True", "Synced")
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")
    assert (await stage.status("hub", "staff"))["spokes"]["summary"] == "2/2"
    configs = {one.name: one.connection.name for one in engine.passes[-1].spokes}
    assert configs == {
        f"{stage.namespace}/ann": f"{stage.namespace}/contoso",
        f"{guests.namespace}/ann": f"{guests.namespace}/contoso",
    }


async def test_who_is_not_admitted_learns_nothing_about_the_hub(
    stage: Stage, guests: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    """Nor does it weigh on the Hub."""
    async with operate(also=(guests.namespace,)):
        await stage.apply(connection(), hub(allowedNamespaces=["others"]), spoke("ann"))
        await stage.apply(hub("closed", suspend=True))
        await guests.apply(connection())
        for name, named in {"one": "staff", "two": "nosuch", "three": "closed"}.items():
            await guests.apply(naming(stage, name, named))
            await guests.comes("spoke", name, "True", "NotAdmitted", of="Stalled")
        await stage.comes("hub", "staff", "True", "Synced")
        said = {
            (await message(guests, name)).replace(named, "HUB")
            for name, named in {"one": "staff", "two": "nosuch", "three": "closed"}.items()
        }
        bodies = [await guests.get("spoke", name) for name in ("one", "two", "three")]
    assert len(said) == 1
    assert "spec.allowedNamespaces" in said.pop()
    assert [body is None or body["metadata"].get("finalizers") for body in bodies] == [None] * 3
    assert (await stage.status("hub", "staff"))["spokes"] == {
        "total": 1,
        "ready": 1,
        "summary": "1/1",
        "worst": [],
    }
    names = {one.name for each in engine.passes for one in each.spokes}
    assert names == {f"{stage.namespace}/ann"}


async def test_admission_comes_and_goes_and_what_was_contributed_stays(
    stage: Stage, guests: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate(also=(guests.namespace,)):
        now = {"gracePeriod": "0s"}
        await stage.apply(connection(), hub(deletion=now), spoke("ann"))
        await guests.apply(connection(), naming(stage, "bob"))
        await guests.comes("spoke", "bob", "False", "NotAdmitted")
        await stage.apply(hub(deletion=now, allowedNamespaces=["*"]))
        await guests.comes("spoke", "bob", "True", "Synced")
        await stage.apply(hub(deletion=now, allowedNamespaces=[]))
        await guests.comes("spoke", "bob", "True", "NotAdmitted", of="Stalled")
        await stage.until(lambda: engine.passes[-1].names == ["ann"])
        assert engine.passes[-1].absent == 1
        assert engine.erased == []
        await guests.delete("spoke", "bob")
        await guests.goes("spoke", "bob")
    assert engine.erased == ["erase spoke bob"]


async def test_a_failing_guest_is_named_with_its_namespace(
    stage: Stage, guests: Stage, operate: Operate
) -> None:
    async with operate(also=(guests.namespace,)):
        await stage.apply(connection(), hub(allowedNamespaces=["*"]), spoke("ann"))
        await guests.apply(naming(stage, "ann"))
        await guests.comes("spoke", "ann", "False", "ConnectionNotFound")
        await stage.comes("hub", "staff", "False", "SpokesNotReady")
    worst = (await stage.status("hub", "staff"))["spokes"]["worst"]
    assert worst == [{"name": f"{guests.namespace}/ann", "reason": "ConnectionNotFound"}]


async def test_a_hub_in_a_namespace_that_is_not_served_is_not_asked_for(
    stage: Stage, guests: Stage, operate: Operate
) -> None:
    await guests.apply(hub(allowedNamespaces=["*"]))
    async with operate():
        await stage.apply(connection(), naming(guests, "ann"))
        await stage.comes("spoke", "ann", "True", "NotAdmitted", of="Stalled")


async def test_a_connection_wakes_the_hubs_of_other_namespaces_that_it_serves(
    stage: Stage, guests: Stage, operate: Operate
) -> None:
    async with operate(also=(guests.namespace,)):
        await stage.apply(hub(allowedNamespaces=[guests.namespace]))
        await guests.apply(naming(stage, "ann"))
        await guests.comes("spoke", "ann", "False", "ConnectionNotFound")
        await guests.apply(connection())
        await guests.comes("spoke", "ann", "True", "Synced")


async def test_spokes_of_a_namespace_that_cannot_be_listed_are_missed_in_a_pass(
    stage: Stage, guests: Stage, engine: ScriptedEngine, operate: Operate, narrow: Office
) -> None:
    """By those who admit that namespace: for all that is known, what they contributed is there."""
    await stage.apply(connection(), hub(allowedNamespaces=[guests.namespace]), spoke("ann"))
    await stage.apply(hub("closed"), spoke("cy", hubRef={"name": "closed"}))
    await guests.apply(connection(), naming(stage, "bob"))
    async with operate(also=(guests.namespace,)):
        for name in ("ann", "cy"):
            await stage.comes("spoke", name, "True", "Synced")
        assert {tuple(one.names): one.absent for one in engine.passes} == {("ann",): 1, ("cy",): 0}
        narrow.grant("served-namespace.yaml", to=guests.namespace)
        await guests.comes("spoke", "bob", "True", "Synced")
        passes = [one for one in engine.passes if sorted(one.names) == ["ann", "bob"]]
        assert [one.absent for one in passes] == [0] * len(passes) != []


async def test_a_spoke_does_not_move_to_another_hub(stage: Stage, guests: Stage) -> None:
    await stage.apply(spoke("ann"))
    with pytest.raises(KubectlFailedError, match="hubRef can't be changed"):
        await stage.apply(naming(guests, "ann"))


@pytest.mark.parametrize("name", ["Guests", "a b", "-x", "**"])
async def test_a_name_that_is_none_is_refused(stage: Stage, name: str) -> None:
    with pytest.raises(KubectlFailedError, match="write the name of a namespace"):
        await stage.apply(hub(allowedNamespaces=[name]))


def test_a_hub_admits_its_own_namespace_and_those_it_names() -> None:
    assert hub_model().admits(connection_model().metadata.namespace)
    assert not hub_model().admits("guests")
    assert hub_model(allowedNamespaces=["guests"]).admits("guests")
    assert not hub_model(allowedNamespaces=["guests"]).admits("guests2")
    assert hub_model(allowedNamespaces=["*"]).admits("guests2")
