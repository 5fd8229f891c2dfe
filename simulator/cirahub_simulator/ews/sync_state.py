"""Sync states: what SyncFolderItems and SyncFolderHierarchy remember for a client.

[MS-OXWSSYNC] 3.1.4.1 and 3.1.4.2. A state is a position in a log of changes, opaque to clients; one
of another folder, another mailbox or another kind is ErrorInvalidSyncStateData
(https://learn.microsoft.com/exchange/client-developer/exchange-web-services/handling-synchronization-related-errors-in-ews-in-exchange).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.graph.changes import Change, ChangeLog

Item = TypeVar("Item")


class SyncState(msgspec.Struct, array_like=True, frozen=True):
    """Where a client stands.

    Changes are told in rounds: all that there were when the round began, each object once.
    """

    scope: str
    """What is synchronised."""
    generation: int
    """The mailbox's generation when it was given out."""
    base: int = 0
    """The sequence number of the last change before the round."""
    position: int = 0
    """The sequence number of the last change of the round that was told."""
    head: int = 0
    """The sequence number of the last change of the round."""


class News(NamedTuple, Generic[Item]):
    """One object of an answer."""

    kind: str
    """`Create`, `Update` or `Delete`."""
    item: Item
    id: str


_decoder = msgspec.msgpack.Decoder(SyncState)


def write_state(state: SyncState) -> str:
    """The opaque text of a state."""
    return b64encode(msgspec.msgpack.encode(state)).decode()


def read_state(text: str, scope: str, generation: int) -> SyncState:
    """The state of a text; the beginning for an empty one. Raises EwsError."""
    if not text.strip():
        return SyncState(scope, generation)
    try:
        state = _decoder.decode(b64decode(text, validate=True))
    except (Base64Error, ValueError, msgspec.DecodeError) as error:
        raise _invalid() from error
    if state.scope != scope or state.generation != generation:
        raise _invalid()
    return state


def read_news(
    log: ChangeLog[Item], state: SyncState, most: int, gone: Callable[[Change[Item]], bool]
) -> tuple[list[News[Item]], SyncState, bool]:
    """At most so many objects that changed since a state, the next state, and whether that is all.

    An object that came within the round is unknown to the client: its leaving is not told.
    """
    news: list[News[Item]] = []
    end = log[len(log) - 1].sequence if len(log) else 0
    while len(news) < most:
        if state.position >= state.head:
            if state.head >= end:
                break
            state = msgspec.structs.replace(state, base=state.head, position=state.head, head=end)
        state = _read_round(log, state, most, gone, news)
    return news, state, state.position >= end


def _read_round(
    log: ChangeLog[Item],
    state: SyncState,
    most: int,
    gone: Callable[[Change[Item]], bool],
    news: list[News[Item]],
) -> SyncState:
    last: dict[str, int] = {}
    came: set[str] = set()
    for index in range(log.after(state.base), log.after(state.head)):
        change = log[index]
        if change.placed and change.id not in last:
            came.add(change.id)
        last[change.id] = index
    position = state.position
    for index in range(log.after(state.position), log.after(state.head)):
        change = log[index]
        if last[change.id] == index:
            if len(news) == most:
                return msgspec.structs.replace(state, position=position)
            if not gone(change):
                kind = "Create" if change.id in came else "Update"
                news.append(News(kind, change.item, change.id))
            elif change.id not in came:
                news.append(News("Delete", change.item, change.id))
        position = change.sequence
    return msgspec.structs.replace(state, position=state.head)


def _invalid() -> EwsError:
    return EwsError(
        "ErrorInvalidSyncStateData", "The synchronization state data is corrupt or invalid."
    )
