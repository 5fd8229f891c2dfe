"""etcd, kube-apiserver and kube-controller-manager of our own, for as long as a `with` block."""

import http.client
import json
import os
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from cluster import commands
from cluster.access import Cluster
from cluster.binaries import Binaries
from cluster.component import Component
from cluster.layout import ANONYMOUS_DISCOVERY, Layout
from cluster.network import ALONE, Network
from cluster.ports import Reservation
from cluster.watchdog import Watchdog

AUDIT_LOGS = "CIRAHUB_AUDIT_LOGS"
READY_WITHIN = 60.0
READY_POLL = 0.05
REQUEST_TIMEOUT = 10.0


class ControlPlane(Cluster):
    """Made by `start`. Everything listens on the address of the network that it was given, or on
    a socket in `directory`."""

    def __init__(
        self, binaries: Binaries, layout: Layout, audit_log: Path | None, watchdog: Watchdog
    ) -> None:
        super().__init__(
            kubeconfig=layout.kubeconfig,
            url=layout.url,
            ca_file=layout.ca_file,
            issuer=layout.url,
            kubectl=binaries.kubectl,
        )
        self.directory = layout.directory
        """Holds ``etcd.log``, ``kube-apiserver.log`` and ``kube-controller-manager.log``."""
        self.token = layout.token
        """The administrator's bearer token."""
        self.audit_log = audit_log
        """A JSON `Event` (audit.k8s.io/v1) a line, of everything but the control plane's own
        requests and health checks, at level Metadata; of events and of our kinds' statuses with
        what was written. None unless asked for."""
        self._layout = layout
        home = layout.directory
        self._etcd = Component(
            "etcd", commands.etcd(binaries.etcd, layout), home=home, watchdog=watchdog
        )
        self._apiserver = Component(
            "kube-apiserver",
            commands.kube_apiserver(binaries.kube_apiserver, layout, audit_log),
            home=home,
            watchdog=watchdog,
        )
        manager = binaries.kube_controller_manager
        self._controllers = (
            None
            if manager is None
            else Component(
                "kube-controller-manager",
                commands.kube_controller_manager(manager, layout),
                home=home,
                watchdog=watchdog,
            )
        )

    @classmethod
    @contextmanager
    def start(
        cls,
        *,
        audit: bool | Path = False,
        binaries: Binaries | None = None,
        keep: bool = False,
        network: Network = ALONE,
        within: Path | None = None,
    ) -> Iterator[Self]:
        """Start and wait until ready; at the end kill it and remove its directory.

        `audit` names the audit log, or True for one in `directory`; if CIRAHUB_AUDIT_LOGS names a
        folder, all that have no name of their own are there. The directory is made `within`
        another, if one is given; `keep` leaves it in place at the end. Without `binaries` those of
        `Binaries.find` are used, which may take minutes to build. Raises ClusterError.
        """
        binaries = binaries or Binaries.find()
        with ExitStack() as stack:
            directory = Path(mkdtemp(prefix="cirahub-cluster-", dir=within))
            watchdog = stack.enter_context(closing(Watchdog(None if keep else directory)))
            port = stack.enter_context(Reservation(network.host)).port
            layout = Layout(directory, port, secrets.token_urlsafe(32), network)
            audit_log = _audit_log(audit, directory)
            plane = cls(binaries, layout, audit_log, watchdog)
            stack.callback(plane._stop)
            stack.callback(plane.close)
            plane._start()
            yield plane

    @property
    def has_controllers(self) -> bool:
        """False when KUBEBUILDER_ASSETS brought no kube-controller-manager."""
        return self._controllers is not None

    def kubeconfig_of(self, component: str) -> Path:
        """Of a component that comes with a node: `kubelet`, `kube-proxy` or `kube-scheduler`."""
        return self._layout.kubeconfig_of(component)

    @property
    def pids(self) -> dict[str, int]:
        """Of the processes that were started and not stopped, by component."""
        return {part.name: part.pid for part in self._components if part.pid is not None}

    def stop_apiserver(self) -> None:
        """An outage as of a lost machine: connections break, and are refused until
        `start_apiserver`. What was answered before is kept."""
        self._apiserver.stop()

    def start_apiserver(self) -> None:
        """On the same port, with the same data and keys; returns when it is ready."""
        self._apiserver.start()
        self._until(self._apiserver_ready, self._apiserver)

    @property
    def _components(self) -> list[Component]:
        every = (self._controllers, self._apiserver, self._etcd)
        return [component for component in every if component is not None]

    def _start(self) -> None:
        self._layout.write_inputs()
        self._etcd.start()
        self._apiserver.start()
        self._until(self._layout.take_authority, self._apiserver)
        self._until(self._apiserver_ready, self._apiserver)
        bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
        status = self._request("POST", bindings, json.dumps(ANONYMOUS_DISCOVERY))
        if status != http.client.CREATED:
            raise self._apiserver.failure(f"answered {status} to the binding for token discovery")
        if self._controllers is not None:
            self._controllers.start()
            self._until(self._default_account_exists, self._controllers)

    def _stop(self) -> None:
        """Abruptly: nobody will read the data again."""
        for component in self._components:
            component.stop()

    def _until(self, condition: Callable[[], bool], component: Component) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not condition():
            for started in self._components:
                started.check_running()
            if time.monotonic() > deadline:
                raise component.failure(f"was not ready within {READY_WITHIN:.0f} s")
            time.sleep(READY_POLL)

    def _apiserver_ready(self) -> bool:
        try:
            return self._request("GET", "/readyz") == http.client.OK
        except (OSError, http.client.HTTPException):
            # Refused, reset or silent: that is what not being ready looks like from outside.
            return False

    def _default_account_exists(self) -> bool:
        path = "/api/v1/namespaces/default/serviceaccounts/default"
        return self._request("GET", path) == http.client.OK

    def _request(self, method: str, path: str, body: str | None = None) -> int:
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        connection = http.client.HTTPSConnection(
            self._layout.network.host, self._layout.port, timeout=REQUEST_TIMEOUT, context=trust
        )
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with closing(connection):
            connection.request(method, path, body, headers)
            return connection.getresponse().status


def _audit_log(audit: bool | Path, directory: Path) -> Path | None:
    kept = os.environ.get(AUDIT_LOGS)
    if isinstance(audit, Path):
        return audit
    if kept:
        return Path(kept).resolve() / f"{directory.name}.jsonl"
    return directory / "audit.jsonl" if audit else None
