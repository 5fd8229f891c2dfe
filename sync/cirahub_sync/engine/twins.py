"""Twins: items that have a match key in common and stay apart, counted for the report."""

from __future__ import annotations

import msgspec

from cirahub_sync.engine.report import PassReport
from cirahub_sync.store.hub import Transaction

_report = msgspec.msgpack.Decoder(PassReport).decode


def count_twins(tx: Transaction, report: PassReport) -> None:
    """As they stand. Where nothing has happened since the last report, what that one says counts:
    a pass in which nothing changed reads no key."""
    kept = tx.reports.last()
    last = _report(kept) if kept is not None else None
    if last is not None and last.sequence == report.sequence:
        report.duplicates = last.duplicates
        inside = {uid: spoke.counts.duplicates for uid, spoke in last.spokes.items()}
    else:
        report.duplicates = tx.twins.count()
        inside = tx.twins.counts() if report.duplicates else {}
    for uid, spoke in report.spokes.items():
        spoke.counts.duplicates = inside.get(uid, 0)
