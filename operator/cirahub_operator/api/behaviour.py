"""What a spoke does: the same for one mailbox and for the many of a set."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from cirahub_operator.api.duration import between
from cirahub_operator.api.flow import FieldName, FlowSpec
from cirahub_operator.api.meta import Model, Rule
from cirahub_operator.api.text import Matching, Region
from cirahub_sync.configuration import Adopt, Direction, OnUserDelete, PrivateItems

FolderPath = Annotated[
    str,
    Matching(
        pattern="^([^/]+(/[^/]+)*)?$",
        message="write the folder's path without / at its start and end, like Team/External, "
        "or leave it out for the default contact folder",
        max_length=512,
    ),
]
CalendarName = Annotated[
    str,
    Matching(
        pattern="^([^/]*[^/ ])?$",
        message="write the calendar's name as its mailbox shows it, or leave it out for the "
        "default calendar",
        max_length=255,
    ),
]


class MailboxFolder(Model):
    """A contact folder."""

    folder: FolderPath = Field(
        default="",
        description="A folder by its path of display names below the default contact folder, "
        "separated by `/`, for example Team/External. A receiving spoke's folder is created if it "
        "is missing. Blank is the default contact folder.",
    )


class MailboxCalendar(Model):
    """A calendar."""

    name: CalendarName = Field(
        default="",
        description="The calendar's display name. A receiving spoke's calendar is created if it is "
        "missing. Blank is the default calendar.",
    )


class Behaviour(Model):
    """What flows which way, and how."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="!has(self.privateItems) || has(self.calendar)",
            message="privateItems is about calendars: leave it out",
            holds=lambda self: self.private_items is None or self.calendar is not None,
        ),
        Rule(
            rule="!has(self.receives) || self.direction != 'Contribute'",
            message="receives has no effect on a spoke that only contributes: set direction to "
            "TwoWay or Receive, or leave receives out",
            holds=lambda self: self.receives is None or self.direction.receives,
        ),
        Rule(
            rule="!has(self.contributes) || self.direction != 'Receive'",
            message="contributes has no effect on a spoke that only receives: set direction to "
            "Contribute or TwoWay, or leave contributes out",
            holds=lambda self: self.contributes is None or self.direction.contributes,
        ),
        Rule(
            rule="!has(self.contributes) || ((!has(self.contributes.mapping) || "
            "self.contributes.mapping.all(m, !has(m.notesBetween))) && "
            "(!has(self.contributes.policies) || "
            "self.contributes.policies.all(p, p.policy != 'FillIfBlank')))",
            message="contributes: notesBetween and FillIfBlank are for receives; which of several "
            "values a hub takes is for its conflictPolicy to say",
            holds=lambda self: self.contributes is None or not self.contributes.receivers_only,
        ),
    )

    direction: Direction = Field(
        default=Direction.CONTRIBUTE,
        description="Contribute: the hub reads from here and never writes. TwoWay: it also brings "
        "what the hub holds. Receive: it only brings, and what is here besides stays untouched.",
    )
    contributes: FlowSpec | None = Field(
        default=None, description="What flows from here into the hub. Without it, everything."
    )
    receives: FlowSpec | None = Field(
        default=None, description="What flows from the hub to here. Without it, everything."
    )
    never_sync: Annotated[tuple[FieldName, ...], Field(max_length=64)] = Field(
        default=(),
        description="Fields that pass in neither direction, and of which nothing is kept: not even "
        "what was read.",
    )
    default_region: Region | None = Field(
        default=None,
        description="ISO 3166 region in which this mailbox's phone numbers without a country code "
        "are read, for matching and by a mapping with phoneFormat. Without it, the Connection's, "
        "else the Hub's.",
    )
    adopt: Adopt = Field(
        default=Adopt.MATCH,
        description="What becomes of the mailbox's own contacts when they are seen first. "
        "Match: one that matches an item of the Hub is that item, and with TwoWay gets what the "
        "item has. Never: each is an item of its own, and nothing matches it. No effect with "
        "Receive, which leaves them alone. A change is for contacts that come.",
    )
    private_items: PrivateItems | None = Field(
        default=None,
        description="What a calendar contributes of events that their owner marked private or "
        "confidential. Skip (the default): nothing. Mask: when they are, and nothing else; what "
        "they are about is not even kept.",
    )
    photos: bool = Field(
        default=True,
        description="Whether photos of contacts are read and written here, where the Hub syncs "
        "any. Set to false, those that people put on their contacts here count no more, and those "
        "that were written here stay as they are.",
    )
    on_user_delete: OnUserDelete = Field(
        default=OnUserDelete.REMEMBER,
        description="When the mailbox's user deletes a copy: Remember that it isn't wanted here, "
        "or Restore it.",
    )
    verify_interval: Annotated[str, between("1m", "720h")] = Field(
        default="24h",
        description="How often a receiving spoke is looked at for what its user did to the copies; "
        "from 1m to 720h.",
    )

    def directories_beside(self, connection: str) -> frozenset[str]:
        """The names of the Connections in whose directories its filters look for groups;
        `connection` is its own."""
        flows = (
            self.contributes if self.direction.contributes else None,
            self.receives if self.direction.receives else None,
        )
        named = [flow.filter for flow in flows if flow is not None and flow.filter is not None]
        return frozenset().union(*(one.directories(connection) for one in named))
