"""What goes wrong when somebody leaves."""

from __future__ import annotations

from dataclasses import replace

from tests.failures.catalogue.outcome import ANN, STAFF, bob, contoso
from tests.failures.running import QUICK, Start
from tests.failures.situation import Sample, Seen, Situation
from tests.failures.town import PEOPLE, Town

BOB_LEFT = Seen(kind="Spoke", name="bob", reason="ErasureIncomplete")
INCOMPLETE = Seen(
    kind="Hub", name="staff", type="ErasureIncomplete", status="True", reason="CopiesUnreachable"
)
OPEN = Sample(metric="cirahub_erasures_open", labels={"hub": "staff"})
GIVEN_UP = Sample(
    metric="cirahub_erasures_incomplete_total",
    labels={"kind": "Spoke"},
    at_least=True,
    everywhere=True,
)


async def _patiently(town: Town) -> Start:
    """What is deleted is held for as long as the situation lasts."""
    return town.start.but(timing=replace(QUICK, erase_timeout=600.0))


async def _not_for_long(town: Town) -> Start:
    return town.start


async def _bob_leaves(town: Town) -> None:
    """While Graph does not serve his mailbox."""
    await town.well()
    path = f"/users/{town.mailboxes['bob']}/"
    town.admin.add_rule("status", id=town.tenant, service="graph", path=path, status=503)
    await town.stage.delete("spoke", "bob")


async def _bob_let_go(town: Town) -> None:
    await _bob_leaves(town)
    await town.stage.goes("spoke", "bob")
    assert len(town.held("bob")) == PEOPLE


async def _with_the_connection(town: Town) -> None:
    await _bob_leaves(town)
    await town.stage.delete("connection", "contoso")


async def _mailbox_back(town: Town) -> None:
    town.admin.remove_rule(town.tenant)
    await town.until(lambda: not town.held("bob"), lambda: "bob's copies stay")
    await town.stage.goes("spoke", "bob")


async def _connection_goes(town: Town) -> None:
    await _mailbox_back(town)
    await town.stage.goes("connection", "contoso")
    await town.stage.apply(town.federated())


SITUATIONS = (
    Situation(
        id="erasure-pending",
        happens="A Spoke is deleted, and its mailbox can't be reached to take the copies away.",
        start=_patiently,
        cause=_bob_leaves,
        seen=bob("ErasurePending"),
        names=f"being erased: {PEOPLE} copies remain",
        remedy="will be tried again",
        sample=OPEN,
        do="Nothing, if it comes back by itself. The Spoke is held for `--erase-timeout`, an hour "
        "by default.",
        mend=_mailbox_back,
        recovers="Tried again with growing pauses, of five minutes at most; the Spoke goes when "
        "nothing of it remains.",
        after=STAFF,
    ),
    Situation(
        id="erasure-incomplete",
        happens="The same, for longer than `--erase-timeout`: the Spoke is let go.",
        start=_not_for_long,
        cause=_bob_let_go,
        seen=INCOMPLETE,
        names=f"Spoke bob: {PEOPLE} copies remain",
        remedy="tried again by itself; .* cirahub erase --resume",
        event=("Warning", "ErasureIncomplete"),
        told_of=BOB_LEFT,
        sample=GIVEN_UP,
        do="Mend what stands in the way. To give up what remains: `cirahub erase --abandon`.",
        mend=_mailbox_back,
        recovers="Tried again with growing pauses, of an hour at most; `cirahub erase --resume`, "
        "or annotating the Hub, has it tried at once.",
        after=STAFF,
    ),
    Situation(
        id="connection-in-use",
        happens="A Connection is deleted while something that leaves is still to be erased through "
        "it.",
        start=_patiently,
        cause=_with_the_connection,
        seen=contoso("InUse"),
        names="held until Spoke bob is erased",
        remedy="at most until 2",
        event=("Normal", "InUse"),
        sample=OPEN,
        do="Nothing: it goes by itself. What it holds for is named.",
        mend=_connection_goes,
        recovers="It goes when the erasure is complete, or after `--erase-timeout`.",
        after=ANN,
    ),
)
