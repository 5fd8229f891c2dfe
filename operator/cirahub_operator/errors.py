"""What can go wrong on the Kubernetes side, as one small tree. The engine has its own."""

from __future__ import annotations


class OperatorError(Exception):
    """The root. Messages say what happened, to what, and what to do; no personal data."""


class ClusterUnreachableError(OperatorError):
    """The API server did not answer, or not now. Comes right by itself."""

    @property
    def said(self) -> bool:
        """Whether the log has told already why."""
        return False


class ClusterConflictError(ClusterUnreachableError):
    """Somebody else changed the object first: look again."""


class ClusterRefusedError(OperatorError):
    """The API server understood and said no: trying the same again won't help."""


class NotInstalledError(OperatorError):
    """The custom resource definitions are missing."""


class PermissionMissingError(ClusterRefusedError):
    """RBAC does not let us."""


class NamespaceTerminatingError(ClusterRefusedError):
    """Nothing can be created in a namespace that is being deleted."""


class StatusRefusedError(ClusterRefusedError):
    """A status that doesn't fit the custom resource definition: ours is newer, or this is a bug."""


class RunnerStoppedError(OperatorError):
    """The engine is shutting down or gone."""


class LeadershipLostError(OperatorError):
    """Another operator may serve from now on: this process has to end."""
