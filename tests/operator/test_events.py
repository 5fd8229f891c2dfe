"""Events on a real API server: few, small, and never in the way."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from tests.rbac.audit import entries

from cirahub_operator.api import Spoke
from cirahub_operator.api.meta import Metadata
from cirahub_operator.cluster import Cluster
from cirahub_operator.events import Events, EventType
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_operator.status import StatusWriter
from cirahub_operator.summary import spoke_status, spoke_synced
from cirahub_sync.engine.report import PassReport, Problem, SpokeReport
from cluster import ControlPlane

from .conftest import connections_closed
from .stage import Stage, spoke

ADMINISTRATOR = "admin"
LONGEST_NAME = 253


@dataclass
class Writing:
    cluster: Cluster
    events: Events
    statuses: StatusWriter


@pytest.fixture
async def writing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Writing]:
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    cluster = await Cluster.connect()
    events = Events(cluster)
    health = Health(engine_silence=lambda: 0.0, watch_limit=1.0, engine_limit=1.0)
    yield Writing(cluster, events, StatusWriter(cluster, events, Metrics(), health))
    await cluster.close()
    await connections_closed()


async def test_a_spoke_that_comes_and_goes_a_hundred_times_leaves_two_events(
    stage: Stage, writing: Writing, own_control_plane: ControlPlane
) -> None:
    await stage.apply(spoke())
    found = await writing.cluster.get(Spoke, stage.namespace, "ann")
    assert isinstance(found, Spoke)
    now = datetime.now(UTC)
    well = SpokeReport(found.metadata.uid, found.metadata.key)
    report = PassReport("staff", started=0.0, spokes={well.uid: well})
    for attempt in range(100):
        if attempt % 2:
            after = spoke_synced(found, well, report=report, now=now)
        else:
            message = f"Graph gave no whole answer (request {uuid.uuid4()}); will be tried again"
            after = spoke_status(found, Problem("EndpointUnavailable", message), now=now)
        assert await writing.statuses.write(Spoke, found.metadata, found.status, after)
        found = found.model_copy(update={"status": after})

    assert sorted(one["reason"] for one in await stage.events()) == [
        "EndpointUnavailable",
        "Synced",
    ]
    assert own_control_plane.audit_log is not None
    written = [
        one.verb
        for one in entries(own_control_plane.audit_log, ADMINISTRATOR)
        if one.namespace == stage.namespace
        and one.resource == "events"
        and one.verb in {"create", "patch"}
    ]
    assert written.count("create") == 2
    assert written.count("patch") <= 10  # once a minute and event


async def test_an_event_is_small_however_much_there_is_to_say(
    stage: Stage, writing: Writing
) -> None:
    name = "a" * LONGEST_NAME
    metadata = Metadata(name=name, namespace=stage.namespace, uid=str(uuid.uuid4()))
    await writing.events.record(
        Spoke, metadata, type=EventType.WARNING, reason="R" * 500, note="Grüße, 世界! " * 500
    )
    event = (await stage.events())[0]
    assert event["note"].startswith("Grüße, 世界!")
    assert 900 < len(event["note"].encode()) <= 1000
    assert len(event["reason"]) == 128
    assert len(json.dumps(event, ensure_ascii=False).encode()) < 4000


@pytest.mark.parametrize("name", ["a" * 199 + "." + "b" * 53, "a" * 199 + "-" + "b" * 53])
async def test_a_long_name_is_cut_where_a_name_may_end(
    stage: Stage, writing: Writing, name: str
) -> None:
    assert len(name) == LONGEST_NAME
    metadata = Metadata(name=name, namespace=stage.namespace, uid=str(uuid.uuid4()))
    await writing.events.record(Spoke, metadata, type=EventType.NORMAL, reason="Synced", note="n")
    assert [one["regarding"]["name"] for one in await stage.events()] == [name]


async def test_a_namespace_that_is_being_deleted_takes_no_event_and_nobody_is_warned(
    stage: Stage, writing: Writing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    held = spoke()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await stage.apply(held)
    await stage.kubectl("delete", "namespace", stage.namespace, "--wait=false")
    metadata = Metadata(name="ann", namespace=stage.namespace, uid=str(uuid.uuid4()))

    await writing.events.record(Spoke, metadata, type=EventType.NORMAL, reason="Erased", note="n")

    await stage.kubectl("patch", "spoke", "ann", "--type=merge", "-p", HOLD_NO_MORE)
    ours = [one for one in caplog.records if one.name == "cirahub_operator.events"]
    assert [one.levelname for one in ours] == ["DEBUG"]


HOLD_NO_MORE = json.dumps({"metadata": {"finalizers": []}})
