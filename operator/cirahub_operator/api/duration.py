"""Durations as Go and Kubernetes write them: `5m`, `1h30m`, `500ms`."""

from __future__ import annotations

import re

from cirahub_operator.api.text import Matching

PATTERN = r"^([0-9]+([.][0-9]+)?(ms|s|m|h))+$"

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:[.][0-9]+)?)(ms|s|m|h)")


def seconds(duration: str) -> float:
    """Raises ValueError if the text is not a duration."""
    if re.match(PATTERN, duration) is None:
        raise ValueError(f"{duration!r} is not a duration; write it like 30s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))


def between(least: str, most: str) -> Matching:
    """The form of a duration's text, for `Annotated[str, …]`."""
    return Matching(
        pattern=PATTERN,
        message=f"write a duration from {least} to {most}, like 30s, 5m or 1h30m",
        max_length=32,
        condition=f"duration(self) >= duration('{least}') && duration(self) <= duration('{most}')",
        check=lambda text: seconds(least) <= seconds(text) <= seconds(most),
    )
