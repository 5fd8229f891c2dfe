"""Nothing is written under Manual but what a person has seen, as they have seen it; and what is
explained is what decided."""

from __future__ import annotations

from prove.breakage import Breakage

_APPROVAL = "sync/cirahub_sync/engine/approval.py"
_TESTS = "tests/engine/test_plans.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards="Plans",
        what="with Manual, creates and updates do not wait",
        file="sync/cirahub_sync/engine/deliver.py",
        old="held = [j for j in acting.values() if not gate.lets(self.run.uid, j)]",
        new="held = [j for j in () if not gate.lets(self.run.uid, j)]",
        tests=f"{_TESTS}::test_with_manual_a_pass_writes_nothing_and_says_what_waits",
    ),
    Breakage(
        guards="Plans",
        what="with Manual, deletions do not wait",
        file="sync/cirahub_sync/engine/deliver.py",
        old="if (self.run.uid, j.item) in seen or gate.lets(self.run.uid, j)",
        new="if gate is not None",
        tests=f"{_TESTS}::test_deletions_wait_for_the_plan_after_their_grace",
    ),
    Breakage(
        guards="Plans",
        what="a plan's approval covers whatever is due by then",
        file=_APPROVAL,
        old="        if entry.id in self._approved:",
        new="        if self._approved:",
        tests=f"{_TESTS}::test_what_changed_between_approval_and_pass_waits_in_the_next_plan",
    ),
    Breakage(
        guards="Plans",
        what="an entry does not tell what the copy was",
        file=_APPROVAL,
        old="judgement.remote, judgement.etag, before)",
        new="judgement.remote)",
        tests=f"{_TESTS}::test_an_approval_does_not_cover_a_copy_that_its_user_changed_meanwhile",
    ),
    Breakage(
        guards="Plans",
        what="an expired plan can be approved",
        file=_APPROVAL,
        old="stored.id in context.approved and now < stored.expires_at:",
        new="stored.id in context.approved:",
        tests=f"{_TESTS}::test_an_expired_approval_applies_nothing",
    ),
    Breakage(
        guards="Plans",
        what="an approval is not used up",
        file="sync/cirahub_sync/engine/deliver.py",
        old="            tx.plans.consume(self.run.uid, settled)",
        new="            pass",
        tests=f"{_TESTS}::test_an_approval_counts_once",
    ),
    Breakage(
        guards="Plans",
        what="an erasure waits for an approval",
        file=_APPROVAL,
        old="if judgement.unguarded or judgement.item in self._withdrawn:",
        new="if judgement.unguarded:",
        tests=f"{_TESTS}::test_an_erasure_waits_for_no_approval",
    ),
    Breakage(
        guards="Plans",
        what="a plan that is made anew may have the id of an earlier one",
        file=_APPROVAL,
        old="    issue = stored.issue + 1\n",
        new="    issue = stored.issue\n",
        tests=f"{_TESTS}::test_an_approval_counts_once {_TESTS}::"
        "test_an_expired_approval_applies_nothing",
    ),
    Breakage(
        guards="Explain",
        what="a filter tells a condition that did not decide",
        file="sync/cirahub_sync/model/filter.py",
        old="                return otherwise\n",
        new="                return _NO_OPTION\n",
        tests="tests/engine/test_explain.py::"
        "test_the_condition_that_decided_is_the_one_that_is_told",
    ),
    Breakage(
        guards="Explain",
        what="the fold names somebody else for a value",
        file="sync/cirahub_sync/engine/fold.py",
        old="found.wins.append(Win(field, winner.spoke, rule, best.when, tie=tie))",
        new="found.wins.append(Win(field, said[0][0].spoke, rule, best.when, tie=tie))",
        tests="tests/engine/test_fold.py::test_the_winner_is_told_with_the_rule_that_chose_it",
    ),
    Breakage(
        guards="Explain",
        what="values are told that nobody asked for",
        file="sync/cirahub_sync/explain.py",
        old="        return value if self._values else None",
        new="        return value",
        tests="tests/engine/test_explain.py::test_no_value_is_told_unless_it_is_asked_for",
    ),
)
