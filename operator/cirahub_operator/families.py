"""The families of metrics that the operator has, with their labels and what they mean.

docs/metrics.md has a row for each. Those of which every object has a series are `Series`, and the
others are the client library's.
"""

from __future__ import annotations

from collections.abc import Sequence
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

from cirahub_operator.series import Series

PASS_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400)
LOOK_BUCKETS = (0.005, 0.01, 0.025, 0.05, *PASS_BUCKETS)
"""Of looks at objects: most take milliseconds, a Hub's as long as its pass."""


class Families:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconcile_seconds = Histogram(
            "cirahub_reconcile_seconds",
            "Time that a reconcile took, a Hub's pass included.",
            ["kind"],
            buckets=LOOK_BUCKETS,
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
        self.hub_subscriptions = Gauge(
            "cirahub_hub_subscriptions",
            "Subscriptions to what changes in a hub's spokes, by state: active or refused.",
            ["namespace", "hub", "state"],
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
        self.notifications = Counter(
            "cirahub_notifications",
            "Change notifications taken, by result, and requests that were none.",
            ["result"],
            registry=self.registry,
        )
        for result in ("accepted", "unknown", "failed", "malformed", "validation"):
            # From nothing on: a first one would be no increase.
            self.notifications.labels(result)
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
