"""The UID that an appointment has everywhere: [MS-OXOCAL] 2.2.1.27, PidLidGlobalObjectId."""

from __future__ import annotations

from datetime import datetime

_OUTLOOK = "040000008200E00074C5B7101A82E008"
"""How the UIDs of Exchange begin. Behind it stands the day of an occurrence that was sent by
itself, as year (two bytes), month and day, or zeros."""


def identity(uid: str) -> tuple[str, str]:
    """The UID without a day, and the day (`YYYY-MM-DD`) that the appointment is the occurrence of,
    if this mailbox has not got its series; blank otherwise."""
    head, day, rest = uid[:32], uid[32:40], uid[40:]
    if head.upper() != _OUTLOOK or not rest:
        return uid, ""
    try:
        year, month, dated = int(day[:4], 16), int(day[4:6], 16), int(day[6:], 16)
        original = f"{datetime(year, month, dated):%Y-%m-%d}" if int(day, 16) else ""  # noqa: DTZ001
    except ValueError:
        return uid, ""
    return f"{head}00000000{rest}".upper(), original
