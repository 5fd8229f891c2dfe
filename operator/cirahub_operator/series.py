"""Metric families with a series for every object: thousands of them, kept as bare numbers.

The client library keeps about a kilobyte and a lock for each series; with ten series a Spoke that
would be the most of our memory. Here an object is one row, and text is made when it is asked for.
Source: Prometheus' documentation, "Exposition formats", the text-based format.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

Values = tuple[tuple[str, float], ...]
"""Numbers by the value of the last label."""


class Series:
    """One family. `labels` are the names of a row's labels; `last`, if not blank, the name of one
    more, which tells a row's numbers apart."""

    def __init__(
        self, name: str, documentation: str, *, kind: str, labels: Sequence[str], last: str = ""
    ) -> None:
        self._name = name
        self._head = f"# HELP {name} {documentation}\n# TYPE {name} {kind}\n"
        self._labels = tuple(labels)
        self._last = last
        self._rows: dict[Hashable, tuple[tuple[str, ...], Values]] = {}

    def put(self, key: Hashable, labels: Sequence[str], values: Mapping[str, float]) -> None:
        """In place of the numbers that the object had."""
        self._rows[key] = (tuple(labels), tuple(values.items()))

    def add(self, key: Hashable, labels: Sequence[str], values: Mapping[str, float]) -> None:
        """To the numbers that the object has."""
        had = dict(self._rows[key][1]) if key in self._rows else {}
        for value, number in values.items():
            had[value] = had.get(value, 0.0) + number
        self._rows[key] = (tuple(labels), tuple(had.items()))

    def remove(self, key: Hashable) -> None:
        self._rows.pop(key, None)

    def text(self) -> Iterator[str]:
        """May run in another thread than what changes the numbers."""
        yield self._head
        for labels, values in list(self._rows.values()):
            pairs = list(zip(self._labels, labels, strict=True))
            for value, number in values:
                all_pairs = [*pairs, (self._last, value)] if self._last else pairs
                inner = ",".join(f'{name}="{_escaped(one)}"' for name, one in sorted(all_pairs))
                yield f"{self._name}{{{inner}}} {float(number)!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
