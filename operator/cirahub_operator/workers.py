"""Whether the passes over a Hub can be done by workers in pods of their own. Pure."""

from __future__ import annotations

from dataclasses import replace

from cirahub_operator.resolver import Resolution
from cirahub_operator.settings import Settings
from cirahub_sync.configuration import ConnectionConfig, WorkloadIdentityAuth
from cirahub_sync.engine.report import Problem

INLINE = "set spec.runner to Inline"


def obstacle(settings: Settings) -> Problem | None:
    """Why no Hub's can, if so."""
    if settings.workers is None:
        return Problem(
            "WorkersNotConfigured",
            "spec.runner is Job, and this operator was given no template for workers: have it "
            f"started with --worker-template (the chart's jobs.enabled), or {INLINE}",
            stalled=True,
        )
    if settings.database.partition(":")[0].partition("+")[0] == "sqlite":
        return Problem(
            "DatabaseNotShared",
            "spec.runner is Job, and the store is SQLite, a file that workers in other pods can't "
            f"open: have the operator started with PostgreSQL (--database), or {INLINE}",
            stalled=True,
        )
    return None


def shared(resolution: Resolution) -> Resolution:
    """Without the Spokes and sets whose credentials are kept in a Secret: those have a problem."""
    problems = dict(resolution.problems)
    spokes = dict(resolution.spokes)
    sets = dict(resolution.sets)
    for label, spoke in resolution.spokes.items():
        if _secret(spoke.connection):
            problems[label] = _not_shared(spoke.connection)
            del spokes[label]
    for label, one in resolution.sets.items():
        if _secret(one.template.connection):
            problems[label] = _not_shared(one.template.connection)
            del sets[label]
    return replace(resolution, spokes=spokes, sets=sets, problems=problems)


def _secret(connection: ConnectionConfig) -> bool:
    """Whether it signs in with a Secret. Groups are read by the operator, whatever their
    directories sign in with."""
    auth = connection.auth
    return not isinstance(auth, WorkloadIdentityAuth) and auth.secret is not None


def _not_shared(connection: ConnectionConfig) -> Problem:
    return Problem(
        "CredentialNotShared",
        f"Connection {connection.name} signs in with a Secret of the cluster (secretRef), which "
        "workers are not given: keep the credential in a Key Vault (keyVault), or have "
        "spec.runner of the Hub set to Inline",
        stalled=True,
    )
