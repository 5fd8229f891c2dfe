"""Metrics for Prometheus. Labels are Kubernetes names; series go when their object goes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from cirahub_operator.api.meta import ConditionStatus, Metadata, Status
from cirahub_operator.conditions import READY
from cirahub_operator.families import Families
from cirahub_operator.series import Series
from cirahub_operator.summary import SUSPENDED
from cirahub_sync.endpoints.session import Api
from cirahub_sync.engine.report import Counts, PassReport, PlanSummary, SetReport, SpokeReport
from cirahub_sync.spoke_set import MemberState

RESULTS = ("pulled", "merged", "removed", "created", "updated", "deleted", "adopted", "ambiguous",
           "failed", "photos_read", "photos_written", "photos_removed", "photos_refused",
           "photos_failed")  # fmt: skip


class Metrics(Families):
    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.reconcile_seconds.labels(kind).observe(time.perf_counter() - started)

    def passed(self, hub: Metadata, report: PassReport) -> None:
        labels = (hub.namespace, hub.name)
        self.pass_seconds.labels(*labels).observe(max(0.0, report.finished - report.started))
        failed = any(one.problem for one in report.everywhere)
        result = "failure" if report.problem else "partial" if failed else "success"
        self.passes.labels(*labels, result).inc()
        self._phases.add(labels, labels, report.phases)
        self.conflicts.labels(*labels).inc(report.conflicts)
        if report.problem is None:
            self.hub_items.labels(*labels).set(report.items)
            self.hub_duplicates.labels(*labels).set(report.duplicates)
            self.hub_guarded.labels(*labels).set(report.guarded)
            self.hub_undecided.labels(*labels).set(report.undecided)
            self.hub_frozen.labels(*labels).set(report.frozen)
            for state in ("active", "refused"):
                self.hub_subscriptions.labels(*labels, state).set(
                    report.subscriptions.get(state, 0)
                )
            plan = report.plan or PlanSummary(id="")
            for action in ("create", "update", "delete"):
                self.hub_planned.labels(*labels, action).set(getattr(plan, f"{action}s"))
            self.last_sync.labels(*labels).set(report.finished)
        for spoke in report.spokes.values():
            self._spoke_passed(hub, spoke)
        for one in report.sets.values():
            self._set_passed(hub, one)
        for name, traffic in report.traffic.items():
            namespace, _, connection = name.rpartition("/")
            for api, had in traffic.items():
                through = (namespace, connection, api)
                self._requests.add(through, through, had.answers)
                self._connection_throttled.add(through, through, {"": had.throttled_seconds})

    def condition(self, kind: str, metadata: Metadata, status: Status) -> None:
        labels = (kind, metadata.namespace, metadata.name)
        holds = {one.type: float(one.status is ConditionStatus.TRUE) for one in status.conditions}
        self._conditions.put(labels, labels, holds)
        suspended = any(one.type == READY and one.reason == SUSPENDED for one in status.conditions)
        self._suspended.put(labels, labels, {"": float(suspended)})

    def syncs_every(self, hub: Metadata, interval: float, last_sync: datetime | None) -> None:
        """A hub is synced, every `interval` seconds. `last_sync` is what an operator before this
        one knew of it, if that is news."""
        self.hub_interval.labels(hub.namespace, hub.name).set(interval)
        if last_sync is not None:
            self.last_sync.labels(hub.namespace, hub.name).set(last_sync.timestamp())

    def syncs_no_more(self, namespace: str, hub: str) -> None:
        """A hub is not synced: suspended, invalid, or about to go."""
        self.hub_interval.remove_by_labels({"namespace": namespace, "hub": hub})

    def credential_expires(self, namespace: str, name: str, at: float | None) -> None:
        """`at` in POSIX seconds; None if nobody says when."""
        if at is None:
            self.credential_expiry.remove_by_labels({"namespace": namespace, "connection": name})
        else:
            self.credential_expiry.labels(namespace, name).set(at)

    def erasing(self, namespace: str, hub: str, count: int, remaining: int) -> None:
        """Open erasures of a hub, whether or not there is a Hub; none takes the series away."""
        for family, value in (
            (self.erasures_open, count),
            (self.erasure_copies_remaining, remaining),
        ):
            if count:
                family.labels(namespace, hub).set(value)
            else:
                family.remove_by_labels({"namespace": namespace, "hub": hub})

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """Take away the series of an object that is gone."""
        self._conditions.remove((kind, namespace, name))
        self._suspended.remove((kind, namespace, name))
        if kind == "Connection":
            self.credential_expires(namespace, name, None)
            for api in Api:
                self._requests.remove((namespace, name, api.value))
                self._connection_throttled.remove((namespace, name, api.value))
        if kind == "Hub":
            for family in (self.pass_seconds, self.passes, self.hub_items,
                           self.hub_duplicates, self.hub_guarded, self.conflicts,
                           self.hub_undecided, self.hub_frozen, self.hub_subscriptions,
                           self.hub_planned, self.hub_interval, self.last_sync):  # fmt: skip
                family.remove_by_labels({"namespace": namespace, "hub": name})
            self._phases.remove((namespace, name))
        if kind == "Spoke":
            for series in (self._changes, self._throttled, self._spoke_items, self._pending,
                           self._pending_since):  # fmt: skip
                series.remove((namespace, name))

        if kind == "SpokeSet":
            for series in (self._members, self._failing, self._set_changes, self._set_pending,
                           self._set_pending_since):  # fmt: skip
                series.remove((namespace, name))

    def erased(self, hub: Metadata, spokes: Iterable[SpokeReport]) -> None:
        """What an attempt at an erasure did at the Spokes that stay; at members of sets, as what
        was done at their set."""
        for spoke in spokes:
            if spoke.name.count("/") > 1:
                self._changed(self._set_changes, hub, spoke.name.rpartition("/")[0], spoke.counts)
            else:
                self._spoke_changed(hub, spoke)

    def _set_passed(self, hub: Metadata, one: SetReport) -> None:
        self._changed(self._set_changes, hub, one.name, one.counts)
        key, labels = _labels(hub, one.name)
        states = {state.value.lower(): one.states.get(state.value, 0) for state in MemberState}
        self._members.put(key, labels, states)
        self._failing.put(key, labels, one.reasons)
        self._set_pending.put(key, labels, one.pending)
        self._set_pending_since.put(key, labels, one.waiting_since)

    def _spoke_changed(self, hub: Metadata, spoke: SpokeReport) -> None:
        self._changed(self._changes, hub, spoke.name, spoke.counts)

    @staticmethod
    def _changed(family: Series, hub: Metadata, name: str, counts: Counts) -> None:
        changes = {result: getattr(counts, result) for result in RESULTS}
        if any(changes.values()):
            key, labels = _labels(hub, name)
            family.add(key, labels, {result: count for result, count in changes.items() if count})

    def _spoke_passed(self, hub: Metadata, spoke: SpokeReport) -> None:
        self._spoke_changed(hub, spoke)
        key, labels = _labels(hub, spoke.name)
        if spoke.throttled_seconds:
            self._throttled.add(key, labels, {"": spoke.throttled_seconds})
        if spoke.waiting_since is not None:
            self._pending_since.put(key, labels, spoke.waiting_since)
        if spoke.problem is None:
            self._spoke_items.put(key, labels, _standing(spoke.counts, spoke.guarded))
            self._pending.put(key, labels, spoke.pending)


def _labels(hub: Metadata, key: str) -> tuple[tuple[str, str], tuple[str, str, str]]:
    """Of a Spoke or a SpokeSet by its `namespace/name`: its key, and its labels: its namespace, its
    Hub (with the Hub's namespace if that is another one), its name."""
    namespace, _, name = key.rpartition("/")
    return (namespace, name), (
        namespace,
        hub.name if namespace == hub.namespace else hub.key,
        name,
    )


def _standing(counts: Counts, guarded: int) -> dict[str, float]:
    return {
        "native": counts.items,
        "duplicate": counts.duplicates,
        "copy": counts.copies,
        "pending": counts.pending,
        "guarded": guarded,
        "unreadable": counts.unreadable,
    }
