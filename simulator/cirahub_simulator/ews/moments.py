"""Dates and times: xs:dateTime in requests, UTC in answers.

[MS-OXWSCDATA] 2.2.4.66 (TimeZoneContext): a time without an offset is in the request's time zone,
UTC unless it names another; answers are UTC unless it does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cirahub_simulator.calendar.zone import Moment
from cirahub_simulator.ews.errors import schema_violation

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?")


def read_moment(text: str) -> str:
    """An xs:dateTime as the mailbox keeps it. Raises SoapFaultError."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise schema_violation(f"The string '{text}' is not a valid dateTime value.")
    zone = "+00:00" if match[4] in (None, "Z") else match[4]
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00:00'}{zone}")
    except ValueError as error:
        raise schema_violation(f"The string '{text}' is not a valid dateTime value.") from error
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def write_moment(stored: str) -> str:
    """What the mailbox keeps as an answer's xs:dateTime."""
    return read_moment(stored) if _MOMENT.fullmatch(stored) else stored


def moment_of(text: str) -> datetime | None:
    """An aware datetime of a text, if it is one."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    zone = "+00:00" if match[4] in (None, "Z") else match[4]
    return datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00:00'}{zone}")


def local_moment(text: str, zone_name: str, default_zone: str) -> Moment:
    """An xs:dateTime on the clock of a zone. Raises SoapFaultError.

    One without an offset is a time of the request's zone.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise schema_violation(f"The string '{text}' is not a valid dateTime value.")
    plain = f"{match[1]}T{match[2] or '00:00:00'}"
    try:
        if match[4] is None:
            given = Moment.parse(plain, default_zone)
            return Moment(given.seen_in(zone_name), zone_name)
        return Moment.parse(plain + ("+00:00" if match[4] == "Z" else match[4]), zone_name)
    except ValueError as error:
        raise schema_violation(f"The string '{text}' is not a valid dateTime value.") from error
