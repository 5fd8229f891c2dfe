"""`docs/failures.md`: its tables are made from the catalogue, its prose is its own.

    PYTHONPATH=hack:. python -m tests.failures.page [--check]

A table stands between `<!-- table: THEME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from .catalogue import THEMES
from .situation import READY, Refusal, Said, Sample, Seen, Situation

PAGE = Path(__file__).parents[2] / "docs/failures.md"
TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
NOTHING = "–"
HEAD = ("situation", "what you see", "event", "metric", "what to do", "how it comes right")


def page(text: str) -> str:
    """The page with its tables as the catalogue has them. Raises KeyError for an unknown theme."""
    return TABLE.sub(lambda found: f"{found[1]}{table(THEMES[found[2]])}{found[3]}", text)


def themes(text: str) -> list[str]:
    """Those that have a table."""
    return [found[2] for found in TABLE.finditer(text)]


def table(situations: Iterable[Situation]) -> str:
    rows = [HEAD, ("---",) * len(HEAD), *map(_row, situations)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(one: Situation) -> tuple[str, ...]:
    also = [_seen(more) for more in one.also if more.status == "False" or more.type != READY]
    conditions = [_first(one), *also]
    return (
        f'<a id="{one.id}"></a>{one.happens}',
        "<br>".join(conditions),
        NOTHING if one.told is None else " ".join(f"`{word}`" for word in one.told),
        NOTHING if one.measured is None else f"`{_sample(one.measured)}`",
        one.do,
        one.recovers,
    )


def _first(one: Situation) -> str:
    seen = one.seen
    if isinstance(seen, Refusal):
        return f"The API server refuses the {seen.kind}: *{one.remedy}*"
    if isinstance(seen, Said):
        return f"In the log ({seen.level}): *{seen.words}*"
    return _seen(seen, one.goes_with)


def _sample(sample: Sample) -> str:
    """Without the names of the test's own objects."""
    named = {"name", "hub", "spoke"}
    labels = ", ".join(f'{k}="{v}"' for k, v in sample.labels.items() if k not in named)
    value = f"{'≥' if sample.at_least else '=='} {sample.value:g}"
    return f"{sample.metric}{{{labels}}} {value}" if labels else f"{sample.metric} {value}"


def _seen(seen: Seen, goes_with: str | None = None) -> str:
    text = f"{seen.kind} `{seen.type}={seen.status}` `{seen.reason}`"
    return text if goes_with is None else f"{text}, `{goes_with}`"


def main() -> int:
    before = PAGE.read_text()
    after = page(before)
    if before == after:
        return 0
    if "--check" in sys.argv[1:]:
        sys.stderr.write("docs/failures.md is not what the catalogue says; run `make generate`\n")
        return 1
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
