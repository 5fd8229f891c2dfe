"""Our dealings with the API server: statuses, finalizers, events, and what is handed over."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cirahub_operator.api import Hub, Metadata, Spoke
from cirahub_operator.api.hub import HubStatus
from cirahub_operator.api.meta import HOSTS_ANNOTATION, TOKEN_OPT_IN
from cirahub_operator.api.spoke import SpokeStatus
from cirahub_operator.cluster import Cluster, Unparsable
from cirahub_operator.conditions import ready, stated
from cirahub_operator.credentials import ClusterCredentials
from cirahub_operator.errors import (
    ClusterRefusedError,
    ClusterUnreachableError,
    NotInstalledError,
    StatusRefusedError,
)
from cirahub_operator.events import Events, EventType
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_operator.origin import SecretOrigin
from cirahub_operator.status import StatusWriter
from cirahub_sync.configuration import SecretFile
from cirahub_sync.errors import CredentialError, EndpointUnavailableError
from cirahub_sync.identity.base import Material

from .conftest import connections_closed
from .objects import hub as hub_model
from .stage import Stage, hub, spoke
from .test_summary import NOW


@pytest.fixture
async def cluster(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    made = await Cluster.connect()
    yield made
    await made.close()
    await connections_closed()


async def found(cluster: Cluster, stage: Stage, name: str = "staff") -> Hub:
    made = await cluster.get(Hub, stage.namespace, name)
    assert isinstance(made, Hub)
    return made


def good(status: HubStatus) -> HubStatus:
    conditions = stated([ready("Synced", "m")], before=status.conditions, generation=1, now=NOW)
    return status.model_copy(update={"conditions": conditions, "observed_generation": 1})


async def test_a_status_is_read_back_as_it_was_written(cluster: Cluster, stage: Stage) -> None:
    await stage.apply(hub())
    one = await found(cluster, stage)
    assert one.status == HubStatus()
    after = good(one.status)
    assert await cluster.apply_status(Hub, one.metadata, after)
    assert (await found(cluster, stage)).status.conditions[0].reason == "Synced"


async def test_the_same_status_again_changes_nothing(cluster: Cluster, stage: Stage) -> None:
    await stage.apply(hub())
    one = await found(cluster, stage)
    await cluster.apply_status(Hub, one.metadata, good(one.status))
    version = (await found(cluster, stage)).metadata.resource_version
    await cluster.apply_status(Hub, one.metadata, good(one.status))
    assert (await found(cluster, stage)).metadata.resource_version == version


async def test_an_equal_status_is_not_even_sent(
    cluster: Cluster, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    apply = cluster.apply_status

    async def counted(*arguments: Any) -> bool:
        sent.append(arguments)
        return await apply(*arguments)

    monkeypatch.setattr(cluster, "apply_status", counted)
    health = Health(engine_silence=lambda: 0.0, watch_limit=1, engine_limit=1)
    writer = StatusWriter(cluster, Events(cluster), Metrics(), health)
    await stage.apply(hub())
    one = await found(cluster, stage)
    assert await writer.write(Hub, one.metadata, one.status, good(one.status))
    one = await found(cluster, stage)
    assert not await writer.write(Hub, one.metadata, one.status, good(one.status))
    assert len(sent) == 1


async def test_a_refused_status_is_counted_and_holds_nothing_up(
    cluster: Cluster, stage: Stage
) -> None:
    metrics = Metrics()
    health = Health(engine_silence=lambda: 0.0, watch_limit=1, engine_limit=1)
    writer = StatusWriter(cluster, Events(cluster), metrics, health)
    await stage.apply(hub())
    one = await found(cluster, stage)
    assert not await writer.write(Hub, one.metadata, one.status, SpokeStatus(copies=1))
    assert b'cirahub_status_refused_total{kind="Hub"} 1.0' in metrics.text()


async def test_what_is_no_longer_true_leaves_the_status(cluster: Cluster, stage: Stage) -> None:
    await stage.apply(hub())
    one = await found(cluster, stage)
    held = good(one.status).model_copy(update={"approval": "abc"})
    await cluster.apply_status(Hub, one.metadata, held)
    await cluster.apply_status(Hub, one.metadata, good(one.status))
    assert (await found(cluster, stage)).status.approval is None


async def test_a_status_that_the_schema_does_not_know_is_refused_and_not_retried(
    cluster: Cluster, stage: Stage
) -> None:
    await stage.apply(hub())
    one = await found(cluster, stage)
    with pytest.raises(StatusRefusedError, match="custom resource definitions"):
        await cluster.apply_status(Hub, one.metadata, SpokeStatus(copies=1))


async def test_an_object_that_is_gone_is_not_made_again_and_its_successor_not_held(
    cluster: Cluster, stage: Stage
) -> None:
    await stage.apply(hub())
    one = await found(cluster, stage)
    await stage.leaves("hub", "staff")
    assert not await cluster.apply_status(Hub, one.metadata, good(one.status))
    assert not await cluster.hold(Hub, one.metadata)
    assert await stage.get("hub", "staff") is None
    await stage.apply(hub())
    assert not await cluster.hold(Hub, one.metadata)
    assert not (await found(cluster, stage)).metadata.held


async def test_our_finalizer_comes_and_goes_beside_others(cluster: Cluster, stage: Stage) -> None:
    theirs = hub()
    theirs["metadata"]["finalizers"] = ["example.com/theirs"]
    await stage.apply(theirs)
    assert await cluster.hold(Hub, (await found(cluster, stage)).metadata)
    one = await found(cluster, stage)
    assert one.metadata.held
    assert "example.com/theirs" in one.metadata.finalizers
    await cluster.release(Hub, one.metadata)
    assert (await found(cluster, stage)).metadata.finalizers == ("example.com/theirs",)
    await stage.kubectl(
        "patch", "hub", "staff", "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
    )


async def test_what_does_not_fit_our_models_is_handed_over_as_that(
    cluster: Cluster, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.apply(spoke("ann"), spoke("bob"))
    listed = await cluster.listing(Spoke, stage.namespace)
    assert [one.metadata.name for one in listed.items] == ["ann", "bob"]
    path = f"/apis/cirahub.io/v1alpha1/namespaces/{stage.namespace}/spokes"
    answer = await cluster.request("GET", path)

    async def newer(*_: object, **__: object) -> object:
        assert answer is not None
        answer["items"][0]["spec"]["shape"] = "round"
        return answer

    monkeypatch.setattr(cluster, "request", newer)
    listed = await cluster.listing(Spoke, stage.namespace)
    strange: Unparsable = listed.unparsable[0]
    assert strange.references == {"hubRef": "staff", "connectionRef": "contoso"}
    assert "spec.shape" in strange.why


async def test_missing_definitions_are_said_with_the_remedy(cluster: Cluster) -> None:
    class Wheel(Hub):
        definition = dataclasses.replace(Hub.definition, plural="wheels")

    with pytest.raises(NotInstalledError, match="kubectl apply --server-side -f crds/"):
        await cluster.check_installed([Hub, Wheel])


async def test_an_api_server_that_is_not_there_is_not_a_refusal(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = tmp_path_factory.mktemp("kube") / "config"
    away.write_text(
        stage.plane.kubeconfig.read_text().replace(stage.plane.url, "https://127.0.0.1:9")
    )
    monkeypatch.setenv("KUBECONFIG", str(away))
    made = await Cluster.connect()
    try:
        with pytest.raises(ClusterUnreachableError):
            await made.get(Hub, stage.namespace, "staff")
    finally:
        await made.close()


async def test_nothing_to_connect_to_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterRefusedError, match="set KUBECONFIG"):
        await Cluster.connect()


async def test_equal_events_are_one_that_counts(cluster: Cluster, stage: Stage) -> None:
    await stage.apply(hub())
    metadata = (await found(cluster, stage)).metadata
    now = [0.0]
    events = Events(cluster, clock=lambda: now[0])

    async def record(note: str) -> None:
        await events.record(Hub, metadata, type=EventType.WARNING, reason="Failed", note=note)

    for _ in range(5):
        await record("no answer")
    now[0] = 61.0
    await record("no answer")
    await record("another thing")
    listed = await stage.events()
    assert sorted(one["note"] for one in listed) == ["another thing", "no answer"]
    assert {one["regarding"]["name"] for one in listed} == {"staff"}
    assert [one["series"]["count"] for one in listed if one["note"] == "no answer"] == [6]


async def test_one_object_can_not_flood_the_events(cluster: Cluster, stage: Stage) -> None:
    await stage.apply(hub())
    metadata = (await found(cluster, stage)).metadata
    events = Events(cluster, clock=lambda: 0.0)
    for number in range(40):
        await events.record(
            Hub, metadata, type=EventType.NORMAL, reason="Synced", note=f"note {number}"
        )
    listed = await stage.events()
    assert len(listed) == 20


async def test_an_event_that_can_not_be_delivered_stops_nothing(cluster: Cluster) -> None:
    nowhere: Metadata = hub_model(metadata={"namespace": "no-such-namespace"}).metadata
    await Events(cluster).record(Hub, nowhere, type=EventType.NORMAL, reason="Synced", note="n")


async def test_a_secret_is_handed_over_and_a_missing_one_named(
    cluster: Cluster, stage: Stage
) -> None:
    await stage.kubectl("create", "secret", "generic", "graph", "--from-literal=value=s3cret")
    await stage.annotate("secret", "graph", f"{HOSTS_ANNOTATION}=mail.contoso.com")
    credentials = ClusterCredentials(cluster)

    async def value(name: str, key: str) -> Material:
        origin = SecretOrigin(stage.namespace, name, key)
        return await credentials.secret(SecretFile(origin=str(origin)))

    found = await value("graph", "value")
    assert (found.value, found.hosts) == ("s3cret", frozenset({"mail.contoso.com"}))
    assert "s3cret" not in repr(found)
    for name, key in (("graph", "other"), ("other", "value")):
        with pytest.raises(CredentialError, match=f"{name}, key {key} does not exist") as missing:
            await value(name, key)
        assert missing.value.reason == "SecretNotFound"


async def test_a_service_account_s_token_needs_its_consent(cluster: Cluster, stage: Stage) -> None:
    credentials = ClusterCredentials(cluster)
    account, audience = f"{stage.namespace}/sync", "api://AzureADTokenExchange"

    async def refused() -> str:
        with pytest.raises(CredentialError) as error:
            await credentials.service_account_token(account, audience)
        return error.value.reason

    assert await refused() == "ServiceAccountNotFound"
    await stage.kubectl("create", "serviceaccount", "sync")
    assert await refused() == "ServiceAccountNotAllowed"
    await stage.annotate("serviceaccount", "sync", f"{TOKEN_OPT_IN}=true")
    token = await credentials.service_account_token(account, audience)
    claims = json.loads(base64.urlsafe_b64decode(token.token.split(".")[1] + "=="))
    assert claims["sub"] == f"system:serviceaccount:{stage.namespace}:sync"
    assert claims["aud"] == [audience]
    assert token.expires_on == pytest.approx(claims["exp"], abs=2)
    assert token.token not in repr(token)


async def test_a_cluster_that_does_not_answer_is_no_wrong_credential(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise ClusterUnreachableError("no answer")

    monkeypatch.setattr(cluster, "request", away)
    credentials = ClusterCredentials(cluster)
    with pytest.raises(EndpointUnavailableError):
        await credentials.service_account_token(f"{stage.namespace}/sync", "a")
    with pytest.raises(EndpointUnavailableError):
        await credentials.secret(SecretFile(origin=str(SecretOrigin("a", "b", "c"))))
