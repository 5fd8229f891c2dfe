"""A company's groups, and sets of spokes over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirahub_simulator.directory import Group, User
from cirahub_sync.configuration import Direction, MailboxTarget, SpokeConfig
from cirahub_sync.engine.report import PassReport, SetReport
from cirahub_sync.spoke_set import LeaverLimits, MemberSource, SpokeSetConfig

if TYPE_CHECKING:
    from .conftest import Scene

TEAM = "d0000000-0000-4000-8000-000000000001"
DESK = "d0000000-0000-4000-8000-000000000002"
OUT = "d0000000-0000-4000-8000-000000000003"
ROLES = ("Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All")
GRACE = 3600.0
READ_AGAIN = 1000.0


def declare(scene: Scene, name: str = "staff", **settings: Any) -> SpokeSetConfig:
    """A set over the team, or change it."""
    source = settings.pop("source", MemberSource(groups=(TEAM,)))
    template = SpokeConfig(
        uid=f"set-{name}",
        name=f"default/{name}",
        connection=scene.connection,
        target=MailboxTarget("", settings.pop("folder", "")),
        direction=settings.pop("direction", Direction.RECEIVE),
        **settings.pop("template", {}),
    )
    leavers = LeaverLimits(grace_period=settings.pop("grace", GRACE), max_percent=50)
    made = SpokeSetConfig(
        uid=f"set-{name}",
        name=f"default/{name}",
        source=source,
        template=template,
        leavers=settings.pop("leavers", leavers),
        **settings,
    )
    scene.sets[name] = made
    return made


def people(scene: Scene, *names: str) -> list[str]:
    """Their object ids."""
    found = [scene.simulator.world.directory.find_user(scene.mailbox(name)) for name in names]
    return [user.id for user in found if user is not None]


def user(scene: Scene, name: str) -> User:
    found = scene.simulator.world.directory.find_user(scene.mailbox(name))
    assert found is not None
    return found


def founded(scene: Scene, tenant: str, client: str) -> Scene:
    """Ann, Bob and Cy are in the team, Cy through its desk; Ada's contacts are the company's."""
    add = scene.simulator.world.directory.add_group
    people(scene, "ann", "bob", "cy", "dan")
    for group, name in ((TEAM, "team"), (DESK, "desk"), (OUT, "out")):
        mail = f"{name}@contoso.example"
        add(Group(id=group, tenant_id=tenant, display_name=name, mail=mail))
    join(scene, DESK, "cy")
    join(scene, TEAM, "ann", "bob", DESK)
    scene.admin.grant(client, tenant, ROLES)
    scene.connect("ada")
    for name in ("Eve", "Fay"):
        scene.add("ada", displayName=name, email=f"{name.lower()}@partner.example")
    return scene


def join(scene: Scene, group: str, *members: str) -> None:
    """The group's members are these now: people by name, groups by id."""
    scene.admin.set_members(
        group, [one if len(one) > 30 else scene.mailbox(one) for one in members]
    )


def staff(report: PassReport, name: str = "staff") -> SetReport:
    return report.sets[f"set-{name}"]


async def settle(scene: Scene) -> PassReport:
    report = await scene.sync(2)
    assert report.problem is None
    return report


async def erase_due(scene: Scene) -> int:
    done = 0
    for job in await scene.worker.erasures():
        if job.erase_at <= scene.clock():
            report = await scene.worker.erase(job.id, spokes=list(scene.spokes.values()))
            assert report.complete, report
            done += 1
    return done


def reading(scene: Scene) -> list[str]:
    return [one["path"] for one in scene.requests() if "transitiveMembers" in one["path"]]
