"""What can go wrong with a cluster, as one small tree.

Every message says what happened, to what, and what to do about it, since the reader is
someone who wanted to run the demo or the tests and is now looking at a terminal.
"""


class ClusterError(Exception):
    """Root of everything this package raises on purpose."""


class BinariesMissingError(ClusterError):
    """No usable set of control-plane binaries, and none was built."""


class ToolchainMissingError(ClusterError):
    """No Go that is recent enough, and none could be installed."""


class BuildFailedError(ClusterError):
    """Go, run on the pinned module, did not produce the binaries."""


class ComponentFailedError(ClusterError):
    """A process of the control plane did not start, or ended by itself.

    The message ends with the tail of that process's log.
    """


class ClusterUnusableError(ClusterError):
    """A cluster that was handed to us cannot be used."""


class NodeFailedError(ClusterError):
    """A node could not be prepared or did not become ready."""


class RequestFailedError(ClusterError):
    """The API server could not be asked, or refused."""


class KubectlFailedError(ClusterError):
    """kubectl exited with something else than 0.

    The message carries the command and its stderr.
    """

    def __init__(self, message: str, *, exit_code: int, stderr: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.stderr = stderr


class PromtoolFailedError(ClusterError):
    """promtool exited with something else than 0.

    The message carries the command and all that it said.
    """


class PrometheusFailedError(ClusterError):
    """Prometheus could not be asked, or refused a query.

    The message carries the query and what it said.
    """


class HelmFailedError(ClusterError):
    """Helm exited with something else than 0.

    The message carries the command and its stderr.
    """

    def __init__(self, message: str, *, stderr: str) -> None:
        super().__init__(message)
        self.stderr = stderr
