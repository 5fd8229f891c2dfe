"""What a Hub says of those who leave it."""

from __future__ import annotations

from datetime import UTC, datetime

from cirahub_operator.departures import departures
from cirahub_operator.summary import hub_progress, hub_status
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.erasure import Erasure, ErasureReport

from . import objects

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REFUSED = Problem("ClientNotFound", "the client is not known", stalled=True)


def job(
    name: str = "demo/ann",
    *,
    after: float = 3600.0,
    remaining: int | None = None,
    problems: tuple[Problem, ...] = (),
    whole: bool = False,
) -> Erasure:
    report = (
        None
        if remaining is None
        else ErasureReport(
            copies_deleted=0,
            items_erased=0,
            items_changed=0,
            copies_remaining=remaining,
            problems=problems,
        )
    )
    return Erasure(
        id=name,
        hub="hub",
        hub_name="demo/staff",
        name=name,
        whole_hub=whole,
        connections=("demo/contoso",),
        requested_at=NOW.timestamp(),
        erase_at=NOW.timestamp() + after,
        started_at=None if report is None else NOW.timestamp(),
        attempts=0 if report is None else 1,
        report=report,
    )


def test_nobody_leaving_is_not_spoken_of() -> None:
    found = departures([], {}, now=NOW)
    assert (found.listed, found.statements, found.phrase) == (None, (), "")


def test_the_next_to_be_erased_come_first_and_at_most_ten() -> None:
    jobs = [job(f"demo/s{number:02}", after=100.0 - number) for number in range(30)]
    found = departures(jobs, {}, now=NOW)
    assert found.listed is not None
    assert found.listed.total == 30
    assert [one.name for one in found.listed.spokes] == [f"s{n}" for n in range(29, 19, -1)]
    assert found.phrase == ("30 spokes are leaving, the last of them until 2026-11-23T12:01:40Z")


def test_a_spoke_of_another_namespace_is_named_with_it() -> None:
    found = departures([job("other/ann")], {}, now=NOW)
    assert found.listed is not None
    assert found.listed.spokes[0].name == "other/ann"


def test_what_is_incomplete_is_named_with_the_reason_and_what_to_do() -> None:
    jobs = [job(f"demo/s{n}", after=-n, remaining=n, problems=(REFUSED,)) for n in range(1, 6)]
    found = departures(jobs, {}, now=NOW)
    (statement,) = found.statements
    assert (statement.type, statement.holds, statement.reason) == (
        "ErasureIncomplete",
        True,
        "CopiesUnreachable",
    )
    assert statement.message == (
        "Spoke s5: 5 copies remain: the client is not known. "
        "Spoke s4: 4 copies remain: the client is not known. "
        "Spoke s3: 3 copies remain: the client is not known. And 2 others. "
        "It is tried again by itself; mend what stands in the way, and to have it tried at once: "
        "cirahub erase --resume, or another value of the annotation "
        "reconcile.cirahub.io/requestedAt; cirahub erase --abandon gives up on it"
    )
    assert found.phrase == "5 erasures are incomplete"


def test_what_the_last_attempt_ran_into_is_newer_than_its_report() -> None:
    found = departures([job(remaining=4)], {"demo/ann": "the lease was lost"}, now=NOW)
    assert found.statements[0].message.startswith("Spoke ann: the lease was lost. ")


def test_an_earlier_hub_of_the_name_is_no_spoke_that_leaves() -> None:
    found = departures([job("demo/staff", whole=True, remaining=2)], {}, now=NOW)
    assert found.listed is None
    assert found.statements[0].message.startswith("Hub staff: 2 copies remain. ")


def test_a_hub_that_synced_says_who_leaves_and_what_is_incomplete() -> None:
    jobs = [job("demo/ann"), job("demo/bob", after=-1, remaining=4)]
    hub = objects.hub()
    report = PassReport("demo/staff", started=1.0, finished=2.0, items=7)
    found = departures(jobs, {}, now=NOW)
    after = hub_status(hub, report, {}, handled=None, now=NOW, departures=found)
    ready = after.condition("Ready")
    assert ready is not None
    assert ready.message == (
        "no Spoke names this hub yet; 1 spoke is leaving until 2026-11-23T13:00:00Z; "
        "1 erasure is incomplete"
    )
    assert after.condition("ErasureIncomplete") is not None
    assert after.leaving is not None
    assert after.leaving.total == 2


def test_a_pass_that_runs_or_fails_does_not_hide_what_is_incomplete() -> None:
    found = departures([job(after=-1, remaining=4)], {}, now=NOW)
    report = PassReport("demo/staff", started=1.0, finished=2.0)
    hub = objects.hub()
    after = hub_status(hub, report, {}, handled=None, now=NOW, departures=found)
    hub = hub.model_copy(update={"status": after})
    running = hub_progress(hub, "pulled 100 changes", now=NOW)
    assert running.condition("ErasureIncomplete") == after.condition("ErasureIncomplete")
    report.problem = Problem("StoreUnavailable", "the disk is full")
    failed = hub_status(hub, report, {}, handled=None, now=NOW, departures=found)
    assert failed.condition("ErasureIncomplete") == after.condition("ErasureIncomplete")
    assert failed.leaving == after.leaving
