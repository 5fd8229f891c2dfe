"""The operator as a release of the chart."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster.access import Cluster
from cluster.errors import ClusterError
from cluster.helm import Helm
from demo.narration import Narration
from e2e.stand import Stand
from e2e.versions import Version

NAME, NAMESPACE = "cirahub-operator", "cirahub-system"
TEAM = "cirahub-demo"
DEFINITIONS = ("connections", "hubs", "spokes", "spokesets")
CRDS = tuple(f"{plural}.cirahub.io" for plural in DEFINITIONS)
SIGN_IN = ("cirahub-sync", "stranger")
TENANT = "c0117050-0000-4000-8000-000000000001"
OWN_CLIENT = "c14a40b0-0000-4000-8000-00000000a002"
VAULT = "contoso-cirahub.vault.azure.net"
"""Of the simulated organisation, which federates the operator's own ServiceAccount."""
WITHIN = "180s"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


def make_namespace(cluster: Cluster, name: str) -> None:
    """One that enforces the restricted Pod Security Standard."""
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, RESTRICTED)


@dataclass(frozen=True, slots=True)
class Release:
    cluster: Cluster
    helm: Helm
    stand: Stand
    values: Mapping[str, object] = field(default_factory=dict)
    """Of the chart, besides those that the stand asks for."""

    def make_key(self) -> None:
        """As docs/install.md says: the chart makes none."""
        self.make_secret(f"{NAME}-key", key=base64.b64encode(secrets.token_bytes(32)).decode())

    def make_secret(self, name: str, **entries: str) -> None:
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "stringData": entries,
        }
        self.cluster.kubectl("apply", "--filename", "-", input=json.dumps(secret))

    def install(self, version: Version) -> None:
        self._helm("install", NAME, version.chart, "--values", "-", values=self._values(version))
        self.rolled_out()

    def upgrade(self, version: Version) -> None:
        self.begin_upgrade(version)
        self.rolled_out()

    def begin_upgrade(self, version: Version) -> None:
        """Pods are made anew although the image may be the same."""
        changed = {
            "image": version.image.values,
            "podAnnotations": {"cirahub.io/e2e": str(time.time_ns())},
        }
        self._helm(
            *("upgrade", NAME, version.chart, "--reset-then-reuse-values", "--values", "-"),
            values=changed,
        )

    def uninstall(self) -> None:
        self._helm("uninstall", NAME, "--wait")

    def abandon(self) -> None:
        """What a story that failed has left, on a cluster that stays."""
        self._helm("uninstall", NAME, "--wait", "--ignore-not-found")
        self.cluster.let_go("cirahub.io/v1alpha1", TEAM, DEFINITIONS)
        self.cluster.kubectl("delete", "--ignore-not-found", "crd", *CRDS)

    def rolled_out(self) -> None:
        deployment = ("status", f"deployment/{NAME}", "--namespace", NAMESPACE)
        self.cluster.kubectl("rollout", *deployment, f"--timeout={WITHIN}")

    def rendered(self, version: Version, template: str, setting: str) -> Any:
        """One of the chart's manifests that this release does not have, as YAML."""
        return self._helm(
            *("template", NAME, version.chart, "--show-only", f"templates/{template}"),
            *("--set", setting),
        )

    def logs(self) -> str:
        """The end of the operator's."""
        pods = ("--selector", f"app.kubernetes.io/instance={NAME}", "--tail=30", "--prefix")
        return self.cluster.kubectl("logs", "--namespace", NAMESPACE, *pods)

    def look_back(self, tell: Narration) -> None:
        """At pods, events and logs, for who asks what went wrong, while they can still be seen."""
        ask = self.cluster.kubectl
        looks: tuple[Callable[[], str], ...] = (
            lambda: ask("get", "pods", "--all-namespaces", "--output", "wide"),
            lambda: ask("get", "events", "--namespace", NAMESPACE),
            self.logs,
        )
        for look in looks:
            try:
                tell.say(look())
            except ClusterError as error:
                tell.say(f"(not to be seen: {error})")

    def _values(self, version: Version) -> Mapping[str, object]:
        return {
            "image": version.image.values,
            "endpoints": {"origins": dict(self.stand.origins), "ca": self.stand.ca},
            "workloadIdentity": {"enabled": True, "clientID": OWN_CLIENT, "projectToken": True},
            "ownIdentity": [{"namespace": TEAM, "tenant": TENANT, "vaults": [VAULT]}],
            "rbac": {"signIn": [{"namespace": TEAM, "serviceAccounts": list(SIGN_IN)}]},
            **self.values,
        }

    def _helm(self, *arguments: object, values: object = None) -> str:
        return self.helm.run(
            "--namespace",
            NAMESPACE,
            *map(str, arguments),
            stdin=None if values is None else json.dumps(values),
        )
