"""A pytest plugin: a control plane per run (per worker under xdist), a namespace per test.

Register it by ``pytest_plugins = ["cluster.fixtures"]`` in the topmost conftest.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.access import EXISTING, Cluster, existing_cluster
from cluster.binaries import Binaries
from cluster.controlplane import ControlPlane
from cluster.errors import ClusterError
from cluster.helm import Helm
from cluster.helm import find as find_helm
from cluster.kstatus import Kstatus
from cluster.kstatus import find as find_kstatus
from cluster.node import obstacle as no_node
from cluster.node.tools import Tools
from cluster.progress import Progress
from cluster.promtool import Program, Promtool
from cluster.promtool import find as find_program
from cluster.promtool import obstacle as no_program


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the collected tests will need now: no test's timeout is running yet, and
    output is not captured, so that the progress of a first build is seen."""
    if session.config.option.collectonly:
        return
    asked = {
        fixture
        for item in session.items
        if isinstance(item, pytest.Function)
        for fixture in item.fixturenames
    }
    try:
        if "control_plane" in asked:
            with existing_cluster() as existing:
                if existing is None:
                    Binaries.find()
        if "helm" in asked:
            find_helm()
        if "kstatus" in asked:
            find_kstatus()
        for program in Program:
            if program in asked and no_program(program) is None:
                find_program(program)
        if "node" in asked and no_node() is None:
            Tools.find(Progress())
    except ClusterError as error:
        pytest.exit(f"No cluster for the tests. {error}", returncode=1)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Cluster]:
    """The cluster that CIRAHUB_TEST_KUBECONFIG names, or one of our own with an audit log."""
    with existing_cluster() as existing:
        if existing is not None:
            yield existing
            return
        with ControlPlane.start(audit=True) as plane:
            yield plane


@pytest.fixture(scope="session")
def own_control_plane(control_plane: Cluster) -> ControlPlane:
    """For tests that stop the API server or read its audit log: skipped on a cluster that we
    were handed."""
    if not isinstance(control_plane, ControlPlane):
        pytest.skip(f"needs a control plane of its own: unset {EXISTING}")
    return control_plane


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Without a cluster; `with_cluster` has one."""
    return Helm.of(tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def kstatus() -> Kstatus:
    return Kstatus.found()


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    return Promtool(_found(Program.PROMTOOL))


@pytest.fixture(scope="session")
def prometheus() -> Path:
    """The executable."""
    return _found(Program.SERVER)


def _found(program: Program) -> Path:
    why = no_program(program)
    if why is not None:
        pytest.skip(why)
    return find_program(program)


@pytest.fixture
def namespace(control_plane: Cluster) -> Iterator[str]:
    """The name of a fresh namespace, deleted afterwards without waiting for its end."""
    name = f"test-{secrets.token_hex(4)}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.delete_namespace(name)
