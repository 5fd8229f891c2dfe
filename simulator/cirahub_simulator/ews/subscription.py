"""Subscriptions: what somebody wants to hear of, and how far they have heard.

[MS-OXWSNTIF];
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/notification-subscriptions-mailbox-events-and-ews-in-exchange
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

import msgspec

from cirahub_simulator.ews.errors import EwsError

if TYPE_CHECKING:
    from cirahub_simulator.graph.mailbox import Mailbox


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One of them."""

    id: str
    user_id: str
    """Who made it."""
    mailbox: Mailbox
    folders: frozenset[str] | None
    """Ids. None: all of the mailbox."""
    events: frozenset[str]
    """Names as EventType has them."""
    position: int
    """The sequence number of the last write that was told, or that was there before."""
    patience: float | None
    """Seconds that it lives unasked; None for one that streams."""
    asked: float
    """When it was last asked, in seconds since the epoch."""


class Subscriptions:
    """Those of a world."""

    def __init__(self) -> None:
        self._held: dict[str, Subscription] = {}

    def add(
        self,
        *,
        user_id: str,
        mailbox: Mailbox,
        folders: frozenset[str] | None,
        events: frozenset[str],
        position: int,
        patience: float | None,
        now: float,
    ) -> Subscription:
        """A new one."""
        made = Subscription(
            id=b64encode(token_hex(24).encode()).decode(),
            user_id=user_id,
            mailbox=mailbox,
            folders=folders,
            events=events,
            position=position,
            patience=patience,
            asked=now,
        )
        self._held[made.id] = made
        return made

    def find(self, subscription_id: str, user_id: str, now: float) -> Subscription:
        """The one of an id. Raises EwsError: not there, not the caller's, or too long unasked."""
        found = self._held.get(subscription_id)
        if found is None:
            raise EwsError("ErrorSubscriptionNotFound", "The subscription was not found.")
        if found.user_id != user_id:
            raise EwsError("ErrorSubscriptionAccessDenied", "The subscription is somebody else's.")
        if found.patience is not None and now > found.asked + found.patience:
            del self._held[subscription_id]
            raise EwsError("ErrorExpiredSubscription", "The subscription has expired.")
        found.asked = now
        return found

    def remove(self, subscription: Subscription) -> None:
        """End one."""
        del self._held[subscription.id]


class _Watermark(msgspec.Struct, array_like=True, frozen=True):
    mailbox: str
    generation: int
    position: int


_decoder = msgspec.msgpack.Decoder(_Watermark)


def write_watermark(mailbox: Mailbox, position: int) -> str:
    """The opaque text of a place in a mailbox's history."""
    mark = _Watermark(mailbox.user_id, mailbox.token_generation, position)
    return b64encode(msgspec.msgpack.encode(mark)).decode()


def read_watermark(mailbox: Mailbox, text: str) -> int:
    """The place of a watermark. Raises EwsError for one of another mailbox, or of none."""
    try:
        mark = _decoder.decode(b64decode(text.strip(), validate=True))
    except (Base64Error, ValueError, msgspec.DecodeError) as error:
        raise EwsError("ErrorInvalidWatermark", "The watermark is invalid.") from error
    if (mark.mailbox, mark.generation) != (mailbox.user_id, mailbox.token_generation):
        raise EwsError("ErrorInvalidWatermark", "The watermark is of another mailbox.")
    return mark.position
