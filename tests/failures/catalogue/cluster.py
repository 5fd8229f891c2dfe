"""What goes wrong between the operator and the cluster's API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tests.failures.catalogue.mending import CHECKED
from tests.failures.catalogue.outcome import CONTOSO, STAFF, contoso, credentials
from tests.failures.process import OperatorProcess
from tests.failures.running import Start
from tests.failures.situation import STALLED, Said, Sample, Situation
from tests.failures.town import ACCOUNT, SECRET, Town
from tests.rbac.conftest import Office

from cirahub_operator.permissions import RULES, Rule
from cirahub_operator.settings import Election, LeaseTiming
from cluster import ControlPlane

LEASE = "cirahub-operator"
LEADS = Sample(metric="cirahub_leader", labels={}, value=1.0, everywhere=True)
_NAMES = {"account": ACCOUNT, "token": ACCOUNT, "secret": SECRET}


def _reachable(value: float) -> Sample:
    return Sample(metric="cirahub_cluster_reachable", labels={}, value=value, everywhere=True)


def _missing(value: float) -> Sample:
    labels = {"rule": "status"}
    return Sample(metric="cirahub_permission_missing", labels=labels, value=value)


async def _as_it_is(town: Town) -> Start:
    return town.start


def _plane(town: Town) -> ControlPlane:
    plane = town.stage.plane
    assert isinstance(plane, ControlPlane), "an API server that may be stopped"
    return plane


def _server_back(town: Town) -> None:
    plane = _plane(town)
    if "kube-apiserver" not in plane.pids:
        plane.start_apiserver()


async def _server_away(town: Town) -> None:
    await town.well()
    town.at_the_end(lambda: _server_back(town))
    await asyncio.to_thread(_plane(town).stop_apiserver)
    town.admin.create_contact(town.mailboxes["ann"], dict(town.person(100)))


async def _server_answers(town: Town) -> None:
    before = len(town.held("ann"))
    await asyncio.to_thread(_server_back, town)
    await town.stage.apply(town.hub(interval="6s"))
    await town.until(lambda: len(town.held("bob")) == before, lambda: "bob lacks what came then")


def _rules(*without: str) -> Sequence[Rule]:
    """With the names of the town's own objects in those that name one."""
    return [
        replace(rule, names=(_NAMES[rule.key],)) if rule.key in _NAMES else rule
        for rule in RULES
        if rule.key not in without
    ]


def _signed_in_without(*rules: str) -> Callable[[Town], Awaitable[Start]]:
    """The operator signs in as a ServiceAccount that may do everything but that."""

    async def start(town: Town) -> Start:
        town.office = Office(town.stage.plane)
        town.at_the_end(lambda: town.stage.plane.delete_namespace(town.office.namespace))
        await asyncio.to_thread(town.office.grant_all, town.namespace, rules=_rules(*rules))
        config = town.start.key_file.with_name("kubeconfig")
        return town.start.but(kubeconfig=await asyncio.to_thread(town.office.kubeconfig, config))

    return start


async def _granted(town: Town) -> None:
    await asyncio.to_thread(town.office.grant_all, town.namespace, rules=_rules())


async def _with_a_lease(town: Town) -> Start:
    timing = LeaseTiming(duration=15.0, renew_deadline=10.0, retry_period=0.5)
    election = Election(namespace=town.namespace, name=LEASE, timing=timing)
    return town.start.but(process=True, election=election)


async def _hold(town: Town, holder: str) -> None:
    """Change the Lease, as another operator would."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 600, "renewTime": now}
    patch = json.dumps({"spec": spec})
    await town.stage.kubectl("patch", "lease", LEASE, "--type=merge", "-p", patch)


async def _taken_over(town: Town) -> None:
    await town.well()
    operator = town.operator
    assert isinstance(operator, OperatorProcess)
    await _hold(town, "another-operator")
    await town.until(lambda: operator.ended() is not None, lambda: "the operator goes on")
    assert operator.ended() == 1
    operator.begin()


async def _handed_back(town: Town) -> None:
    await _hold(town, "")
    await town.stage.apply(town.hub(interval="6s"))


async def _applied(town: Town) -> None:
    await town.stage.apply(town.federated(), town.hub(), town.ann(), town.bob())


async def _applied_with_secret(town: Town) -> None:
    await town.stage.apply(town.with_secret(), town.hub(), town.ann())


SITUATIONS = (
    Situation(
        id="api-server-away",
        happens="The API server is away for a while, or restarts.",
        start=_as_it_is,
        cause=_server_away,
        seen=Said(words="the API server does not answer", level="WARNING"),
        names="API server does not answer \\(ClientConnectorError\\)",
        remedy="until it does",
        sample=_reachable(0.0),
        do="Nothing. `/healthz` stays well: a restart would not help. With leader election, the "
        "operator ends if it can't renew its Lease for `--renew-deadline`, and is started again.",
        mend=_server_answers,
        recovers="Within 15 seconds, when it answers again, which the log says too. What changed "
        "meanwhile is noticed then.",
        after=STAFF,
        over=_reachable(1.0),
    ),
    Situation(
        id="leadership-lost",
        happens="Another operator takes the Lease while this one leads.",
        start=_with_a_lease,
        cause=_taken_over,
        seen=Said(words="was taken by", level="CRITICAL"),
        names="Lease [^ ]+/cirahub-operator was taken by another-operator",
        remedy="this operator ends",
        sample=replace(LEADS, value=0.0),
        do="Nothing: the process ends with code 1, is started again, and stands by. If the other "
        "one is to serve other namespaces, give it another `--lease-name`.",
        mend=_handed_back,
        recovers="When the other one lets the Lease go, or does not renew it any more.",
        after=STAFF,
        over=LEADS,
    ),
    Situation(
        id="status-forbidden",
        happens="The operator's role does not let it write statuses.",
        start=_signed_in_without("status"),
        cause=_applied,
        seen=Said(words="(rule 'status')", kind="Hub", name="staff"),
        names="the operator may not patch connections/status.cirahub.io",
        remedy="Apply the role that docs/permissions.md names",
        event=("Warning", "StatusForbidden"),
        sample=_missing(1.0),
        do="Apply the role again, as [permissions](permissions.md) has it. `/readyz` says which "
        "rule is missing, if it is in all served namespaces.",
        mend=_granted,
        recovers="Tried again with growing pauses, of five minutes at most; whether rules are "
        "granted is asked every 15 seconds.",
        after=STAFF,
        over=_missing(0.0),
    ),
    Situation(
        id="token-forbidden",
        happens="The operator may not ask for tokens of the ServiceAccount that a Connection "
        "names.",
        start=_signed_in_without("token"),
        cause=_applied,
        seen=contoso("TokenForbidden"),
        goes_with=STALLED,
        names="token of ServiceAccount [^ ]+/sync",
        remedy="grant the operator's ServiceAccount that right",
        also=(credentials("TokenForbidden"),),
        do="Grant it, in the Connection's namespace: the Role `sign-in-service-account` of "
        "[permissions](permissions.md).",
        mend=_granted,
        recovers=CHECKED,
        after=STAFF,
    ),
    Situation(
        id="secret-forbidden",
        happens="The operator may not read the Kubernetes Secret that `secretRef` names.",
        start=_signed_in_without("secret"),
        cause=_applied_with_secret,
        seen=contoso("SecretForbidden"),
        goes_with=STALLED,
        names='secrets "graph" is forbidden',
        remedy="grant the operator's ServiceAccount that right",
        also=(credentials("SecretForbidden"),),
        do="Grant it, in the Connection's namespace: the Role `sign-in-secret` of "
        "[permissions](permissions.md).",
        mend=_granted,
        recovers=CHECKED,
        after=CONTOSO,
    ),
)
