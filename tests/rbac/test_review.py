"""What the operator finds out about its own permissions, from the API server."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.operator.conftest import connections_closed
from tests.operator.stage import Stage, hub

from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import ClusterUnreachableError
from cirahub_operator.metrics import Metrics
from cirahub_operator.permissions import RULES, Action, Rule, Scope
from cirahub_operator.permissions.review import Review, asked_for
from cirahub_operator.settings import Election, Settings

from .conftest import Launch, Office


def settings(*namespaces: str) -> Settings:
    return Settings(database="sqlite://", key_file=Path("key"), namespaces=namespaces)


@pytest.fixture
async def cluster(
    stage: Stage, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cluster]:
    """As the operator, which is allowed nothing yet."""
    office.grant("operator.yaml", rules=[])
    monkeypatch.setenv("KUBECONFIG", str(office.kubeconfig(tmp_path / "config")))
    made = await Cluster.connect()
    yield made
    await made.close()
    await connections_closed()


async def test_each_action_is_asked_for_by_itself(
    stage: Stage, office: Office, cluster: Cluster
) -> None:
    office.grant_all(stage.namespace)
    fixed = {
        Scope.KUBE_SYSTEM: "kube-system",
        Scope.OWN: office.namespace,
        Scope.WORKERS: office.namespace,
    }
    for rule in RULES:
        where = fixed.get(rule.scope, stage.namespace)
        for action in rule.actions:
            assert await cluster.may(action, where), action
            assert await cluster.may(action, "") == (rule.scope is Scope.CLUSTER), action
    assert not await cluster.may(Action("get", "", "secrets"), stage.namespace)
    assert not await cluster.may(Action("delete", "cirahub.io", "hubs"), stage.namespace)


async def test_what_is_missing_is_logged_once_and_so_is_its_return(
    stage: Stage, office: Office, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    metrics = Metrics()
    review = Review(cluster, metrics, asked_for(settings(stage.namespace)))
    series = f'cirahub_permission_missing{{namespace="{stage.namespace}",rule="events"}}'
    office.grant_all(stage.namespace, rules=[one for one in RULES if one.key != "events"])

    await review.once()
    await review.once()

    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "create events.events.k8s.io, patch events.events.k8s.io" in errors[0]
    assert review.denied == ["permission missing: events"]
    assert f"{series} 1.0" in metrics.text().decode()

    office.grant_all(stage.namespace)
    await review.once()

    assert review.denied == []
    assert f"{series} 0.0" in metrics.text().decode()
    assert "is granted now" in caplog.records[-1].getMessage()


async def test_a_namespace_that_lacks_its_role_takes_nothing_from_the_others(
    stage: Stage, office: Office, launch: Launch
) -> None:
    plane, other = office.plane, f"other-{secrets.token_hex(4)}"
    plane.kubectl("create", "namespace", other)
    gone = f"gone-{secrets.token_hex(4)}"
    office.grant("operator.yaml")
    office.grant("served-namespace.yaml", to=stage.namespace)
    served = (stage.namespace, other, gone)
    async with launch(*(f"--namespace={one}" for one in served)) as operator:
        await operator.becomes_ready()
        series = 'cirahub_permission_missing{namespace="%s",rule="watch"}'
        await operator.counts(series % other)
        await operator.counts(series % gone)
        await stage.apply(hub())
        await stage.comes("hub", "staff", "True", "NoSpokes")

        office.grant("served-namespace.yaml", to=other)
        elsewhere = Stage(plane, other)
        await elsewhere.apply(hub())
        await elsewhere.comes("hub", "staff", "True", "NoSpokes")
    plane.kubectl("delete", "namespace", other, "--wait=false")


def test_what_is_asked_for_follows_the_settings() -> None:
    everywhere = {rule.key: where for rule, where in asked_for(settings()).items()}
    assert everywhere["watch"] == ("",)
    assert everywhere["service-ranges"] == ("",)
    assert "lease" not in everywhere
    election = Election(namespace="office", name="first")
    given = replace(settings("a", "b"), installation="given", election=election)
    narrow = {rule.key: (rule, where) for rule, where in asked_for(given).items()}
    assert narrow["watch"][1] == ("a", "b")
    assert narrow["lease"][1] == ("office",)
    assert narrow["lease"][0].names == ("first",)
    assert narrow["lease-creation"][0].names == ()
    assert "installation" not in narrow
    assert not narrow.keys() & {rule.key for rule in RULES if rule.opt_in}


class Silent:
    """An API server that is away."""

    async def may(self, action: Action, namespace: str) -> bool:
        raise ClusterUnreachableError("no answer")


async def test_an_api_server_that_does_not_answer_keeps_what_was_known(
    stage: Stage, office: Office, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = replace(settings(stage.namespace), installation="given")
    review = Review(cluster, Metrics(), asked_for(given))
    await review.once()
    known = review.denied
    monkeypatch.setattr(review, "_cluster", Silent())

    await review.once()

    assert known
    assert "permission missing: installation" not in known
    assert review.denied == known


async def test_it_is_asked_again_for_as_long_as_something_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    enough = asyncio.Event()

    class Refusing:
        async def may(self, action: Action, namespace: str) -> bool:
            asked.append(action.verb)
            if len(asked) > 3:
                enough.set()
            return False

    monkeypatch.setattr("cirahub_operator.permissions.review.SOON", 0.0)
    rule = Rule(key="one", group="", resources=("pods",), verbs=("get",), why="", without="")
    review = Review(Refusing(), Metrics(), {rule: ["team"]})
    await review.once()
    keeping = asyncio.create_task(review.keep())
    async with asyncio.timeout(30):
        await enough.wait()
    keeping.cancel()
