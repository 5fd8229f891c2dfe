"""What is taken out of a pass in parts: fences, barriers, and what is handed over."""

from __future__ import annotations

from prove.breakage import Breakage

PARTS = "Parts"
_SYNC = "sync/cirahub_sync"
_LEASES = "tests/store/test_shards.py::"
_PROCESSES = "tests/shards/test_processes.py::"
_EQUAL = "tests/shards/test_equal.py::test_a_pass_in_parts_ends_as_one_in_one_process"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=PARTS,
        what="a worker that was replaced goes on",
        file=f"{_SYNC}/store/shards.py",
        old="                shards.c.token == self.token,\n",
        new="",
        tests=f"{_LEASES}test_a_shard_is_one_worker_s_until_its_lease_has_run_out",
    ),
    Breakage(
        guards=PARTS,
        what="a shard that is held is taken",
        file=f"{_SYNC}/store/shards.py",
        old="if row.holder and left > 0 and may_live(row.holder):",
        new="if row.holder and left > 1e9:",
        tests=f"{_LEASES}test_a_shard_is_one_worker_s_until_its_lease_has_run_out",
    ),
    Breakage(
        guards=PARTS,
        what="a worker does not ask whose the hub is",
        file=f"{_SYNC}/store/shards.py",
        old=" & (hubs.c.lease_token == number)",
        new="",
        tests=f"{_LEASES}test_a_worker_whose_pass_was_taken_over_commits_and_sends_nothing",
    ),
    Breakage(
        guards=PARTS,
        what="a pass that was given up is one all the same",
        file=f"{_SYNC}/store/shards.py",
        old="    return left if left > 0 else None",
        new="    return left",
        tests=f"{_LEASES}test_a_worker_whose_pass_was_given_up_commits_and_sends_nothing",
    ),
    Breakage(
        guards=PARTS,
        what="a worker's requests are measured by its own lease alone",
        file=f"{_SYNC}/store/shards.py",
        old="min(left, self.terms.seconds)",
        new="self.terms.seconds",
        tests=f"{_LEASES}test_a_worker_does_not_outlive_a_coordinator_that_does_not_renew",
    ),
    Breakage(
        guards=PARTS,
        what="a shard is tried for ever",
        file=f"{_SYNC}/store/shards.py",
        old="        if row.token >= ATTEMPTS:",
        new="        if row.token < 0:",
        tests=f"{_LEASES}test_a_shard_that_was_given_back_is_taken_at_once_and_its_attempts_are_counted",
    ),
    Breakage(
        guards=PARTS,
        what="transactions of two shards do not have the hub's row first",
        file=f"{_SYNC}/store/shards.py",
        old="update(hubs).where(held).values(lease_token=hubs.c.lease_token)",
        new="select(hubs.c.uid).where(held)",
        tests=f"{_LEASES}test_transactions_of_two_shards_are_one_after_the_other_and_never_cross",
    ),
    Breakage(
        guards=PARTS,
        what="an attempt does not settle what the last one sent",
        file=f"{_SYNC}/engine/shard.py",
        old="        if attempt > 1:\n",
        new="        if attempt > 99:\n",
        tests=f"{_PROCESSES}test_what_a_killed_worker_left_is_settled_by_the_next_attempt",
    ),
    Breakage(
        guards=PARTS,
        what="who was verified is not handed over",
        file=f"{_SYNC}/engine/shard.py",
        old="        verified=run.uid in context.verified,\n",
        new="        verified=False,\n",
        tests=_EQUAL,
    ),
    Breakage(
        guards=PARTS,
        what="the guard's verdict is not waited for",
        file=f"{_SYNC}/engine/shared.py",
        old="            verdict=None if verdict is None else _about(verdict, here),\n",
        new="            verdict=None if verdict is None else _about(verdict, set()),\n",
        tests=_EQUAL,
    ),
    Breakage(
        guards=PARTS,
        what="the shards of a failed crew fail nobody",
        file=f"{_SYNC}/engine/shared.py",
        old="                        run.fail(_failed(run, errand, one))\n",
        new="",
        tests="tests/shards/test_failures.py::"
        "test_a_shard_that_nobody_works_on_fails_its_spokes_and_the_next_pass_goes_on",
    ),
    Breakage(
        guards=PARTS,
        what="a pass with a gate is shared all the same",
        file=f"{_SYNC}/engine/sync_pass.py",
        old="if crew is not None and context.gate is None:",
        new="if crew is not None:",
        tests="tests/shards/test_failures.py::"
        "test_where_writes_wait_for_a_person_the_pass_is_one_process_s",
    ),
    Breakage(
        guards=PARTS,
        what="the rows of a pass outlive it",
        file=f"{_SYNC}/engine/sync_pass.py",
        old="        tx.shards.clear()\n",
        new="",
        tests=f"{_PROCESSES}test_a_pass_that_is_given_up_stops_its_workers",
    ),
)
