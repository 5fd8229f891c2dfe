"""Meetings of one mailbox: to whom Exchange writes when an event with attendees changes.

https://learn.microsoft.com/graph/api/user-post-events, event-update, event-delete, event-cancel,
event-accept: the organizer's changes are sent to attendees, an attendee's response to the
organizer. Messages are noted in the world's outbox and go nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cirahub_simulator.calendar.event import Instance, Item
from cirahub_simulator.calendar.fields import Address, EventFields
from cirahub_simulator.calendar.outbox import MessageKind

if TYPE_CHECKING:
    from cirahub_simulator.world import World


class Meetings:
    """What a mailbox sends about meetings."""

    def __init__(self, world: World, user_id: str, stamp: Callable[[], str]) -> None:
        self._world = world
        self._user_id = user_id
        self._stamp = stamp

    @property
    def owner(self) -> Address:
        """Who the mailbox belongs to."""
        user = self._world.directory.find_user(self._user_id)
        if user is None:
            return Address(name="", address="")
        return Address(name=user.display_name, address=user.mail or user.user_principal_name)

    def is_owner(self, address: Address) -> bool:
        """Whether an address is the mailbox owner's."""
        given = (address.address or "").casefold()
        user = self._world.directory.find_user(self._user_id)
        return user is not None and given in (
            (user.mail or "").casefold(),
            user.user_principal_name.casefold(),
        )

    def is_organizer(self, item: Item) -> bool:
        """Whether the mailbox's owner called the meeting."""
        return self.is_owner(item.organizer)

    def invite(self, item: Item) -> None:
        """Send a new meeting's invitations."""
        self._to_attendees("invitation", item, self._attendees(item.fields))

    def update(self, item: Item, before: EventFields) -> None:
        """Send what a change calls for.

        https://learn.microsoft.com/graph/api/event-update: all attendees get an update; where
        nothing but attendees changed, those alone who were added or removed.
        """
        now, then = self._attendees(item.fields), self._attendees(before)
        added = [address for address in now if address not in then]
        gone = [address for address in then if address not in now]
        self._to_attendees("invitation", item, added)
        self._to_attendees("cancellation", item, gone)
        if _without_people(item.fields) != _without_people(before):
            self._to_attendees("update", item, [a for a in now if a in then])

    def cancel(self, item: Item, comment: str | None = None) -> None:
        """Send a meeting's cancellations."""
        self._to_attendees("cancellation", item, self._attendees(item.fields), comment)

    def answer(self, kind: MessageKind, item: Item, comment: str | None) -> None:
        """Send the organizer a response."""
        self._note(kind, item, [item.organizer.address or ""], comment)

    def forward(self, item: Item, to: Iterable[str], comment: str | None) -> None:
        """Send a meeting on to others."""
        self._note("forward", item, to, comment)

    def _to_attendees(
        self, kind: MessageKind, item: Item, to: Iterable[str], comment: str | None = None
    ) -> None:
        if self.is_organizer(item):
            self._note(kind, item, to, comment)

    def _attendees(self, fields: EventFields) -> list[str]:
        found = []
        for attendee in fields.attendees:
            address = attendee.email_address
            if address.address and not self.is_owner(address):
                found.append(address.address)
        return found

    def _note(self, kind: MessageKind, item: Item, to: Iterable[str], comment: str | None) -> None:
        event = item.event if isinstance(item, Instance) else item
        self._world.outbox.note(
            kind,
            time=self._stamp(),
            user_id=self._user_id,
            to=to,
            event_id=event.immutable_id,
            ical_uid=event.uid,
            subject=item.fields.subject,
            day=item.day,
            comment=comment,
        )


def _without_people(fields: EventFields) -> tuple[object, ...]:
    """What attendees are told of; the mailbox's own settings and the guest list left out."""
    return (
        fields.start,
        fields.end,
        fields.subject,
        fields.body,
        fields.locations,
        fields.is_all_day,
        fields.importance,
        fields.recurrence,
    )
