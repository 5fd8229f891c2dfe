"""Metrics as Prometheus' conventions want them, and as docs/metrics.md tells of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from cirahub_operator.families import PASS_BUCKETS
from cirahub_operator.heartbeat import Heartbeat
from cirahub_operator.metrics import Metrics
from cirahub_sync.endpoints.session import Api
from cirahub_sync.engine.report import (
    UNCONSIDERED,
    Counts,
    PendingReason,
    Phase,
    SetReport,
    Traffic,
)
from cluster import Promtool
from dashboards import BOARDS

from .conftest import ROOT
from .objects import connection, hub, spoke
from .test_summary import BROKEN, report, result, synced

LABELS = {"namespace", "hub", "spoke", "connection", "kind", "name", "spokeset"}
"""Names of objects."""
WORDS = {"type", "result", "state", "reason", "code", "rule", "action", "phase", "api", "version"}
"""Of few values, all of them ours or HTTP's."""
BUILD = "cirahub_build_info"
"""What every exporter calls this, of a gauge that is always 1."""
OF_TARGETS = {"namespace", "job", "instance", "le"}
"""Labels that Prometheus gives to what it scrapes, and to buckets."""
RULES = ROOT / "charts/cirahub-operator/files/rules/cirahub.yaml"
NOT_BASE_UNITS = {"milliseconds", "ms", "minutes", "hours", "days", "kilobytes", "percent"}


SINCE = {PendingReason.FAILED.value: 1_700_000_000.0, UNCONSIDERED: 1_700_000_100.0}


def filled() -> Metrics:
    """A series at least of every family."""
    metrics = Metrics()
    counts = Counts(pulled=5, items=5, pending=3)
    pending = {PendingReason.GRACE.value: 1, PendingReason.FAILED.value: 2}
    one = result(counts=counts, pending=pending, throttled_seconds=1.5, waiting_since=SINCE)
    made = report(one, phases={Phase.PULL.value: 1.5}, conflicts=2, undecided=1)
    made.traffic = {"demo/contoso": {"graph": Traffic({"200": 4, "none": 1}, 1.5)}}
    made.sets = {"u": SetReport(uid="u", name="demo/everybody", counts=Counts(created=2))}
    made.sets["u"].reasons = {"TargetNotFound": 1}
    made.sets["u"].pending, made.sets["u"].waiting_since = pending, SINCE
    metrics.syncs_every(hub().metadata, 300.0, None)
    metrics.passed(hub().metadata, made)
    metrics.condition("Spoke", spoke().metadata, synced(result()))
    with metrics.timed("Hub"):
        metrics.reconciles.labels("Hub", "success").inc()
    metrics.credential_expires("demo", "contoso", 1_800_000_000.0)
    metrics.erasures_completed.labels("Spoke").inc()
    metrics.erasing("demo", "staff", 1, 2)
    metrics.erasures_incomplete.labels("Hub").inc()
    metrics.status_refused.labels("Hub").inc()
    metrics.permission_missing.labels("watch", "demo").set(0)
    metrics.watch_age.labels("hubs").set(0)
    Heartbeat(metrics.registry)
    return metrics


def families(metrics: Metrics) -> dict[str, Metric]:
    """By the name that is queried: counters with `_total`."""
    found = text_string_to_metric_families(metrics.text().decode())
    return {
        one.name + ("_total" if one.type == "counter" else ""): one
        for one in found
        if not one.name.endswith("_created") and not one.name.startswith("process_")
    }


FAMILIES = families(filled())


def labels(family: Metric) -> set[str]:
    return {name for sample in family.samples for name in sample.labels} - {"le"}


@pytest.mark.parametrize("name", FAMILIES)
def test_names_and_texts_follow_the_conventions(name: str) -> None:
    """https://prometheus.io/docs/practices/naming/, and what `promtool check metrics` finds."""
    family = FAMILIES[name]
    words = name.split("_")
    assert re.fullmatch(r"cirahub(_[a-z]+)+", name)
    assert family.documentation.endswith(".")
    assert family.type in {"counter", "gauge", "histogram"}
    assert name.endswith("_total") == (family.type == "counter")
    assert not NOT_BASE_UNITS & set(words)
    suffixes = {"count", "sum", "bucket", "info", "gauge", "counter", "histogram"}
    assert words[-1] not in suffixes or name == BUILD
    assert family.samples, "fill it in `filled`"


def test_promtool_finds_nothing_to_better(promtool: Promtool) -> None:
    assert promtool.run("check", "metrics", stdin=filled().text().decode()) == ""


def test_the_process_tells_of_itself_as_others_do() -> None:
    text = filled().text().decode()
    assert all(
        f"\n{name} " in text
        for name in ("process_resident_memory_bytes", "process_cpu_seconds_total")
    )
    assert f'cirahub_build_info{{version="{version("cirahub-operator")}"}} 1.0' in text


@pytest.mark.parametrize("name", FAMILIES)
def test_labels_are_names_of_objects_and_words_of_ours(name: str) -> None:
    """So that nothing personal gets into them, and there are never more series than objects."""
    assert labels(FAMILIES[name]) <= LABELS | WORDS


def test_the_page_tells_of_each_metric_as_it_is() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(cirahub_\w+)` \| (\w+) \|([^|]*)\| ([^|]+) \|", page, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"`(\w+)`", named))) for name, kind, named, _ in rows}
    assert told == {name: (one.type, labels(one)) for name, one in FAMILIES.items()}


@pytest.mark.parametrize("words", [PendingReason, Phase, Api, [UNCONSIDERED]])
def test_each_word_that_labels_may_be_is_on_the_page(words: Iterable[str]) -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    assert [one for one in words if f"`{one}`" not in page] == []


def test_what_waits_is_told_by_reason_and_goes_when_it_is_delivered() -> None:
    metrics = filled()
    waiting = {
        sample.labels["reason"]: sample.value
        for sample in families(metrics)["cirahub_spoke_pending_items"].samples
    }
    assert waiting == {"Grace": 1.0, "Failed": 2.0}

    metrics.passed(hub().metadata, report(result(counts=Counts(items=5))))

    assert families(metrics)["cirahub_spoke_pending_items"].samples == []


def test_how_long_something_waits_is_told_as_a_time_and_goes_when_it_is_delivered() -> None:
    """A time, so that what asks computes the age:
    https://prometheus.io/docs/practices/instrumentation/#timestamps-not-time-since."""
    name, metrics = "cirahub_spoke_pending_since_timestamp_seconds", filled()
    told = {one.labels["reason"]: one.value for one in families(metrics)[name].samples}
    assert told == SINCE

    metrics.passed(hub().metadata, report(result(problem=BROKEN)))
    assert families(metrics)[name].samples, "no pass came to look"
    metrics.passed(hub().metadata, report(result(waiting_since={})))
    assert families(metrics)[name].samples == []


def test_a_look_that_takes_as_long_as_a_pass_is_told_from_one_of_seconds() -> None:
    """A Hub's has its pass in it."""
    buckets = families(filled())["cirahub_reconcile_seconds"].samples
    bounds = {float(one.labels["le"]) for one in buckets if "le" in one.labels}
    assert set(PASS_BUCKETS) <= bounds
    assert min(bounds) <= 0.01


def test_phases_add_up_over_passes() -> None:
    metrics = filled()
    metrics.passed(hub().metadata, report(phases={"pull": 2.0, "push": 0.5}))
    samples = families(metrics)["cirahub_pass_phase_seconds_total"].samples
    assert {one.labels["phase"]: one.value for one in samples} == {"pull": 3.5, "push": 0.5}


def test_no_series_of_an_object_outlives_it() -> None:
    metrics = filled()
    metrics.forget("Spoke", "demo", "ann")
    metrics.forget("SpokeSet", "demo", "everybody")
    metrics.forget("Hub", "demo", "staff")
    metrics.forget("Connection", "demo", "contoso")
    metrics.erasing("demo", "staff", 0, 0)
    left = {
        name
        for name, family in families(metrics).items()
        for sample in family.samples
        if sample.labels.keys() & {"hub", "spoke", "spokeset", "connection", "name"}
    }
    assert left == set()


def test_requests_add_up_and_go_with_their_connection() -> None:
    metrics = filled()
    again = report(result())
    again.traffic = {
        "demo/contoso": {"graph": Traffic({"200": 2, "429": 1}, 0.5), "ews": Traffic({"200": 1})}
    }
    metrics.passed(hub().metadata, again)
    requests = families(metrics)["cirahub_connection_requests_total"].samples
    assert {(one.labels["api"], one.labels["code"]): one.value for one in requests} == {
        ("graph", "200"): 6,
        ("graph", "none"): 1,
        ("graph", "429"): 1,
        ("ews", "200"): 1,
    }
    waits = families(metrics)["cirahub_connection_throttled_seconds_total"].samples
    assert {one.labels["api"]: one.value for one in waits} == {"graph": 2.0, "ews": 0.0}

    metrics.forget("Connection", "demo", connection().metadata.name)

    assert families(metrics)["cirahub_connection_requests_total"].samples == []


def expressions() -> Mapping[str, str]:
    """By the names of the alerts."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


EXPRESSIONS = expressions()


def queried(expression: str) -> set[str]:
    found = set(re.findall(r"cirahub_\w+", expression))
    return {re.sub(r"(_seconds)_(sum|count|bucket)$", r"\1", one) for one in found}


@pytest.mark.parametrize("alert", EXPRESSIONS)
def test_an_alert_queries_only_what_there_is(alert: str) -> None:
    look_through(EXPRESSIONS[alert])


PANELS = {
    f"{board.uid}: {panel.title}": [board.expression(query) for query in panel.queries]
    for board in BOARDS
    for panel in board.panels
    if "ALERTS" not in panel.queries[0].expression
}


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_queries_only_what_there_is(panel: str) -> None:
    for expression in PANELS[panel]:
        look_through(expression)


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: str(page.name)
)
def test_no_page_names_a_metric_that_there_is_not(page: Path) -> None:
    packages = {"cirahub_operator", "cirahub_sync", "cirahub_simulator"}
    named = queried(" ".join(re.findall(r"`[^`\n]+`", page.read_text())))
    assert named - packages <= FAMILIES.keys()


def test_the_values_to_choose_from_are_those_of_labels_that_there_are() -> None:
    for board in BOARDS:
        for variable in board.variables:
            look_through(variable.selector)
            (family,) = queried(variable.selector)
            assert variable.name in labels(FAMILIES[family])


def look_through(expression: str) -> None:
    """Its metrics are ours, or of any process; and its labels are theirs."""
    metrics = queried(expression)
    assert metrics
    assert metrics <= FAMILIES.keys()
    known = {name for metric in metrics for name in labels(FAMILIES[metric])} | OF_TARGETS
    grouped = re.findall(r"\b(?:by|on|ignoring) \(([^)]*)\)", expression)
    assert {name.strip() for one in grouped for name in one.split(",") if name.strip()} <= known
    for metric, matchers in re.findall(r"(cirahub_\w+)\{([^}]*)\}", expression):
        selected = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", matchers))
        (family,) = queried(metric)
        assert selected <= labels(FAMILIES[family])


def test_the_page_has_the_alerts_of_each_metric() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(cirahub_\w+)` \|.*\|([^|]*)\|$", page, re.MULTILINE)
    told = {
        (metric, alert)
        for metric, last in rows
        for alert, anchor in re.findall(r"\[`(\w+)`\]\(alerts\.md#(\w+)\)", last)
        if anchor == alert.lower()
    }
    expected = {(metric, alert) for alert, one in EXPRESSIONS.items() for metric in queried(one)}
    assert told == expected
