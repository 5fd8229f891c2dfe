"""What the chart renders, before a real API server: it admits all of it, and the restricted Pod
Security Standard admits its pods."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from cluster import Cluster, Helm, KubectlFailedError

from .rendering import CLIENT, ROOT, SETS, WITH_WORKERS, Manifest, Rendered, Values, dump, render

Placed = Callable[[str], Rendered]
DEFINITION = "CustomResourceDefinition"


def pod(rendered: Rendered, namespace: str) -> Manifest:
    """What the Deployment would make; the API server only warns about a Deployment itself."""
    template = rendered.pod
    named = {**template["metadata"], "name": "made", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": template["spec"]}


def tried(plane: Cluster, manifest: Manifest) -> None:
    """Raises KubectlFailedError."""
    plane.kubectl("create", "--dry-run=server", "-f", "-", input=dump([manifest]))


@pytest.mark.usefixtures("monitoring")
@pytest.mark.parametrize("name", SETS)
def test_the_api_server_takes_everything_of_each_set(
    control_plane: Cluster, placed: Placed, name: str
) -> None:
    manifests = placed(name).manifests
    options = ("--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts")
    told = control_plane.kubectl("apply", *options, "-f", "-", input=dump(manifests))
    assert told.count("(server dry run)") == len(manifests)


@pytest.mark.parametrize("name", SETS)
def test_the_pod_of_each_set_is_admitted_where_restricted_is_enforced(
    control_plane: Cluster, placed: Placed, office: str, name: str
) -> None:
    made = pod(placed(name), office)
    container = placed(name).container
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
    assert made["spec"]["securityContext"]["fsGroup"] == 65532

    tried(control_plane, made)


@pytest.mark.parametrize("name", WITH_WORKERS)
def test_the_pod_of_a_worker_is_admitted_where_restricted_is_enforced(
    control_plane: Cluster, placed: Placed, office: str, name: str
) -> None:
    template = placed(name).worker
    named = {**template["metadata"], "name": "made", "namespace": office}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": template["spec"]}
    (container,) = template["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True

    tried(control_plane, made)


@pytest.mark.parametrize("name", WITH_WORKERS)
def test_a_worker_is_nobody_s_but_its_job_s(placed: Placed, name: str) -> None:
    """No Service, ReplicaSet or disruption budget takes it for a pod of the operator's."""
    found = placed(name)
    labels = found.worker["metadata"]["labels"]
    selectors = [
        found.one("Deployment")["spec"]["selector"]["matchLabels"],
        *(one["spec"]["selector"] for one in found.of("Service")),
        *(one["spec"]["selector"]["matchLabels"] for one in found.of("PodDisruptionBudget")),
    ]
    assert [one for one in selectors if one.items() <= labels.items()] == []
    policies = [one["spec"] for one in found.of("NetworkPolicy")]
    (ours,) = (
        one for one in policies if one["podSelector"]["matchLabels"].items() <= labels.items()
    )
    assert "ingress" not in ours
    assert [one["egress"] for one in policies] == [ours["egress"]] * 2


WEAKER: dict[str, tuple[Values, str]] = {
    "may run as root": ({"podSecurityContext": {"runAsNonRoot": False}}, "runAsNonRoot"),
    "gets more privileges": (
        {"securityContext": {"allowPrivilegeEscalation": True}},
        "allowPrivilegeEscalation",
    ),
    "keeps its capabilities": ({"securityContext": {"capabilities": {"drop": []}}}, "capabilities"),
    "is not filtered": (
        {"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}},
        "seccompProfile",
    ),
    "reads its node": (
        {"extraVolumes": [{"name": "node", "hostPath": {"path": "/etc"}}]},
        "hostPath|restricted volume types",
    ),
}


@pytest.mark.parametrize("what", WEAKER)
def test_a_pod_with_less_security_is_refused_there(
    control_plane: Cluster, helm: Helm, office: str, what: str
) -> None:
    values, told = WEAKER[what]
    made = pod(render(helm, values, namespace=office), office)
    with pytest.raises(KubectlFailedError, match=rf"violates PodSecurity.*({told})"):
        tried(control_plane, made)


def test_sqlite_has_one_pod_at_a_time_and_a_volume_that_stays(placed: Placed) -> None:
    found = placed("as it comes")
    spec = found.one("Deployment")["spec"]
    claim = found.one("PersistentVolumeClaim")
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["replicas"] == 1
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert found.of("PodDisruptionBudget") == []
    volumes = {one["name"]: one for one in found.pod["spec"]["volumes"]}
    assert volumes["store"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    theirs = placed("a claim that is there")
    volumes = {one["name"]: one for one in theirs.pod["spec"]["volumes"]}
    assert volumes["store"]["persistentVolumeClaim"]["claimName"] == "store"
    assert theirs.of("PersistentVolumeClaim") == []


def test_a_database_has_replicas_that_take_turns_and_no_volume(placed: Placed) -> None:
    found = placed("a database")
    spec = found.one("Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert found.of("PersistentVolumeClaim") == []
    assert found.one("PodDisruptionBudget")["spec"]["selector"] == spec["selector"]
    (spread,) = found.pod["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"] == spec["selector"]
    assert "--leader-election" in found.arguments
    # Its password would be seen in the list of processes.
    assert not [one for one in found.arguments if one.startswith("--database")]
    (variable,) = found.container["env"]
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "postgres", "key": "url"}


def test_a_database_s_password_is_a_file_that_the_operator_may_read_again(placed: Placed) -> None:
    found = placed("jobs")
    file = "/etc/cirahub/database/secret"
    for spec in (found.pod["spec"], found.worker["spec"]):
        (container,) = spec["containers"]
        (variable,) = container["env"]
        assert variable["value"].endswith(f"ca.crt&password_file={file}")
        (mount,) = [one for one in container["volumeMounts"] if one["mountPath"] in file]
        (volume,) = [one for one in spec["volumes"] if one["name"] == mount["name"]]
        assert volume["secret"]["secretName"] == "postgres"
        assert volume["secret"]["items"] == [{"key": "secret", "path": "secret"}]
        assert "subPath" not in mount, "the kubelet renews none that is mounted by it"


def test_a_database_is_logged_in_to_as_the_workload_that_the_pod_is(placed: Placed) -> None:
    found = placed("workload identity")
    (variable,) = found.container["env"]
    assert variable["value"].endswith("?login=entra")
    assert found.pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    account = found.one("ServiceAccount")
    assert account["metadata"]["annotations"]["azure.workload.identity/client-id"] == CLIENT
    assert account["metadata"]["name"] == found.pod["spec"]["serviceAccountName"]


@pytest.mark.parametrize("name", SETS)
def test_no_label_or_value_gets_into_the_selector(placed: Placed, name: str) -> None:
    """Kubernetes refuses to change it: an upgrade would fail."""
    found = placed(name)
    spec = found.one("Deployment")["spec"]
    app = SETS[name].get("nameOverride", "cirahub-operator")
    assert spec["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": app,
        "app.kubernetes.io/instance": "cirahub-operator",
    }
    assert spec["selector"]["matchLabels"].items() <= found.pod["metadata"]["labels"].items()


@pytest.mark.parametrize("name", SETS)
def test_everything_has_the_recommended_labels_and_one_namespace(
    placed: Placed, office: str, teams: dict[str, str], name: str
) -> None:
    for one in placed(name).manifests:
        labels = one["metadata"]["labels"]
        assert {
            f"app.kubernetes.io/{label}"
            for label in ("name", "instance", "version", "component", "part-of", "managed-by")
        } | {"helm.sh/chart"} <= labels.keys()
        where = one["metadata"].get("namespace")
        assert where in {None, office, "kube-system", *teams.values()}
        if where != office:
            assert one["kind"] in {
                "ClusterRole",
                "ClusterRoleBinding",
                "CustomResourceDefinition",
                "Role",
                "RoleBinding",
            }


def test_what_other_services_are_called_sets_nothing_of_the_operator(placed: Placed) -> None:
    """A Service `cirahub-metrics` sets CIRAHUB_METRICS_PORT in pods with service links."""
    assert placed("as it comes").pod["spec"]["enableServiceLinks"] is False


def test_a_token_of_the_account_is_mounted_where_it_is_asked_for_only(placed: Placed) -> None:
    found = placed("as it comes")
    assert found.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert found.pod["spec"]["automountServiceAccountToken"] is True


def test_the_webhook_of_workload_identity_gets_what_it_looks_for(placed: Placed) -> None:
    found = placed("workload identity")
    mark = "azure.workload.identity/use"
    annotations = found.one("ServiceAccount")["metadata"]["annotations"]
    assert found.pod["metadata"]["labels"][mark] == "true"
    assert annotations["azure.workload.identity/client-id"]
    assert annotations["azure.workload.identity/tenant-id"]
    assert annotations["team"] == "mail"
    by_itself = placed("workload identity without its webhook")
    assert mark not in by_itself.pod["metadata"]["labels"]
    (variable, _) = by_itself.container["env"]
    (mount,) = (
        one for one in by_itself.container["volumeMounts"] if one["name"] == "azure-identity-token"
    )
    assert variable["name"] == "AZURE_FEDERATED_TOKEN_FILE"
    assert variable["value"] == f"{mount['mountPath']}/azure-identity-token"


def test_changed_endpoints_restart_the_pod(helm: Helm) -> None:
    def checksum(host: str) -> str:
        origins = {"https://graph.microsoft.com": f"https://{host}"}
        found = render(helm, {"endpoints": {"origins": origins}})
        return str(found.pod["metadata"]["annotations"]["checksum/endpoints"])

    assert checksum("a.example") == checksum("a.example") != checksum("b.example")


def test_a_network_policy_lets_out_names_https_and_what_was_added(placed: Placed) -> None:
    policy = placed("a network policy").one("NetworkPolicy")["spec"]
    out = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
    assert out == [53, 53, 443, 6443, 16443, 5432]
    ports = {one["name"] for one in placed("a network policy").container["ports"]}
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == ports


def test_notifications_are_let_in_where_they_are_asked_for_and_nowhere_else(
    placed: Placed,
) -> None:
    for name in ("a network policy", "notifications by an ingress", "everything"):
        found = placed(name)
        (policy,) = (one["spec"] for one in found.of("NetworkPolicy") if "ingress" in one["spec"])
        rules = [rule for rule in policy["ingress"] if rule["ports"][0]["port"] == "notifications"]
        ports = {one["name"]: one["containerPort"] for one in found.container["ports"]}
        services = [one for one in found.of("Service") if "notifications" in str(one["spec"])]
        ingresses = found.of("Ingress")
        if name == "a network policy":
            assert (rules, services, ingresses) == ([], [], [])
            assert "notifications" not in ports
            continue
        assert [rule.get("from") for rule in rules] == [
            None if name != "everything" else [{"namespaceSelector": {}}]
        ]
        assert ports["notifications"] == 8443
        ((service,), (ingress,)) = (services, ingresses)
        (rule,) = ingress["spec"]["rules"]
        (path,) = rule["http"]["paths"]
        assert rule["host"] == "hub.contoso.example"
        assert path["pathType"] == "Exact"
        assert ingress["spec"]["tls"][0]["hosts"] == ["hub.contoso.example"]
        (port,) = service["spec"]["ports"]
        assert port["targetPort"] == "notifications"
        assert path["backend"]["service"]["name"] == service["metadata"]["name"]
        assert path["backend"]["service"]["port"] == {"name": port["name"]}
        assert ("--notifications-plain" in found.arguments) is (port["name"] == "http")


def test_the_resource_definitions_are_those_of_the_repository_and_stay(
    placed: Placed,
) -> None:
    committed = [
        yaml.load(path.read_text(), yaml.CSafeLoader) for path in (ROOT / "crds").iterdir()
    ]
    found = {one["metadata"]["name"]: one for one in placed("as it comes").of(DEFINITION)}
    assert {name: one["spec"] for name, one in found.items()} == {
        one["metadata"]["name"]: one["spec"] for one in committed
    }
    for one in found.values():
        assert one["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert placed("nothing that can be left out").of(DEFINITION) == []
