"""One hub, with its Spokes and SpokeSets."""

from __future__ import annotations

from dashboards.board import Board, Kind, Panel, Query, Row, Unit, Variable
from dashboards.reasons import ON_PURPOSE

CONDITION = 'cirahub_condition{kind="Hub",namespace="$namespace",name="$hub"'


def there(metric: str, *matchers: str, over: str = "") -> str:
    """Of the hub's Spokes or SpokeSets: those of other namespaces name the hub with its namespace.
    `over` a range it is the rate."""
    ours, theirs = (
        f"{metric}{{{','.join((hub, *matchers))}}}" for hub in ("HERE", 'hub="$namespace/$hub"')
    )
    if over:
        ours, theirs = (f"rate({one}[{over}])" for one in (ours, theirs))
    return f"({ours} or {theirs})"


def rate(counter: str, *matchers: str) -> str:
    return there(counter, *matchers, over="$__rate_interval")


LATE = there("cirahub_spoke_pending_since_timestamp_seconds", f'reason!~"{ON_PURPOSE}"')
SPOKES = f"max by (namespace, spoke) ({there('cirahub_spoke_items')})"

_NOW = Row(
    "Now",
    (
        Panel(
            title="Ready",
            about="The condition of the Hub.",
            queries=(Query(f'max({CONDITION},type="Ready"}})'),),
            kind=Kind.NUMBER,
            unit=Unit.FLAG,
            width=4,
            bad_below=1,
        ),
        Panel(
            title="Items",
            about="In the hub.",
            queries=(Query("max(cirahub_hub_items{HERE})"),),
            kind=Kind.NUMBER,
            width=4,
        ),
        Panel(
            title="Spokes",
            about="Those that were synced since the operator started. Empty of a hub that has "
            "sets only.",
            queries=(Query(f"count({SPOKES})"),),
            kind=Kind.NUMBER,
            width=4,
        ),
        Panel(
            title="Last complete pass",
            about="How long ago it ended.",
            queries=(Query("time() - max(cirahub_hub_last_sync_timestamp_seconds{HERE})"),),
            kind=Kind.NUMBER,
            unit=Unit.AGE,
            width=4,
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
            title="Waits for a person",
            about="Deletions that the guard holds back, conflicts, and writes of a plan.",
            queries=(
                Query(
                    "max(cirahub_hub_guarded_deletions{HERE})"
                    " + max(cirahub_hub_undecided_conflicts{HERE})"
                    " + sum(max by (action) (cirahub_hub_plan_entries{HERE}))"
                ),
            ),
            kind=Kind.NUMBER,
            width=4,
            warns_at=1,
        ),
    ),
)

_STATE = Row(
    "State",
    (
        Panel(
            title="Conditions of the Hub",
            about="Each that it has.",
            queries=(Query(f"max by (type) ({CONDITION}}})", "{{type}}"),),
            kind=Kind.STATES,
            unit=Unit.FLAG,
            width=12,
        ),
        Panel(
            title="Spokes that are not ready",
            about="`kubectl get spokes` says why. Empty while all are.",
            queries=(
                Query(
                    "max by (namespace, name)"
                    ' (cirahub_condition{kind="Spoke",type="Ready"}) == 0'
                    " and on (namespace, name)"
                    f' label_replace({SPOKES}, "name", "$1", "spoke", "(.+)")'
                ),
            ),
            kind=Kind.TABLE,
            width=12,
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
            about="Half of them, and 19 of 20, take no longer. One that takes longer than the "
            "interval is followed by the next at once.",
            queries=(
                *(
                    Query(
                        f"histogram_quantile({share},"
                        " sum by (le) (rate(cirahub_pass_seconds_bucket{HERE}[$__rate_interval])))",
                        legend,
                    )
                    for share, legend in ((0.5, "half"), (0.95, "19 of 20"))
                ),
                Query("max(cirahub_hub_interval_seconds{HERE})", "interval"),
            ),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Phases of a pass",
            about="What the mean pass spends in each: `plan` is judging what receivers lack, "
            "`push` mostly waiting for their services.",
            queries=(
                Query(
                    "sum by (phase)"
                    " (rate(cirahub_pass_phase_seconds_total{HERE}[$__rate_interval]))"
                    " / ignoring (phase) group_left ()"
                    " sum(rate(cirahub_pass_seconds_count{HERE}[$__rate_interval]))",
                    "{{phase}}",
                ),
            ),
            unit=Unit.SECONDS,
            stacked=True,
        ),
    ),
)

_ITEMS = Row(
    "Items",
    (
        Panel(
            title="Items and duplicates",
            about="In the hub; and those that have a match key in common with another, and stay "
            "apart.",
            queries=(
                Query("max(cirahub_hub_items{HERE})", "items"),
                Query("max(cirahub_hub_duplicate_items{HERE})", "of these duplicates"),
            ),
        ),
        Panel(
            title="Own items of Spokes",
            about="What each contributes. Empty of a hub that has sets only.",
            queries=(
                Query(
                    "max by (namespace, spoke) ("
                    + there("cirahub_spoke_items", 'state="native"')
                    + ")",
                    "{{spoke}}",
                ),
            ),
        ),
        Panel(
            title="Copies at Spokes",
            about="What each received. Empty of a hub that has sets only.",
            queries=(
                Query(
                    "max by (namespace, spoke) ("
                    + there("cirahub_spoke_items", 'state="copy"')
                    + ")",
                    "{{spoke}}",
                ),
            ),
        ),
        Panel(
            title="Changes",
            about="Read from Spokes, and written to them. `failed` ones are tried again. Empty "
            "where nothing changed since the operator started.",
            queries=(
                Query(f"sum by (result) ({rate('cirahub_spoke_changes_total')})", "{{result}}"),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        Panel(
            title="Writes by Spoke",
            about="Creates, updates and deletes. Empty where there were none since the operator "
            "started.",
            queries=(
                Query(
                    "sum by (namespace, spoke) ("
                    + rate("cirahub_spoke_changes_total", 'result=~"created|updated|deleted"')
                    + ")",
                    "{{spoke}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        Panel(
            title="Items that can't be read",
            about="By Spoke. They are fetched again with growing pauses; the others go on. Empty "
            "of a hub that has sets only.",
            queries=(
                Query(
                    "max by (namespace, spoke) ("
                    + there("cirahub_spoke_items", 'state="unreadable"')
                    + ")",
                    "{{spoke}}",
                ),
            ),
            warns_at=1,
        ),
    ),
)

_WAITING = Row(
    "What waits",
    (
        Panel(
            title="Lag by Spoke and reason",
            about="The age of the oldest change that has not reached it. Empty while all have.",
            queries=(
                Query(
                    f"time() - min by (namespace, spoke, reason) ({LATE})", "{{spoke}} {{reason}}"
                ),
            ),
            unit=Unit.AGE,
        ),
        Panel(
            title="Items that wait",
            about="By Spoke and reason. Empty while none does.",
            queries=(
                Query(
                    f"max by (namespace, spoke, reason) ({there('cirahub_spoke_pending_items')})",
                    "{{spoke}} {{reason}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            title="For a person",
            about="Deletions that the guard holds back, conflicts that nobody decided, fields "
            "that two Spokes kept changing, and writes of a plan.",
            queries=(
                Query("max(cirahub_hub_guarded_deletions{HERE})", "deletions"),
                Query("max(cirahub_hub_undecided_conflicts{HERE})", "conflicts"),
                Query("max(cirahub_hub_frozen_fields{HERE})", "frozen fields"),
                Query("max by (action) (cirahub_hub_plan_entries{HERE})", "to {{action}}"),
            ),
        ),
        Panel(
            title="Conflicts",
            about="Those that passes recorded, whoever decided them.",
            queries=(
                Query(
                    "sum(rate(cirahub_hub_conflicts_total{HERE}[$__rate_interval]))", "conflicts"
                ),
            ),
            unit=Unit.PER_SECOND,
        ),
        Panel(
            title="Throttled",
            about="Share of the time that passes waited for a Spoke's service. Empty while none "
            "asked for it.",
            queries=(
                Query(
                    f"sum by (namespace, spoke) ({rate('cirahub_spoke_throttled_seconds_total')})",
                    "{{spoke}}",
                ),
            ),
            unit=Unit.SHARE,
        ),
        Panel(
            title="Erasures",
            about="Spokes, or the hub, that leave, and copies that could not be reached. Empty "
            "while nobody leaves.",
            queries=(
                Query("max(cirahub_erasures_open{HERE})", "that leave"),
                Query("max(cirahub_erasure_copies_remaining{HERE})", "copies out of reach"),
            ),
        ),
    ),
)

_SETS = Row(
    "Members of sets",
    (
        Panel(
            title="Members by state",
            about="Of each SpokeSet. Empty where there is none.",
            queries=(
                Query(
                    f"max by (namespace, spokeset, state) ({there('cirahub_spokeset_members')})",
                    "{{spokeset}} {{state}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            title="Members that fail",
            about="By reason; they are left alone for now. Empty while none does.",
            queries=(
                Query(
                    "max by (namespace, spokeset, reason)"
                    f" ({there('cirahub_spokeset_failing_members')})",
                    "{{spokeset}} {{reason}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            title="Changes at members",
            about="Of all together. Empty where there are none.",
            queries=(
                Query(f"sum by (result) ({rate('cirahub_spokeset_changes_total')})", "{{result}}"),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        Panel(
            title="What waits at members",
            about="By reason. Empty while nothing does.",
            queries=(
                Query(
                    "max by (namespace, spokeset, reason)"
                    f" ({there('cirahub_spokeset_pending_items')})",
                    "{{spokeset}} {{reason}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            title="Lag at members",
            about="The age of the oldest change that has not reached a member of the last pass. "
            "Empty while all have it.",
            queries=(
                Query(
                    "time() - min by (namespace, spokeset) ("
                    + there(
                        "cirahub_spokeset_pending_since_timestamp_seconds",
                        f'reason!~"{ON_PURPOSE}"',
                    )
                    + ")",
                    "{{spokeset}}",
                ),
            ),
            unit=Unit.AGE,
        ),
    ),
)

HUB = Board(
    uid="cirahub-hub",
    title="cirahub / Hub",
    about="One hub, with its Spokes and SpokeSets.",
    here='namespace="$namespace",hub="$hub"',
    variables=(
        Variable("namespace", "Namespace", "cirahub_hub_items"),
        Variable("hub", "Hub", 'cirahub_hub_items{namespace="$namespace"}'),
    ),
    rows=(_NOW, _STATE, _PASSES, _ITEMS, _WAITING, _SETS),
)
