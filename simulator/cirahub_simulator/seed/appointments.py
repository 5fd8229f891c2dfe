"""What is in the calendars of the generated organisation: the shapes that real ones have.

For each tenant a weekly meeting of all with a cancelled day, a moved one and one in another room,
across a change of the clocks; for each mailbox a private appointment, days off, a birthday, a
series of its own, and in a calendar beside the default one something to be read only there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from cirahub_simulator.seed.record import EventRecord, Organizer, UserRecord

ZONES = {
    "contoso.example": "Pacific Standard Time",
    "fabrikam.example": "Tokyo Standard Time",
    "northwind.example": "Europe/Berlin",
}
"""Two of them by Windows' name, one by IANA's; two change their clocks."""

_FIRST = date(2026, 9, 7)
"""A Monday. The series of it goes on without an end."""
_CANCELLED = [date(2026, 12, 28)]
_MOVED = date(2026, 12, 14)
_ELSEWHERE = date(2026, 11, 30)


def appointments(domain: str, staff: Sequence[UserRecord]) -> Iterator[EventRecord]:
    """The appointments of a tenant's users; the first one calls the meeting of all."""
    mailboxes = [user for user in staff if user.has_mailbox]
    zone = ZONES[domain]
    for number, user in enumerate(mailboxes):
        yield _team_meeting(domain, user, mailboxes, zone)
        yield from _own(number, user, zone)


def _team_meeting(
    domain: str, user: UserRecord, mailboxes: Sequence[UserRecord], zone: str
) -> EventRecord:
    boss = mailboxes[0]
    own = user is boss
    event = _event("Team meeting", _times(_FIRST, "09:30", "10:15", zone)) | {
        "body": {
            "contentType": "html",
            "content": "<p>Reports, then <b>plans</b>.</p>",
        },
        "location": {"displayName": "Room 1"},
        "attendees": [
            {
                "type": "required" if number < 4 else "optional",
                "emailAddress": {"name": other.display_name, "address": other.mail},
            }
            for number, other in enumerate(mailboxes[1:])
        ],
        "recurrence": {
            "pattern": {
                "type": "weekly",
                "interval": 1,
                "daysOfWeek": ["monday"],
                "firstDayOfWeek": "monday",
            },
            "range": {"type": "noEnd", "startDate": _FIRST.isoformat()},
        },
    }
    tuesday = _MOVED + timedelta(days=1)
    return EventRecord(
        mailbox=user.user_principal_name,
        event=event,
        uid=_uid(f"team meeting {domain}"),
        organizer=None if own else Organizer(name=boss.display_name, address=boss.mail or ""),
        response=None if own else "accepted",
        cancelled=_CANCELLED,
        exceptions={
            _ELSEWHERE: {"location": {"displayName": "Room 7"}},
            _MOVED: _times(tuesday, "14:00", "15:00", zone) | {"subject": "Team meeting (Tuesday)"},
        },
    )


def _own(number: int, user: UserRecord, zone: str) -> Iterator[EventRecord]:
    """What nobody else has; days differ from mailbox to mailbox."""
    day = date(2026, 12, 2) + timedelta(days=number)
    away = day + timedelta(days=30)
    private = {"sensitivity": "private", "showAs": "oof", "reminderMinutesBeforeStart": 60}
    yield _record(user, _event("Dentist", _times(day, "08:00", "08:45", zone)) | private)
    yield _record(
        user,
        _event("Annual leave", _times(away, "00:00", "00:00", zone, days=5))
        | {"isAllDay": True, "showAs": "oof", "isReminderOn": False, "categories": ["Leave"]},
    )
    born = date(2026, 1, 29) + timedelta(days=41 * number)
    yield _record(
        user,
        _event("Birthday of an aunt", _times(born, "00:00", "00:00", zone, days=1))
        | {
            "isAllDay": True,
            "showAs": "free",
            "recurrence": {
                "pattern": {
                    "type": "absoluteYearly",
                    "interval": 1,
                    "dayOfMonth": born.day,
                    "month": born.month,
                },
                "range": {"type": "noEnd", "startDate": born.isoformat()},
            },
        },
    )
    thursday = date(2026, 10, 1)
    yield _record(
        user,
        _event("Report is due", _times(thursday, "16:00", "16:30", zone))
        | {
            "importance": "high",
            "recurrence": {
                "pattern": {
                    "type": "relativeMonthly",
                    "interval": 1,
                    "daysOfWeek": ["thursday"],
                    "index": "first",
                },
                "range": {
                    "type": "numbered",
                    "startDate": thursday.isoformat(),
                    "numberOfOccurrences": 12,
                },
            },
        },
    )
    choir = _times(day + timedelta(days=7), "19:30", "22:00", zone)
    yield _record(user, _event("Choir", choir), calendar="Private")


def _record(user: UserRecord, event: dict[str, object], calendar: str = "") -> EventRecord:
    return EventRecord(mailbox=user.user_principal_name, event=event, calendar=calendar)


def _event(subject: str, times: dict[str, object]) -> dict[str, object]:
    return {"subject": subject, **times}


def _times(day: date, start: str, end: str, zone: str, *, days: int = 0) -> dict[str, object]:
    last = day + timedelta(days=days)
    return {
        "start": {"dateTime": f"{day.isoformat()}T{start}:00", "timeZone": zone},
        "end": {"dateTime": f"{last.isoformat()}T{end}:00", "timeZone": zone},
    }


def _uid(name: str) -> str:
    """A UID as Outlook makes them, the same on every machine."""
    data = hashlib.sha256(name.encode()).hexdigest()[:32].upper()
    return f"040000008200E00074C5B7101A82E0080000000000000000000000000000000000000000{data}"
