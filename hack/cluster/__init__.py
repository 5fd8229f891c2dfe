"""A real Kubernetes control plane for the demo and the tests, from package registries alone.

kube-apiserver, etcd, kube-controller-manager and kubectl are built once from a pinned Go
module, cached, and started in about three seconds. No image is pulled and no daemon is needed.
There is no scheduler and no node: pods are accepted and stay Pending. Where the machine lets it,
`cluster.node` adds both.

Which cluster is used, in this order:

1. ``CIRAHUB_TEST_KUBECONFIG``: an existing cluster, kind for example. The tests create and
   delete namespaces and custom resource definitions in its current context. Plain
   ``KUBECONFIG`` is deliberately not read: on many machines it points at production.
2. Otherwise one of our own is started. Its binaries come from ``KUBEBUILDER_ASSETS`` (the
   name that envtest gave to "where the control-plane binaries are"), or else from our cache,
   or else from a build, which takes some minutes and happens once.

Helm, for the tests of the chart, is found and built in the same way (`cluster.helm`), and
promtool and Prometheus, for its alerts and dashboards, are found or fetched (`cluster.promtool`).

By hand: ``python hack/cluster --help``. In tests: the fixtures of ``cluster.fixtures``.
Only the standard library is imported here (apart from ``cluster.fixtures``, which needs pytest,
and `Cluster.get`), so that all of it runs before any virtual environment exists.
"""

from cluster.access import Cluster
from cluster.binaries import Binaries
from cluster.controlplane import ControlPlane
from cluster.errors import (
    BinariesMissingError,
    BuildFailedError,
    ClusterError,
    ClusterUnusableError,
    ComponentFailedError,
    HelmFailedError,
    KubectlFailedError,
    PrometheusFailedError,
    PromtoolFailedError,
    RequestFailedError,
    ToolchainMissingError,
)
from cluster.helm import Helm
from cluster.prometheus import Prometheus
from cluster.promtool import Promtool

__all__ = [
    "Binaries",
    "BinariesMissingError",
    "BuildFailedError",
    "Cluster",
    "ClusterError",
    "ClusterUnusableError",
    "ComponentFailedError",
    "ControlPlane",
    "Helm",
    "HelmFailedError",
    "KubectlFailedError",
    "Prometheus",
    "PrometheusFailedError",
    "Promtool",
    "PromtoolFailedError",
    "RequestFailedError",
    "ToolchainMissingError",
]
