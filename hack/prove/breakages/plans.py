"""Approval: nothing is written under Manual but what a person has seen, as they have seen it. The
numbers are of the design's invariants that this comes nearest to."""

from __future__ import annotations

from prove.breakage import Breakage

_APPROVAL = "sync/cirahub_sync/engine/approval.py"
_TESTS = "tests/engine/test_plans.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=8,
        what="with Manual, creates and updates do not wait",
        file="sync/cirahub_sync/engine/deliver.py",
        old="held = [j for j in acting.values() if not gate.lets(self.run.uid, j)]",
        new="held = [j for j in () if not gate.lets(self.run.uid, j)]",
        tests=f"{_TESTS}::test_with_manual_a_pass_writes_nothing_and_says_what_waits",
    ),
    Breakage(
        guards=9,
        what="with Manual, deletions do not wait",
        file="sync/cirahub_sync/engine/deliver.py",
        old="if (self.run.uid, j.item) in seen or gate.lets(self.run.uid, j)",
        new="if gate is not None",
        tests=f"{_TESTS}::test_deletions_wait_for_the_plan_after_their_grace",
    ),
    Breakage(
        guards=8,
        what="a plan's approval covers whatever is due by then",
        file=_APPROVAL,
        old="        if entry.id in self._approved:",
        new="        if self._approved:",
        tests=f"{_TESTS}::test_what_changed_between_approval_and_pass_waits_in_the_next_plan",
    ),
    Breakage(
        guards=8,
        what="an entry does not tell what the copy was",
        file=_APPROVAL,
        old="judgement.remote, judgement.etag, before)",
        new="judgement.remote)",
        tests=f"{_TESTS}::test_an_approval_does_not_cover_a_copy_that_its_user_changed_meanwhile",
    ),
    Breakage(
        guards=8,
        what="an expired plan can be approved",
        file=_APPROVAL,
        old="stored.id in context.approved and now < stored.expires_at:",
        new="stored.id in context.approved:",
        tests=f"{_TESTS}::test_an_expired_approval_applies_nothing",
    ),
    Breakage(
        guards=8,
        what="an approval is not used up",
        file="sync/cirahub_sync/engine/deliver.py",
        old="            tx.plans.consume(self.run.uid, settled)",
        new="            pass",
        tests=f"{_TESTS}::test_an_approval_counts_once",
    ),
    Breakage(
        guards=15,
        what="an erasure waits for an approval",
        file=_APPROVAL,
        old="if judgement.unguarded or judgement.item in self._withdrawn:",
        new="if judgement.unguarded:",
        tests=f"{_TESTS}::test_an_erasure_waits_for_no_approval",
    ),
)
