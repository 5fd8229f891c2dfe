"""The dashboards that the chart brings: of any Grafana, and of queries that Prometheus takes. What
they show of a real run is looked at in tests/demo/test_merger.py."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
import yaml

from cirahub_operator import conditions
from cirahub_sync.store.delivery import SETTLED
from cluster import Promtool
from dashboards import BOARDS, Kind
from dashboards.board import picture
from dashboards.queries import asked
from dashboards.reasons import ASKING, ON_PURPOSE

from .alerts import of
from .rendering import CHART, ROOT

FOLDER = CHART / "files/dashboards"
FILES: Mapping[str, Any] = {one.name: json.loads(one.read_text()) for one in FOLDER.iterdir()}
VALUES = {"namespace": "team", "hub": "staff"}
LARGEST = 256 * 1024
"""Of a dashboard in a ConfigMap, which is written into an annotation by who applies it."""


def inside(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object, at whatever depth."""
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from inside(one)


def test_each_dashboard_has_its_file() -> None:
    assert FILES.keys() == {f"{board.uid}.json" for board in BOARDS}


@pytest.mark.parametrize("name", FILES)
def test_a_dashboard_is_of_no_grafana_in_particular(name: str) -> None:
    board = FILES[name]
    assert board["uid"] == name.removesuffix(".json")
    assert not board.keys() & {"id", "version", "__inputs", "__requires"}
    sources = [one["datasource"] for one in inside(board) if "datasource" in one]
    assert sources
    assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in sources)
    assert board["templating"]["list"][0]["type"] == "datasource"


@pytest.mark.parametrize("name", FILES)
def test_panels_stand_in_rows_and_beside_each_other(name: str) -> None:
    panels = FILES[name]["panels"]
    assert [one["id"] for one in panels] == list(range(1, len(panels) + 1))
    taken = Counter(
        (x, y)
        for one in panels
        for x in range(one["gridPos"]["x"], one["gridPos"]["x"] + one["gridPos"]["w"])
        for y in range(one["gridPos"]["y"], one["gridPos"]["y"] + one["gridPos"]["h"])
    )
    assert max(taken.values()) == 1
    assert max(x for x, _ in taken) == 23
    assert (FOLDER / name).stat().st_size < LARGEST


def test_each_panel_says_what_it_shows_and_series_have_names() -> None:
    for board in BOARDS:
        titles = Counter(one.title for one in board.panels)
        assert titles.most_common(1)[0][1] == 1, "a title is a link, and a picture"
        for panel in board.panels:
            assert panel.about.endswith("."), panel.title
            named = panel.kind in (Kind.NUMBER, Kind.TABLE)
            assert all(bool(query.legend) != named for query in panel.queries), panel.title


def test_prometheus_takes_each_query(promtool: Promtool, tmp_path: Path) -> None:
    expressions = [
        asked(expression, VALUES) for name in FILES for _, expression in queries(FILES[name])
    ]
    assert not [one for one in expressions if "$" in one.replace('"$1"', "")]
    rules = [
        {"record": f"a:b:n{number}", "expr": expression}
        for number, expression in enumerate(expressions)
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, width=1000))
    assert f"SUCCESS: {len(rules)} rules found" in promtool.run("check", "rules", file)


def queries(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Titles and expressions."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def test_spokes_of_other_namespaces_are_on_the_dashboard_of_their_hub(
    promtool: Promtool, tmp_path: Path
) -> None:
    (expression,) = (one for title, one in queries(FILES["cirahub-hub.json"]) if title == "Spokes")
    items = "cirahub_spoke_items"
    ours = {"namespace": "team", "hub": "staff", "spoke": "ann"}
    theirs = {"namespace": "guests", "hub": "team/staff", "spoke": "ann"}
    others = [{**ours, "namespace": "people"}, {**theirs, "hub": "people/staff"}]
    series = [{"series": of(items, one), "values": "1x9"} for one in (ours, theirs, *others)]
    counted = {"expr": asked(expression, VALUES), "eval_time": "5m"}
    samples = [{"labels": "{}", "value": 2}]
    test = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{**counted, "exp_samples": samples}],
    }
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"tests": [test]}, width=1000))
    promtool.run("test", "rules", file)


def test_what_is_asked_for_by_name_is_what_the_operator_says() -> None:
    types = {value for name, value in vars(conditions).items() if name.isupper()}
    assert set(ASKING.split("|")) <= types
    assert set(ON_PURPOSE.split("|")) == set(SETTLED)


def test_the_page_has_a_picture_of_each_row_and_no_other() -> None:
    page = (ROOT / "docs/dashboards.md").read_text()
    shown = re.findall(r"!\[(.*)\]\(pictures/(.*)\)", page)
    assert shown == [(row.title, picture(board, row)) for board in BOARDS for row in board.rows]
    files = {one.name: one for one in (ROOT / "docs/pictures").iterdir()}
    assert files.keys() == {file for _, file in shown}
    assert [name for name, one in files.items() if one.stat().st_size > 100 * 1024] == []


@pytest.mark.parametrize("name", FILES)
def test_each_panel_is_in_the_picture_of_its_row(name: str) -> None:
    (board,) = (one for one in BOARDS if name == f"{one.uid}.json")
    for row in board.rows:
        drawn = (ROOT / "docs/pictures" / picture(board, row)).read_text()
        assert [one.title for one in row.panels if f">{escape(one.title)}<" not in drawn] == [], (
            "run `make pictures`"
        )


@pytest.mark.parametrize("name", FILES)
def test_links_lead_to_dashboards_that_there_are(name: str) -> None:
    links = [one["url"] for one in inside(FILES[name]) if "url" in one]
    for link in links:
        (board,) = (one for one in BOARDS if link.startswith(f"/d/{one.uid}?"))
        taken = {"datasource", *(one.name for one in board.variables)}
        assert set(re.findall(r"var-(\w+)=", link)) <= taken
    assert bool(links) == (name == "cirahub-fleet.json")
