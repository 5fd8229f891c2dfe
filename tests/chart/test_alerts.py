"""The alerts that the chart brings: sound, tried out by Prometheus' own promtool, and explained."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from cluster import Promtool
from dashboards import BOARDS

from .alerts import CASES, Case, of
from .rendering import CHART, ROOT

FILE = CHART / "files/rules/cirahub.yaml"
PAGE = ROOT / "docs/alerts.md"
SEVERITIES = {"critical", "warning", "info"}

Rule = Mapping[str, Any]


def rules() -> Iterator[Rule]:
    for group in yaml.safe_load(FILE.read_text())["groups"]:
        yield from group["rules"]


RULES: Mapping[str, Rule] = {one["alert"]: one for one in rules()}


def test_prometheus_takes_the_rules(promtool: Promtool) -> None:
    assert f"SUCCESS: {len(RULES)} rules found" in promtool.run("check", "rules", FILE)


def test_each_alert_fires_when_it_should(promtool: Promtool, tmp_path: Path) -> None:
    _tried(promtool, tmp_path, (one for one in CASES if one.fires is not None))


def test_each_alert_is_silent_when_nothing_is_wrong(promtool: Promtool, tmp_path: Path) -> None:
    _tried(promtool, tmp_path, (one for one in CASES if one.fires is None))


def test_each_alert_is_tried_both_ways() -> None:
    assert {one.alert for one in CASES if one.fires is not None} == set(RULES)
    assert {one.alert for one in CASES if one.fires is None} == set(RULES)


def test_each_alert_that_waits_is_tried_before_it_has_waited() -> None:
    tried = {one.alert for one in CASES if one.not_yet is not None}
    assert tried == {name for name, rule in RULES.items() if "for" in rule}


@pytest.mark.parametrize("name", RULES)
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    rule = RULES[name]
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in SEVERITIES
    texts = {"summary", "description", "runbook_url", "dashboard_url"}
    assert rule["annotations"].keys() == texts
    assert rule["annotations"]["runbook_url"] == f"docs/alerts.md#{name.lower()}"
    assert all(rule["annotations"][one].endswith(".") for one in ("summary", "description"))


@pytest.mark.parametrize("name", RULES)
def test_an_alert_tells_only_of_labels_that_it_has(name: str) -> None:
    told = set(re.findall(r"\$labels\.(\w+)", str(RULES[name]["annotations"])))
    for case in CASES:
        if case.alert == name and case.fires is not None:
            assert told <= case.fires.keys()


@pytest.mark.parametrize("name", RULES)
def test_an_alert_leads_to_a_dashboard_that_takes_what_it_brings(name: str) -> None:
    link = urlsplit(RULES[name]["annotations"]["dashboard_url"])
    (board,) = (one for one in BOARDS if link.path == f"d/{one.uid}")
    taken = {f"var-{one.name}" for one in board.variables}
    assert {one.partition("=")[0] for one in filter(None, link.query.split("&"))} <= taken


@pytest.mark.parametrize(("hub", "leads"), [("staff", "team"), ("people/staff", "people")])
def test_an_alert_of_a_spoke_leads_to_its_hub_wherever_that_is(
    promtool: Promtool, tmp_path: Path, hub: str, leads: str
) -> None:
    name = "CirahubItemsUnreadable"
    rule = {**RULES[name], "expr": "vector_of_one", "for": "0s"}
    annotations = {"dashboard_url": RULES[name]["annotations"]["dashboard_url"]}
    group = {"name": name, "rules": [{**rule, "annotations": annotations}]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [group]}, width=1000))
    labels = {"namespace": "team", "hub": hub, "spoke": "ann"}
    told = f"d/cirahub-hub?var-namespace={leads}&var-hub=staff"
    alert = {
        "exp_labels": {**labels, "severity": "warning"},
        "exp_annotations": {"dashboard_url": told},
    }
    test = {
        "interval": "1m",
        "input_series": [{"series": of("vector_of_one", labels), "values": "1x9"}],
        "alert_rule_test": [{"alertname": name, "eval_time": "5m", "exp_alerts": [alert]}],
    }
    trial = {"rule_files": ["rules.yaml"], "tests": [test]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(trial, width=1000))
    promtool.run("test", "rules", tmp_path / "tests.yaml")


def test_each_alert_has_its_section_and_each_section_its_alert() -> None:
    told = re.findall(r"^### (Cirahub\w+)$", PAGE.read_text(), re.MULTILINE)
    assert told == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_section_says_what_to_do(name: str) -> None:
    page = PAGE.read_text()
    section = page.split(f"### {name}\n", 1)[1].split("\n##", 1)[0]
    words = ("**Means.**", "**People notice.**", "**Look.**", "**Do.**", "**Wake somebody?**")
    assert [word for word in words if word not in section] == []
    assert f"Severity: {RULES[name]['labels']['severity']}" in section


def _tried(promtool: Promtool, folder: Path, cases: Iterable[Case]) -> None:
    """All in one process, whose start takes time; but each with its own rule alone, since every
    rule that a file names is evaluated for each minute of a day. What fails is told with its alert,
    its time and what Prometheus found."""
    by_alert: dict[str, list[Mapping[str, Any]]] = {}
    for one in cases:
        by_alert.setdefault(one.alert, []).append(_test(one))
    files = []
    for alert, tests in by_alert.items():
        # Texts are looked at above; here they would have to be told again, expanded.
        rule = {key: value for key, value in RULES[alert].items() if key != "annotations"}
        group = {"name": alert, "rules": [rule]}
        (folder / f"{alert}.rules.yaml").write_text(yaml.safe_dump({"groups": [group]}))
        trial = {"rule_files": [f"{alert}.rules.yaml"], "evaluation_interval": "1m", "tests": tests}
        files.append(folder / f"{alert}.tests.yaml")
        files[-1].write_text(yaml.safe_dump(trial, width=1000))
    promtool.run("test", "rules", *files)


def _test(case: Case) -> Mapping[str, Any]:
    severity = RULES[case.alert]["labels"]["severity"]
    fires = [] if case.fires is None else [{"exp_labels": {**case.fires, "severity": severity}}]
    expected = {case.at: fires} if case.not_yet is None else {case.not_yet: [], case.at: fires}
    return {
        "name": f"{case.alert}: {case.what}",
        "interval": "1m",
        "input_series": [{"series": name, "values": one} for name, one in case.series.items()],
        "alert_rule_test": [
            {"alertname": case.alert, "eval_time": at, "exp_alerts": alerts}
            for at, alerts in expected.items()
        ],
    }
