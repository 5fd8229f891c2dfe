"""Liveness, readiness, metrics."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_sync.engine.report import Counts, SpokeReport

from .conftest import Operate
from .objects import hub, spoke
from .stage import Stage
from .stage import connection as connection_manifest
from .stage import hub as hub_manifest
from .stage import spoke as spoke_manifest
from .test_summary import report, result, synced


class Clocked:
    def __init__(self) -> None:
        self.now = 0.0
        self.silence = 0.0
        self.health = Health(
            engine_silence=lambda: self.silence,
            watch_limit=240,
            engine_limit=120,
            clock=lambda: self.now,
        )


def test_a_watch_in_which_nothing_happens_is_not_deaf() -> None:
    clocked = Clocked()
    clocked.health.saw("hubs")
    clocked.now = 100_000.0
    assert clocked.health.live() == []
    assert clocked.health.watch_ages() == {"hubs": 100_000.0}


def test_a_watch_that_never_shows_what_we_wrote_is_deaf() -> None:
    clocked = Clocked()
    clocked.health.wrote("hubs", asked=0.0)
    clocked.now = 200.0
    clocked.health.wrote("hubs", asked=200.0)
    clocked.now = 241.0
    assert clocked.health.live() == ["the watch of hubs is deaf since 241 s"]
    clocked.health.saw("hubs")
    assert clocked.health.live() == []


def test_a_watch_that_showed_our_write_before_its_answer_came_is_not_deaf() -> None:
    clocked = Clocked()
    clocked.now = 1.0
    clocked.health.saw("hubs")
    clocked.now = 2.0
    clocked.health.wrote("hubs", asked=0.5)
    clocked.now = 100_000.0
    assert clocked.health.live() == []


def test_an_engine_that_is_silent_for_long_is_not_alive() -> None:
    clocked = Clocked()
    clocked.silence = 121.0
    assert clocked.health.live() == ["the engine is silent since 121 s"]


def test_we_are_ready_between_start_and_stop() -> None:
    health = Clocked().health
    assert health.ready() == ["starting"]
    health.started = True
    assert health.ready() == []
    health.stopping = True
    assert health.ready() == ["shutting down"]


def test_series_go_when_their_object_goes() -> None:
    metrics = Metrics()
    metrics.passed(hub().metadata, report(result(counts=Counts(pulled=5, created=2, items=5))))
    metrics.condition("Spoke", spoke().metadata, synced(result()))
    text = metrics.text().decode()
    assert (
        'cirahub_spoke_items{hub="staff",namespace="demo",spoke="ann",state="native"} 5.0' in text
    )
    assert 'cirahub_condition{kind="Spoke",name="ann",namespace="demo",type="Ready"} 1.0' in text
    assert 'cirahub_passes_total{hub="staff",namespace="demo",result="success"} 1.0' in text
    metrics.forget("Spoke", "demo", "ann")
    metrics.forget("Hub", "demo", "staff")
    rest = metrics.text().decode()
    assert '"ann"' not in rest
    assert '"staff"' not in rest


def test_spokes_of_one_name_in_two_namespaces_are_told_apart() -> None:
    metrics = Metrics()
    made = report(result(counts=Counts(items=5)))
    made.spokes["other"] = SpokeReport("other", "guests/ann", counts=Counts(items=3))
    metrics.passed(hub().metadata, made)
    text = metrics.text().decode()
    ours = '{hub="staff",namespace="demo",spoke="ann",state="native"} 5.0'
    theirs = '{hub="demo/staff",namespace="guests",spoke="ann",state="native"} 3.0'
    assert f"cirahub_spoke_items{ours}\n" in text
    assert f"cirahub_spoke_items{theirs}\n" in text


def test_what_is_scraped_is_what_prometheus_reads() -> None:
    metrics = Metrics()
    for _ in range(2):
        throttled = result(counts=Counts(pulled=5), throttled_seconds=1.5)
        metrics.passed(hub().metadata, report(throttled))
    metrics.condition("Spoke", spoke().metadata, synced(result()))
    families = {one.name: one for one in text_string_to_metric_families(metrics.text().decode())}
    changes = families["cirahub_spoke_changes"]
    assert changes.type == "counter"
    assert [(one.labels["result"], one.value) for one in changes.samples] == [("pulled", 10.0)]
    assert [one.value for one in families["cirahub_spoke_throttled_seconds"].samples] == [3.0]
    assert [one.labels["type"] for one in families["cirahub_condition"].samples] == ["Ready"]


async def test_an_operator_answers_its_probes_and_scrapers(stage: Stage, operate: Operate) -> None:
    async with operate() as operation, aiohttp.ClientSession() as session:
        probes = operation.probes
        await stage.apply(connection_manifest(), hub_manifest(), spoke_manifest())
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.meters(operation.metrics, 'cirahub_reconcile_seconds_count{kind="Hub"}')

        async def answer(port: int, path: str) -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                return response.status, await response.text()

        assert await answer(probes.health_port, "/healthz") == (200, "ok\n")
        assert await answer(probes.health_port, "/readyz") == (200, "ok\n")
        status, text = await answer(probes.metrics_port, "/metrics")
        assert status == 200
        labels = f'hub="staff",namespace="{stage.namespace}"'
        assert f"cirahub_hub_items{{{labels}}} 7.0" in text
        assert 'cirahub_reconcile_seconds_count{kind="Hub"}' in text
        assert 'cirahub_watch_event_age_seconds{kind="hubs"}' in text
