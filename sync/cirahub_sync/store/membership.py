"""Which rows are of a hub's spokes, for statements about all of them at once: with thousands of
spokes, a statement for each would take seconds."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, select

from cirahub_sync.store.tables import spokes


def of_hub(spoke: Column[str], hub: str) -> ColumnElement[bool]:
    return spoke.in_(select(spokes.c.uid).where(spokes.c.hub == hub))
