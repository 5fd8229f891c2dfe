"""`make pictures`: five minutes, two processors.

Exit codes: 0 drawn; 1 something did not come about, and what is said tells why.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from cluster.errors import ClusterError
from cluster.prometheus import Prometheus
from cluster.promtool import Program, find
from dashboards import BOARDS
from dashboards.board import picture
from demo.errors import DemoError
from demo.narration import Narration
from demo.stage import ROOT, Stage
from demo.story import NAMESPACE
from pictures.drawing import Look, draw
from pictures.events import HUB, Events

FOLDER = ROOT / "docs/pictures"
RULES = ROOT / "charts/cirahub-operator/files/rules"


def main() -> int:
    tell = Narration()
    try:
        binary = find(Program.SERVER)
        with Stage(tell) as stage:
            rules = sorted(RULES.iterdir())
            with Prometheus.start(binary, scraped=stage.operator.address, rules=rules) as scraping:
                start = time.time()
                events = Events(stage, tell)
                events.begin()
                events.happen()
                values = {"namespace": NAMESPACE, "hub": HUB}
                drawn = _drawn(Look(scraping, values, start, time.time()))
    except (ClusterError, DemoError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    tell.step(f"Drawn: {len(drawn)} pictures in {FOLDER.relative_to(ROOT)}")
    for path in drawn:
        tell.say(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
    return 0


def _drawn(look: Look) -> list[Path]:
    FOLDER.mkdir(exist_ok=True)
    drawn = []
    for board in BOARDS:
        for row in board.rows:
            path = FOLDER / picture(board, row)
            draw(board, row, look, path)
            drawn.append(path)
    return drawn


if __name__ == "__main__":
    sys.exit(main())
