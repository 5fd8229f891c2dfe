"""The Grafana dashboards of the chart: what they show is data here, and JSON is made of it.

`python hack/dashboards [--check]` writes `charts/cirahub-operator/files/dashboards`;
`make generate` calls it.
"""

from dashboards.board import Board, Kind, Panel, Query, Row
from dashboards.fleet import FLEET
from dashboards.hub import HUB

BOARDS = (FLEET, HUB)

__all__ = ["BOARDS", "FLEET", "HUB", "Board", "Kind", "Panel", "Query", "Row"]
