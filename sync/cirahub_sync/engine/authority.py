"""Authority: who has a say in an event, which is more than what was edited when.

An event that has attendees is its organiser's: a mailbox that was invited shows what the organiser
sent, and nothing may be written to either. So the inputs of the highest role there is make the
event, by themselves: the organiser's, else those of the invited, else those of which only the time
is known. What somebody without a role says otherwise (the user of a copy, or of an event of their
own of the same UID) is no edit that could be carried out: it is kept as a conflict that the event
won (READ_ONLY). What an invited mailbox shows otherwise is merely late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from cirahub_sync.engine.rules import Conflict, FoldInput
from cirahub_sync.model import schedule
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.event import Event, Occurrence, Role
from cirahub_sync.model.kind import EVENTS
from cirahub_sync.model.normalise import same_value

_ORDER = (Role.ORGANIZER.value, Role.ATTENDEE.value, Role.MASKED.value)


class Heard(msgspec.Struct, frozen=True):
    """The inputs of an event by their say. Edits of what says whose it is are in neither."""

    ruling: Sequence[FoldInput]
    others: Sequence[FoldInput]
    """Those without a role, where one rules."""
    role: str
    """Of the ruling; blank: none has any, and all have a say."""
    identity: dict[str, str]
    """The event's own, as the first of the inputs that have it say it."""


def heard(inputs: Sequence[FoldInput]) -> Heard:
    roles = [role_of(one.own) if one.native else "" for one in inputs]
    role = next((role for role in _ORDER if role in roles), "")
    identity: dict[str, str] = {}
    for one in sorted(inputs, key=lambda one: (not one.native, one.rank, one.spoke)):
        for field in EVENTS.identity:
            edit = one.own.scalars.get(field)
            if edit is not None and edit.value:
                identity.setdefault(field, edit.value)
    ruling = [one for one, its in zip(inputs, roles, strict=True) if its == role]
    others = [one for one, its in zip(inputs, roles, strict=True) if role and not its]
    return Heard([*map(_merged, ruling)], [*map(_merged, others)], role, identity)


def role_of(own: OwnEdits) -> str:
    edit = own.scalars.get("role")
    return edit.value if edit is not None else ""


def rules_alone(own: OwnEdits) -> bool:
    """Whether an event dies with this input: its organiser's."""
    return role_of(own) == Role.ORGANIZER.value


def has_a_say(own: OwnEdits) -> bool:
    """Whether its mailbox may end an event, or keep it: who was invited can do neither."""
    return role_of(own) in ("", Role.ORGANIZER.value)


def finished(content: Event, identity: dict[str, str]) -> Event:
    """An event as it was merged, with its identity, and without exceptions to what its schedule
    does not have."""
    exceptions = content.exceptions
    if exceptions:
        exceptions = _of(content.schedule, exceptions)
    return msgspec.structs.replace(content, exceptions=exceptions, **identity)


def overruled(content: Event, it: Heard) -> Iterable[Conflict]:
    """What others say of an event that is read-only where it is."""
    if not it.others:
        return
    winner = min(it.ruling, key=lambda one: (one.rank, one.spoke)).spoke
    shown = {one.original: one for one in content.exceptions}
    for one in sorted(it.others, key=lambda one: (one.rank, one.spoke)):
        for field, edit in sorted(one.own.scalars.items()):
            if not same_value(field, edit.value, getattr(content, field)):
                yield Conflict(field, winner, one.spoke, edit.value, tie=False, read_only=True)
        for field, edits in sorted(one.own.elements.items()):
            for key, said in edits.items():
                if said.element != shown.get(key):
                    lost = said.element if said.element is not None else ""
                    yield Conflict(field, winner, one.spoke, lost, False, key, read_only=True)


def _merged(one: FoldInput) -> FoldInput:
    if one.own.scalars.keys().isdisjoint(EVENTS.inbound):
        return one
    scalars = {f: edit for f, edit in one.own.scalars.items() if f not in EVENTS.inbound}
    return msgspec.structs.replace(one, own=OwnEdits(scalars, one.own.elements))


def _of(text: str, exceptions: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    if not text:
        return ()
    when = schedule.parse(text)
    known = (one for one in exceptions if when.has(one.original))
    return tuple(sorted(known, key=lambda one: one.original))
