"""Metrics for Prometheus. Labels are Kubernetes names; series go when their object goes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from cirahub_operator.api.meta import ConditionStatus, Metadata, Status
from cirahub_operator.conditions import READY
from cirahub_operator.series import Series
from cirahub_operator.summary import SUSPENDED
from cirahub_sync.endpoints.session import Api
from cirahub_sync.engine.report import Counts, PassReport, PlanSummary, SetReport, SpokeReport
from cirahub_sync.spoke_set import MemberState

PASS_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400)
LOOK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.25, *PASS_BUCKETS)
"""Of looks at objects: most take milliseconds, a Hub's as long as its pass."""
RESULTS = ("pulled", "merged", "removed", "created", "updated", "deleted", "adopted", "ambiguous",
           "failed", "photos_read", "photos_written", "photos_removed", "photos_refused",
           "photos_failed")  # fmt: skip


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconcile_seconds = Histogram(
            "cirahub_reconcile_seconds",
            "Time that a reconcile took, a Hub's pass included.",
            ["kind"],
            buckets=sorted(LOOK_BUCKETS),
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
        self._phases = Series(
            "cirahub_pass_phase_seconds_total",
            "Time that passes spent recovering, pulling, merging, planning, pushing, with photos.",
            kind="counter",
            labels=("namespace", "hub"),
            last="phase",
        )
        spoke = ("namespace", "hub", "spoke")
        self._changes = Series(
            "cirahub_spoke_changes_total",
            "Items by what passes did with them at a spoke.",
            kind="counter",
            labels=spoke,
            last="result",
        )
        self._throttled = Series(
            "cirahub_spoke_throttled_seconds_total",
            "Time that passes waited because the service asked for it.",
            kind="counter",
            labels=spoke,
        )
        self._spoke_items = Series(
            "cirahub_spoke_items",
            "Items at a spoke by state: native, duplicate, copy, pending, guarded or unreadable.",
            kind="gauge",
            labels=spoke,
            last="state",
        )
        of_set = ("namespace", "hub", "spokeset")
        self._members = Series(
            "cirahub_spokeset_members",
            "Members of a SpokeSet by state: ready, pending, failed, suspended or leaving.",
            kind="gauge",
            labels=of_set,
            last="state",
        )
        self._failing = Series(
            "cirahub_spokeset_failing_members",
            "Members of a SpokeSet that are left alone for now, by reason.",
            kind="gauge",
            labels=of_set,
            last="reason",
        )
        self._set_changes = Series(
            "cirahub_spokeset_changes_total",
            "Items by what passes did with them at a SpokeSet's members.",
            kind="counter",
            labels=of_set,
            last="result",
        )
        self._pending = Series(
            "cirahub_spoke_pending_items",
            "Items that wait to be delivered to a spoke, by reason.",
            kind="gauge",
            labels=spoke,
            last="reason",
        )
        self._pending_since = Series(
            "cirahub_spoke_pending_since_timestamp_seconds",
            "Since when the oldest change waits that did not reach a spoke, by reason.",
            kind="gauge",
            labels=spoke,
            last="reason",
        )
        self._set_pending = Series(
            "cirahub_spokeset_pending_items",
            "Items that wait to be delivered to a SpokeSet's members, by reason.",
            kind="gauge",
            labels=of_set,
            last="reason",
        )
        self._set_pending_since = Series(
            "cirahub_spokeset_pending_since_timestamp_seconds",
            "Since when the oldest change waits that did not reach a member, by reason.",
            kind="gauge",
            labels=of_set,
            last="reason",
        )
        through = ("namespace", "connection", "api")
        self._requests = Series(
            "cirahub_connection_requests_total",
            "HTTP requests through a connection by API and status code; none: no whole answer.",
            kind="counter",
            labels=through,
            last="code",
        )
        self._connection_throttled = Series(
            "cirahub_connection_throttled_seconds_total",
            "Time that requests through a connection waited because the API asked for it.",
            kind="counter",
            labels=through,
        )
        self._conditions = Series(
            "cirahub_condition",
            "1 while the condition is True, 0 while it is not; absent if the object hasn't got it.",
            kind="gauge",
            labels=("kind", "namespace", "name"),
            last="type",
        )
        self._suspended = Series(
            "cirahub_suspended",
            "1 while an object is suspended, by its own spec or by its Hub's, 0 while it is not.",
            kind="gauge",
            labels=("kind", "namespace", "name"),
        )
        self.hub_items = Gauge(
            "cirahub_hub_items", "Items in a hub.", ["namespace", "hub"], registry=self.registry
        )
        self.hub_duplicates = Gauge(
            "cirahub_hub_duplicate_items",
            "Items that have a match key in common with another, and stay apart.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.hub_guarded = Gauge(
            "cirahub_hub_guarded_deletions",
            "Deletions held back until they are approved.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.hub_planned = Gauge(
            "cirahub_hub_plan_entries",
            "Writes that wait for a plan's approval, by action: create, update or delete.",
            ["namespace", "hub", "action"],
            registry=self.registry,
        )
        self.conflicts = Counter(
            "cirahub_hub_conflicts",
            "Conflicts that passes recorded, whoever decides them.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.hub_undecided = Gauge(
            "cirahub_hub_undecided_conflicts",
            "Conflicts that wait for a person, frozen fields included.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.hub_frozen = Gauge(
            "cirahub_hub_frozen_fields",
            "Fields that two spokes kept changing back and forth, until a person decides.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.credential_expiry = Gauge(
            "cirahub_connection_credential_expiry_timestamp_seconds",
            "When a Connection's client secret or certificate expires; absent if nobody says.",
            ["namespace", "connection"],
            registry=self.registry,
        )
        self.last_sync = Gauge(
            "cirahub_hub_last_sync_timestamp_seconds",
            "When the last complete pass ended.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.hub_interval = Gauge(
            "cirahub_hub_interval_seconds",
            "Time between two passes by a hub's spec; absent while none are made.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.erasures_incomplete = Counter(
            "cirahub_erasures_incomplete",
            "Objects that were let go before all of their copies could be deleted.",
            ["kind"],
            registry=self.registry,
        )
        self.erasures_completed = Counter(
            "cirahub_erasures_completed",
            "Leavers by kind, Spoke or Hub, of which nothing remains.",
            ["kind"],
            registry=self.registry,
        )
        self.erasures_open = Gauge(
            "cirahub_erasures_open",
            "Spokes, or the hub, that are leaving: in their grace period, or not erased wholly.",
            ["namespace", "hub"],
            registry=self.registry,
        )
        self.erasure_copies_remaining = Gauge(
            "cirahub_erasure_copies_remaining",
            "Copies that the last attempts at erasures could not reach.",
            ["namespace", "hub"],
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
        self.cluster_reachable = Gauge(
            "cirahub_cluster_reachable",
            "1 while the API server answers, 0 while it does not.",
            registry=self.registry,
        )
        self.definitions_missing = Gauge(
            "cirahub_definitions_missing",
            "1 while the operator waits for its custom resource definitions.",
            registry=self.registry,
        )
        self.permission_missing = Gauge(
            "cirahub_permission_missing",
            "1 if the rule is not granted, 0 if it is; a blank namespace stands for all of them.",
            ["rule", "namespace"],
            registry=self.registry,
        )
        self.watch_age = Gauge(
            "cirahub_watch_event_age_seconds",
            "Time since the last event of a kind's watch.",
            ["kind"],
            registry=self.registry,
        )
        Info(
            "cirahub_build", "The version of this operator, always 1.", registry=self.registry
        ).info({"version": version("cirahub-operator")})
        ProcessCollector(registry=self.registry)

    @property
    def series(self) -> Sequence[Series]:
        """The families that are kept as bare numbers."""
        return (
            self._conditions,
            self._suspended,
            self._spoke_items,
            self._pending,
            self._pending_since,
            self._changes,
            self._throttled,
            self._members,
            self._failing,
            self._set_pending,
            self._set_pending_since,
            self._set_changes,
            self._phases,
            self._requests,
            self._connection_throttled,
        )

    def text(self) -> bytes:
        """In Prometheus' text format."""
        text = bytearray(generate_latest(self.registry))
        for series in self.series:
            for line in series.text():
                text += line.encode()
        return bytes(text)

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
                           self.hub_undecided, self.hub_frozen,
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
