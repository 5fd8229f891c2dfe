"""The canonical event of a calendar: a lone appointment, or a whole series.

As with contacts, a blank string or an empty tuple means that the field is absent, and values keep
the spelling of their source. Names are those of RFC 5545 where it has one.

Three sorts of fields:

- *shared*: what the hub merges and receivers are shown;
- *inbound*: what identifies an event and says whose it is. The hub hears of them; they are never
  written anywhere;
- *local*: what each mailbox has for itself. The hub never hears of them. A copy may be given some
  when it is made (by its mapping), and never again.

There is no field for attendees, and no way to put any: what is encoded for a copy can't invite.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What the mailbox is in an event that has attendees, or was masked. Such an event is read-only
    where it is: a write would tell its attendees."""

    ORGANIZER = "organizer"
    ATTENDEE = "attendee"
    MASKED = "masked"
    """Only its time is known here: its owner marked it private (see `endpoints.masking`)."""


class ShowAs(StrEnum):
    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "outOfOffice"
    WORKING_ELSEWHERE = "workingElsewhere"


class Sensitivity(StrEnum):
    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


PRIVATE = frozenset({Sensitivity.PRIVATE.value, Sensitivity.CONFIDENTIAL.value})
"""What its owner keeps from others."""


class Occurrence(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="occurrence"):
    """An exception of a series: one occurrence that was moved, changed or cancelled. Whatever is
    blank is as the series has it."""

    original: str
    """The calendar date, `YYYY-MM-DD` in the series' zone, on which the recurrence rule puts it:
    its identity. The rules of a Schedule have at most one occurrence a day."""
    cancelled: bool = False
    """Then everything below is blank."""
    start: str = ""
    """Where it was moved to: local time in the series' zone, `YYYY-MM-DDTHH:MM:SS` (all-day: the
    date); blank with `end` if it was not moved."""
    end: str = ""
    """As `start`, exclusive."""
    subject: str = ""
    body: str = ""
    location: str = ""

    @property
    def says(self) -> bool:
        """Whether anything differs from what the series has."""
        return self.cancelled or bool(self.start or self.subject or self.body or self.location)


INNER = ("subject", "body", "location")
"""Fields that an exception can have of its own."""


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    subject: str = ""
    body: str = ""
    """Plain text, lines ended by LF."""
    location: str = ""
    """Display name of the (first) place."""
    schedule: str = ""
    """When it takes place: one value, in the canonical text of `model.schedule.Schedule` (start,
    end, zone, all-day, recurrence rule). An event without one is shown nowhere."""
    exceptions: tuple[Occurrence, ...] = ()
    """Of a series, by `original`; in its order."""

    uid: str = ""
    """The iCalendar UID (Graph: `iCalUId`), the same in every mailbox that was invited. Inbound."""
    original_start: str = ""
    """For one occurrence of a series that this mailbox has not got as a whole: when the series has
    it, `YYYY-MM-DD` as in Occurrence. Blank otherwise. Inbound."""
    role: str = ""
    """A Role; blank for a plain appointment of the mailbox's own, without attendees. Inbound."""

    response: str = ""
    """The mailbox's own answer to an invitation, as the service words it. Local."""
    show_as: str = ""
    """A ShowAs. Local."""
    reminder: str = ""
    """Minutes before the start, in decimal; blank for none. Local."""
    sensitivity: str = ""
    """A Sensitivity; blank is as `normal`. Local."""
    categories: tuple[str, ...] = ()
    """Local: their names are a mailbox's own list."""


SHARED: frozenset[str] = frozenset({"subject", "body", "location", "schedule", "exceptions"})
INBOUND: frozenset[str] = frozenset({"uid", "original_start", "role"})
LOCAL: frozenset[str] = frozenset({"response", "show_as", "reminder", "sensitivity", "categories"})
INITIAL: frozenset[str] = frozenset({"show_as", "reminder", "sensitivity", "categories"})
"""Local fields that a mapping may give a copy when it is made."""
LIST_FIELDS: frozenset[str] = frozenset({"exceptions", "categories"})
FIELDS: tuple[str, ...] = Event.__struct_fields__


def private(event: Event) -> bool:
    """Whether its owner keeps it from others."""
    return event.sensitivity in PRIVATE
