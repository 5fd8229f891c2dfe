"""From a path to what it names. Segment names have no case, ids do.

OData's other spellings are taken as well: `users('id')`, `delta()`, `microsoft.graph.delta()`
(https://learn.microsoft.com/graph/delta-query-overview).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

from cirahub_simulator.graph.errors import bad_request, no_such_path

Noun = Literal[
    "batch",
    "users",
    "users-count",
    "users-delta",
    "user",
    "folders",
    "folders-count",
    "folders-delta",
    "folder",
    "contacts",
    "contacts-count",
    "contacts-delta",
    "contact",
    "contact-purge",
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
    """For contacts: whether the path names their folder. `/users/{id}/contacts` doesn't."""
    contact: str = ""


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
    if first != "users":
        raise no_such_path(segments[0])
    return _below_users(segments[1:])


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
    if name == "contacts":
        return _below_contacts(user, (), rest)
    if name == "contactfolders":
        return _below_folders(user, (), rest)
    raise no_such_path(segments[1])


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
    raise no_such_path(segments[1])
