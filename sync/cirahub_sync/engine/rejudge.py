"""What stays of a spoke's edits when its filter or mapping changed and its items are judged
anew."""

from __future__ import annotations

from cirahub_sync.model.contact import Contact
from cirahub_sync.model.edit import ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.normalise import DEFAULT_REGION, keyed, same_value


def carry_over(
    old: OwnEdits, fresh: OwnEdits, *, received: Contact | None, region: str = DEFAULT_REGION
) -> OwnEdits:
    """`fresh` is the item as if it were seen for the first time. An edit that says the same as
    before keeps its time. `received` is the hub item if it was delivered into this spoke: a value
    that equals it and was no edit before was merely received, and is none now."""
    scalars: dict[str, ScalarEdit] = {}
    for field, edit in fresh.scalars.items():
        before = old.scalars.get(field)
        if before is not None and same_value(field, before.value, edit.value):
            scalars[field] = before
        elif (
            before is None
            and received is not None
            and same_value(field, getattr(received, field), edit.value)
        ):
            continue
        else:
            scalars[field] = edit
    elements: dict[str, dict[str, ElementEdit]] = {}
    for field, edits in fresh.elements.items():
        earlier = old.elements.get(field, {})
        there = keyed(field, getattr(received, field), region) if received is not None else {}
        kept: dict[str, ElementEdit] = {}
        for key, element in edits.items():
            prior = earlier.get(key)
            if prior is not None and prior.element is not None:
                kept[key] = prior
            elif prior is None and key in there:
                continue
            else:
                kept[key] = element
        if kept:
            elements[field] = kept
    return OwnEdits(scalars, elements)
