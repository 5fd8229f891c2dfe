"""What is wrong with an appointment, under Exchange's own names for it."""

from __future__ import annotations


class CalendarError(Exception):
    """An appointment that can't be as it is asked for; nothing has changed.

    The codes are Exchange's, which Graph puts into `error.code` and Exchange Web Services into
    `ResponseCode` ([MS-OXWSCDATA] 2.2.5.24).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def validation_failure(message: str = "At least one property failed validation.") -> CalendarError:
    """A property whose value goes with no event, or not with the others.

    Reported as `ErrorPropertyValidationFailure`; its message is Graph's in most reports.
    """
    return CalendarError("ErrorPropertyValidationFailure", message)


def unknown_zone(name: str) -> CalendarError:
    """A name of no time zone: github.com/microsoftgraph/microsoft-graph-docs, issue 4758."""
    return CalendarError(
        "TimeZoneNotSupportedException",
        "A valid TimeZone value must be specified. "
        f"The following TimeZone value is not supported: '{name}'.",
    )
