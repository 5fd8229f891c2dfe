"""A Kubernetes API and the right to do everything in it: ours, or one we are handed."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

from cluster.binaries import Binaries
from cluster.errors import ClusterUnusableError, KubectlFailedError
from cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from cluster.client import Client

EXISTING = "CIRAHUB_TEST_KUBECONFIG"


class Cluster:
    """What the demo or a test needs of any cluster."""

    def __init__(
        self, *, kubeconfig: Path, url: str, ca_file: Path, issuer: str, kubectl: Path
    ) -> None:
        self.kubeconfig = kubeconfig
        """With one context; credentials and CA are embedded."""
        self.url = url
        self.ca_file = ca_file
        """PEM of what signed the API server's certificate."""
        self.issuer = issuer
        """Of service-account tokens; discovery is below it (OpenID Connect Discovery 1.0,
        section 4)."""
        self._kubectl = Kubectl(kubectl, kubeconfig)
        self._lock = Lock()
        self._client: Client | None = None

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()

    @property
    def has_controllers(self) -> bool:
        """Whether garbage is collected, namespaces end and default ServiceAccounts appear."""
        return True

    def kubectl(self, *arguments: str | Path, input: str | None = None) -> str:  # noqa: A002
        """Run kubectl as the administrator, and return its stdout.

        `input` is what ``-f -`` reads. Raises KubectlFailedError, with kubectl's stderr.
        """
        return self._kubectl.run(*arguments, stdin=input)

    def command(self, *arguments: str) -> list[str | Path]:
        """The same as a command line, for a process that goes on."""
        return [self._kubectl.binary, "--kubeconfig", self.kubeconfig, *arguments]

    def get(self, path: str) -> Any:
        """Read as the administrator: the JSON at `path` (`/api/v1/namespaces`), or None if nothing
        is there. Far cheaper than kubectl, for who polls. Raises RequestFailedError."""
        return self._asked().get(path)

    def let_go(self, group_version: str, namespace: str, plurals: Sequence[str]) -> None:
        """Take all finalizers from objects that no controller serves any more, so that their
        namespace can end. Raises RequestFailedError."""
        for plural in plurals:
            path = f"/apis/{group_version}/namespaces/{namespace}/{plural}"
            for one in (self._asked().get(path) or {"items": ()})["items"]:
                if one["metadata"].get("finalizers"):
                    change = {"metadata": {"finalizers": None}}
                    self._asked().patch(f"{path}/{one['metadata']['name']}", change)

    def delete_namespace(self, name: str) -> None:
        """Without waiting for its end. One that does not exist is none too many."""
        self._asked().delete(f"/api/v1/namespaces/{name}")

    def _asked(self) -> Client:
        from cluster.client import Client

        with self._lock:
            self._client = self._client or Client(self.kubeconfig)
        return self._client


@contextmanager
def existing_cluster() -> Iterator[Cluster | None]:
    """The cluster that CIRAHUB_TEST_KUBECONFIG names, or None when it is not set.

    Raises ClusterUnusableError when the file or its cluster cannot be used: a cluster that
    was named is not silently replaced by one of our own.
    """
    named = os.environ.get(EXISTING)
    if not named:
        yield None
        return
    if not Path(named).is_file():
        raise ClusterUnusableError(f"{EXISTING} names {named}, which is no file. Correct it.")
    with (
        TemporaryDirectory(prefix="cirahub-cluster-") as directory,
        closing(taken_over(Path(named), Path(directory))) as cluster,
    ):
        yield cluster


def taken_over(named: Path, directory: Path) -> Cluster:
    """The cluster of a kubeconfig's current context, with files in a folder that is there. Raises
    ClusterUnusableError."""
    found = shutil.which("kubectl")
    kubectl = Path(found) if found else Binaries.find().kubectl
    ask = Kubectl(kubectl, named).run
    try:
        # Flattened and minified, so that a later switch of context doesn't move the tests.
        view = ask("config", "view", "--raw", "--minify", "--flatten", "--output", "json")
        openid = json.loads(ask("get", "--raw", "/.well-known/openid-configuration"))
    except KubectlFailedError as error:
        raise ClusterUnusableError(
            f"The current context of {named} (from {EXISTING}) does not answer: {error}\n"
            f"Correct it, or unset {EXISTING} to have a control plane started."
        ) from error
    server = json.loads(view)["clusters"][0]["cluster"]
    if "certificate-authority-data" not in server:
        raise ClusterUnusableError(
            f"The current context of {named} (from {EXISTING}) names no certificate authority, "
            "against which the tests verify the API server. Add it to the kubeconfig."
        )
    ca_file = directory / "ca.crt"
    ca_file.write_bytes(base64.b64decode(server["certificate-authority-data"]))
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(view)
    return Cluster(
        kubeconfig=kubeconfig,
        url=server["server"],
        ca_file=ca_file,
        issuer=openid["issuer"],
        kubectl=kubectl,
    )
