"""The chart as Helm renders it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster import Helm

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/cirahub-operator"
RELEASE = "cirahub-operator"
TEAM, GUESTS = "team-a", "team-b"
"""Stand for namespaces in values."""

Manifest = dict[str, Any]
"""Of any kind: its shape is that of Kubernetes."""
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rendered:
    manifests: list[Manifest]

    def of(self, kind: str) -> list[Manifest]:
        return [one for one in self.manifests if one["kind"] == kind]

    def one(self, kind: str) -> Manifest:
        (found,) = self.of(kind)
        return found

    @property
    def pod(self) -> Manifest:
        """The template of the Deployment."""
        template: Manifest = self.one("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> Manifest:
        (found,) = self.pod["spec"]["containers"]
        result: Manifest = found
        return result

    @property
    def worker(self) -> Manifest:
        """The pod template of workers, as the operator reads it."""
        (found,) = (one for one in self.of("ConfigMap") if "template.yaml" in one["data"])
        template: Manifest = yaml.safe_load(found["data"]["template.yaml"])
        return template

    @property
    def arguments(self) -> list[str]:
        """Behind `cirahub operator`."""
        return list(self.container["args"])


def render(
    helm: Helm,
    values: Values | None = None,
    *,
    namespace: str = "cirahub-system",
    release: str = RELEASE,
    chart: Path = CHART,
) -> Rendered:
    """Raises HelmFailedError."""
    told = helm.run(
        "template",
        release,
        chart,
        "--namespace",
        namespace,
        "--values",
        "-",
        stdin=json.dumps(values or {}),
    )
    # libyaml: the resource definitions are 5,000 lines.
    return Rendered([one for one in yaml.load_all(told, yaml.CSafeLoader) if one])


def named(values: Values, **namespaces: str) -> Values:
    """Values with namespaces in the place of the words that stand for them."""
    text = json.dumps(values)
    for word, namespace in namespaces.items():
        text = text.replace(f'"{word}"', f'"{namespace}"')
    made: Values = json.loads(text)
    return made


def leaves(values: Values, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What has no values below it, with the way to it."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def dump(manifests: Iterable[Manifest]) -> str:
    return yaml.dump_all(manifests, Dumper=yaml.CSafeDumper)


TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
DATABASE = "postgresql://cirahub@db.example/cirahub"
AS_IT_COMES, EVERYTHING = "as it comes", "everything"
WITH_WORKERS = ("jobs", EVERYTHING)
"""Sets."""
MONITORING = {
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "runbookURL": "https://git.example.com/cirahub-operator/blob/main/",
        "grafanaURL": "https://grafana.example.com/",
    },
    "dashboards": {
        "enabled": True,
        "labels": {"grafana_dashboard": "yes"},
        "annotations": {"grafana_folder": "Mail"},
    },
}

_SETS: dict[str, Values] = {
    AS_IT_COMES: {},
    "a claim that is there": {"persistence": {"existingClaim": "store"}},
    "a claim of one pod": {
        "persistence": {
            "accessModes": ["ReadWriteOncePod"],
            "storageClassName": "fast",
            "size": "500Mi",
            "annotations": {"team": "mail"},
        }
    },
    "a database": {"database": {"existingSecret": {"name": "postgres"}}, "replicaCount": 3},
    "jobs": {
        "database": {
            "url": f"{DATABASE}?sslrootcert=/etc/cirahub/db/ca.crt",
            "passwordSecret": {"name": "postgres", "key": "secret"},
        },
        "jobs": {"enabled": True},
        "networkPolicy": {"enabled": True},
    },
    "some namespaces": {
        "namespaces": [TEAM, GUESTS],
        "installationID": "contoso-1",
        "rbac": {
            "serviceRanges": False,
            "aggregate": False,
            "signIn": [
                {"namespace": TEAM, "serviceAccounts": ["cirahub-sync", "cirahub-other"]},
                {"namespace": GUESTS, "secrets": ["graph-client-secret"]},
            ],
        },
    },
    "all namespaces with sign-in": {
        "rbac": {
            "signIn": [
                {
                    "namespace": TEAM,
                    "serviceAccounts": ["cirahub-sync"],
                    "secrets": ["graph-client-secret"],
                }
            ]
        }
    },
    "workload identity": {
        "database": {"url": f"{DATABASE}?login=entra"},
        "workloadIdentity": {"enabled": True, "clientID": CLIENT, "tenantID": TENANT},
        "ownIdentity": [
            {
                "namespace": TEAM,
                "tenant": TENANT,
                "vaults": ["a.vault.azure.net", "b.vault.azure.net"],
            }
        ],
        "serviceAccount": {"annotations": {"team": "mail"}},
    },
    "workload identity without its webhook": {
        "workloadIdentity": {"enabled": True, "projectToken": True, "tenantID": TENANT},
        "ownIdentity": [{"namespace": TEAM, "tenant": TENANT}],
    },
    "monitoring": {"metrics": MONITORING},
    "notifications by an ingress": {
        "notifications": {
            "url": "https://hub.contoso.example/graph/notifications",
            "ingress": {"enabled": True},
        },
        "networkPolicy": {"enabled": True},
    },
    "a network policy": {
        "networkPolicy": {
            "enabled": True,
            "apiServerPorts": [443, 6443, 16443],
            "extraEgress": [{"ports": [{"port": 5432, "protocol": "TCP"}]}],
        }
    },
    "nothing that can be left out": {
        "serviceAccount": {"create": False, "name": "theirs"},
        "rbac": {"create": False},
        "crds": {"install": False},
        "metrics": {"service": {"enabled": False}},
        "resources": {},
        "encryptionKey": {
            "volume": {
                "csi": {
                    "driver": "secrets-store.csi.k8s.io",
                    "readOnly": True,
                    "volumeAttributes": {"secretProviderClass": "cirahub-key"},
                }
            }
        },
    },
    EVERYTHING: {
        "nameOverride": "contacts",
        "commonLabels": {"team": "mail"},
        "image": {
            "repository": "registry.example/cirahub-operator",
            "tag": "0.1.0",
            "digest": "sha256:" + "0" * 64,
            "pullPolicy": "Always",
        },
        "imagePullSecrets": [{"name": "registry"}],
        "namespaces": [TEAM, GUESTS],
        "encryptionKey": {"existingSecret": {"name": "kept", "key": "store.key"}},
        "database": {"existingSecret": {"name": "postgres", "key": "uri"}},
        "replicaCount": 2,
        "podDisruptionBudget": {"maxUnavailable": "50%"},
        "installationID": "contoso-1",
        "clusterRanges": ["10.0.0.0/8", "fd00::/8"],
        "concurrentPasses": 20,
        "jobs": {
            "enabled": True,
            "parallelism": 20,
            "shardSize": 500,
            "resources": {
                "requests": {"cpu": "1", "memory": "512Mi"},
                "limits": {"memory": "2Gi"},
            },
            "nodeSelector": {"pool": "batch"},
            "tolerations": [{"key": "batch", "operator": "Exists"}],
        },
        "notifications": {
            "url": "https://hub.contoso.example:8443/notifications",
            "pause": "5s",
            "tls": {"existingSecret": "hub-tls"},
            "service": {"type": "LoadBalancer", "annotations": {"team": "mail"}},
            "ingress": {
                "enabled": True,
                "className": "nginx",
                "annotations": {"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS"},
                "tlsSecret": "hub-tls",
            },
        },
        "eraseTimeout": "2h",
        "checkInterval": "30m",
        "expiryWarning": "1440h",
        "hubLease": "120s",
        "leaderElection": {"leaseDuration": "30s", "renewDeadline": "20s", "retryPeriod": "4s"},
        "listen": "::",
        "log": {"format": "console", "debug": True},
        "endpoints": {
            "origins": {"https://graph.microsoft.com": "https://relay.example:8443"},
            "ca": "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
        },
        "workloadIdentity": {"enabled": True, "clientID": CLIENT, "projectToken": True},
        "ownIdentity": [{"namespace": TEAM, "tenant": TENANT, "vaults": ["a.vault.azure.net"]}],
        "serviceAccount": {"name": "cirahub", "annotations": {"team": "mail"}},
        "rbac": {"signIn": [{"namespace": TEAM, "serviceAccounts": ["cirahub-sync"]}]},
        "metrics": {"service": {"annotations": {"team": "mail"}}, **MONITORING},
        "networkPolicy": {
            "enabled": True,
            "notificationsFrom": [{"namespaceSelector": {}}],
        },
        "terminationGracePeriodSeconds": 60,
        "podLabels": {"tier": "backend"},
        "podAnnotations": {"sidecar.istio.io/inject": "false"},
        "deploymentAnnotations": {"reloader.stakater.com/auto": "true"},
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        "extraArgs": ["--no-leader-election"],
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}],
        "extraVolumes": [{"name": "trust", "configMap": {"name": "trust"}}],
        "extraVolumeMounts": [{"name": "trust", "mountPath": "/etc/ssl/extra"}],
    },
}
SETS: dict[str, Values] = {
    # The definitions are nine tenths of what is rendered: not in each set.
    name: values if name in {AS_IT_COMES, EVERYTHING} else {"crds": {"install": False}, **values}
    for name, values in _SETS.items()
}
"""Values that people might have, by a name."""
