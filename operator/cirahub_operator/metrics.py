"""Metrics for Prometheus. Labels are Kubernetes names; series go when their object goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from cirahub_operator.api.meta import ConditionStatus, Metadata, Status
from cirahub_sync.engine.report import Counts, PassReport, SpokeReport

PASS_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400)
RESULTS = ("pulled", "merged", "removed", "created", "updated", "deleted", "adopted", "failed")


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconcile_seconds = Histogram(
            "cirahub_reconcile_seconds",
            "Time that a reconcile took, a Hub's pass included.",
            ["kind"],
            registry=self.registry,
        )
        self.reconciles = Counter(
            "cirahub_reconciles",
            "Reconciles by result: success, failure (retried) or interrupted.",
            ["kind", "result"],
            registry=self.registry,
        )
        self.pass_seconds = Histogram(
            "cirahub_pass_seconds",
            "Time that a pass over a hub took.",
            ["namespace", "hub"],
            buckets=PASS_BUCKETS,
            registry=self.registry,
        )
        self.passes = Counter(
            "cirahub_passes",
            "Passes by result: success, partial (a spoke failed) or failure.",
            ["namespace", "hub", "result"],
            registry=self.registry,
        )
        self.changes = Counter(
            "cirahub_spoke_changes",
            "Items by what passes did with them at a spoke.",
            ["namespace", "hub", "spoke", "result"],
            registry=self.registry,
        )
        self.throttled = Counter(
            "cirahub_spoke_throttled_seconds",
            "Time that passes waited because the service asked for it.",
            ["namespace", "hub", "spoke"],
            registry=self.registry,
        )
        self.hub_items = Gauge(
            "cirahub_hub_items", "Items in a hub.", ["namespace", "hub"], registry=self.registry
        )
        self.hub_guarded = Gauge(
            "cirahub_hub_guarded_deletions",
            "Deletions held back until they are approved.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.last_sync = Gauge(
            "cirahub_hub_last_sync_timestamp_seconds",
            "When the last complete pass ended.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.spoke_items = Gauge(
            "cirahub_spoke_items",
            "Items at a spoke by state: native, copy, pending, guarded or unreadable.",
            ["namespace", "hub", "spoke", "state"],
            registry=self.registry,
        )
        self.conditions = Gauge(
            "cirahub_condition",
            "1 while the condition is True, 0 while it is not; absent if the object hasn't got it.",
            ["kind", "namespace", "name", "type"],
            registry=self.registry,
        )
        self.erasures_incomplete = Counter(
            "cirahub_erasures_incomplete",
            "Objects that were let go before all of their copies could be deleted.",
            ["kind"],
            registry=self.registry,
        )
        self.status_refused = Counter(
            "cirahub_status_refused",
            "Statuses that the API server did not admit: definitions of another version.",
            ["kind"],
            registry=self.registry,
        )
        self.leader = Gauge(
            "cirahub_leader",
            "1 while this operator serves, 0 while it stands by, starts or ends.",
            registry=self.registry,
        )
        self.watch_age = Gauge(
            "cirahub_watch_event_age_seconds",
            "Time since the last event of a kind's watch.",
            ["kind"],
            registry=self.registry,
        )

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)

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
        failed = any(one.problem for one in report.spokes.values())
        result = "failure" if report.problem else "partial" if failed else "success"
        self.passes.labels(*labels, result).inc()
        if report.problem is None:
            self.hub_items.labels(*labels).set(report.items)
            self.hub_guarded.labels(*labels).set(report.guarded)
            self.last_sync.labels(*labels).set(report.finished)
        for spoke in report.spokes.values():
            self._spoke_passed(hub, spoke)

    def condition(self, kind: str, metadata: Metadata, before: Status, after: Status) -> None:
        for old in before.conditions:
            if after.condition(old.type) is None:
                self.conditions.remove(kind, metadata.namespace, metadata.name, old.type)
        for new in after.conditions:
            gauge = self.conditions.labels(kind, metadata.namespace, metadata.name, new.type)
            gauge.set(new.status is ConditionStatus.TRUE)

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """Take away the series of an object that is gone."""
        gone = {"kind": kind, "namespace": namespace, "name": name}
        self.conditions.remove_by_labels(gone)
        if kind == "Hub":
            for family in (self.pass_seconds, self.passes, self.hub_items, self.hub_guarded,
                           self.last_sync):  # fmt: skip
                family.remove_by_labels({"namespace": namespace, "hub": name})
        if kind == "Spoke":
            for family in (self.changes, self.throttled, self.spoke_items):
                family.remove_by_labels({"namespace": namespace, "spoke": name})

    def _spoke_passed(self, hub: Metadata, spoke: SpokeReport) -> None:
        labels = (hub.namespace, hub.name, spoke.name.rpartition("/")[2])
        for result in RESULTS:
            if count := getattr(spoke.counts, result):
                self.changes.labels(*labels, result).inc(count)
        if spoke.throttled_seconds:
            self.throttled.labels(*labels).inc(spoke.throttled_seconds)
        if spoke.problem is None:
            for state, count in _standing(spoke.counts, spoke.guarded).items():
                self.spoke_items.labels(*labels, state).set(count)


def _standing(counts: Counts, guarded: int) -> dict[str, int]:
    return {
        "native": counts.items,
        "copy": counts.copies,
        "pending": counts.pending,
        "guarded": guarded,
        "unreadable": counts.unreadable,
    }
