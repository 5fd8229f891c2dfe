"""What others' edits tell of somebody who leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import msgspec

from cirahub_sync.model.edit import ElementEdit, OwnEdits

_replace = msgspec.structs.replace


def without_traces(owns: Sequence[OwnEdits]) -> list[OwnEdits]:
    """The edits of an item's remaining spokes without those that only say that an element was
    removed, or replaced, which none of them ever had. What does not change is the same object."""
    present: set[tuple[str, str]] = set()
    replaced: Counter[tuple[str, str]] = Counter()
    for own in owns:
        for field, edits in own.elements.items():
            for key, edit in edits.items():
                if edit.element is not None or edit.since:
                    present.add((field, key))
                replaced.update((field, origin) for origin in _origins(edit))

    def keep(field: str, edits: dict[str, ElementEdit]) -> dict[str, ElementEdit]:
        kept: dict[str, ElementEdit] = {}
        for key, edit in edits.items():
            if edit.element is None and (field, key) not in present:
                continue
            lone = {
                origin
                for origin in _origins(edit)
                if (field, origin) not in present and replaced[field, origin] == 1
            }
            kept[key] = _without(edit, lone) if lone else edit
        return kept

    found: list[OwnEdits] = []
    for own in owns:
        elements = {field: keep(field, edits) for field, edits in own.elements.items()}
        elements = {field: edits for field, edits in elements.items() if edits}
        found.append(own if elements == own.elements else _replace(own, elements=elements))
    return found


def _origins(edit: ElementEdit) -> set[str]:
    """The keys of the elements that this one was ever edited from."""
    return {edit.replaces, *(one.replaces for one in edit.past)} - {""}


def _without(edit: ElementEdit, origins: Collection[str]) -> ElementEdit:
    past = tuple(
        _replace(one, replaces="") if one.replaces in origins else one for one in edit.past
    )
    return _replace(edit, replaces="" if edit.replaces in origins else edit.replaces, past=past)
