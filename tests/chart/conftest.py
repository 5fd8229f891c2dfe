"""The chart, rendered once for each set of values."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from cluster import Cluster, Helm
from cluster.modules import downloaded

from .rendering import GUESTS, ROOT, SETS, TEAM, Rendered, named, render

MONITORING = ROOT / "hack/cluster/tools/monitoring"
PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"


@pytest.fixture(scope="session")
def rendered(helm: Helm) -> Callable[[str], Rendered]:
    """By the name of the set."""
    return cache(lambda name: render(helm, SETS[name]))


@pytest.fixture(scope="session")
def monitoring(control_plane: Cluster) -> None:
    """The Prometheus operator's definitions of what the chart has of it."""
    folder = downloaded(MONITORING, PROMETHEUS_OPERATOR) / "example/prometheus-operator-crd"
    for name in ("servicemonitors", "prometheusrules"):
        file = folder / f"monitoring.coreos.com_{name}.yaml"
        control_plane.kubectl("apply", "--server-side", "-f", file)
    control_plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=120s")


@pytest.fixture(scope="session")
def office(control_plane: Cluster) -> Iterator[str]:
    """A namespace that admits restricted pods only, with the ServiceAccounts of the sets in it."""
    name = f"office-{secrets.token_hex(4)}"
    control_plane.kubectl("create", "namespace", name)
    enforced = "pod-security.kubernetes.io/enforce=restricted"
    control_plane.kubectl("label", "namespace", name, enforced)
    for account in ("cirahub-operator", "cirahub", "theirs"):
        control_plane.kubectl("create", "serviceaccount", account, "-n", name)
    yield name
    control_plane.delete_namespace(name)


@pytest.fixture(scope="session")
def teams(control_plane: Cluster) -> Iterator[dict[str, str]]:
    """Namespaces by the words that stand for them in values."""
    made = {word: f"{word}-{secrets.token_hex(4)}" for word in (TEAM, GUESTS)}
    for name in made.values():
        control_plane.kubectl("create", "namespace", name)
    yield made
    for name in made.values():
        control_plane.delete_namespace(name)


@pytest.fixture(scope="session")
def placed(helm: Helm, office: str, teams: dict[str, str]) -> Callable[[str], Rendered]:
    """A set, rendered for namespaces that are there."""
    return cache(lambda name: render(helm, named(SETS[name], **teams), namespace=office))
