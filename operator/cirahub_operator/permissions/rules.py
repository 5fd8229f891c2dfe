"""The rules. One for each thing that the operator does, as narrow as RBAC can say it.

What every authenticated user may do anyway is not listed: discovery (`system:discovery`) and asking
what oneself may do (`system:basic-user`).
Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cirahub_operator.api import KINDS
from cirahub_operator.api.meta import GROUP
from cirahub_operator.settings import Election

EXAMPLE_ACCOUNT = "cirahub-sync"
EXAMPLE_SECRET = "graph-client-secret"  # noqa: S105 (the name of an object)


class Scope(StrEnum):
    """Where a rule is granted."""

    SERVED = "served"
    """In each namespace that the operator serves, or in all of them."""
    OWN = "own"
    """In the namespace of the operator's Lease, by default its own."""
    WORKERS = "workers"
    """In the namespace that workers run in, by default the operator's own; with workers only."""
    KUBE_SYSTEM = "kube-system"
    """In that one namespace."""
    CLUSTER = "cluster"
    """For objects that belong to no namespace."""


@dataclass(frozen=True)
class Action:
    """One verb on one resource: what the API server is asked about."""

    verb: str
    group: str
    resource: str
    """With its subresource: `hubs/status`."""
    name: str = ""
    """Of the only object that it concerns; blank: any."""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}" + (f" {self.name}" if self.name else "")


@dataclass(frozen=True, kw_only=True)
class Rule:
    key: str
    """A word for logs and metrics."""
    group: str
    """The API group; blank: the core's."""
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    """Of the only objects that it concerns; none: any. Of an opt-in rule: an example."""
    scope: Scope = Scope.SERVED
    opt_in: bool = False
    """Granted by a team to the operator, for objects of its own and by their names, or not at
    all."""
    optional: bool = False
    """Granted by the manifests, but we can do without it."""
    why: str
    """What the operator needs it for."""
    without: str
    """What is seen when it is missing."""

    @property
    def actions(self) -> Iterator[Action]:
        for verb in self.verbs:
            for resource in self.resources:
                for name in self.names or ("",):
                    yield Action(verb, self.group, resource, name)


_OURS = tuple(kind.definition.plural for kind in KINDS)

RULES: tuple[Rule, ...] = (
    Rule(
        key="watch",
        group=GROUP,
        resources=_OURS,
        verbs=("list", "watch"),
        why="To notice what is declared, changed and deleted.",
        without="Nothing in that namespace is looked at. Attempts are logged as errors, one "
        "a minute of each watch.",
    ),
    Rule(
        key="read",
        group=GROUP,
        resources=_OURS,
        verbs=("get",),
        why="To read a Hub that Spokes name and no watch has told of, and whatever else a watch "
        "that has fallen behind kept back.",
        without="Spokes whose Hub does not exist are not told so, and what a watch lost stays "
        "unknown: reconciling or listing fails and is tried again, with an error or a warning in "
        "the log.",
    ),
    Rule(
        key="hold",
        group=GROUP,
        resources=_OURS,
        verbs=("patch",),
        why="To put our finalizer on, so that what is deleted can be erased first, and to take it "
        "off again. RBAC knows no right to that alone; nothing else is changed but it.",
        without="Nothing is synced that could not be erased: reconciling fails and is tried again, "
        'with an error in the log and in `cirahub_reconciles_total{result="failure"}`. What '
        "holds the finalizer already can't be let go.",
    ),
    Rule(
        key="status",
        group=GROUP,
        resources=tuple(f"{plural}/status" for plural in _OURS),
        verbs=("patch",),
        why="To write conditions, counts and times.",
        without="Statuses grow old, reconciling fails as above, and an event `StatusForbidden` on "
        "the object says why.",
    ),
    Rule(
        key="events",
        group="events.k8s.io",
        resources=("events",),
        verbs=("create", "patch"),
        why="To tell what happened, and to count what happens again on the same event. An event "
        "that is not kept (a dry run) shows whether the namespace is being deleted.",
        without="Events are missing, each with a warning in the log. Syncing goes on. A namespace "
        "that is deleted waits for its Connections until grace periods are over.",
    ),
    Rule(
        key="lease",
        group="coordination.k8s.io",
        resources=("leases",),
        verbs=("get", "update"),
        names=(Election.name,),
        scope=Scope.OWN,
        why="To agree with other replicas on who serves. Not needed with `--no-leader-election`; "
        "with `--lease-name`, put that name here.",
        without="The operator stands by for ever, and says so in the log.",
    ),
    Rule(
        key="lease-creation",
        group="coordination.k8s.io",
        resources=("leases",),
        verbs=("create",),
        scope=Scope.OWN,
        why="To make that Lease when there is none. RBAC can't narrow this to a name.",
        without="The first operator of all stands by for ever, and says so in the log.",
    ),
    Rule(
        key="jobs",
        group="batch",
        resources=("jobs",),
        verbs=("create", "delete", "list"),
        scope=Scope.WORKERS,
        why="To have the parts of a pass done by workers, for Hubs with `runner: Job`, and to end "
        "them. In that namespace alone: who may make pods anywhere else could be anybody there.",
        without="Spokes of such Hubs say `ShardFailed`, with the API server's refusal.",
    ),
    Rule(
        key="installation",
        group="",
        resources=("namespaces",),
        verbs=("get",),
        names=("kube-system",),
        scope=Scope.KUBE_SYSTEM,
        why="Its UID is by default what marks copies as those of this installation. Not needed "
        "with `--installation-id`.",
        without="The operator does not start, and says so.",
    ),
    Rule(
        key="service-ranges",
        group="networking.k8s.io",
        resources=("servicecidrs",),
        verbs=("list",),
        scope=Scope.CLUSTER,
        optional=True,
        why="To know the addresses of the cluster's Services, at which no remote service can be.",
        without="Connections are kept from the ranges of `--cluster-range` only, which a warning "
        "in the log says.",
    ),
    Rule(
        key="account",
        group="",
        resources=("serviceaccounts",),
        verbs=("get",),
        names=(EXAMPLE_ACCOUNT,),
        opt_in=True,
        why="To see whether a ServiceAccount lets Connections sign in with it.",
        without="Connections with `serviceAccountName` say `TokenForbidden`.",
    ),
    Rule(
        key="token",
        group="",
        resources=("serviceaccounts/token",),
        verbs=("create",),
        names=(EXAMPLE_ACCOUNT,),
        opt_in=True,
        why="To sign in at Entra ID as that ServiceAccount (TokenRequest).",
        without="Connections with `serviceAccountName` say `TokenForbidden`.",
    ),
    Rule(
        key="secret",
        group="",
        resources=("secrets",),
        verbs=("get",),
        names=(EXAMPLE_SECRET,),
        opt_in=True,
        why="To sign in with a client secret that is kept in the cluster.",
        without="Connections with `secretRef` say `SecretForbidden`.",
    ),
)
