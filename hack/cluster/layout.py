"""The files of one control plane, all in one directory that only its owner can enter."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.network import ALONE, Network

ADMINISTRATOR = "admin"
CONTROLLERS = "system:kube-controller-manager"
MASTERS = "system:masters"
NODE_NAME = "cirahub"
USERS = {
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "kubelet": (f"system:node:{NODE_NAME}", "system:nodes"),
}
"""Name and group of the components that come with a node. Their roles are there from the start."""
UNIX_PATH_MAX = 107
"""unix(7): sun_path has 108 bytes, of which one is the final null byte."""

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # What the control plane asks of itself would drown what its clients ask.
        {"level": "None", "users": ["system:apiserver", CONTROLLERS]},
        {"level": "None", "users": [user for user, _ in USERS.values()]},
        {"level": "None", "nonResourceURLs": ["/readyz*", "/livez*", "/healthz*"]},
        # What an operator says of its objects.
        {
            "level": "Request",
            "verbs": ["create", "update", "patch"],
            "resources": [
                {"group": "cirahub.io", "resources": ["*/status"]},
                {"group": "events.k8s.io", "resources": ["events"]},
                {"group": "", "resources": ["events"]},
            ],
        },
        {"level": "Metadata"},
    ],
}

ANONYMOUS_DISCOVERY = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "anonymous-service-account-issuer-discovery"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "system:service-account-issuer-discovery",
    },
    "subjects": [
        {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Group",
            "name": "system:unauthenticated",
        }
    ],
}
"""Whoever verifies a token from outside (Entra ID, Vault) fetches the keys without one."""


@dataclass(frozen=True, slots=True)
class Layout:
    directory: Path
    port: int
    """Of the API server: the only TCP port, since etcd listens on a socket in `directory`."""
    token: str
    """The administrator's."""
    network: Network = ALONE

    @property
    def url(self) -> str:
        return f"https://{self.network.host}:{self.port}"

    @property
    def etcd_socket(self) -> Path:
        return self.directory / "etcd.sock"

    @property
    def peer_socket(self) -> Path:
        return self.directory / "peer.sock"

    @property
    def certificates(self) -> Path:
        """kube-apiserver makes its own when this is empty: ``apiserver.crt`` holds the serving
        certificate followed by its CA, ``apiserver.key`` the serving key."""
        return self.directory / "certificates"

    @property
    def signing_key(self) -> Path:
        """Of service-account tokens.

        It is the serving key: RSA, as real clusters have, made before it is read, and gone
        with the cluster. A second one would need a key generator that Python does not bring.
        """
        return self.certificates / "apiserver.key"

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    def kubeconfig_of(self, component: str) -> Path:
        return self.directory / f"{component}.kubeconfig"

    @property
    def tokens(self) -> Path:
        return self.directory / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        return self.directory / "audit-policy.json"

    def write_inputs(self) -> None:
        """What kube-apiserver reads at its start.

        Raises ClusterError when the directory's name is too long for a socket in it.
        """
        if len(bytes(self.peer_socket)) > UNIX_PATH_MAX:
            raise ClusterError(
                f"{self.peer_socket} is too long for the name of a Unix socket "
                f"({UNIX_PATH_MAX} bytes). Set TMPDIR to a folder with a shorter name."
            )
        self._write_tokens()
        self.audit_policy.write_text(json.dumps(AUDIT_POLICY))

    def _write_tokens(self) -> None:
        """Columns: token, user, uid, groups."""
        rows = [f"{self.token},{ADMINISTRATOR},{ADMINISTRATOR},{MASTERS}"]
        for user, group in self._users.values():
            rows.append(f"{secrets.token_urlsafe(32)},{user},{user},{group}")
        self.tokens.write_text("\n".join(rows) + "\n")

    @property
    def _users(self) -> Mapping[str, tuple[str, str]]:
        """The controllers get a name of their own for the audit log, and every right, since no
        per-controller accounts are made."""
        controllers = {"kube-controller-manager": (CONTROLLERS, MASTERS)}
        return controllers if self.network.kubelets is None else {**controllers, **USERS}

    def take_authority(self) -> bool:
        """Write `ca_file` and the kubeconfigs once kube-apiserver has made its certificate.

        False: not yet.
        """
        begin = "-----BEGIN CERTIFICATE-----"
        made = self.certificates / "apiserver.crt"
        blocks = made.read_text().split(begin)[1:] if made.exists() else []
        if len(blocks) < 2 or "-----END CERTIFICATE-----" not in blocks[-1]:
            return False
        self.ca_file.write_text(begin + blocks[-1])
        self.kubeconfig.write_text(self._kubeconfig(ADMINISTRATOR, self.token))
        _, *rows = self.tokens.read_text().splitlines()
        for component, row in zip(self._users, rows, strict=True):
            token, user, *_ = row.split(",")
            self.kubeconfig_of(component).write_text(self._kubeconfig(user, token))
        return True

    def _kubeconfig(self, user: str, token: str) -> str:
        """As JSON, which is YAML to every reader of kubeconfigs."""
        name = "cirahub"
        server = {
            "server": self.url,
            "certificate-authority-data": base64.b64encode(self.ca_file.read_bytes()).decode(),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": server}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
            "current-context": name,
        }
        return json.dumps(config, indent=2) + "\n"
