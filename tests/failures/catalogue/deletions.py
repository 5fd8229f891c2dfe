"""Deletions that somebody may not have meant."""

from __future__ import annotations

from tests.failures.catalogue.outcome import ANN, BOB, STAFF, ann, bob, staff
from tests.failures.situation import STALLED, Sample, Seen, Situation
from tests.failures.town import PEOPLE, Town

GUARDED = "DeletionGuarded"
APPROVED = "kubectl annotate hub staff -n [^ ]+ --overwrite cirahub.io/approve=[0-9a-f]+$"
HELD_BACK = Sample(
    metric="cirahub_hub_guarded_deletions", labels={"hub": "staff"}, value=float(PEOPLE)
)


def _guarded(kind: str, name: str, reason: str) -> Seen:
    return Seen(kind=kind, name=name, type=GUARDED, status="True", reason=reason)


def _replaced(town: Town) -> None:
    """By an empty one, as when a licence is taken away and given again too late."""
    for has in (False, True):
        town.admin.call("PATCH", f"/users/{town.mailboxes['ann']}", {"mailbox": has})


async def _mailbox_replaced(town: Town) -> None:
    await town.well()
    _replaced(town)


async def _mailbox_given_up(town: Town) -> None:
    await town.well(town.hub(deletion={"gracePeriod": "0s", "maxPercent": 100}))
    _replaced(town)


async def _all_deleted(town: Town) -> None:
    await town.well()
    for contact in town.held("ann"):
        town.admin.delete_contact(town.mailboxes["ann"], contact["id"])


async def _restored(town: Town) -> None:
    people = [town.person(number) for number in range(PEOPLE)]
    town.admin.import_contacts(town.mailboxes["ann"], people)


async def _approved(town: Town) -> None:
    approval = (await town.stage.status("hub", "staff"))["approval"]
    await town.stage.annotate("hub", "staff", f"cirahub.io/approve={approval}")
    await town.until(lambda: not town.held("bob"), lambda: "bob's copies stay")


SITUATIONS = (
    Situation(
        id="source-emptied",
        happens="A mailbox that contributes suddenly reads empty.",
        cause=_mailbox_replaced,
        seen=ann("SourceEmptied"),
        goes_with=STALLED,
        names="the folder held 6 items and suddenly reads empty; nothing was deleted",
        remedy=APPROVED,
        also=(
            _guarded("Spoke", "ann", "SourceEmptied"),
            _guarded("Hub", "staff", "SourceEmptied"),
            staff(GUARDED),
        ),
        sample=HELD_BACK,
        do="Restore the items in the mailbox. If they are meant to go, approve it: the message has "
        "the command.",
        mend=_restored,
        recovers="At the Hub's next pass, when the mailbox has items again.",
        after=ANN,
    ),
    Situation(
        id="source-emptied-on-purpose",
        happens="The same, and it was meant.",
        cause=_mailbox_given_up,
        seen=ann("SourceEmptied"),
        goes_with=STALLED,
        names="the folder held 6 items and suddenly reads empty; nothing was deleted",
        remedy=APPROVED,
        also=(_guarded("Hub", "staff", "SourceEmptied"), staff(GUARDED)),
        sample=HELD_BACK,
        do="Approve it: the message has the command.",
        mend=_approved,
        recovers="At once, when it is approved. What goes then is still bounded by "
        "`spec.deletion`.",
        after=STAFF,
    ),
    Situation(
        id="deletions-too-many",
        happens="More deletions are due at a receiver than `spec.deletion` allows at once.",
        cause=_all_deleted,
        seen=bob(GUARDED),
        names="6 deletions are more than spec.deletion allows at once",
        remedy=APPROVED,
        also=(
            _guarded("Spoke", "bob", "LimitsExceeded"),
            _guarded("Hub", "staff", "LimitsExceeded"),
            staff(GUARDED),
        ),
        sample=HELD_BACK,
        do="If they are meant, approve exactly these: the message has the command.",
        mend=_approved,
        recovers="At once, when they are approved.",
        after=BOB,
    ),
    Situation(
        id="deletions-taken-back",
        happens="The same, and it was a mistake.",
        cause=_all_deleted,
        seen=bob(GUARDED),
        names="6 deletions are more than spec.deletion allows at once",
        remedy="restore the items",
        also=(_guarded("Hub", "staff", "LimitsExceeded"), staff(GUARDED)),
        sample=HELD_BACK,
        do="Restore the items where they were deleted.",
        mend=_restored,
        recovers="At the Hub's next pass; no copy was deleted meanwhile.",
        after=BOB,
    ),
)
