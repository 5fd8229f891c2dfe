"""What a spoke can show of an item, and in which of its slots."""

from __future__ import annotations

import sys
from collections.abc import Callable

import msgspec

from cirahub_sync.endpoints.base import Limits
from cirahub_sync.model.contact import Phone, PhoneKind, PostalAddress
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import Content, Element, Some, kind_of
from cirahub_sync.model.normalise import DEFAULT_REGION, keyed

_astuple = msgspec.structs.astuple

Room = Callable[[str], int | None]
"""How many elements of a kind fit (None: any number)."""


def project(
    item: Some,
    limits: Limits,
    previous: Some | None,
    *,
    region: str = DEFAULT_REGION,
) -> Some:
    """The item as a spoke shows it that showed `previous` before (None: nothing).

    Fields the spoke does not know are blank. Lists are cut to what fits, and slots are sticky:
    an element that was shown stays, in its place, as long as it exists; what is new takes the
    places that became free, in the item's order, and then the rest of the room.
    """
    changes: dict[str, object] = {}
    kind = kind_of(item)
    for field in kind.fields:
        if field not in limits.fields and getattr(item, field):
            changes[field] = getattr(kind.blank, field)
    for field, most in limits.lengths.items():
        if len(getattr(item, field)) > most and field not in changes:
            changes[field] = getattr(item, field)[:most].rstrip()
    for field in kind.ordered_lists:
        elements: tuple[Element, ...] = getattr(item, field)
        if not elements or field in changes:
            continue
        shown: tuple[Element, ...] = getattr(previous, field) if previous is not None else ()
        fitted = _fit(field, elements, shown, _room(field, limits), region)
        if fitted != elements:
            changes[field] = fitted
    if isinstance(item, Event) and item.schedule and limits.schedule is not None:
        changes["schedule"] = _scheduled(item.schedule, limits.schedule, previous)
    return msgspec.structs.replace(item, **changes) if changes else item


def showable(item: Content, limits: Limits) -> bool:
    """Whether the item has what a spoke can't do without."""
    return all(getattr(item, field) for field in limits.required)


def _scheduled(text: str, shows: Callable[[str], str], previous: Content | None) -> str:
    """What is there stays as it is written there, as long as it says the same."""
    shown = shows(text)
    held = previous.schedule if isinstance(previous, Event) else ""
    return held if held and shows(held) == shown else shown


def _room(field: str, limits: Limits) -> Room | None:
    if field == "phones":
        return lambda kind: limits.phones.get(PhoneKind(kind), 0)
    if field == "addresses":
        return lambda kind: limits.addresses.get(kind, 0)
    if field == "emails" and limits.emails is not None:
        return lambda _: limits.emails
    if field == "im_addresses" and limits.im_addresses is not None:
        return lambda _: limits.im_addresses
    return None


def _capacity(room: Room | None, kind: str) -> int:
    capacity = room(kind) if room is not None else None
    return sys.maxsize if capacity is None else capacity


def _slot_kind(element: Element) -> str:
    return element.kind if isinstance(element, Phone | PostalAddress) else ""


def _fits(elements: tuple[Element, ...], room: Room) -> bool:
    used: dict[str, int] = {}
    for element in elements:
        kind = _slot_kind(element)
        used[kind] = used.get(kind, 0) + 1
    return all(count <= _capacity(room, kind) for kind, count in used.items())


def _fit(
    field: str,
    elements: tuple[Element, ...],
    shown: tuple[Element, ...],
    room: Room | None,
    region: str,
) -> tuple[Element, ...]:
    if (not shown or shown == elements) and (room is None or _fits(elements, room)):
        return elements
    here = keyed(field, elements, region)
    before = keyed(field, shown, region) if shown else {}
    places = {key: _slot_kind(element) for key, element in before.items()}
    kept = {key for key in places if key in here}
    fresh: dict[str, list[Element]] = {}
    for key, element in here.items():
        if key not in kept:
            fresh.setdefault(_slot_kind(element), []).append(element)
    result: list[Element] = []
    free = {
        kind: _capacity(room, kind) - sum(places[key] == kind for key in kept) for kind in fresh
    }

    def fill(kind: str) -> None:
        if fresh.get(kind) and free[kind] > 0:
            free[kind] -= 1
            result.append(fresh[kind].pop(0))

    held: dict[str, int] = {}
    for key, kind in places.items():
        if key not in kept:
            fill(kind)
        elif held.get(kind, 0) < _capacity(room, kind):
            held[kind] = held.get(kind, 0) + 1
            result.append(here[key])
    for key, element in here.items():
        if key not in kept:
            fill(_slot_kind(element))
    return tuple(result)


def changed_fields(before: Content, after: Content) -> tuple[str, ...]:
    """The fields that differ at all, spelling and order included, in the struct's order."""
    if before == after:
        return ()
    fields = kind_of(after).fields
    return tuple(
        field
        for field, old, new in zip(fields, _astuple(before), _astuple(after), strict=True)
        if old != new
    )
