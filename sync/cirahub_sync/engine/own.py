"""What others' edits tell of somebody who leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from cirahub_sync.model.edit import ElementEdit, OwnEdits


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
                if edit.replaces:
                    replaced[field, edit.replaces] += 1

    def keep(field: str, edits: dict[str, ElementEdit]) -> dict[str, ElementEdit]:
        kept: dict[str, ElementEdit] = {}
        for key, edit in edits.items():
            if edit.element is None and (field, key) not in present:
                continue
            if (
                edit.replaces
                and (field, edit.replaces) not in present
                and replaced[field, edit.replaces] == 1
            ):
                kept[key] = msgspec.structs.replace(edit, replaces="")
            else:
                kept[key] = edit
        return kept

    found: list[OwnEdits] = []
    for own in owns:
        elements = {field: keep(field, edits) for field, edits in own.elements.items()}
        elements = {field: edits for field, edits in elements.items() if edits}
        found.append(
            own if elements == own.elements else msgspec.structs.replace(own, elements=elements)
        )
    return found
