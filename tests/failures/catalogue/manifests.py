"""What manifests get wrong about each other."""

from __future__ import annotations

from tests.failures.running import Start
from tests.failures.situation import RECONCILING, STALLED, Refusal, Seen, Situation
from tests.failures.town import Town
from tests.operator.stage import Stage

from .outcome import ANN, ann, staff


async def _without_hub(town: Town) -> None:
    await town.stage.apply(town.federated(), town.ann())


async def _with_hub(town: Town) -> None:
    await town.stage.apply(town.hub())


async def _without_connection(town: Town) -> None:
    await town.stage.apply(town.hub(), town.ann())


async def _with_connection(town: Town) -> None:
    await town.stage.apply(town.federated())


async def _connection_deleted(town: Town) -> None:
    await town.well()
    await town.stage.delete("connection", "contoso")
    await town.stage.goes("connection", "contoso")


async def _twice(town: Town) -> None:
    await town.well()
    await town.stage.apply(town.spoke("again", mailbox={"address": town.address("ann")}))


async def _once(town: Town) -> None:
    await town.stage.delete("spoke", "ann")


async def _in_two_hubs(town: Town) -> None:
    await town.well()
    other = town.hub()
    other["metadata"]["name"] = "other"
    mailbox = {"address": town.address("ann")}
    await town.stage.apply(other, town.spoke("again", mailbox=mailbox, hubRef={"name": "other"}))


async def _moved(town: Town) -> None:
    await town.well()
    await town.stage.apply(town.ann(hubRef={"name": "other"}))


async def _moved_in_git(town: Town) -> None:
    """Deleted, and created with what should be."""
    other = town.hub()
    other["metadata"]["name"] = "other"
    await town.stage.delete("spoke", "ann")
    await town.stage.goes("spoke", "ann")
    await town.stage.apply(other, town.ann(hubRef={"name": "other"}))


async def _of_events(town: Town) -> None:
    await town.stage.apply(town.federated(), town.hub(itemKind="Event"), town.ann())


def _elsewhere(town: Town) -> Stage:
    """Another team's namespace."""
    return Stage(town.stage.plane, f"{town.namespace}-owner")


async def _of_two_teams(town: Town) -> Start:
    other = _elsewhere(town)
    await other.kubectl("create", "namespace", other.namespace)
    town.at_the_end(other.end)
    return town.start.but(namespaces=(town.namespace, other.namespace))


async def _not_admitted(town: Town) -> None:
    other = _elsewhere(town)
    await other.apply(town.hub())
    reference = {"name": "staff", "namespace": other.namespace}
    await town.stage.apply(town.federated(), town.ann(hubRef=reference))


async def _admitted(town: Town) -> None:
    await _elsewhere(town).apply(town.hub(allowedNamespaces=[town.namespace]))


_AGAIN = Seen(kind="Spoke", name="again", reason="TargetInUse")
_AGAIN_WELL = Seen(kind="Spoke", name="again", status="True", reason="Synced")

SITUATIONS = (
    Situation(
        id="hub-missing",
        happens="A Spoke names a Hub that does not exist (yet).",
        cause=_without_hub,
        seen=ann("HubNotFound"),
        goes_with=RECONCILING,
        names="Hub 'staff' in namespace",
        remedy="create it",
        do="Create the Hub, or delete the Spoke and create one that names another.",
        mend=_with_hub,
        recovers="At once, when the Hub is created.",
        after=ANN,
    ),
    Situation(
        id="connection-missing",
        happens="A Spoke names a Connection that does not exist (yet).",
        cause=_without_connection,
        seen=ann("ConnectionNotFound"),
        goes_with=RECONCILING,
        names="Connection 'contoso' in namespace",
        remedy="create it",
        also=(staff("SpokesNotReady"),),
        do="Create the Connection, or delete the Spoke and create one that names another.",
        mend=_with_connection,
        recovers="At once, when the Connection is created.",
        after=ANN,
    ),
    Situation(
        id="connection-deleted",
        happens="A Connection is deleted while Spokes use it. What they hold stays.",
        cause=_connection_deleted,
        seen=ann("ConnectionNotFound"),
        goes_with=RECONCILING,
        names="Connection 'contoso' in namespace",
        remedy="create it",
        also=(staff("SpokesNotReady"),),
        do="Create it again, or delete the Spokes too.",
        mend=_with_connection,
        recovers="At once, when the Connection is created.",
        after=ANN,
    ),
    Situation(
        id="target-in-use",
        happens="Two Spokes of a Hub name the same folder of the same mailbox.",
        cause=_twice,
        seen=_AGAIN,
        goes_with=STALLED,
        names="spoke [^ ]+/ann already syncs this folder",
        remedy="delete one of the two, or have one of them lead elsewhere",
        do="Delete one of the two.",
        mend=_once,
        recovers="The other one takes over as soon as the first is erased.",
        after=_AGAIN_WELL,
    ),
    Situation(
        id="target-in-use-elsewhere",
        happens="Spokes of two Hubs name the same folder of the same mailbox.",
        cause=_in_two_hubs,
        seen=_AGAIN,
        goes_with=STALLED,
        names="spoke [^ ]+/again: another spoke .*already syncs this folder",
        remedy="delete one of the two, or have one of them lead elsewhere",
        do="Delete one of the two.",
        mend=_once,
        recovers="The other one takes over at its Hub's next pass, after the first is erased.",
        after=_AGAIN_WELL,
    ),
    Situation(
        id="hub-changed",
        happens="A Spoke is to move to another Hub, Connection or mailbox.",
        cause=_moved,
        seen=Refusal(kind="Spoke"),
        names='The Spoke "ann" is invalid: spec.hubRef',
        remedy="hubRef can't be changed",
        do="Delete it and create it as it should be. What it contributed leaves the old Hub with "
        "it, after the grace period.",
        mend=_moved_in_git,
        recovers="At once. What was applied before goes on until then.",
        after=ANN,
    ),
    Situation(
        id="item-kind",
        happens="A Spoke with a mailbox names a Hub of events, or one with a calendar a Hub of "
        "contacts.",
        cause=_of_events,
        seen=ann("ItemKindMismatch"),
        goes_with=STALLED,
        names="Hub 'staff' holds events, and this Spoke is a mailbox",
        remedy="create one with spec.calendar",
        also=(staff("SpokesNotReady"),),
        do="Delete the Spoke and create one that fits its Hub, or one that names another Hub.",
        mend=_moved_in_git,
        recovers="At once, when another Spoke stands in its place.",
        after=ANN,
    ),
    Situation(
        id="not-admitted",
        happens="A Spoke names a Hub of another namespace, which does not admit it.",
        start=_of_two_teams,
        cause=_not_admitted,
        seen=ann("NotAdmitted"),
        goes_with=STALLED,
        names="has no Hub 'staff' that admits Spokes of namespace not-admitted-",
        remedy="listed in spec.allowedNamespaces of the Hub",
        do="Have the Hub's owners list the namespace in `spec.allowedNamespaces`. The message is "
        "the same if there is no such Hub: who names it has no business to know.",
        mend=_admitted,
        recovers="At once, when the Hub is changed.",
        after=ANN,
    ),
)
