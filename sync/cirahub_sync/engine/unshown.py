"""Unshown: what a round from nothing over a calendar did not show.

A round shows what is in the window. What is known to be outside of it has not been looked at; what
was thought to be inside may have been moved out by its user. So those are looked for by their ids,
and only what is found nowhere is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from cirahub_sync.endpoints.base import Endpoint, RemoteItem, Unreadable, Whereabouts
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import Content
from cirahub_sync.model.window import Span
from cirahub_sync.store.hub import Transaction

CHUNK = 400


async def still_there(
    context: PassContext, run: SpokeRun, endpoint: Endpoint, shown: Collection[str]
) -> list[RemoteItem | Unreadable]:
    """Items that the window was to show and did not, and that are in the calendar all the same: as
    they are now."""
    if context.span is None:
        return []
    found: list[RemoteItem | Unreadable] = []
    with context.store.read() as tx:
        missed = [one for one in expected(tx, run, context.span) if one not in shown]
    for start in range(0, len(missed), CHUNK):
        where = await endpoint.locate(missed[start : start + CHUNK])
        here = [remote for remote, place in where.items() if place is Whereabouts.HERE]
        if here:
            present = await endpoint.fetch(here)
            found += [item for item in present.values() if item is not None]
    return found


def expected(tx: Transaction, run: SpokeRun, span: Span) -> list[str]:
    """The remote ids of what is known of the spoke and inside."""
    return [remote for remote, inside in _known(tx, run, span) if inside]


def spare(tx: Transaction, run: SpokeRun, span: Span, round_id: str) -> None:
    """Count what is outside as shown by the round."""
    outside = [remote for remote, inside in _known(tx, run, span) if not inside]
    for start in range(0, len(outside), CHUNK):
        some = outside[start : start + CHUNK]
        tx.shadows.mark_round(run.uid, some, round_id)
        tx.replicas.mark_round(run.uid, some, round_id)


def _known(tx: Transaction, run: SpokeRun, span: Span) -> Iterator[tuple[str, bool]]:
    after = ""
    while shadows := tx.shadows.of_spoke(run.uid, after, CHUNK):
        after = shadows[-1].remote
        for shadow in shadows:
            yield shadow.remote, _inside(shadow.content, span)
    if run.config.direction.contributes:
        return  # every copy has a shadow
    after = ""
    while copies := tx.replicas.copies(run.uid, after, CHUNK):
        after = copies[-1].item
        items = tx.items.get([copy.item for copy in copies])
        for copy in copies:
            item = items.get(copy.item)
            yield copy.remote, item is not None and _inside(item.content, span)


def is_expected(content: Content, span: Span | None) -> bool:
    """Whether a round shows it if it is there: a calendar's window shows what is inside."""
    return span is None or _inside(content, span)


def _inside(content: Content, span: Span) -> bool:
    return isinstance(content, Event) and span.holds(content)
