"""Hubs whose passes are to be done by workers, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cirahub_operator.resolver import GrantedTrust, resolve
from cirahub_operator.settings import Settings, Workers
from cirahub_operator.worker_template import WorkerTemplate
from cirahub_operator.workers import obstacle, shared

from .conftest import Operate
from .objects import connection, hub, spoke, spoke_set
from .scripted import ScriptedEngine
from .stage import CLIENT, Stage
from .stage import connection as connection_manifest
from .stage import hub as hub_manifest
from .stage import spoke as spoke_manifest

GROUP: dict[str, object] = {"field": "group", "operator": "In", "values": ["team@contoso.com"]}
SECRET = {"clientSecret": {"clientID": CLIENT, "secretRef": {"name": "s", "key": "v"}}}
HIRED = Workers(template=WorkerTemplate({"spec": {"containers": [{"name": "worker"}]}}, "a test"))
SETTINGS = Settings(database="postgresql://db.example/cirahub", key_file=Path("key"), workers=HIRED)


def test_an_operator_with_a_database_and_a_template_has_workers() -> None:
    assert obstacle(SETTINGS) is None


@pytest.mark.parametrize("url", ["sqlite:////var/lib/store", "sqlite://", "sqlite+pysqlite:///x"])
def test_workers_can_t_share_a_file(url: str) -> None:
    found = obstacle(replace(SETTINGS, database=url))
    assert found is not None
    assert (found.reason, found.stalled) == ("DatabaseNotShared", True)
    assert "PostgreSQL" in found.message


def test_what_signs_in_with_a_secret_is_left_out_with_the_reason() -> None:
    by_secret = connection("by-secret", auth=SECRET)
    group = GROUP | {"connectionRef": {"name": "by-secret"}}
    known = {one.metadata.key: one for one in (connection(), by_secret)}
    resolution = resolve(
        hub(),
        [
            spoke("ann"),
            spoke("ben", connectionRef={"name": "by-secret"}),
            spoke("cy", direction="Receive", receives={"filter": {"all": [group]}}),
        ],
        known,
        trust=GrantedTrust(),
        sets=[spoke_set("all"), spoke_set("some", connectionRef={"name": "by-secret"})],
    )
    assert resolution.problems == {}

    found = shared(resolution)

    assert set(found.spokes) == {"ann", "cy"}
    assert [one.name for one in found.sets.values()] == ["demo/all"]
    assert {one.reason for one in found.problems.values()} == {"CredentialNotShared"}
    assert len(found.problems) == 2
    assert all(one.stalled and "demo/by-secret" in one.message for one in found.problems.values())


async def test_a_hub_that_wants_workers_of_an_operator_without_is_stalled(
    stage: Stage, operate: Operate, engine: ScriptedEngine
) -> None:
    """And is passed over as soon as it does not want them any more."""
    async with operate():
        await stage.apply(connection_manifest(), hub_manifest(runner="Job"), spoke_manifest())
        await stage.comes("hub", "staff", "True", "WorkersNotConfigured", of="Stalled")
        await stage.comes("spoke", "ann", "True", "WorkersNotConfigured", of="Stalled")
        assert "--worker-template" in await stage.message("hub", "staff")
        assert engine.passes == []
        await stage.apply(hub_manifest(runner="Inline"))
        await stage.comes("hub", "staff", "True", "Synced")
    assert [one.crew for one in engine.passes] == [None] * len(engine.passes)


async def test_who_signs_in_with_a_secret_is_stalled_and_the_others_go_on(
    stage: Stage, operate: Operate, engine: ScriptedEngine
) -> None:
    by_secret = connection_manifest("by-secret", auth=SECRET)
    ben = spoke_manifest("ben", connectionRef={"name": "by-secret"})
    async with operate(workers=HIRED):
        await stage.apply(connection_manifest(), by_secret, hub_manifest(runner="Job"))
        await stage.apply(spoke_manifest(), ben)
        await stage.comes("spoke", "ben", "True", "CredentialNotShared", of="Stalled")
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.comes("hub", "staff", "False", "SpokesNotReady")
        assert {name for one in engine.passes for name in one.names} == {"ann"}
        assert all(one.crew is not None for one in engine.passes)
        await stage.apply(hub_manifest(runner="Inline"))
        await stage.comes("spoke", "ben", "True", "Synced")
    assert engine.passes[-1].crew is None
