"""State tokens and rounds of delta queries on a mailbox.

https://learn.microsoft.com/graph/delta-query-overview. A token is a position in a change log with
the options of the round's first request; it holds no other state and so never leaks and survives as
long as the mailbox does. What changes while a round is paged shows at the round's end.
"""

from __future__ import annotations

import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from cirahub_simulator.graph.changes import Change, ChangeLog
from cirahub_simulator.graph.errors import bad_request, sync_state_not_found
from cirahub_simulator.switches import Switches

Item = TypeVar("Item")

TOKEN_LIFE = {"one-day": 86_400.0, "seven-days": 7 * 86_400.0}
DELAY = {"none": 0.0, "five-seconds": 5.0}

INCREMENTAL = -1


class Token(msgspec.Struct, array_like=True, frozen=True):
    """Where a reader stands."""

    scope: str
    """What is tracked, e.g. a folder's id. A token of another scope is none."""
    world: str
    """Drawn anew by each run of the simulator: tokens don't outlive it."""
    generation: int
    """The mailbox's generation when it was given out."""
    issued: float
    """Seconds since the epoch, on the simulator's clock."""
    position: int
    """The sequence number of the last change considered."""
    started: int = INCREMENTAL
    """For a round that began with everything: the sequence number at its beginning."""
    page: int = 0
    """How many pages of the round came before."""
    last: int = 0
    """The sequence number of the last change that was answered, if `delta_repeats` is on."""
    select: tuple[str, ...] = ()
    extended_ids: tuple[str, ...] = ()
    window: tuple[str, str] = ("", "")
    """Of a calendar view: its start and its end, ISO 8601 with an offset."""
    began: int = INCREMENTAL
    """Of a calendar view: the position at which the round began."""
    offset: int = 0
    """Of a calendar view: how many entries of the next change were answered already."""


def write_token(token: Token) -> str:
    """The opaque text of a token."""
    return urlsafe_b64encode(msgspec.msgpack.encode(token)).decode().rstrip("=")


_decoder = msgspec.msgpack.Decoder(Token)


def read_token(
    text: str, *, scope: str, world: str, generation: int, now: float, switches: Switches
) -> Token:
    """The token of a text. Raises GraphError: 400 for what is none, 410 for one that expired."""
    try:
        token = _decoder.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (Base64Error, ValueError, msgspec.DecodeError) as error:
        raise bad_request("Badly formed token.") from error
    if token.world != world:
        raise sync_state_not_found()
    if token.scope != scope:
        raise bad_request("The token belongs to another resource.")
    if token.generation != generation:
        raise sync_state_not_found()
    if now - token.issued > TOKEN_LIFE.get(switches.delta_token_life, float("inf")):
        raise sync_state_not_found()
    return token


@dataclass(frozen=True, slots=True)
class Reading(Generic[Item]):
    """A page of a round."""

    changes: list[Change[Item]]
    position: int
    last: int
    done: bool


def read_page(
    log: ChangeLog[Item],
    token: Token,
    *,
    size: int,
    shown: Callable[[Change[Item], Token], bool],
    now: float,
    switches: Switches,
) -> Reading[Item]:
    """Read on from a token. `shown` says whether a change is still to be told."""
    if switches.delta_empty_first_page and token.page == 0:
        return Reading([], token.position, 0, done=False)
    horizon = now - DELAY[switches.delta_delay]
    changes: list[Change[Item]] = []
    if switches.delta_repeats and token.last:
        before = log[log.after(token.last) - 1]
        if shown(before, token):
            changes.append(before)
    room = size + len(changes)
    position, last, done = token.position, token.last, True
    for index in range(log.after(token.position), len(log)):
        change = log[index]
        if change.time > horizon:
            break
        if shown(change, token):
            if len(changes) == room:
                done = False
                break
            changes.append(change)
            last = change.sequence
        position = change.sequence
    if switches.delta_order == "newest-first":
        changes.reverse()
    elif switches.delta_order == "shuffled":
        random.Random(position).shuffle(changes)  # noqa: S311 - repeatable disorder
    return Reading(changes, position, last, done)
