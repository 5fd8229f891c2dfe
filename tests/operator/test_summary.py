"""What a result says as conditions. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cirahub_operator.api.connection import ConnectionStatus
from cirahub_operator.api.meta import APPROVE, Condition, ConditionStatus, Status
from cirahub_operator.api.spoke import SpokeStatus
from cirahub_operator.conditions import Statement, ready, stated
from cirahub_operator.standing import standing
from cirahub_operator.summary import (
    Leaving,
    connection_status,
    hub_progress,
    hub_status,
    hub_waiting,
    spoke_status,
    spoke_synced,
)
from cirahub_sync.engine.report import (
    Counts,
    Failing,
    Feud,
    PassReport,
    PlanSummary,
    Problem,
    SpokeReport,
    StageSummary,
)
from cirahub_sync.identity.base import Credential, SignIn
from cirahub_sync.origins import Origins

from .objects import connection, hub, spoke
from .stage import CLIENT, TENANT

NOW = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
BROKEN = Problem("TargetNotFound", "there is no such mailbox", stalled=True)
FLAKY = Problem("EndpointUnavailable", "no answer")


def types(status: Status) -> dict[str, tuple[str, str]]:
    return {one.type: (one.status.value, one.reason) for one in status.conditions}


def signed_in(
    *,
    missing: tuple[str, ...] = (),
    excess: tuple[str, ...] = (),
    settling: bool = False,
    expires: datetime | None = None,
) -> SignIn:
    ends = None if expires is None else expires.timestamp()
    credential = Credential("clientSecret", ends)
    return SignIn(credential=credential, missing=missing, excess=excess, settling=settling)


def checked(
    result: SignIn | Problem | Leaving, *, before: ConnectionStatus | None = None
) -> ConnectionStatus:
    """What a check makes of a Connection."""
    subject = connection()
    if before is not None:
        subject = subject.model_copy(update={"status": before})
    month = timedelta(days=30).total_seconds()
    return connection_status(subject, result, now=NOW, checked=True, expiry_warning=month)


def report(*spokes: SpokeReport, **fields: object) -> PassReport:
    made = PassReport("demo/staff", started=NOW.timestamp() - 2, finished=NOW.timestamp(), items=9)
    made.spokes = {one.uid: one for one in spokes}
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def result(name: str = "ann", **fields: object) -> SpokeReport:
    made = SpokeReport(f"uid-{name}", f"demo/{name}")
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def synced(one: SpokeReport, *, before: SpokeStatus | None = None) -> SpokeStatus:
    subject = spoke(one.name.rpartition("/")[2])
    if before is not None:
        subject = subject.model_copy(update={"status": before})
    return spoke_synced(subject, one, report=report(one, approval="d1"), now=LATER)


def test_a_transition_time_moves_only_when_the_status_does() -> None:
    def state(holds: bool, reason: str, before: tuple[Condition, ...], at: datetime) -> Condition:
        statement = Statement("Ready", holds, reason, "m")
        return stated([statement], before=before, generation=1, now=at)[0]

    first = state(True, "Synced", (), NOW)
    second = state(True, "NoSpokes", (first,), LATER)
    third = state(False, "Failed", (second,), LATER)
    assert first.last_transition_time == second.last_transition_time == NOW
    assert third.last_transition_time == LATER


def test_a_long_message_is_shortened_to_what_the_schema_admits() -> None:
    made = stated([ready("Synced", "x " * 5000)], before=(), generation=1, now=NOW)
    assert len(made[0].message) <= 1024


def test_a_connection_that_signs_in_is_ready() -> None:
    status = checked(signed_in())
    assert types(status) == {
        "Ready": ("True", "SignedIn"),
        "CredentialsReady": ("True", "SignedIn"),
        "Consented": ("True", "Granted"),
    }
    assert status.observed_generation == 3
    assert status.last_check_time == NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("problem", "also"),
    [
        (BROKEN, {"Stalled": ("True", "TargetNotFound")}),
        (FLAKY, {"Reconciling": ("True", "Retrying")}),
    ],
)
def test_a_problem_stalls_or_is_retried(problem: Problem, also: dict[str, tuple[str, str]]) -> None:
    status = checked(problem)
    assert types(status) == {
        "Ready": ("False", problem.reason),
        "CredentialsReady": ("False", problem.reason),
        **also,
    }


def test_a_secret_that_ends_soon_is_told_of_and_still_ready() -> None:
    status = checked(signed_in(expires=NOW + timedelta(days=29)))
    assert types(status)["Ready"] == ("True", "SignedIn")
    assert types(status)["CredentialsExpiring"] == ("True", "ExpiresSoon")
    assert status.credential_expiry_time == (NOW + timedelta(days=29)).replace(microsecond=0)


def test_a_secret_that_has_ended_and_still_works_is_told_of() -> None:
    status = checked(signed_in(expires=NOW - timedelta(days=1)))
    assert types(status)["CredentialsExpiring"] == ("True", "Expired")


@pytest.mark.parametrize("expires", [None, NOW + timedelta(days=31)])
def test_an_end_that_is_far_or_unknown_is_no_condition(expires: datetime | None) -> None:
    assert "CredentialsExpiring" not in types(checked(signed_in(expires=expires)))


def test_the_end_of_a_secret_is_kept_while_signing_in_fails() -> None:
    before = checked(signed_in(expires=NOW + timedelta(days=2)))
    after = checked(Problem("SecretInvalid", "refused", stalled=True), before=before)
    assert after.credential_expiry_time == before.credential_expiry_time
    assert types(after)["CredentialsExpiring"] == ("True", "ExpiresSoon")


def test_a_missing_permission_is_not_ready_and_says_where_to_consent() -> None:
    status = checked(signed_in(missing=("Contacts.ReadWrite",), excess=("Mail.Read",)))
    assert types(status) == {
        "Ready": ("False", "PermissionMissing"),
        "Stalled": ("True", "PermissionMissing"),
        "CredentialsReady": ("True", "SignedIn"),
        "Consented": ("False", "PermissionMissing"),
    }
    assert status.permissions_missing == ("Contacts.ReadWrite",)
    assert status.permissions_in_excess == ("Mail.Read",)
    link = f"https://login.microsoftonline.com/{TENANT}/adminconsent?client_id={CLIENT}"
    assert status.consent_link == link
    ready = status.condition("Ready")
    assert ready is not None
    assert link in ready.message


def test_a_role_of_the_directory_is_assigned_and_not_consented_to() -> None:
    role = "Exchange Recipient Administrator"
    ready = checked(signed_in(missing=(role,))).condition("Ready")
    assert ready is not None
    assert f"assign it the role {role} of Entra ID" in ready.message
    assert "consent" not in ready.message
    ready = checked(signed_in(missing=("Exchange.ManageAsApp", role))).condition("Ready")
    assert ready is not None
    assert "grant it and consent: https://" in ready.message


def test_consent_is_asked_for_where_the_operator_signs_in() -> None:
    entra = "https://127.0.0.1:4711"
    status = connection_status(
        connection(),
        signed_in(missing=("Contacts.Read",)),
        now=NOW,
        checked=True,
        expiry_warning=0,
        origins=Origins(origins={"https://login.microsoftonline.com": entra}),
    )
    assert status.consent_link == f"{entra}/{TENANT}/adminconsent?client_id={CLIENT}"


def test_a_permission_that_may_have_been_granted_just_now_is_waited_for() -> None:
    status = checked(signed_in(missing=("Contacts.Read",), settling=True))
    assert types(status)["Reconciling"] == ("True", "Retrying")
    assert "Stalled" not in types(status)


def test_permissions_in_excess_are_told_and_at_most_ten() -> None:
    many = tuple(f"Mail.Read{number}" for number in range(12))
    status = checked(signed_in(excess=many))
    assert types(status)["Ready"] == ("True", "SignedIn")
    assert status.permissions_in_excess == many[:10]
    assert status.consent_link is None


def test_a_token_that_shows_no_permissions_is_no_statement_about_them() -> None:
    assert "Consented" not in types(checked(SignIn(credential=Credential("clientSecret"))))


@pytest.mark.parametrize("reason", ["ClientNotFound", "ClientDisabled", "ConsentMissing"])
def test_a_consent_that_was_withdrawn_is_asked_for(reason: str) -> None:
    status = checked(Problem(reason, "refused", stalled=True))
    assert types(status)["Consented"] == ("False", reason)
    assert status.consent_link is not None


def test_a_pass_that_did_nothing_leaves_a_spoke_s_status_equal() -> None:
    first = synced(result(counts=Counts(pulled=5, merged=5, items=5)))
    second = synced(result(counts=Counts(items=5)), before=first)
    third = synced(result(counts=Counts(items=5)), before=second)
    assert first == second == third
    assert first.last_change is not None
    assert first.last_change.pulled == 5


def test_a_spoke_keeps_its_numbers_while_it_can_not_be_reached() -> None:
    first = synced(result(counts=Counts(pulled=5, items=5, copies=2), target="t/m/f"))
    second = synced(result(problem=FLAKY), before=first)
    assert (second.items, second.copies, second.target) == (5, 2, "t/m/f")
    assert types(second) == {
        "Ready": ("False", "EndpointUnavailable"),
        "Reconciling": ("True", "Retrying"),
    }


def test_guarded_deletions_are_shown_at_the_spoke_with_the_way_to_approve_them() -> None:
    status = synced(result(guarded=60))
    assert types(status)["DeletionGuarded"] == ("True", "LimitsExceeded")
    message = status.conditions[0].message
    assert "kubectl annotate hub staff -n demo --overwrite cirahub.io/approve=d1" in message
    assert "60 deletions" in message


def test_a_source_that_reads_empty_is_guarded() -> None:
    assert types(synced(result(source_emptied=True)))["DeletionGuarded"] == (
        "True",
        "SourceEmptied",
    )


def test_throttling_is_shown_and_does_not_make_a_spoke_unready() -> None:
    status = synced(result(throttled_seconds=12.5))
    assert types(status) == {"Ready": ("True", "Synced"), "Throttled": ("True", "Throttled")}


def test_items_that_do_not_get_through_are_told_and_do_not_make_a_spoke_unready() -> None:
    undelivered = Failing(2, "i1", "507 ErrorQuotaExceeded")
    status = synced(result(undelivered=undelivered))
    assert types(status) == {
        "Ready": ("True", "Synced"),
        "ItemsFailing": ("True", "ItemsUndelivered"),
    }
    assert "2 items could not be delivered (item i1: 507" in status.conditions[1].message
    status = synced(result(unjudged=Failing(1, "i3")))
    assert types(status)["ItemsFailing"] == ("True", "ItemsUnjudged")
    assert "can't be evaluated for 1 item (item i3)" in status.conditions[1].message
    rejected = Failing(1, "i2", "400 ErrorInvalidProperty")
    status = synced(result(undelivered=undelivered, rejected=rejected))
    assert types(status)["ItemsFailing"] == ("True", "ItemsRejected")


def test_a_service_that_does_not_tell_of_changes_does_not_make_a_spoke_unready() -> None:
    refused = Problem("NotificationsRefused", "the service does not tell of changes here (400)")
    status = synced(result(unsubscribed=refused))
    assert types(status) == {
        "Ready": ("True", "Synced"),
        "NotificationsFailing": ("True", "NotificationsRefused"),
    }
    assert status.conditions[1].message == refused.message


@pytest.mark.parametrize("error", ["507 ErrorQuotaExceeded", "ErrorQuotaExceeded"])
def test_a_full_mailbox_is_told_with_what_to_do(error: str) -> None:
    """Graph has a status for it, Exchange Web Services the code alone."""
    status = synced(result(undelivered=Failing(1, "i1", error)))
    assert "the mailbox is full: make room in it" in status.conditions[1].message


def test_a_leaving_spoke_does_not_answer_requests() -> None:
    asking = spoke(metadata={"annotations": {"reconcile.cirahub.io/requestedAt": "x"}})
    leaving = spoke_status(asking, Leaving("Erasing", "m"), now=NOW)
    assert leaving.last_handled_reconcile_at is None
    assert spoke_status(asking, FLAKY, now=NOW).last_handled_reconcile_at == "x"


def test_a_hub_whose_spokes_are_all_ready_is_ready() -> None:
    spokes = {name: standing(synced(result(name))) for name in ("ann", "bob")}
    status = hub_status(hub(), report(result("ann"), result("bob")), spokes, handled="x", now=NOW)
    assert types(status) == {"Ready": ("True", "Synced")}
    assert status.spokes is not None
    assert status.spokes.summary == "2/2"
    assert status.conditions[0].message == "2 spokes, 9 items"
    assert status.last_handled_reconcile_at == "x"
    assert status.last_sync_time == NOW.replace(microsecond=0)


def test_a_hub_names_at_most_ten_of_its_failing_spokes_stalled_ones_first() -> None:
    names = [f"s{number:02}" for number in range(15)]
    spokes = {name: standing(synced(result(name, problem=FLAKY))) for name in names}
    spokes["s14"] = standing(synced(result("s14", problem=BROKEN)))
    status = hub_status(hub(), report(), spokes, handled=None, now=NOW)
    assert status.spokes is not None
    assert len(status.spokes.worst) == 10
    assert status.spokes.worst[0].name == "s14"
    assert types(status) == {
        "Ready": ("False", "SpokesNotReady"),
        "Reconciling": ("True", "Retrying"),
    }


def test_a_hub_stalls_when_only_people_can_help_its_failing_spokes() -> None:
    spokes = {
        "ann": standing(synced(result(problem=BROKEN))),
        "bob": standing(synced(result("bob"))),
    }
    status = hub_status(hub(), report(), spokes, handled=None, now=NOW)
    assert types(status)["Stalled"] == ("True", "SpokesNotReady")


def test_a_hub_with_guarded_deletions_is_not_ready_and_says_what_to_approve() -> None:
    guarded = result(guarded=60)
    status = hub_status(
        hub(),
        report(guarded, approval="d1"),
        {"ann": standing(synced(guarded))},
        handled=None,
        now=NOW,
    )
    assert types(status) == {
        "Ready": ("False", "DeletionGuarded"),
        "DeletionGuarded": ("True", "LimitsExceeded"),
    }
    assert status.approval == "d1"


def test_conflicts_that_wait_are_counted_with_the_way_to_decide_them() -> None:
    status = hub_status(hub(), report(result(), undecided=3, disputed=1), {}, handled=None, now=NOW)
    assert types(status)["Ready"] == ("True", "NoSpokes")
    assert types(status)["ConflictsPending"] == ("True", "DecisionNeeded")
    assert status.conflicts_pending == 3
    condition = status.condition("ConflictsPending")
    assert condition is not None
    assert condition.message.startswith("3 conflicts in 1 item wait for a person")
    assert "cirahub conflicts resolve" in condition.message
    before = hub().model_copy(update={"status": status})
    assert "ConflictsPending" in types(hub_progress(before, "pushed 5", now=LATER))
    decided = hub_status(before, report(result()), {}, handled=None, now=LATER)
    assert "ConflictsPending" not in types(decided)
    assert decided.conflicts_pending is None


def test_frozen_fields_are_counted_with_those_who_kept_changing_the_last() -> None:
    feud = Feud("jobTitle", ("default/ann", "default/bob"))
    one = report(result(), undecided=1, disputed=1, frozen=1, feud=feud)
    condition = hub_status(hub(), one, {}, handled=None, now=NOW).condition("ConflictsPending")
    assert condition is not None
    assert (
        "1 conflict in 1 item waits for a person (1 is a field that two Spokes kept changing back "
        "and forth: jobTitle, by default/ann and default/bob), and the hub shows what it had first"
    ) in condition.message
    more = report(result(), undecided=5, disputed=4, frozen=3, feud=feud)
    condition = hub_status(hub(), more, {}, handled=None, now=NOW).condition("ConflictsPending")
    assert condition is not None
    assert "(3 are fields that two Spokes" in condition.message
    assert "by default/ann and default/bob, last)" in condition.message


def test_a_plan_that_waits_is_counted_with_the_way_to_approve_it() -> None:
    plan = PlanSummary(id="4c1f", creates=3, updates=2, deletes=1, expires_at=1e9)
    status = hub_status(hub(), report(result(), plan=plan), {}, handled=None, now=NOW)
    assert types(status)["Ready"] == ("True", "NoSpokes")
    assert types(status)["ApprovalPending"] == ("True", "PlanWaits")
    assert status.plan is not None
    assert (status.plan.creates, status.plan.updates, status.plan.deletes) == (3, 2, 1)
    assert status.plan.expires_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    condition = status.condition("ApprovalPending")
    assert condition is not None
    assert "3 to create, 2 to update, 1 to delete, until 2001-09-09 01:46 UTC" in condition.message
    assert condition.message.endswith(f"--overwrite {APPROVE}=4c1f")
    before = hub().model_copy(update={"status": status})
    assert "ApprovalPending" in types(hub_progress(before, "pushed 5", now=LATER))
    approved = hub_status(before, report(result()), {}, handled=None, now=LATER)
    assert "ApprovalPending" not in types(approved)
    assert approved.plan is None


def waits(name: str, **fields: int) -> SpokeReport:
    numbers = {"number": 1, "of": 3, "arrived": 10, "waiting": 1230, "next": 100, **fields}
    return result(name, stage=StageSummary(id=f"id-{name}", **numbers))


def test_a_stage_that_waits_is_counted_at_the_spoke_with_the_way_to_let_it_in() -> None:
    status = synced(waits("ann"))
    assert types(status)["Ready"] == ("True", "Synced")
    assert types(status)["ApprovalPending"] == ("True", "StageWaits")
    assert status.first_sync is not None
    assert (status.first_sync.stage, status.first_sync.stages) == (1, 3)
    assert (status.first_sync.arrived, status.first_sync.waiting) == (10, 1230)
    assert status.first_sync.approval == "id-ann"
    condition = status.condition("ApprovalPending")
    assert condition is not None
    assert condition.message == (
        "first sync, stage 1 of 3: 10 of 1240 items let in, 1230 wait; look at them, and let up to "
        f"100 in: kubectl annotate hub staff -n demo --overwrite {APPROVE}=id-ann"
    )
    last = synced(waits("ann", number=2, next=0), before=status).condition("ApprovalPending")
    assert last is not None
    assert "let the rest in" in last.message
    done = synced(result(), before=status)
    assert "ApprovalPending" not in types(done)
    assert done.first_sync is None
    unreached = synced(result(problem=FLAKY), before=status)
    assert unreached.first_sync == status.first_sync


def test_a_hub_counts_the_first_syncs_that_wait_and_names_ten() -> None:
    spokes = [waits(f"s{number:02}") for number in range(12)]
    status = hub_status(hub(), report(*spokes), {}, handled=None, now=NOW)
    assert types(status)["Ready"][0] == "True"
    assert types(status)["ApprovalPending"] == ("True", "StageWaits")
    found = status.first_syncs
    assert found is not None
    assert (found.total, found.arrived, found.waiting, len(found.spokes)) == (12, 120, 14760, 10)
    assert (found.spokes[0].name, found.spokes[0].approval) == ("s00", "id-s00")
    condition = status.condition("ApprovalPending")
    assert condition is not None
    assert "s00, stage 1 of 3: 10 of 1240 items let in, 1230 wait; s01" in condition.message
    assert "and 9 others" in condition.message
    assert condition.message.endswith(f"--overwrite {APPROVE}=id-s00,id-s01,id-s02")
    before = hub().model_copy(update={"status": status})
    assert "ApprovalPending" in types(hub_progress(before, "pushed 5", now=LATER))
    done = hub_status(before, report(result()), {}, handled=None, now=LATER)
    assert ("ApprovalPending" in types(done), done.first_syncs) == (False, None)


def test_a_plan_and_stages_that_wait_are_told_in_one_condition() -> None:
    plan = PlanSummary(id="4c1f", creates=3, expires_at=1e9)
    status = hub_status(hub(), report(waits("ann"), plan=plan), {}, handled=None, now=NOW)
    condition = status.condition("ApprovalPending")
    assert condition is not None
    assert condition.reason == "PlanWaits"
    assert f"{APPROVE}=4c1f" in condition.message
    assert f"{APPROVE}=id-ann" in condition.message


def test_a_failed_pass_is_no_sync_and_changes_no_number() -> None:
    first = hub_status(hub(), report(result()), {}, handled=None, now=NOW)
    before = hub().model_copy(update={"status": first})
    failed = report(problem=Problem("KeyUnavailable", "no key", stalled=True), items=0)
    failed.finished += 300
    second = hub_status(before, failed, {}, handled=None, now=LATER)
    assert types(second)["Stalled"] == ("True", "KeyUnavailable")
    assert (second.items, second.last_sync_time) == (first.items, first.last_sync_time)


def test_a_hub_without_spokes_is_ready_and_says_so() -> None:
    status = hub_status(hub(), report(), {}, handled=None, now=NOW)
    assert types(status) == {"Ready": ("True", "NoSpokes")}


def test_a_suspended_hub_is_not_ready_and_not_stalled() -> None:
    status = hub_waiting(hub(), Problem("Suspended", "m"), handled=None, now=NOW)
    assert types(status) == {"Ready": ("False", "Suspended")}


def test_progress_does_not_claim_that_a_new_generation_was_observed() -> None:
    status = hub_progress(hub(), "pulled 100 changes", now=NOW)
    assert status.observed_generation == -1
    assert types(status) == {
        "Ready": ("False", "Progressing"),
        "Reconciling": ("True", "Progressing"),
    }


def test_progress_of_a_later_pass_leaves_readiness_as_it_is() -> None:
    settled = hub_status(hub(), report(), {}, handled=None, now=NOW)
    status = hub_progress(hub().model_copy(update={"status": settled}), "pushed 5", now=LATER)
    assert types(status) == {
        "Ready": ("True", "NoSpokes"),
        "Reconciling": ("True", "Progressing"),
    }
    assert status.conditions[0].status is ConditionStatus.TRUE
