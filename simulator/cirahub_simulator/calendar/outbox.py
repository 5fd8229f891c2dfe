"""Everything that mailboxes would have sent: invitations, updates, cancellations, responses.

Nothing leaves the simulator; what Exchange would have sent is noted here, so that a test can say
that nobody was written to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

import msgspec

MessageKind = Literal[
    "invitation",
    "update",
    "cancellation",
    "accepted",
    "tentativelyAccepted",
    "declined",
    "forward",
]


class Message(msgspec.Struct, kw_only=True, rename="camel"):
    """A message about a meeting, to one or more people."""

    seq: int
    time: str
    """When, on the simulator's clock, as Graph writes it."""
    kind: MessageKind
    user_id: str
    """Whose mailbox sent it."""
    to: list[str]
    """Addresses."""
    event_id: str
    """The event's immutable id there."""
    ical_uid: str
    subject: str | None
    day: str | None = None
    """For a message about one instance of a series: its day."""
    comment: str | None = None


class Outbox:
    """The messages of all mailboxes, oldest first."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._seq = 0

    def note(
        self,
        kind: MessageKind,
        *,
        time: str,
        user_id: str,
        to: Iterable[str],
        event_id: str,
        ical_uid: str,
        subject: str | None,
        day: date | None = None,
        comment: str | None = None,
    ) -> None:
        """Remember a message, unless it goes to nobody."""
        addresses = list(to)
        if not addresses:
            return
        self._seq += 1
        self._messages.append(
            Message(
                seq=self._seq,
                time=time,
                kind=kind,
                user_id=user_id,
                to=addresses,
                event_id=event_id,
                ical_uid=ical_uid,
                subject=subject,
                day=None if day is None else day.isoformat(),
                comment=comment,
            )
        )

    def messages(self) -> list[Message]:
        """All since the last `clear`."""
        return list(self._messages)

    def clear(self) -> None:
        """Forget all."""
        self._messages.clear()
