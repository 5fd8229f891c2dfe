"""Clusters on which the story can play: a node of our own, one made by kind, one that is there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cluster.access import EXISTING, Cluster, existing_cluster, taken_over
from cluster.node import Node
from cluster.node import obstacle as no_node
from e2e.errors import EndToEndError
from image import Image

KIND = Path(__file__).with_name("kind.yaml")
KIND_NAME = "cirahub-e2e"
ANONYMOUS_DISCOVERY = "cirahub-e2e-issuer-discovery"


@dataclass(frozen=True, slots=True)
class Site:
    what: str
    """For people."""
    cluster: Cluster
    load: Callable[[Path], None] | None
    """An archive of images into the cluster. None: they come from a registry."""
    prepare_store: Callable[[], None]
    """A volume for the operator's claim, where the cluster makes none by itself."""


def obstacle() -> str | None:
    """Why there can be no node of our own with an image of this code, or None."""
    node, image = no_node(), Image.obstacle()
    if node is not None:
        return f"A node of our own {node}"
    return None if image is None else f"The image {image}"


@contextmanager
def own_node() -> Iterator[Site]:
    why = no_node()
    if why is not None:
        raise EndToEndError(
            f"A node of our own {why}. Or play it elsewhere: make e2e CLUSTER=existing "
            "KUBECONFIG=file IMAGE=name, or make e2e CLUSTER=kind."
        )
    with Node.start() as node:
        yield Site("a node of our own", node.plane, node.load, node.provide_volume)


@contextmanager
def kind() -> Iterator[Site]:
    """Deleted afterwards, and before if one was left."""
    program = shutil.which("kind")
    if program is None:
        raise EndToEndError("CLUSTER=kind needs kind (https://kind.sigs.k8s.io) and Docker.")
    with TemporaryDirectory(prefix="cirahub-kind-") as folder:
        kubeconfig = Path(folder) / "kind"
        named = ("--name", KIND_NAME)
        _run(program, "delete", "cluster", *named)
        try:
            _run(
                program, "create", "cluster", "--config", str(KIND), "--kubeconfig", str(kubeconfig)
            )
            with closing(taken_over(kubeconfig, Path(folder))) as cluster:
                _discoverable(cluster)

                def load(archive: Path) -> None:
                    _run(program, "load", "image-archive", str(archive), *named)

                yield Site("kind", cluster, load, lambda: None)
        finally:
            _run(program, "delete", "cluster", *named)


@contextmanager
def existing() -> Iterator[Site]:
    """What CIRAHUB_TEST_KUBECONFIG names. Whatever has our definitions is somebody's, and is left
    alone: the story ends by deleting them."""
    with existing_cluster() as cluster:
        if cluster is None:
            raise EndToEndError(f"{EXISTING} names no cluster.")
        names = json.loads(cluster.kubectl("get", "crd", "-o", "json"))["items"]
        if any(one["spec"]["group"] == "cirahub.io" for one in names):
            raise EndToEndError(
                "This cluster has definitions of cirahub.io, which the story would delete with all "
                "that is declared. Name another one."
            )
        _discoverable(cluster)
        try:
            yield Site(cluster.url, cluster, None, lambda: None)
        finally:
            cluster.kubectl(
                "delete", "clusterrolebinding", ANONYMOUS_DISCOVERY, "--ignore-not-found"
            )


def _discoverable(cluster: Cluster) -> None:
    """Who verifies the cluster's tokens fetches its keys without one."""
    binding = cluster.kubectl(
        *("create", "clusterrolebinding", ANONYMOUS_DISCOVERY),
        "--clusterrole=system:service-account-issuer-discovery",
        "--group=system:unauthenticated",
        *("--dry-run=client", "--output=json"),
    )
    cluster.kubectl("apply", "--filename", "-", input=binding)


def _run(*command: str) -> None:
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise EndToEndError(
            f"{' '.join(command)} ended with {outcome.returncode}: {outcome.stderr.strip()}"
        )
