"""What a connection is asked where its service tells of changes: the protocol, as `base` is for
items. A system that can't do that hasn't got it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from cirahub_sync.configuration import SpokeConfig
from cirahub_sync.endpoints.base import Target


class Refusal(StrEnum):
    """Why there is no subscription. Reasons of conditions."""

    DENIED = "NotificationsDenied"
    """The permission to read what it is about is missing, or there are too many there."""
    REFUSED = "NotificationsRefused"
    """This one is not taken: its resource, or where to tell of it."""
    EXISTS = "NotificationsElsewhere"
    """There is another one of the same application for the same."""
    GONE = "NotificationsEnded"
    """It has ended, or what it is about has."""
    UNAVAILABLE = "NotificationsUnavailable"
    """The service does not answer, or asks to wait."""


class Wanted(msgspec.Struct, frozen=True):
    resource: str
    secret: str
    """Which notifications of it will repeat."""


class Granted(msgspec.Struct, frozen=True):
    id: str
    expires: float
    """POSIX seconds."""


class Refused(msgspec.Struct, frozen=True):
    why: Refusal
    error: str
    """Status, code and request id; no content."""


class Subscriptions(Protocol):
    """Each method sends its requests in batches, and none of them twice. Raises what concerns the
    whole connection, in errors of `cirahub_sync.errors`."""

    def resources(self, spoke: SpokeConfig, target: Target) -> Sequence[str]:
        """What to subscribe to for this spoke: the first of them that is taken. None: the service
        does not tell of its changes."""
        ...

    async def create(self, wanted: Sequence[Wanted], *, url: str) -> Sequence[Granted | Refused]:
        """In the same order. The service asks at the URL first."""
        ...

    async def renew(self, ids: Sequence[str]) -> Sequence[Granted | Refused]:
        """In the same order; also after the service asked to be authorised anew."""
        ...

    async def end(self, ids: Sequence[str]) -> None:
        """Those that can't be ended now end by themselves."""
        ...

    async def standing(self, url: str) -> Mapping[str, Sequence[str]]:
        """Ids of the application's own that tell at the URL, by their resources."""
        ...
