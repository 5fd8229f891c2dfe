"""When a hub is passed over. Pure."""

from __future__ import annotations

from cirahub_operator.api import Hub
from cirahub_operator.reconcile import schedule
from cirahub_operator.reconcile.schedule import Cause, Memory
from cirahub_operator.settings import Timing
from cirahub_sync.engine.report import (
    PassReport,
    PlanSummary,
    Problem,
    SpokeReport,
    StageSummary,
)

from .objects import hub

TIMING = Timing(jitter=0.1, retry_first=5, retry_most=300)


def annotated(**annotations: str) -> Hub:
    prefixes = {"approve": "cirahub.io/approve", "asked": "reconcile.cirahub.io/requestedAt"}
    made = {prefixes[name]: value for name, value in annotations.items()}
    return hub(metadata={"annotations": made})


def passed(**fields: object) -> Memory:
    """An hour before the next pass."""
    memory = Memory(report=PassReport("demo/staff", 0.0), digest="d", due=3600.0)
    for name, value in fields.items():
        setattr(memory, name, value)
    return memory


def failing(problem: Problem) -> PassReport:
    report = PassReport("demo/staff", 0.0)
    report.spokes = {"u": SpokeReport("u", "demo/ann", problem=problem)}
    return report


def test_nothing_is_due_before_the_interval_is_over() -> None:
    assert schedule.cause(hub(), {}, "d", passed(), now=3599.0) is None
    assert schedule.cause(hub(), {}, "d", passed(), now=3600.0) is Cause.INTERVAL


def test_the_first_look_and_every_change_are_due_at_once() -> None:
    assert schedule.cause(hub(), {}, "d", Memory(), now=0.0) is Cause.FIRST
    assert schedule.cause(hub(), {}, "other", passed(), now=0.0) is Cause.CHANGED


def test_a_request_is_answered_once() -> None:
    asked = annotated(asked="10:00")
    assert schedule.cause(asked, {}, "d", passed(), now=0.0) is Cause.REQUESTED
    assert schedule.cause(asked, {}, "d", passed(handled="10:00"), now=0.0) is None


def test_a_request_at_a_spoke_is_one_to_its_hub() -> None:
    asking = {"ann": "now"}
    memory = passed(spokes_handled={"ann": None})
    assert schedule.cause(hub(), asking, "d", memory, now=0.0) is Cause.REQUESTED
    assert (
        schedule.cause(hub(), asking, "d", passed(spokes_handled={"ann": "now"}), now=0.0) is None
    )


def test_an_approval_is_due_if_it_is_of_what_is_held_back_and_only_once() -> None:
    held = passed()
    assert held.report is not None
    held.report.approval = "abc"
    assert schedule.cause(annotated(approve="abc"), {}, "d", held, now=0.0) is Cause.APPROVED
    assert schedule.cause(annotated(approve="old"), {}, "d", held, now=0.0) is None
    held.approvals.add("abc")
    assert schedule.cause(annotated(approve="abc"), {}, "d", held, now=0.0) is None


def test_an_approved_plan_is_due_at_once_if_it_is_the_one_that_waits() -> None:
    held = passed()
    assert held.report is not None
    held.report.plan = PlanSummary(id="4c1f", creates=1)
    assert schedule.cause(annotated(approve="4c1f"), {}, "d", held, now=0.0) is Cause.APPROVED
    assert schedule.cause(annotated(approve="0000"), {}, "d", held, now=0.0) is None


def test_an_approved_stage_is_due_at_once_if_it_is_one_that_waits() -> None:
    held = passed()
    assert held.report is not None
    stage = StageSummary(id="5a9e", number=1, of=3, arrived=10, waiting=5, next=100)
    held.report.spokes["uid"] = SpokeReport("uid", "demo/ann", stage=stage)
    assert schedule.cause(annotated(approve="5a9e"), {}, "d", held, now=0.0) is Cause.APPROVED
    assert schedule.cause(annotated(approve="0000"), {}, "d", held, now=0.0) is None


def test_what_was_told_of_is_due_after_a_pause_and_behind_every_other_cause() -> None:
    told = passed(notified_from=10.0)
    assert schedule.cause(hub(), {}, "d", told, now=9.9, notified=True) is None
    assert schedule.next_look(told, now=9.0, notified=True) == 1.0
    assert schedule.cause(hub(), {}, "d", told, now=10.0, notified=True) is Cause.NOTIFIED
    assert schedule.cause(hub(), {}, "d", told, now=10.0, notified=False) is None
    assert schedule.next_look(told, now=9.0, notified=False) == 3591.0
    assert schedule.cause(hub(), {}, "other", told, now=10.0, notified=True) is Cause.CHANGED
    assert schedule.cause(hub(), {}, "d", told, now=3600.0, notified=True) is Cause.INTERVAL


def test_after_a_pass_that_broke_off_the_retries_decide_whatever_was_told() -> None:
    told = passed()
    assert told.report is not None
    told.report.problem = Problem("StoreUnavailable", "away")
    assert schedule.cause(hub(), {}, "d", told, now=10.0, notified=True) is None
    assert schedule.next_look(told, now=0.0, notified=True) == 3600.0


def test_a_spoke_that_fails_keeps_nobody_else_from_being_looked_at() -> None:
    told = passed(failures=3)
    told.report = failing(Problem("EndpointUnavailable", "no answer"))
    assert schedule.cause(hub(), {}, "d", told, now=10.0, notified=True) is Cause.NOTIFIED


def test_a_pass_that_was_asked_for_leaves_the_interval_s_clock_alone() -> None:
    good, bad = PassReport("x", 0.0), failing(Problem("EndpointUnavailable", "no answer"))

    def after(report: PassReport, *, failures: int = 0, notified: bool = True) -> Memory:
        memory = passed(failures=failures)
        schedule.settle(memory, hub(), report, TIMING, now=100.0, notified=notified)
        return memory

    assert after(good).due == 3600.0
    assert after(good, failures=2).failures == 2
    assert after(bad, failures=2).failures == 2
    new = after(bad)
    assert (new.failures, new.due <= 105.0) == (1, True)
    assert after(good, failures=2, notified=False).failures == 0
    assert after(good, notified=False).due > 3000.0
    broken = PassReport("x", 0.0, problem=Problem("StoreUnavailable", "away"))
    assert after(broken, failures=2).failures == 3


def test_the_interval_is_jittered_but_never_longer() -> None:
    waits = {
        schedule.wait(hub(interval="100s"), PassReport("x", 0.0), 0, TIMING) for _ in range(50)
    }
    assert len(waits) > 1
    assert all(90 <= wait <= 100 for wait in waits)


def test_what_may_come_right_is_retried_sooner_and_ever_later() -> None:
    report = failing(Problem("EndpointUnavailable", "no answer"))
    assert schedule.failed(report)
    first, third = (schedule.wait(hub(), report, count, TIMING) for count in (1, 3))
    assert 4 <= first <= 5
    assert 16 <= third <= 20


def test_a_service_that_names_a_time_is_given_it() -> None:
    report = failing(Problem("Throttled", "slow down", retry_after=120.0))
    assert schedule.wait(hub(), report, 1, TIMING) >= 120


def test_retries_are_never_rarer_than_the_interval() -> None:
    report = failing(Problem("Throttled", "slow down", retry_after=7200.0))
    assert schedule.wait(hub(interval="1m"), report, 9, TIMING) <= 60


def test_what_only_people_can_mend_waits_for_the_interval() -> None:
    assert not schedule.failed(failing(Problem("TargetNotFound", "none", stalled=True)))


def test_a_connection_that_recovers_changes_the_digest() -> None:
    from cirahub_operator.resolver import hub_config

    config = hub_config(hub())
    assert schedule.digest(config, [], ["contoso"]) != schedule.digest(config, [], [])
    assert schedule.digest(config, [], []) == schedule.digest(config, [], [])
