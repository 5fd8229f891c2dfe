"""Each rule of the operator's roles: none is missing, none is in vain, and what goes without it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.chart.rendering import Values
from tests.operator.stage import WITHIN, Manifest, Stage, hub, spoke, spoke_set

from cirahub_operator.api import Hub
from cirahub_operator.api.meta import REQUESTED_AT, Metadata
from cirahub_operator.cluster import Cluster as OurCluster
from cirahub_operator.events import COUNT_EVERY, Events, EventType
from cirahub_operator.health import Health
from cirahub_operator.jobs import Jobs
from cirahub_operator.metrics import Metrics
from cirahub_operator.objects import Objects
from cirahub_operator.permissions import RULES, Rule
from cirahub_operator.relist import Relist
from cirahub_operator.runners.job import JobCrew
from cirahub_operator.settings import Timing, Workers
from cirahub_operator.wakes import Wakes
from cirahub_operator.worker_template import WorkerTemplate
from cirahub_operator.workqueue import Bell, Key, Result, Workqueue
from cirahub_simulator.process import SimulatorProcess
from cirahub_simulator.seed.generate import CIRAHUB
from cirahub_sync.configuration import HubConfig
from cirahub_sync.engine.shared import Call
from cirahub_sync.errors import CrewUnavailableError
from cluster import Cluster, ControlPlane, Helm

from .audit import entries, refused, uncovered, unused
from .conftest import (
    Launch,
    Office,
    Operator,
    apply_definitions,
    by_account,
    by_secret,
    credentials,
    launched,
    signed_in,
    trusting,
)

ANNA = "anna.bergstrom@contoso.example"
BJORN = "bjorn.eriksson@contoso.example"
CARLA = "carla.rossi@contoso.example"


def contributor() -> Manifest:
    return spoke("anna", connectionRef={"name": "by-account"}, mailbox={"address": ANNA})


def receiver(folder: str) -> Manifest:
    return spoke(
        "bjorn",
        connectionRef={"name": "by-secret"},
        mailbox={"address": BJORN, "folder": folder},
        direction="Receive",
    )


def everybody(folder: str) -> Manifest:
    return spoke_set(
        connectionRef={"name": "by-secret"},
        members={"mailboxes": [CARLA]},
        template={"mailbox": {"folder": folder}, "direction": "Receive"},
    )


def trust(simulator: SimulatorProcess, stage: Stage) -> None:
    """As whoever owns the app registration federates it with the team's ServiceAccount."""
    subject = f"system:serviceaccount:{stage.namespace}:cirahub-sync"
    simulator.admin.trust_subject(CIRAHUB, subject)


def folders(simulator: SimulatorProcess, mailbox: str) -> list[tuple[str, ...]]:
    return [tuple(one["folder"]) for one in simulator.admin.contacts(mailbox)]


async def everything_once(stage: Stage, simulator: SimulatorProcess, operator: Operator) -> None:
    """Sign-in both ways, a pass, an edit, a spoke and a set that leave, and the rest of them."""
    folder = stage.namespace
    trust(simulator, stage)
    await operator.becomes_ready()
    await stage.apply(
        *credentials(),
        by_account(),
        by_secret(),
        hub(deletion={"gracePeriod": "0s"}),
        contributor(),
        receiver(folder),
        everybody(folder),
    )
    await stage.comes("connection", "by-account", "True", "SignedIn")
    await stage.comes("connection", "by-secret", "True", "SignedIn")
    await stage.comes("hub", "staff", "True", "Synced")
    await stage.comes("spoke", "bjorn", "True", "Synced")
    await stage.comes("spokeset", "everybody", "True", "Synced")
    copies = folders(simulator, BJORN).count((folder,))
    assert copies > 10
    await operator.counts(
        f'cirahub_connection_requests_total{{api="graph",code="200",connection="by-secret",namespace="{folder}"}}'
    )
    await stage.leaves("spoke", "bjorn")
    assert (folder,) not in folders(simulator, BJORN)
    await stage.leaves("spokeset", "everybody")
    assert (folder,) not in folders(simulator, CARLA)
    for kind, name in (("hub", "staff"), ("spoke", "anna")):
        await stage.delete(kind, name)
        await stage.goes(kind, name)
    for name in ("by-account", "by-secret"):
        await stage.delete("connection", name)
        await stage.goes("connection", name)


def signing_in(team: str) -> Values:
    """What the chart is told for the team's ServiceAccount and Secret."""
    entry = {
        "namespace": team,
        "serviceAccounts": ["cirahub-sync"],
        "secrets": ["graph-client-secret"],
    }
    return {"rbac": {"signIn": [entry]}}


def _log(plane: Cluster) -> Path:
    assert isinstance(plane, ControlPlane)
    assert plane.audit_log is not None
    return plane.audit_log


async def an_event_that_repeats(cluster: OurCluster, namespace: str) -> None:
    """Counted only after a minute, so with a clock of its own."""
    now = [0.0]
    events = Events(cluster, clock=lambda: now[0])
    metadata = Metadata(name="staff", namespace=namespace, uid="1")
    for at in (0.0, COUNT_EVERY + 1):
        now[0] = at
        await events.record(Hub, metadata, type=EventType.NORMAL, reason="Synced", note="1 created")


async def watches_that_tell_nothing(cluster: OurCluster, namespace: str) -> None:
    """What they keep back is fetched, object by object."""

    async def reconcile(_: Key, __: Bell) -> Result:
        return Result(gone=True)

    objects, metrics, complete = Objects(), Metrics(), asyncio.Event()
    health = Health(engine_silence=lambda: 0.0, watch_limit=1.0, engine_limit=1.0)
    hubs = Workqueue("Hub", reconcile, metrics=metrics, timing=Timing())
    connections = Workqueue("Connection", reconcile, metrics=metrics, timing=Timing())
    wakes = Wakes(
        objects=objects, hubs=hubs, connections=connections, health=health, metrics=metrics
    )
    relist = Relist(cluster, objects, wakes, namespaces=[namespace], interval=3600, handover=0.0)
    running = asyncio.create_task(relist.run(complete.set))
    async with asyncio.timeout(WITHIN):
        await complete.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.gather(hubs.stop(drain=1.0), connections.stop(drain=1.0))
    assert objects.get(Hub, Key(namespace, "staff")) is not None


async def workers_that_never_run(cluster: OurCluster, namespace: str) -> None:
    """A crew makes its Jobs, looks at them, and deletes them. tests/jobs has whole passes."""
    container = {"name": "worker", "image": "none"}
    template = WorkerTemplate({"spec": {"containers": [container]}}, "a test")
    hired = Workers(template=template, look=0.1, start_within=0.5)
    crew = JobCrew(HubConfig(uid="hub", name="team/staff"), Jobs(cluster, namespace), hired, [])
    with pytest.raises(CrewUnavailableError, match="no pod of the workers has come to run"):
        await crew.work(Call(hub="hub", number=1, errand="read", parts={"one": [0]}))


async def test_with_all_rules_nothing_is_refused_and_none_is_in_vain(
    *,
    stage: Stage,
    office: Office,
    launch: Launch,
    simulator: SimulatorProcess,
    helm: Helm,
    tmp_path: Path,
) -> None:
    """With those of the chart, which are the same (tests/chart/test_roles.py)."""
    office.install(
        helm,
        {
            "namespaces": [stage.namespace],
            "database": {"existingSecret": {"name": "postgres"}},
            "jobs": {"enabled": True},
            **signing_in(stage.namespace),
        },
    )
    async with launch(f"--namespace={stage.namespace}") as operator:
        await everything_once(stage, simulator, operator)
        metrics = await operator.metrics()
        complaints = [
            one
            for one in operator.log
            if one["level"] == "error" and one["logger"].startswith("cirahub")
        ]
    await stage.apply(by_secret(), hub(), contributor(), everybody(stage.namespace))
    async with signed_in(office.kubeconfig(tmp_path / "config")) as cluster:
        await an_event_that_repeats(cluster, stage.namespace)
        await watches_that_tell_nothing(cluster, stage.namespace)
        await workers_that_never_run(cluster, office.namespace)

    found = list(entries(_log(office.plane), office.user))
    assert refused(found) == []
    assert uncovered(found, RULES) == set()
    assert unused(found, RULES) == []
    assert {one.namespace for one in found} <= {
        "",
        "kube-system",
        stage.namespace,
        office.namespace,
    }
    assert "cirahub_permission_missing" in metrics
    assert not [
        one
        for one in metrics.splitlines()
        if one.startswith("cirahub_permission_missing{") and not one.endswith(" 0.0")
    ]
    assert complaints == []


async def test_the_roles_for_all_namespaces_are_enough_and_read_no_secret_by_themselves(
    helm: Helm,
) -> None:
    """On a control plane of its own, since that operator serves whatever else is there."""
    with ControlPlane.start(audit=True) as plane, trusting(plane) as simulator:
        apply_definitions(plane)
        plane.kubectl("create", "namespace", "team")
        stage, office = Stage(plane, "team"), Office(plane)
        office.install(helm, {})
        trust(simulator, stage)
        async with launched(stage, office, simulator) as operator:
            await stage.apply(*credentials(), by_account(), by_secret())
            await stage.comes("connection", "by-account", "False", "TokenForbidden")
            await stage.comes("connection", "by-secret", "False", "SecretForbidden")
            before = list(entries(_log(plane), office.user))
            office.install(helm, signing_in("team"))
            for name in ("by-account", "by-secret"):
                await stage.annotate("connection", name, f"{REQUESTED_AT}=granted")
            await everything_once(stage, simulator, operator)
        found = list(entries(_log(plane), office.user))[len(before) :]
    denied = {one.resource for one in refused(before)}
    assert denied == {"serviceaccounts", "secrets"}
    assert refused(found) == []


Sign = Callable[[Stage, Operator], Awaitable[None]]
"""Waits for what is seen when a rule is missing."""


def on_connection(name: str, reason: str) -> Sign:
    async def seen(stage: Stage, operator: Operator) -> None:
        await stage.comes("connection", name, "False", reason)
        await stage.comes("connection", name, "True", reason, of="Stalled")
        await operator.becomes_ready()

    return seen


async def _nothing_watched(stage: Stage, operator: Operator) -> None:
    await operator.logs("hubs", "error")
    assert await stage.status("hub", "staff") == {"observedGeneration": -1}
    assert not await operator.ready()


async def _reconciling_fails(stage: Stage, operator: Operator) -> None:
    await operator.counts('cirahub_reconciles_total{kind="Hub",result="failure"}', least=2)
    await operator.logs("grant the operator's ServiceAccount that right", "error")
    assert not await operator.ready()


async def _hub_not_found_is_not_said(stage: Stage, operator: Operator) -> None:
    await stage.comes("hub", "staff", "True", "Synced")
    await stage.apply(spoke("lost", hubRef={"name": "absent"}))
    await operator.logs(f"Hub {stage.namespace}/absent", "error")
    await _reconciling_fails(stage, operator)
    assert (await stage.status("spoke", "lost")) == {"observedGeneration": -1}


async def _ranges_unknown(stage: Stage, operator: Operator) -> None:
    await operator.becomes_ready()
    await operator.logs("are not known", "warning")
    await operator.logs("rule 'service-ranges'", "warning")


async def _stands_by(stage: Stage, operator: Operator) -> None:
    await operator.logs("leases", "warning", "error")
    assert await stage.status("hub", "staff") == {"observedGeneration": -1}
    assert not await operator.ready()


async def _events_missing(stage: Stage, operator: Operator) -> None:
    await stage.comes("hub", "staff", "True", "Synced")
    await operator.logs("was not delivered", "warning")
    assert (await stage.kubectl("get", "events.events.k8s.io", "-o", "name")).strip() == ""


async def _not_started(stage: Stage, operator: Operator) -> None:
    await stage.until(lambda: "--installation-id" in operator.text, lambda: operator.text)
    await stage.until(lambda: operator.service.exit_code is not None)
    assert operator.service.exit_code == 1


SIGNS: dict[str, Sign] = {
    "watch": _nothing_watched,
    "read": _hub_not_found_is_not_said,
    "hold": _reconciling_fails,
    "status": _reconciling_fails,
    "events": _events_missing,
    "lease": _stands_by,
    "lease-creation": _stands_by,
    "installation": _not_started,
    "service-ranges": _ranges_unknown,
    "account": on_connection("by-account", "TokenForbidden"),
    "token": on_connection("by-account", "TokenForbidden"),
    "secret": on_connection("by-secret", "SecretForbidden"),
}


def test_every_rule_is_taken_away_once() -> None:
    assert {*SIGNS, "jobs"} == {rule.key for rule in RULES}, "tests/jobs/test_crew.py has that"


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.key in SIGNS], ids=lambda rule: rule.key
)
async def test_what_is_missing_is_seen(
    rule: Rule, stage: Stage, office: Office, launch: Launch, simulator: SimulatorProcess
) -> None:
    trust(simulator, stage)
    office.grant_all(stage.namespace, rules=[one for one in RULES if one is not rule])
    await stage.apply(*credentials(), by_account(), by_secret(), hub(), contributor())
    async with launch(f"--namespace={stage.namespace}") as operator:
        await SIGNS[rule.key](stage, operator)
        if not rule.opt_in:
            await operator.logs(f"rule '{rule.key}'", "error", "warning")
            assert rule.why in operator.text
