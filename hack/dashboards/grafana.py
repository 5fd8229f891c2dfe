"""A dashboard as the JSON that Grafana imports (schema version 39, that of Grafana 11).

Source: Grafana's documentation, "Dashboard JSON model", and what its editor writes for these
panels. Nothing in it is of one Grafana: no id of a dashboard, and the data source is a variable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.board import Board, Kind, Panel, Row, Unit, Variable

SCHEMA_VERSION = 39
TAG = "cirahub"
WIDTH = 24
_HEIGHTS = {Kind.NUMBER: 4}
_HEIGHT = 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Json = dict[str, Any]
"""Of Grafana's shape."""


def text(board: Board) -> str:
    return json.dumps(dashboard(board), indent=1, ensure_ascii=False) + "\n"


def dashboard(board: Board) -> Json:
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "links": [
            {
                "type": "dashboards",
                "title": "cirahub",
                "tags": [TAG],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
            }
        ],
        "templating": {"list": [_sources(), *(_variable(one) for one in board.variables)]},
        "annotations": {"list": []},
        "panels": list(_panels(board)),
    }


def _sources() -> Json:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
    }


def _variable(one: Variable) -> Json:
    query = f"label_values({one.selector}, {one.name})"
    made: Json = {
        "name": one.name,
        "label": one.label,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": one.name},
        "refresh": 2,
        "sort": 1,
    }
    if one.several:
        everything = {"text": ["All"], "value": ["$__all"], "selected": True}
        made |= {"multi": True, "includeAll": True, "allValue": ".*", "current": everything}
    return made


def _panels(board: Board) -> Iterator[Json]:
    """In rows, from left to right. Their ids stay as long as their order does."""
    y, number = 0, 0
    for row in board.rows:
        number += 1
        yield _heading(row, number, y)
        y += 1
        x, height = 0, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + height
            number += 1
            height = _HEIGHTS.get(panel.kind, _HEIGHT)
            place = {"x": x, "y": y, "w": panel.width, "h": height}
            yield {"id": number, "gridPos": place, **_panel(board, panel)}
            x += panel.width
        y += height


def _heading(row: Row, number: int, y: int) -> Json:
    place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
    return {
        "id": number,
        "type": "row",
        "title": row.title,
        "collapsed": False,
        "gridPos": place,
        "panels": [],
    }


def _panel(board: Board, panel: Panel) -> Json:
    return {
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "targets": list(_targets(board, panel)),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(board, panel)},
        "options": _options(panel),
        **({"transformations": [_columns()]} if panel.kind is Kind.TABLE else {}),
    }


def _targets(board: Board, panel: Panel) -> Iterator[Json]:
    now = panel.kind in (Kind.NUMBER, Kind.TABLE)
    for number, query in enumerate(panel.queries):
        yield {
            "refId": chr(ord("A") + number),
            "datasource": _SOURCE,
            "expr": board.expression(query),
            "legendFormat": query.legend or panel.title,
            "instant": now,
            "range": not now,
            "format": "table" if panel.kind is Kind.TABLE else "time_series",
        }


def _defaults(panel: Panel) -> Json:
    made: Json = {"unit": panel.unit.value, "thresholds": _thresholds(panel)}
    if panel.unit in (Unit.COUNT, Unit.AGE) and panel.kind is not Kind.LINES:
        made["decimals"] = 0
    if panel.kind is Kind.LINES:
        made["min"] = 0
        made["custom"] = {
            "fillOpacity": 20 if panel.stacked else 0,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            "thresholdsStyle": {"mode": "off" if panel.warns_at is None else "dashed"},
        }
    if panel.kind is Kind.NUMBER or panel.kind is Kind.STATES:
        made["color"] = {"mode": "thresholds"}
    return made


def _thresholds(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.kind is Kind.STATES:
        steps = [{"color": "text", "value": None}, {"color": "blue", "value": 1}]
    if panel.bad_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.bad_below}]
    if panel.warns_at is not None:
        steps.append({"color": "orange", "value": panel.warns_at})
    return {"mode": "absolute", "steps": steps}


def _overrides(board: Board, panel: Panel) -> list[Json]:
    if not panel.leads_to:
        return []
    link = (
        "/d/cirahub-hub?var-namespace=${__data.fields.namespace}&var-hub=${__data.fields.hub}"
        "&var-datasource=${datasource}"
    )
    links = [{"title": "Its dashboard", "url": link}]
    return [
        {
            "matcher": {"id": "byName", "options": panel.leads_to},
            "properties": [{"id": "links", "value": links}],
        }
    ]


def _options(panel: Panel) -> Mapping[str, Any]:
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    of_kind: Mapping[Kind, Mapping[str, Any]] = {
        Kind.NUMBER: {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "none",
            "textMode": "value",
        },
        Kind.LINES: {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}},
        Kind.TABLE: {"showHeader": True, "cellHeight": "sm"},
        Kind.STATES: {"legend": legend, "mergeValues": True, "showValue": "never"},
    }
    return of_kind[panel.kind]


def _columns() -> Json:
    """Without the time of the query, which is now."""
    return {"id": "organize", "options": {"excludeByName": {"Time": True}}}
