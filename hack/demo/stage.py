"""Everything that has to run for the story, started in order and ended in reverse."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from cirahub_simulator.process import SimulatorFailedError, SimulatorProcess
from cluster.binaries import Binaries
from cluster.controlplane import ControlPlane
from demo.errors import DemoError
from demo.mailbox import Mailboxes
from demo.narration import Narration
from demo.service import OperatorService

ROOT = Path(__file__).resolve().parent.parent.parent
CRDS = ROOT / "crds"
READY_WITHIN = 60.0


class Stage:
    plane: ControlPlane
    simulator: SimulatorProcess
    operator: OperatorService
    kubectl: Path
    """The executable."""
    mailboxes: Mailboxes

    def __init__(self, narration: Narration, *simulator_arguments: str) -> None:
        self._narration = narration
        self._simulator_arguments = simulator_arguments
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def log_tail(self) -> str:
        """The end of the operator's log, if it was started."""
        return self.operator.tail() if hasattr(self, "operator") else ""

    def _start(self) -> None:
        tell = self._narration
        tell.step("A Kubernetes control plane")
        binaries = Binaries.find()
        self.kubectl = binaries.kubectl
        self.plane = self._stack.enter_context(ControlPlane.start(binaries=binaries))
        tell.say(f"etcd, kube-apiserver and kube-controller-manager; the API is {self.plane.url}")

        tell.step("Microsoft 365, simulated: Entra ID, Key Vault and Graph")
        self.simulator = self._simulate()
        self.mailboxes = Mailboxes(self.simulator.admin)
        held = self.simulator.admin.mailboxes()
        contacts = sum(int(mailbox["contacts"]) for mailbox in held)
        tell.say(f"{len(held)} mailboxes with {contacts} contacts; this cluster's tokens sign in;")
        tell.say(f"{self.simulator.endpoints.graph} stands for https://graph.microsoft.com")

        tell.step("The operator")
        self.plane.kubectl("apply", "--filename", CRDS)
        self.plane.kubectl(
            "wait", "--for=condition=Established", "--timeout=30s", "--filename", CRDS
        )
        scratch = Path(tempfile.mkdtemp(prefix="cirahub-demo-"))
        self.operator = self._stack.enter_context(
            OperatorService(
                kubeconfig=self.plane.kubeconfig,
                endpoints=self.simulator.endpoints_file,
                directory=scratch,
            )
        )
        tell.until(
            "the operator becomes ready",
            lambda: self.operator.ready() or None,
            within=READY_WITHIN,
            check=self.operator.check_running,
        )
        tell.say("the resource definitions are applied, and `cirahub operator` serves them")

    def _simulate(self) -> SimulatorProcess:
        process = SimulatorProcess(
            f"--cluster-issuer={self.plane.issuer}",
            f"--cluster-ca={self.plane.ca_file}",
            *self._simulator_arguments,
        )
        try:
            process.start()
        except SimulatorFailedError as error:
            raise DemoError(str(error)) from error
        self._stack.callback(process.stop)
        return process
