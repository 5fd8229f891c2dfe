"""What goes wrong with SpokeSets: with reading who their members are, and with single members."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from functools import partial

from tests.failures.catalogue.mending import own
from tests.failures.catalogue.outcome import ANN, contoso, staff
from tests.failures.situation import STALLED, Seen, Situation, condition_sample
from tests.failures.town import NAME, Shown, Town, shown
from tests.operator.stage import spoke_set

MEMBERS = ("bob", "carl", "dora")
"""Each with a mailbox; Bob is one of them, and has no Spoke."""
EVERYBODY = ("ann", *MEMBERS)
TEAM = Seen(kind="SpokeSet", name="team", status="True", reason="Synced")
ROLES = ("Contacts.ReadWrite", "User.Read.All")
ROLE = "GroupMember.Read.All"
READ = "When who the members are is read next: after the SpokeSet's `spec.interval`."
RETRIED = (
    "Tried again after `spec.interval`, five minutes at least, then with growing pauses, of a day "
    "at most; at once when `reconcile.cirahub.io/requestedAt` of the SpokeSet changes."
)
GUARDED = "MembersGuarded"
AN_HOUR = 3600
A_DAY = 86_400


def team(reason: str) -> Seen:
    return Seen(kind="SpokeSet", name="team", reason=reason)


def _user(town: Town, name: str) -> str:
    known = town.mailboxes.get(name)
    return known or str(uuid.uuid5(uuid.UUID(town.tenant), name))


def _group(town: Town) -> dict[str, object]:
    return {
        "kind": "group",
        "id": f"{town.tenant[:-4]}0001",
        "tenant": town.tenant,
        "displayName": "Team",
        "members": [_user(town, name) for name in MEMBERS],
    }


def _people(town: Town) -> Iterator[Mapping[str, object]]:
    for name in MEMBERS:
        if name not in town.mailboxes:
            yield {
                "kind": "user",
                "id": _user(town, name),
                "tenant": town.tenant,
                "userPrincipalName": town.address(name),
                "displayName": NAME,
            }
    yield _group(town)


def _held(town: Town, name: str) -> Shown:
    return shown(one["contact"] for one in town.admin.contacts(_user(town, name)))


def _permit(town: Town, *roles: str) -> None:
    town.admin.grant(town.client, town.tenant, [*ROLES, *roles])


async def _set_up(town: Town) -> None:
    _permit(town, ROLE)
    town.places |= {name: partial(_held, town, name) for name in MEMBERS}
    members = {"groups": [_group(town)["id"]]}
    template = {"mailbox": {}, "direction": "Receive"}
    one = spoke_set("team", members=members, template=template, interval="1m")
    await town.stage.apply(town.federated(), town.hub(), town.ann(), one)


async def _well(town: Town) -> None:
    """Ann's contacts are in sync with each member of the group."""
    await _set_up(town)
    await town.comes(TEAM)
    await town.until_equal(*EVERYBODY)
    await town.in_sync()


def _time_passes(town: Town, seconds: float = AN_HOUR) -> None:
    """So that the members are read again."""
    town.clock.ahead += seconds


async def _not_permitted(town: Town) -> None:
    await _well(town)
    _permit(town)
    _time_passes(town)


async def _permitted(town: Town) -> None:
    _permit(town, ROLE)
    _time_passes(town)


async def _group_deleted(town: Town) -> None:
    await _well(town)
    town.admin.remove_group(str(_group(town)["id"]))
    _time_passes(town)


async def _group_restored(town: Town) -> None:
    town.admin.seed([_group(town)])
    _time_passes(town)


async def _emptied(town: Town) -> None:
    await _well(town)
    town.admin.set_members(str(_group(town)["id"]), [])
    _time_passes(town)


async def _filled(town: Town) -> None:
    town.admin.set_members(str(_group(town)["id"]), [_user(town, name) for name in MEMBERS])
    _time_passes(town)


def _license(town: Town, *, has: bool) -> None:
    town.admin.call("PATCH", f"/users/{_user(town, 'dora')}", {"licensed": has})


async def _unlicensed(town: Town) -> None:
    """From the beginning: a group has such people."""
    _license(town, has=False)
    await _set_up(town)
    await town.until_equal("ann", "bob", "carl")


async def _mailbox_deleted(town: Town) -> None:
    """Somebody comes meanwhile, and comes to the others."""
    await _well(town)
    _license(town, has=False)
    town.admin.import_contacts(_user(town, "ann"), [town.person(71)])
    await town.until_equal("ann", "bob", "carl")


async def _mailbox_there(town: Town) -> None:
    _license(town, has=True)
    _time_passes(town, A_DAY)


VANISHED = Seen(kind="SpokeSet", name="team", type=GUARDED, status="True", reason="MembersVanished")
FAILING = Seen(
    kind="SpokeSet", name="team", type="MembersFailing", status="True", reason="TargetNotFound"
)

SITUATIONS = (
    Situation(
        id="set-permission-missing",
        happens="The application may not read any more who is in the group of a SpokeSet. Its "
        "members stay those of the last reading, and are synced.",
        besides=_people,
        start=own,
        cause=_not_permitted,
        seen=team("AccessDenied"),
        goes_with=STALLED,
        names="its members can't be read: connection [^ ]+/contoso: a group that a filter or set "
        "names",
        remedy="grant the application the role GroupMember.Read.All.*nobody joins or leaves",
        also=(contoso("PermissionMissing"), staff("SpokesNotReady"), ANN),
        untouched=EVERYBODY,
        do="Grant the application GroupMember.Read.All in the tenant, and consent.",
        mend=_permitted,
        recovers=READ,
        after=TEAM,
        equal=EVERYBODY,
    ),
    Situation(
        id="set-group-deleted",
        happens="The group of a SpokeSet is deleted. Nobody leaves because of that.",
        besides=_people,
        start=own,
        cause=_group_deleted,
        seen=team("GroupNotFound"),
        goes_with=STALLED,
        names="its members can't be read: connection [^ ]+/contoso: ",
        remedy="restore it, or name another one; nobody joins or leaves",
        also=(staff("SpokesNotReady"), ANN),
        untouched=EVERYBODY,
        do="Restore the group, or correct the SpokeSet.",
        mend=_group_restored,
        recovers=READ,
        after=TEAM,
        equal=EVERYBODY,
    ),
    Situation(
        id="set-members-vanished",
        happens="The group of a SpokeSet suddenly reads empty, or more members are gone than "
        "`spec.leaving` allows. Nobody leaves.",
        besides=_people,
        start=own,
        cause=_emptied,
        seen=team(GUARDED),
        names="SpokeSet team: 3 of 3 members are gone, which is all of them",
        remedy="kubectl annotate hub staff -n [^ ]+ --overwrite cirahub.io/approve=[0-9a-f]+$",
        also=(VANISHED, staff(GUARDED), ANN),
        sample=condition_sample(VANISHED),
        untouched=EVERYBODY,
        do="Correct the group. If they are meant to go, approve it: the message has the command.",
        mend=_filled,
        recovers=READ,
        after=TEAM,
        equal=EVERYBODY,
    ),
    Situation(
        id="set-member-without-mailbox",
        happens="A member of a SpokeSet has no mailbox in Exchange Online: not licensed (yet), or "
        "on-premises. The others are synced.",
        besides=_people,
        start=own,
        cause=_unlicensed,
        seen=FAILING,
        names="1 member fail: 1 TargetNotFound",
        remedy="who they are: cirahub members [^ ]+/team",
        also=(TEAM, ANN),
        do="License them, or leave them out: `members.excluding`.",
        mend=_mailbox_there,
        recovers=RETRIED,
        after=TEAM,
        equal=EVERYBODY,
    ),
    Situation(
        id="set-member-mailbox-deleted",
        happens="A member's mailbox is deleted, or its licence taken away. The others are synced.",
        besides=_people,
        start=own,
        cause=_mailbox_deleted,
        seen=FAILING,
        names="1 member fail: 1 TargetNotFound",
        remedy="who they are: cirahub members [^ ]+/team",
        also=(TEAM, ANN),
        do="Restore it, or license its user again; or take them out of the group.",
        mend=_mailbox_there,
        recovers=RETRIED,
        after=TEAM,
        equal=EVERYBODY,
    ),
)
