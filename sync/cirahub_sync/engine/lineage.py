"""From which elements of a list an element was edited, step by step back in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cirahub_sync.model.edit import ElementEdit

Parents = Mapping[str, Sequence[tuple[str, int]]]
"""By key, the keys of the elements it was edited from, and the seq of that edit."""


def parents_of(edits: Iterable[tuple[str, ElementEdit]]) -> Parents:
    parents: dict[str, list[tuple[str, int]]] = {}
    for key, edit in edits:
        replaces = ""
        for one in edit.said():
            if one.replaces and one.replaces != replaces:
                parents.setdefault(key, []).append((one.replaces, one.when.seq))
            replaces = one.replaces
    return parents


def lineage(key: str, before: int, parents: Parents) -> frozenset[str]:
    """The elements from which one was edited before this seq."""
    found: set[str] = set()
    steps = [(key, before)]
    while steps:
        key, before = steps.pop()
        for old, seq in parents.get(key, ()):
            if seq < before:
                found.add(old)
                steps.append((old, seq))
    return frozenset(found)
