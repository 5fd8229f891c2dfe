"""The control plane behaves as any Kubernetes does where the operator relies on it."""

import json
import secrets
import ssl
import urllib.error
from collections.abc import Iterator

import jwt
import pytest

from cluster import Cluster, ControlPlane, KubectlFailedError
from cluster.toolset import KUBERNETES

from .conftest import Anonymous, Eventually

LAMPS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "lamps.cluster.test"},
    "spec": {
        "group": "cluster.test",
        "names": {"kind": "Lamp", "plural": "lamps", "singular": "lamp"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "lit": {"type": "integer"},
                                    "bulbs": {"type": "integer"},
                                },
                                "x-kubernetes-validations": [
                                    {
                                        "rule": "self.lit <= self.bulbs",
                                        "message": "more lit than there are bulbs",
                                    }
                                ],
                            }
                        },
                    }
                },
            }
        ],
    },
}


def lamp(name: str, *, lit: int, bulbs: int) -> str:
    return json.dumps(
        {
            "apiVersion": "cluster.test/v1",
            "kind": "Lamp",
            "metadata": {"name": name},
            "spec": {"lit": lit, "bulbs": bulbs},
        }
    )


def test_the_server_is_of_the_pinned_version(own_control_plane: ControlPlane) -> None:
    version = json.loads(own_control_plane.kubectl("version", "--output", "json"))

    assert version["serverVersion"]["gitVersion"] == KUBERNETES.pins().version
    assert version["clientVersion"]["gitVersion"] == KUBERNETES.pins().version


@pytest.fixture
def lamps(control_plane: Cluster) -> Iterator[None]:
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(LAMPS))
    control_plane.kubectl("wait", "--for=condition=Established", "crd/lamps.cluster.test")
    yield
    control_plane.kubectl("delete", "crd/lamps.cluster.test", "--wait=false")


@pytest.mark.usefixtures("lamps")
def test_a_definition_s_cel_rule_is_enforced(control_plane: Cluster, namespace: str) -> None:
    create = ("create", "-n", namespace, "-f", "-")

    control_plane.kubectl(*create, input=lamp("dim", lit=1, bulbs=2))
    with pytest.raises(KubectlFailedError, match="more lit than there are bulbs"):
        control_plane.kubectl(*create, input=lamp("magic", lit=3, bulbs=2))


def test_a_requested_token_verifies_against_keys_that_anyone_may_fetch(
    own_control_plane: ControlPlane, namespace: str, anonymous: Anonymous
) -> None:
    audience = "api://AzureADTokenExchange"
    own_control_plane.kubectl("create", "serviceaccount", "spoke", "-n", namespace)
    token = own_control_plane.kubectl(
        "create", "token", "spoke", "-n", namespace, "--audience", audience, "--duration=10m"
    ).strip()

    discovery = anonymous(f"{own_control_plane.issuer}/.well-known/openid-configuration")
    trust = ssl.create_default_context(cafile=str(own_control_plane.ca_file))
    keys = jwt.PyJWKClient(str(discovery["jwks_uri"]), ssl_context=trust)
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        audience=audience,
        issuer=own_control_plane.issuer,
    )

    assert discovery["issuer"] == own_control_plane.issuer
    assert claims["sub"] == f"system:serviceaccount:{namespace}:spoke"


def test_anonymous_requests_see_nothing_but_discovery(
    own_control_plane: ControlPlane, anonymous: Anonymous
) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403") as refusal:
        anonymous(f"{own_control_plane.url}/api/v1/namespaces")
    refusal.value.close()


def test_a_service_account_may_do_only_what_a_role_allows(
    control_plane: Cluster, namespace: str
) -> None:
    account = f"system:serviceaccount:{namespace}:spoke"
    read = ("get", "configmaps", "-n", namespace, f"--as={account}")

    with pytest.raises(KubectlFailedError, match="Forbidden"):
        control_plane.kubectl(*read)
    control_plane.kubectl(
        "create", "role", "reader", "-n", namespace, "--verb=list", "--resource=configmaps"
    )
    control_plane.kubectl(
        "create", "rolebinding", "spoke", "-n", namespace, "--role=reader", f"--user={account}"
    )

    control_plane.kubectl(*read)
    with pytest.raises(KubectlFailedError, match="Forbidden"):
        control_plane.kubectl("get", "secrets", "-n", namespace, f"--as={account}")


@pytest.mark.usefixtures("controllers")
def test_what_an_object_owns_is_collected_with_it(control_plane: Cluster, namespace: str) -> None:
    def create(name: str, owners: list[dict[str, object]]) -> str:
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "ownerReferences": owners},
        }
        made = control_plane.kubectl(
            "create", "-n", namespace, "-o", "json", "-f", "-", input=json.dumps(manifest)
        )
        uid: str = json.loads(made)["metadata"]["uid"]
        return uid

    uid = create("owner", [])
    create("owned", [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}])

    control_plane.kubectl("delete", "configmap/owner", "-n", namespace)

    control_plane.kubectl(
        "wait", "--for=delete", "configmap/owned", "-n", namespace, "--timeout=30s"
    )


@pytest.mark.usefixtures("controllers")
def test_a_namespace_gets_its_default_account_and_ends_with_what_is_in_it(
    control_plane: Cluster, eventually: Eventually
) -> None:
    name = f"test-{secrets.token_hex(4)}"
    control_plane.kubectl("create", "namespace", name)

    def has_account() -> bool:
        found = control_plane.kubectl("get", "serviceaccounts", "-n", name, "-o", "name")
        return "serviceaccount/default" in found

    eventually(has_account)
    control_plane.kubectl("delete", "namespace", name, "--timeout=60s")

    assert name not in control_plane.kubectl("get", "namespaces", "-o", "name")


def test_the_audit_log_names_who_did_what_as_soon_as_it_is_answered(
    own_control_plane: ControlPlane, namespace: str
) -> None:
    assert own_control_plane.audit_log is not None

    own_control_plane.kubectl("create", "configmap", "seen", "-n", namespace, "--from-literal=a=b")

    events = map(json.loads, own_control_plane.audit_log.read_text().splitlines())
    seen = [
        (event["user"]["username"], event["verb"])
        for event in events
        if event.get("objectRef", {}).get("namespace") == namespace
        and event["objectRef"]["resource"] == "configmaps"
    ]
    assert ("admin", "create") in seen
    assert {user for user, _ in seen} <= {"admin", "system:serviceaccount"}
