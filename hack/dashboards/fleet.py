"""All hubs of a cluster: whether all is well, and if not, where to look."""

from __future__ import annotations

from dashboards.board import Board, Kind, Panel, Query, Row, Unit, Variable
from dashboards.reasons import ASKING, ON_PURPOSE

UNREADY = (
    'max by (kind, namespace, name) (cirahub_condition{HERE,type="Ready"}) == 0'
    " unless max by (kind, namespace, name) (cirahub_suspended{HERE}) == 1"
)
LATE = f'cirahub_spoke_pending_since_timestamp_seconds{{HERE,reason!~"{ON_PURPOSE}"}}'
EXPIRY = "cirahub_connection_credential_expiry_timestamp_seconds{HERE}"

_NOW = Row(
    "Now",
    (
        Panel(
            title="Operators that serve",
            about="One of the replicas of a release serves; the others stand by.",
            queries=(Query("sum(cirahub_leader)"),),
            kind=Kind.NUMBER,
            width=4,
            bad_below=1,
        ),
        Panel(
            title="Hubs",
            about="Those that were synced since the operator started.",
            queries=(Query("count(max by (namespace, hub) (cirahub_hub_items{HERE}))"),),
            kind=Kind.NUMBER,
            width=4,
        ),
        Panel(
            title="Items",
            about="In all hubs together.",
            queries=(Query("sum(max by (namespace, hub) (cirahub_hub_items{HERE}))"),),
            kind=Kind.NUMBER,
            width=4,
        ),
        Panel(
            title="Not ready",
            about="Objects of any kind that are not Ready and not suspended.",
            queries=(Query(f"count({UNREADY}) or vector(0)"),),
            kind=Kind.NUMBER,
            width=4,
            warns_at=1,
        ),
        Panel(
            title="Oldest change that waits",
            about="The age of the oldest change that has not reached every Spoke it should; 0: "
            "all have.",
            queries=(Query(f"time() - min({LATE}) or vector(0)"),),
            kind=Kind.NUMBER,
            unit=Unit.AGE,
            width=4,
            warns_at=3600,
        ),
        Panel(
            title="Next credential to expire",
            about="How long it lasts yet. Empty where nothing says when one expires, as with "
            "workload identity.",
            queries=(Query(f"min({EXPIRY}) - time()"),),
            kind=Kind.NUMBER,
            unit=Unit.AGE,
            width=4,
            bad_below=7 * 86_400,
        ),
    ),
)

_ATTENTION = Row(
    "What waits for somebody",
    (
        Panel(
            title="Which are not ready",
            about="`kubectl get` says why. Empty while all is well.",
            queries=(Query(UNREADY),),
            kind=Kind.TABLE,
        ),
        Panel(
            title="To be looked at",
            about="Conditions that somebody has to resolve, decide or approve. Empty while there "
            "is none.",
            queries=(
                Query(
                    "max by (kind, namespace, name, type)"
                    f' (cirahub_condition{{HERE,type=~"{ASKING}"}}) == 1'
                ),
            ),
            kind=Kind.TABLE,
        ),
        Panel(
            title="Alerts",
            about="Those of the chart that fire. Empty while none does, or without its rules.",
            queries=(
                Query(
                    "max by (alertname, severity, kind, namespace, name, hub, spoke)"
                    ' (ALERTS{alertname=~"Cirahub.*",alertstate="firing"})'
                ),
            ),
            kind=Kind.TABLE,
        ),
    ),
)

_PASSES = Row(
    "Passes",
    (
        Panel(
            title="Passes by result",
            about="A minute. `partial`: a spoke failed, the others went on.",
            queries=(
                Query(
                    "60 * sum by (result) (rate(cirahub_passes_total{HERE}[$__rate_interval]))",
                    "{{result}}",
                ),
            ),
            unit=Unit.PER_MINUTE,
            stacked=True,
        ),
        Panel(
            title="How long passes take",
            about="Half of them, and 19 of 20, take no longer.",
            queries=tuple(
                Query(
                    f"histogram_quantile({share},"
                    " sum by (le) (rate(cirahub_pass_seconds_bucket{HERE}[$__rate_interval])))",
                    legend,
                )
                for share, legend in ((0.5, "half"), (0.95, "19 of 20"))
            ),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="What passes spend their time on",
            about="Seconds a second, of all passes together: several run at the same time.",
            queries=(
                Query(
                    "sum by (phase)"
                    " (rate(cirahub_pass_phase_seconds_total{HERE}[$__rate_interval]))",
                    "{{phase}}",
                ),
            ),
            unit=Unit.SECONDS,
            stacked=True,
        ),
        Panel(
            title="Hubs by their last complete pass",
            about="How long ago it ended, the longest first.",
            queries=(
                Query(
                    "sort_desc(time() - max by (namespace, hub)"
                    " (cirahub_hub_last_sync_timestamp_seconds{HERE}))"
                ),
            ),
            kind=Kind.TABLE,
            unit=Unit.AGE,
            leads_to="hub",
        ),
        Panel(
            title="Lag by hub",
            about="The age of the oldest change that has not reached every Spoke it should. "
            "Empty while all have.",
            queries=(Query(f"time() - min by (namespace, hub) ({LATE})", "{{namespace}}/{{hub}}"),),
            unit=Unit.AGE,
        ),
        Panel(
            title="What waits, by reason",
            about="Items that have not been delivered, at Spokes and members. Empty while none "
            "waits.",
            queries=(
                Query(
                    "sum by (reason) (max by (namespace, hub, spoke, reason)"
                    " (cirahub_spoke_pending_items{HERE}))",
                    "{{reason}}",
                ),
                Query(
                    "sum by (reason) (max by (namespace, hub, spokeset, reason)"
                    " (cirahub_spokeset_pending_items{HERE}))",
                    "{{reason}} (members)",
                ),
            ),
            stacked=True,
        ),
    ),
)

_CHANGES = Row(
    "Changes",
    (
        Panel(
            title="Changes at Spokes",
            about="Read from them, and written to them. `failed` ones are tried again. Empty "
            "where nothing changed since the operator started.",
            queries=(
                Query(
                    "sum by (result) (rate(cirahub_spoke_changes_total{HERE}[$__rate_interval]))",
                    "{{result}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        Panel(
            title="Changes at members",
            about="The same of SpokeSets. Empty where there are none.",
            queries=(
                Query(
                    "sum by (result)"
                    " (rate(cirahub_spokeset_changes_total{HERE}[$__rate_interval]))",
                    "{{result}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        Panel(
            title="What waits for a person",
            about="Deletions that the guard holds back, conflicts, and writes of plans.",
            queries=(
                Query(
                    "sum(max by (namespace, hub) (cirahub_hub_guarded_deletions{HERE}))",
                    "deletions",
                ),
                Query(
                    "sum(max by (namespace, hub) (cirahub_hub_undecided_conflicts{HERE}))",
                    "conflicts",
                ),
                Query(
                    "sum(max by (namespace, hub, action) (cirahub_hub_plan_entries{HERE}))",
                    "planned writes",
                ),
            ),
        ),
        Panel(
            title="Members by state",
            about="Of all SpokeSets. Empty where there are none.",
            queries=(
                Query(
                    "sum by (state) (max by (namespace, hub, spokeset, state)"
                    " (cirahub_spokeset_members{HERE}))",
                    "{{state}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            title="Members that fail, by reason",
            about="They are left alone for now. Empty while none does.",
            queries=(
                Query(
                    "sum by (reason) (max by (namespace, hub, spokeset, reason)"
                    " (cirahub_spokeset_failing_members{HERE}))",
                    "{{reason}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            title="Erasures",
            about="Spokes and hubs that leave, and copies that could not be reached. Empty while "
            "nobody leaves.",
            queries=(
                Query("sum(max by (namespace, hub) (cirahub_erasures_open{HERE}))", "that leave"),
                Query(
                    "sum(max by (namespace, hub) (cirahub_erasure_copies_remaining{HERE}))",
                    "copies out of reach",
                ),
            ),
        ),
    ),
)

_SERVICES = Row(
    "Services",
    (
        Panel(
            title="Requests by API and answer",
            about="`none`: no whole answer came. Counted when a pass ends.",
            queries=(
                Query(
                    "sum by (api, code)"
                    " (rate(cirahub_connection_requests_total{HERE}[$__rate_interval]))",
                    "{{api}} {{code}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        Panel(
            title="Throttled",
            about="Seconds a second that requests waited because the API asked for it.",
            queries=(
                Query(
                    "sum by (api)"
                    " (rate(cirahub_connection_throttled_seconds_total{HERE}[$__rate_interval]))",
                    "{{api}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Credentials",
            about="How long they last yet, by Connection. Empty where nothing says when one "
            "expires, as with workload identity.",
            queries=(Query(f"sort(max by (namespace, connection) ({EXPIRY}) - time())"),),
            kind=Kind.TABLE,
            unit=Unit.AGE,
        ),
    ),
)

_OPERATOR = Row(
    "The operator",
    (
        Panel(
            title="Who serves, and who reaches the API server",
            about="By pod.",
            queries=(
                Query("cirahub_leader", "{{instance}} serves"),
                Query("cirahub_cluster_reachable", "{{instance}} reaches it"),
            ),
            kind=Kind.STATES,
            unit=Unit.FLAG,
        ),
        Panel(
            title="Looks at objects",
            about="By kind and result; a failure is tried again.",
            queries=(
                Query(
                    "sum by (kind, result) (rate(cirahub_reconciles_total[$__rate_interval]))",
                    "{{kind}} {{result}}",
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="How long looks take",
            about="19 of 20 take no longer. A Hub's has its pass in it.",
            queries=(
                Query(
                    "histogram_quantile(0.95, sum by (kind, le)"
                    " (rate(cirahub_reconcile_seconds_bucket[$__rate_interval])))",
                    "{{kind}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Memory",
            about="Resident, by pod.",
            queries=(
                Query(
                    "process_resident_memory_bytes and on (job, instance) cirahub_leader",
                    "{{instance}}",
                ),
            ),
            unit=Unit.BYTES,
        ),
        Panel(
            title="Processor",
            about="Of one, by pod.",
            queries=(
                Query(
                    "rate(process_cpu_seconds_total[$__rate_interval])"
                    " and on (job, instance) cirahub_leader",
                    "{{instance}}",
                ),
            ),
            unit=Unit.SHARE,
        ),
        Panel(
            title="Lag of the event loop",
            about="99 of 100 turns are no later. From a second on, probes and the Lease suffer.",
            queries=(
                Query(
                    "histogram_quantile(0.99, sum by (instance, le)"
                    " (rate(cirahub_event_loop_lag_seconds_bucket[$__rate_interval])))",
                    "{{instance}}",
                ),
            ),
            unit=Unit.SECONDS,
            warns_at=1,
        ),
    ),
)

FLEET = Board(
    uid="cirahub-fleet",
    title="cirahub / Fleet",
    about="All hubs of the cluster, and the operator.",
    here='namespace=~"$namespace"',
    variables=(Variable("namespace", "Namespace", "cirahub_condition", several=True),),
    rows=(_NOW, _ATTENTION, _PASSES, _CHANGES, _SERVICES, _OPERATOR),
)
