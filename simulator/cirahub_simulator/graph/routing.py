"""From a path to what it names. Segment names have no case, ids do.

OData's other spellings are taken as well: `users('id')`, `delta()`, `microsoft.graph.delta()`
(https://learn.microsoft.com/graph/delta-query-overview).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

from cirahub_simulator.graph.errors import bad_request, no_such_path, not_simulated

Noun = Literal[
    "batch",
    "subscription",
    "subscription-reauthorize",
    "subscriptions",
    "organization",
    "organizations",
    "users",
    "users-count",
    "users-delta",
    "user",
    "user-groups",
    "user-manager",
    "user-photo",
    "user-photo-value",
    "user-photos",
    "user-settings",
    "org-contact",
    "org-contacts",
    "org-contacts-count",
    "org-contacts-delta",
    "groups",
    "groups-count",
    "groups-delta",
    "group",
    "group-members",
    "group-members-count",
    "folders",
    "folders-count",
    "folders-delta",
    "folder",
    "contacts",
    "contacts-count",
    "contacts-delta",
    "contact",
    "contact-purge",
    "extension",
    "extensions",
    "photo",
    "photo-value",
    "calendars",
    "calendar",
    "events",
    "events-count",
    "event",
    "event-accept",
    "event-cancel",
    "event-decline",
    "event-forward",
    "event-instances",
    "event-purge",
    "event-tentative",
    "view",
    "view-delta",
]

_KEY_IN_PARENTHESES = re.compile(r"\('((?:[^']|'')*)'\)")
_DELTA = frozenset(
    ("delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()", "graph.delta()")
)


@dataclass(frozen=True, slots=True)
class Route:
    """What a path names."""

    noun: Noun
    user: str = ""
    folders: tuple[str, ...] = ()
    """The folder's own id, after those of the folders that the path names above it."""
    in_folder: bool = True
    """Whether the path names the folder. `/users/{id}/contacts` and `/users/{id}/events` don't."""
    contact: str = ""
    calendar: str = ""
    """A calendar's id. Empty: the default one, or for an event any of the mailbox."""
    event: str = ""
    group: str = ""
    transitive: bool = False
    """Of memberships: whether those of nested groups count."""
    cast: str = ""
    """The type that a collection of directory objects is cast to, as `user`."""
    size: str = ""
    """Of a user's photo, as `48x48`. Empty: the photo as it is."""
    organization: str = ""
    extension: str = ""
    """The id or the name of an open extension of the contact or the event."""
    subscription: str = ""


@lru_cache(maxsize=8192)
def resolve(path: str) -> Route:
    """Read a raw path, without `/v1.0`. Raises GraphError for one that Graph doesn't have."""
    if "('" in path:
        path = _KEY_IN_PARENTHESES.sub(lambda match: "/" + match[1].replace("''", "'"), path)
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    first = segments[0].lower()
    if first == "$batch" and len(segments) == 1:
        return Route("batch")
    if first == "me":
        raise bad_request("/me request is only valid with delegated authentication flow.")
    if first == "contacts" and len(segments) <= 2:
        return _org_contacts(segments[1:])
    if first == "organization" and len(segments) <= 2:
        if len(segments) == 1:
            return Route("organizations")
        return Route("organization", organization=segments[1])
    if first == "subscriptions":
        return _subscriptions(segments[1:])
    if first == "groups":
        return _below_groups(segments[1:])
    if first != "users":
        raise no_such_path(segments[0])
    return _below_users(segments[1:])


def _subscriptions(segments: list[str]) -> Route:
    if not segments:
        return Route("subscriptions")
    if len(segments) == 1:
        return Route("subscription", subscription=segments[0])
    action = segments[1].lower().removeprefix("microsoft.graph.").removesuffix("()")
    if len(segments) == 2 and action == "reauthorize":
        return Route("subscription-reauthorize", subscription=segments[0])
    raise no_such_path(segments[1])


def _org_contacts(segments: list[str]) -> Route:
    if not segments:
        return Route("org-contacts")
    name = segments[0].lower()
    if name == "$count":
        return Route("org-contacts-count")
    if name in _DELTA:
        return Route("org-contacts-delta")
    return Route("org-contact", contact=segments[0])


def _below_groups(segments: list[str]) -> Route:
    if not segments:
        return Route("groups")
    if len(segments) == 1:
        head = segments[0].lower()
        if head in _DELTA:
            return Route("groups-delta")
        return Route("groups-count") if head == "$count" else Route("group", group=segments[0])
    name = segments[1].lower()
    if name not in ("members", "transitivemembers"):
        raise no_such_path(segments[1])
    cast, counted = _objects(segments[2:])
    return Route(
        "group-members-count" if counted else "group-members",
        group=segments[0],
        transitive=name == "transitivemembers",
        cast=cast,
    )


def _objects(segments: list[str]) -> tuple[str, bool]:
    """The cast and whether `$count` follows, below a collection of directory objects.

    https://learn.microsoft.com/graph/api/group-list-transitivemembers
    """
    cast = ""
    if segments and segments[0].lower().removeprefix("microsoft.").startswith("graph."):
        cast, segments = segments[0].rpartition(".")[2], segments[1:]
    if segments not in ([], ["$count"]):
        raise no_such_path(segments[0])
    return cast, bool(segments)


def _below_users(segments: list[str]) -> Route:
    if not segments:
        return Route("users")
    head = segments[0].lower()
    if len(segments) == 1:
        if head == "$count":
            return Route("users-count")
        if head in _DELTA:
            return Route("users-delta")
        return Route("user", user=segments[0])
    user, name, rest = segments[0], segments[1].lower(), segments[2:]
    if name in ("memberof", "transitivememberof"):
        cast, counted = _objects(rest)
        if counted:
            raise no_such_path("$count")
        return Route("user-groups", user, transitive=name == "transitivememberof", cast=cast)
    if name in ("manager", "mailboxsettings") and not rest:
        return Route("user-manager" if name == "manager" else "user-settings", user)
    if name in ("photo", "photos"):
        return _photo(user, name, [segment.lower() for segment in rest])
    if name == "contacts":
        return _below_contacts(user, (), rest)
    if name == "contactfolders":
        return _below_folders(user, (), rest)
    if name == "calendars":
        return _below_calendars(user, rest)
    if name == "calendargroups":
        raise not_simulated("calendar groups")
    if name == "calendar":
        return _in_calendar(user, "", rest, segments[1]) if rest else Route("calendar", user)
    if name in ("events", "calendarview"):
        return _in_calendar(user, "", segments[1:], segments[1], in_folder=False)
    raise no_such_path(segments[1])


def _photo(user: str, name: str, segments: list[str]) -> Route:
    """A user's photo, or one of its sizes: https://learn.microsoft.com/graph/api/profilephoto-get"""
    if name == "photos" and not segments:
        return Route("user-photos", user)
    size, rest = (segments[0], segments[1:]) if name == "photos" else ("", segments)
    if rest not in ([], ["$value"]):
        raise no_such_path(rest[0])
    return Route("user-photo-value" if rest else "user-photo", user, size=size)


def _below_folders(user: str, above: tuple[str, ...], segments: list[str]) -> Route:
    if not segments:
        return Route("folders", user, above)
    head = segments[0].lower()
    if len(segments) == 1:
        if head == "$count":
            return Route("folders-count", user, above)
        if head in _DELTA:
            return Route("folders-delta", user, above)
        return Route("folder", user, (*above, segments[0]))
    folders, name, rest = (*above, segments[0]), segments[1].lower(), segments[2:]
    if name == "childfolders":
        return _below_folders(user, folders, rest)
    if name == "contacts":
        return _below_contacts(user, folders, rest)
    raise no_such_path(segments[1])


def _below_contacts(user: str, folders: tuple[str, ...], segments: list[str]) -> Route:
    named = bool(folders)
    if not segments:
        return Route("contacts", user, folders, named)
    head = segments[0].lower()
    if len(segments) == 1:
        if head == "$count":
            return Route("contacts-count", user, folders, named)
        if head in _DELTA:
            return Route("contacts-delta", user, folders, named)
        return Route("contact", user, folders, named, segments[0])
    if len(segments) == 2 and segments[1].lower().removeprefix("microsoft.graph.") in (
        "permanentdelete",
        "permanentdelete()",
    ):
        return Route("contact-purge", user, folders, named, segments[0])
    name, rest = segments[1].lower(), [segment.lower() for segment in segments[2:]]
    if name == "photo" and not rest:
        return Route("photo", user, folders, named, segments[0])
    if name == "photo" and rest == ["$value"]:
        return Route("photo-value", user, folders, named, segments[0])
    if name == "extensions" and not rest:
        return Route("extensions", user, folders, named, segments[0])
    if name == "extensions" and len(rest) == 1:
        return Route("extension", user, folders, named, segments[0], extension=segments[2])
    raise no_such_path(segments[1])


_EVENT_ACTIONS: dict[str, Noun] = {
    "accept": "event-accept",
    "cancel": "event-cancel",
    "decline": "event-decline",
    "forward": "event-forward",
    "instances": "event-instances",
    "permanentdelete": "event-purge",
    "tentativelyaccept": "event-tentative",
}


def _below_calendars(user: str, segments: list[str]) -> Route:
    if not segments:
        return Route("calendars", user)
    if len(segments) == 1:
        return Route("calendar", user, calendar=segments[0])
    return _in_calendar(user, segments[0], segments[1:], segments[1])


def _in_calendar(
    user: str, calendar: str, segments: list[str], shown: str, *, in_folder: bool = True
) -> Route:
    """What is below a calendar: its events and its views."""
    head, rest = segments[0].lower(), segments[1:]

    def route(noun: Noun, event: str = "") -> Route:
        return Route(noun, user, in_folder=in_folder, calendar=calendar, event=event)

    if head == "calendarview":
        if not rest:
            return route("view")
        if len(rest) == 1 and rest[0].lower() in _DELTA:
            return route("view-delta")
        raise no_such_path(rest[0])
    if head != "events":
        raise no_such_path(shown)
    if not rest:
        return route("events")
    if len(rest) == 1:
        name = rest[0].lower()
        if name == "$count":
            return route("events-count")
        return route("view-delta") if name in _DELTA else route("event", rest[0])
    action = rest[1].lower().removeprefix("microsoft.graph.").removesuffix("()")
    if len(rest) == 2 and action in _EVENT_ACTIONS:
        return route(_EVENT_ACTIONS[action], rest[0])
    if action == "extensions" and len(rest) <= 3:
        named = Route(
            "extensions" if len(rest) == 2 else "extension",
            user,
            in_folder=in_folder,
            calendar=calendar,
            event=rest[0],
        )
        return named if len(rest) == 2 else replace(named, extension=rest[2])
    if action == "instances":
        raise not_simulated("delta of one series' instances")
    raise no_such_path(rest[1])
