"""When each alert fires and when it stays silent: series of metrics, a sample a minute.

Values are in Prometheus' own notation for tests: `0+5x60` is 0, 5, … 300; `_x9` is nine minutes
without a sample; `stale` is what a scrape leaves of a series that is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Labels = Mapping[str, str]

HUB: Labels = {"namespace": "team", "hub": "staff"}
SPOKE: Labels = {**HUB, "spoke": "ann"}
SET: Labels = {**HUB, "spokeset": "everybody"}
CONNECTION: Labels = {"namespace": "team", "connection": "contoso"}
OBJECT: Labels = {"kind": "Hub", "namespace": "team", "name": "staff"}
RELEASE: Labels = {"namespace": "cirahub-system", "job": "cirahub-operator"}
DAY = "1d1h"


@dataclass(frozen=True)
class Case:
    """`at` is when Prometheus is asked; it is `fires` that it then tells, if anything, and nothing
    at `not_yet`, when all is as it is later but has not been for long enough."""

    alert: str
    what: str
    series: Mapping[str, str]
    at: str
    fires: Labels | None = field(default=None, kw_only=True)
    not_yet: str | None = field(default=None, kw_only=True)


def of(metric: str, labels: Labels, /, **more: str) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in {**labels, **more}.items())
    return f"{metric}{{{inner}}}"


def condition(type_: str, *, pod: str = "a") -> str:
    return of("cirahub_condition", OBJECT, type=type_, pod=pod)


def leader(pod: str) -> str:
    return of("cirahub_leader", RELEASE, pod=pod)


READY, SUSPENDED = condition("Ready"), of("cirahub_suspended", OBJECT, pod="a")
INTERVAL = of("cirahub_hub_interval_seconds", HUB, pod="a")
LAST_SYNC = of("cirahub_hub_last_sync_timestamp_seconds", HUB, pod="a")
EXPIRY = of("cirahub_connection_credential_expiry_timestamp_seconds", CONNECTION)
REQUESTS = "cirahub_connection_requests_total"
DELETED = of("cirahub_spoke_changes_total", SPOKE, result="deleted", pod="a")
DELETED_BY_SET = of("cirahub_spokeset_changes_total", SET, result="deleted", pod="a")
DAYS = 86_400


def waiting(alert: str, type_: str, *, soon: str, late: str) -> tuple[Case, ...]:
    """Of an alert on a condition that is there while something waits for somebody."""
    there = condition(type_)
    return (
        Case(alert, "it waits", {there: "1x2000"}, late, fires=OBJECT, not_yet=soon),
        Case(alert, "somebody did it", {there: "1x8 _x2000"}, late),
        Case(alert, "the object was deleted", {there: "1x8 stale"}, late),
    )


def grows(alert: str, metric: str) -> tuple[Case, ...]:
    """Of an alert on a counter that is not there before it counts something."""
    counter, up = of(metric, {"kind": "Hub", "pod": "a"}), leader("a")
    return (
        Case(alert, "the first", {up: "1x300", counter: "_x200 1x99"}, "3h30m", fires=KIND),
        Case(alert, "another", {up: "1x300", counter: "4x200 5x99"}, "3h30m", fires=KIND),
        Case(alert, "long ago", {up: "1x500", counter: "_x100 1x400"}, "4h"),
        Case(alert, "a restart", {up: "1x300", counter: "4x200 stale"}, "3h30m"),
        Case(alert, "Prometheus is new", {up: "_x200 1x99", counter: "_x200 4x99"}, "3h30m"),
    )


KIND: Labels = {"kind": "Hub"}

_OPERATOR = (
    Case("CirahubOperatorAbsent", "there is none", {"other": "1x60"}, "6m", fires={}, not_yet="4m"),
    Case("CirahubOperatorAbsent", "it is gone", {leader("a"): "1x9 stale"}, "16m", fires={}),
    Case("CirahubOperatorAbsent", "it restarts", {leader("a"): "1x9 stale _x3 0x9"}, "14m"),
    Case("CirahubOperatorAbsent", "it stands by", {leader("a"): "0x60"}, "30m"),
    Case(
        "CirahubNoLeader",
        "all stand by",
        {leader("a"): "0x60", leader("b"): "0x60"},
        "10m",
        fires=RELEASE,
        not_yet="1m",
    ),
    Case("CirahubNoLeader", "one stands by", {leader("a"): "1x60", leader("b"): "0x60"}, "10m"),
    Case(
        "CirahubNoLeader",
        "b takes over",
        {leader("a"): "1x9 stale", leader("b"): "0x10 1x60"},
        "11m",
    ),
    Case(
        "CirahubTwoLeaders",
        "both serve",
        {leader("a"): "1x60", leader("b"): "1x60"},
        "10m",
        fires=RELEASE,
        not_yet="1m",
    ),
    Case("CirahubTwoLeaders", "one stands by", {leader("a"): "1x60", leader("b"): "0x60"}, "10m"),
    Case(
        "CirahubTwoLeaders",
        "two releases",
        {leader("a"): "1x60", of("cirahub_leader", {**RELEASE, "job": "other"}): "1x60"},
        "10m",
    ),
    Case(
        "CirahubTwoLeaders",
        "a was seen for the last time",
        {leader("a"): "1x10 stale", leader("b"): "0x9 1x60"},
        "12m",
    ),
    Case(
        "CirahubAPIServerUnreachable",
        "one of two does not reach it",
        {
            of("cirahub_cluster_reachable", RELEASE, pod="a"): "1x60",
            of("cirahub_cluster_reachable", RELEASE, pod="b"): "0x60",
        },
        "10m",
        fires=RELEASE,
        not_yet="4m",
    ),
    Case(
        "CirahubAPIServerUnreachable",
        "for four minutes",
        {of("cirahub_cluster_reachable", RELEASE, pod="a"): "1x9 0x3 1x60"},
        "14m",
    ),
    Case(
        "CirahubDefinitionsMissing",
        "it waits for them",
        {of("cirahub_definitions_missing", RELEASE, pod="a"): "1x60"},
        "10m",
        fires=RELEASE,
        not_yet="4m",
    ),
    Case(
        "CirahubDefinitionsMissing",
        "they came",
        {of("cirahub_definitions_missing", RELEASE, pod="a"): "1x3 0x60"},
        "10m",
    ),
    Case(
        "CirahubPermissionMissing",
        "it is not granted",
        {of("cirahub_permission_missing", {"rule": "watch", "namespace": "team"}): "1x60"},
        "10m",
        fires={"rule": "watch", "namespace": "team"},
        not_yet="4m",
    ),
    Case(
        "CirahubPermissionMissing",
        "it is",
        {of("cirahub_permission_missing", {"rule": "watch", "namespace": "team"}): "0x60"},
        "10m",
    ),
    Case(
        "CirahubReconcilesFailing",
        "again and again",
        {of("cirahub_reconciles_total", KIND, result="failure"): "0x9 1x4 2x4 3x4 4x4 5x4 6x9"},
        "30m",
        fires=KIND,
        not_yet="24m",
    ),
    Case(
        "CirahubReconcilesFailing",
        "once",
        {of("cirahub_reconciles_total", KIND, result="failure"): "0x9 1x60"},
        "20m",
    ),
    Case(
        "CirahubReconcilesFailing",
        "a restart",
        {of("cirahub_reconciles_total", KIND, result="failure"): "9x20 0x60"},
        "30m",
    ),
    *grows("CirahubStatusRefused", "cirahub_status_refused_total"),
)

_OBJECTS = (
    Case(
        "CirahubNotReady",
        "for an hour",
        {READY: "0x90", SUSPENDED: "0x90"},
        "65m",
        fires=OBJECT,
        not_yet="59m",
    ),
    Case("CirahubNotReady", "it is suspended", {READY: "0x200", SUSPENDED: "1x200"}, "2h"),
    Case("CirahubNotReady", "it is ready", {READY: "1x200", SUSPENDED: "0x200"}, "2h"),
    Case("CirahubNotReady", "it was deleted", {READY: "0x30 stale"}, "65m"),
    Case(
        "CirahubNotReady",
        "the operator restarted",
        {READY: "0x40 stale", condition("Ready", pod="b"): "_x44 0x60"},
        "65m",
        fires=OBJECT,
    ),
    *waiting("CirahubStalled", "Stalled", soon="10m", late="20m"),
    *waiting("CirahubDeletionGuarded", "DeletionGuarded", soon="10m", late="20m"),
    *waiting("CirahubMembersGuarded", "MembersGuarded", soon="10m", late="20m"),
    *waiting("CirahubConflictsPending", "ConflictsPending", soon="12h", late=DAY),
    *waiting("CirahubApprovalPending", "ApprovalPending", soon="12h", late=DAY),
    *grows("CirahubErasureIncomplete", "cirahub_erasures_incomplete_total"),
    Case(
        "CirahubCopiesRemain",
        "for a day",
        {of("cirahub_erasure_copies_remaining", HUB): "7x2000"},
        DAY,
        fires=HUB,
        not_yet="23h",
    ),
    Case(
        "CirahubCopiesRemain",
        "they were erased",
        {of("cirahub_erasure_copies_remaining", HUB): "7x600 stale"},
        DAY,
    ),
)

_CONNECTIONS = (
    Case(
        "CirahubConnectionFailing",
        "no answers and server errors",
        {
            of(REQUESTS, CONNECTION, code="200"): "0+4x60",
            of(REQUESTS, CONNECTION, code="503"): "0+3x60",
            of(REQUESTS, CONNECTION, code="none"): "0+3x60",
        },
        "40m",
        fires=CONNECTION,
        not_yet="14m",
    ),
    Case(
        "CirahubConnectionFailing",
        "some of many",
        {
            of(REQUESTS, CONNECTION, code="200"): "0+9x60",
            of(REQUESTS, CONNECTION, code="404"): "0+9x60",
            of(REQUESTS, CONNECTION, code="503"): "0+3x60",
        },
        "40m",
    ),
    Case(
        "CirahubConnectionFailing",
        "it was deleted",
        {of(REQUESTS, CONNECTION, code="503"): "0+3x14 stale"},
        "25m",
    ),
    Case(
        "CirahubConnectionFailing",
        "a restart",
        {
            of(REQUESTS, CONNECTION, code="503"): "900x20 0x60",
            of(REQUESTS, CONNECTION, code="200"): "900x20 0+5x60",
        },
        "40m",
    ),
    Case(
        "CirahubCredentialExpiring",
        "in 20 days",
        {EXPIRY: f"{20 * DAYS}x60"},
        "20m",
        fires=CONNECTION,
        not_yet="14m",
    ),
    Case("CirahubCredentialExpiring", "in 40 days", {EXPIRY: f"{40 * DAYS}x60"}, "20m"),
    Case(
        "CirahubCredentialExpiring", "within a week: another's", {EXPIRY: f"{5 * DAYS}x60"}, "20m"
    ),
    Case(
        "CirahubCredentialAboutToExpire",
        "in 5 days",
        {EXPIRY: f"{5 * DAYS}x60"},
        "20m",
        fires=CONNECTION,
        not_yet="14m",
    ),
    Case("CirahubCredentialAboutToExpire", "it has", {EXPIRY: "60x60"}, "50m", fires=CONNECTION),
    Case("CirahubCredentialAboutToExpire", "in 20 days", {EXPIRY: f"{20 * DAYS}x60"}, "20m"),
    Case(
        "CirahubCredentialAboutToExpire",
        "another was stored",
        {EXPIRY: f"{5 * DAYS}x9 {90 * DAYS}x60"},
        "30m",
    ),
)

_HUBS = (
    Case(
        "CirahubHubNotSynced",
        "three intervals are over",
        {LAST_SYNC: "0x90", INTERVAL: "600x90"},
        "40m",
        fires=HUB,
        not_yet="34m",
    ),
    Case("CirahubHubNotSynced", "two are", {LAST_SYNC: "0x90", INTERVAL: "600x90"}, "20m"),
    Case("CirahubHubNotSynced", "it is suspended", {LAST_SYNC: "0x90"}, "60m"),
    Case("CirahubHubNotSynced", "passes end", {LAST_SYNC: "0+60x90", INTERVAL: "5x90"}, "60m"),
    Case(
        "CirahubHubNotSynced",
        "it was deleted",
        {LAST_SYNC: "0x20 stale", INTERVAL: "600x20 stale"},
        "60m",
    ),
    Case(
        "CirahubHubNotSynced",
        "another operator knows of it",
        {
            LAST_SYNC: "0x40 stale",
            of("cirahub_hub_last_sync_timestamp_seconds", HUB, pod="b"): "_x44 0x60",
            of("cirahub_hub_interval_seconds", HUB, pod="b"): "_x44 600x60",
        },
        "55m",
        fires=HUB,
    ),
    Case(
        "CirahubPassesFailing",
        "all of them",
        {of("cirahub_passes_total", HUB, result="failure"): "0+1x90", INTERVAL: "60x90"},
        "60m",
        fires=HUB,
        not_yet="14m",
    ),
    Case(
        "CirahubPassesFailing",
        "one of its spokes fails",
        {
            of("cirahub_passes_total", HUB, result="failure"): "0+1x90",
            of("cirahub_passes_total", HUB, result="partial"): "0+1x90",
            INTERVAL: "60x90",
        },
        "60m",
    ),
    Case(
        "CirahubPassesFailing",
        "it is suspended",
        {of("cirahub_passes_total", HUB, result="failure"): "0+1x20 20x90"},
        "60m",
    ),
    Case(
        "CirahubPassesFailing",
        "a restart",
        {of("cirahub_passes_total", HUB, result="failure"): "9x20 0x90", INTERVAL: "60x110"},
        "60m",
    ),
    Case(
        "CirahubPassesSlow",
        "ten minutes, every five",
        {
            of("cirahub_pass_seconds_sum", HUB): "0+600x200",
            of("cirahub_pass_seconds_count", HUB): "0+1x200",
            INTERVAL: "300x200",
        },
        "2h30m",
        fires=HUB,
        not_yet="59m",
    ),
    Case(
        "CirahubPassesSlow",
        "one minute, every five",
        {
            of("cirahub_pass_seconds_sum", HUB): "0+60x200",
            of("cirahub_pass_seconds_count", HUB): "0+1x200",
            INTERVAL: "300x200",
        },
        "2h30m",
    ),
    Case(
        "CirahubHubShrank",
        "by a quarter",
        {of("cirahub_hub_items", HUB): "400x1000 300x1000"},
        DAY,
        fires=HUB,
        not_yet="24h10m",
    ),
    Case(
        "CirahubHubShrank", "by a tenth", {of("cirahub_hub_items", HUB): "400x1000 360x1000"}, DAY
    ),
    Case(
        "CirahubHubShrank", "it was deleted", {of("cirahub_hub_items", HUB): "400x1000 stale"}, DAY
    ),
)

_PENDING, _MEMBERS = "cirahub_spoke_pending_items", "cirahub_spokeset_members"
_THROTTLED = of("cirahub_spoke_throttled_seconds_total", SPOKE)

_SPOKES = (
    Case(
        "CirahubItemsUndelivered",
        "refused",
        {of(_PENDING, SPOKE, reason="Rejected"): "2x2000"},
        DAY,
        fires=SPOKE,
        not_yet="23h",
    ),
    Case(
        "CirahubItemsUndelivered", "wanted so", {of(_PENDING, SPOKE, reason="Grace"): "2x2000"}, DAY
    ),
    Case(
        "CirahubItemsUndelivered",
        "delivered",
        {of(_PENDING, SPOKE, reason="Failed"): "2x600 _x1400"},
        DAY,
    ),
    Case(
        "CirahubItemsUndelivered",
        "deleted",
        {of(_PENDING, SPOKE, reason="Failed"): "2x600 stale"},
        DAY,
    ),
    Case(
        "CirahubItemsUndelivered",
        "the operator restarted",
        {
            of(_PENDING, SPOKE, reason="Failed", pod="a"): "2x600 stale",
            of(_PENDING, SPOKE, reason="Failed", pod="b"): "_x605 2x1400",
        },
        DAY,
        fires=SPOKE,
    ),
    Case(
        "CirahubItemsUnreadable",
        "for a day",
        {of("cirahub_spoke_items", SPOKE, state="unreadable"): "1x2000"},
        DAY,
        fires=SPOKE,
        not_yet="23h",
    ),
    Case(
        "CirahubItemsUnreadable",
        "none",
        {of("cirahub_spoke_items", SPOKE, state="unreadable"): "0x2000"},
        DAY,
    ),
    Case(
        "CirahubMembersFailing",
        "a fifth",
        {of(_MEMBERS, SET, state="failed"): "20x2000", of(_MEMBERS, SET, state="ready"): "80x2000"},
        DAY,
        fires=SET,
        not_yet="23h",
    ),
    Case(
        "CirahubMembersFailing",
        "one in twenty",
        {of(_MEMBERS, SET, state="failed"): "5x2000", of(_MEMBERS, SET, state="ready"): "95x2000"},
        DAY,
    ),
    Case(
        "CirahubMembersFailing",
        "it has none",
        {of(_MEMBERS, SET, state="failed"): "0x2000", of(_MEMBERS, SET, state="ready"): "0x2000"},
        DAY,
    ),
    Case(
        "CirahubThrottled",
        "40 s of each minute",
        {_THROTTLED: "0+40x200"},
        "2h",
        fires=SPOKE,
        not_yet="55m",
    ),
    Case("CirahubThrottled", "20 s of each minute", {_THROTTLED: "0+20x200"}, "2h"),
    Case("CirahubThrottled", "it was deleted", {_THROTTLED: "0+40x59 stale"}, "70m"),
    Case("CirahubThrottled", "a restart", {_THROTTLED: "90000x60 0x200"}, "90m"),
    Case(
        "CirahubManyDeletions",
        "the first",
        {leader("a"): "1x300", DELETED: "_x200 300x99"},
        "3h30m",
        fires=HUB,
    ),
    Case(
        "CirahubManyDeletions",
        "more",
        {leader("a"): "1x300", DELETED: "900x200 1200x99"},
        "3h30m",
        fires=HUB,
    ),
    Case(
        "CirahubManyDeletions", "a few", {leader("a"): "1x300", DELETED: "900x200 950x99"}, "3h30m"
    ),
    Case(
        "CirahubManyDeletions",
        "a restart",
        {leader("a"): "1x300", DELETED: "900x200 0x99"},
        "3h30m",
    ),
    Case(
        "CirahubManyDeletions",
        "Prometheus is new",
        {leader("a"): "_x200 1x99", DELETED: "_x200 900x99"},
        "3h30m",
    ),
    Case(
        "CirahubManyDeletions",
        "it was deleted itself",
        {leader("a"): "1x300", DELETED: "900x190 1200x9 stale"},
        "3h30m",
    ),
    Case(
        "CirahubManyDeletionsAtMembers",
        "twenty for each",
        {
            leader("a"): "1x300",
            DELETED_BY_SET: "_x200 2000x99",
            of(_MEMBERS, SET, state="ready"): "100x300",
        },
        "3h30m",
        fires=SET,
    ),
    Case(
        "CirahubManyDeletionsAtMembers",
        "two for each",
        {
            leader("a"): "1x300",
            DELETED_BY_SET: "_x200 200x99",
            of(_MEMBERS, SET, state="ready"): "100x300",
        },
        "3h30m",
    ),
)

CASES = (*_OPERATOR, *_OBJECTS, *_CONNECTIONS, *_HUBS, *_SPOKES)
