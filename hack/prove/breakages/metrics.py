"""What the metrics promise: ages that are true, and series that go with their object."""

from __future__ import annotations

from prove.breakage import Breakage

METRICS = "Metrics"
_LAG = "tests/engine/test_lag.py::"
_STORE = "sync/cirahub_sync/store/delivery.py"
_TOLD = "tests/operator/test_metrics.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=METRICS,
        what="each try makes what waits young again",
        file=_STORE,
        old="            merged=waiting_since,\n",
        new="",
        tests=_LAG
        + "test_what_is_not_delivered_waits_from_the_pass_that_saw_it_until_it_is[sqlite]",
    ),
    Breakage(
        guards=METRICS,
        what="a grace period counts as lag once it is over",
        file=_STORE,
        old="case((late_only_now, new.since), else_=pending.c.since)",
        new="pending.c.since",
        tests=_LAG + "test_a_deletion_lags_from_the_end_of_its_grace_on[sqlite]",
    ),
    Breakage(
        guards=METRICS,
        what="who can't be reached lags by nothing",
        file="sync/cirahub_sync/engine/lag.py",
        old="        if run.uid in behind:\n",
        new="        if run.uid in behind and waiting:\n",
        tests=_LAG
        + "test_who_lets_us_in_no_more_lags_since_the_first_change_that_it_missed[sqlite]",
    ),
    Breakage(
        guards=METRICS,
        what="who joins lags since the hub was made",
        file="sync/cirahub_sync/engine/lag.py",
        old="max(known.at, run.row.joined_at)",
        new="known.at",
        tests=_LAG + "test_who_joins_lags_since_then_and_not_since_the_hub_was_made[sqlite]",
    ),
    Breakage(
        guards=METRICS,
        what="judging counts as pushing",
        file="sync/cirahub_sync/engine/context.py",
        old="self.clock() - began - within)",
        new="self.clock() - began)",
        tests=_LAG + "test_a_pass_says_how_long_it_was_in_each_phase[sqlite]",
    ),
    Breakage(
        guards=METRICS,
        what="requests through a Connection outlive it",
        file="operator/cirahub_operator/metrics.py",
        old="                self._requests.remove((namespace, name, api.value))\n",
        new="",
        tests=_TOLD + "test_no_series_of_an_object_outlives_it",
    ),
    Breakage(
        guards=METRICS,
        what="the age of what waits is forgotten while its spoke is broken",
        file="operator/cirahub_operator/metrics.py",
        old="        if spoke.waiting_since is not None:\n"
        "            self._pending_since.put(key, labels, spoke.waiting_since)\n",
        new="        self._pending_since.put(key, labels, spoke.waiting_since or {})\n",
        tests=_TOLD
        + "test_how_long_something_waits_is_told_as_a_time_and_goes_when_it_is_delivered",
    ),
)
