"""What all our resources have in common: metadata, conditions, and how their models behave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from cirahub_operator.api.text import Matching

GROUP = "cirahub.io"
VERSION = "v1alpha1"
API_VERSION: Final = "cirahub.io/v1alpha1"
CATEGORY = "cirahub"

REQUESTED_AT = "reconcile.cirahub.io/requestedAt"
"""Annotation: change its value (a time, by convention) to have the object reconciled now."""
FLUX_REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
"""The same as `flux reconcile` and Flux's own tools write it."""
APPROVE = "cirahub.io/approve"
"""Annotation on a Hub: the digest in `status.approval`, to let exactly those deletions go."""
ERASE = "cirahub.io/erase"
"""Annotation on a Hub or Spoke: `now` erases without a grace period what leaves; on a Connection
that is being deleted, what leaves through it."""
ERASE_NOW = "now"
HOSTS_ANNOTATION = "cirahub.io/hosts"
"""Of a Secret: the servers that a password is for, separated by blanks or commas."""
TOKEN_OPT_IN = "cirahub.io/allow-token-requests"  # noqa: S105 (the name of an annotation)
"""Annotation on a ServiceAccount: `"true"` lets Connections of its namespace sign in with it."""
FINALIZER = "cirahub.io/finalizer"

ObjectName = Annotated[
    str,
    Matching(
        pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        message="write the metadata.name of an object: lower-case letters, digits, - and .",
        max_length=253,
    ),
]
NamespaceName = Annotated[
    str,
    Matching(
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        message="write the name of a namespace: lower-case letters, digits and -",
        max_length=63,
    ),
]
Guid = Annotated[
    str,
    Matching(
        pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        message="write a GUID, like 3f2504e0-4f89-11d3-9a0c-0305e82c3301; the Entra admin centre "
        "shows the tenant's id under Overview, and the client's under App registrations",
        max_length=36,
    ),
]


@dataclass(frozen=True)
class Rule:
    """A validation rule: in CEL for the API server, and for us as a predicate on the model (but
    for rules on changes, which only the API server sees)."""

    rule: str
    message: str
    """What is said when it does not hold: what to write instead."""
    holds: Callable[[Any], bool] | None = None


class Model(BaseModel):
    """Fields in camel case on the wire; unknown ones are refused, so that a slip of the pen gets
    an error and not silence. `rules` become `x-kubernetes-validations`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        # Most are parts of others, by which they are validated, and need nothing of their own.
        defer_build=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {}
    """By name on the wire. Rules of a field's own type come before these."""

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for rule in self.rules:
            if rule.holds is not None and not rule.holds(self):
                raise ValueError(rule.message)
        return self


class StatusModel(Model):
    """Read back from the API: fields of a newer version of us are left alone."""

    model_config = ConfigDict(extra="ignore")


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(StatusModel):
    """One aspect of the object's state, as kstatus and `kubectl wait` read it."""

    type: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Which aspect: Ready, Reconciling, Stalled, CredentialsReady, "
        "CredentialsExpiring, Consented, Throttled, DeletionGuarded, ConflictsPending, "
        "ApprovalPending, ItemsFailing, NotificationsFailing, MembersFailing, MembersGuarded or "
        "ErasureIncomplete."
    )
    status: ConditionStatus = Field(description="Whether it holds: True, False or Unknown.")
    reason: Annotated[str, StringConstraints(max_length=128)] = Field(
        description="Why, as one CamelCase word for machines."
    )
    message: Annotated[str, StringConstraints(max_length=2048)] = Field(
        description="Why, for people: what happened, to what, and what to do about it."
    )
    observed_generation: int = Field(
        description="The metadata.generation that this condition was determined for."
    )
    last_transition_time: datetime = Field(
        description="When `status` last changed from one value to another."
    )


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        max_length=16,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    ),
]


class Status(StatusModel):
    """What every status has."""

    observed_generation: int = Field(
        default=-1,
        description="The metadata.generation that this status describes; -1: not looked at yet.",
    )
    conditions: Conditions = Field(
        default=(),
        description="Ready always; Reconciling, Stalled and the others only while they are true.",
    )
    last_handled_reconcile_at: Annotated[str, StringConstraints(max_length=256)] | None = Field(
        default=None,
        description=f"The value of the annotation {REQUESTED_AT} (or {FLUX_REQUESTED_AT}) that "
        "was last acted upon.",
    )

    def condition(self, kind: str) -> Condition | None:
        return next((one for one in self.conditions if one.type == kind), None)


class Metadata(BaseModel):
    """The part of an object's metadata that we read."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def deleting(self) -> bool:
        return self.deletion_timestamp is not None

    @property
    def held(self) -> bool:
        """Whether our finalizer is on it."""
        return FINALIZER in self.finalizers

    @property
    def erase_now(self) -> bool:
        """Whether somebody asks for no grace period."""
        return self.annotations.get(ERASE) == ERASE_NOW

    @property
    def requested_at(self) -> str | None:
        """What `status.lastHandledReconcileAt` has to become."""
        asked = (self.annotations.get(name) for name in (REQUESTED_AT, FLUX_REQUESTED_AT))
        return ",".join(filter(None, asked))[:256] or None


class Reference(Model):
    """Another object of the same namespace."""

    name: ObjectName = Field(description="Its metadata.name.")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    """Shown with `-o wide` only."""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a kind is registered with the API server."""

    kind: str
    plural: str
    singular: str
    short: tuple[str, ...]
    columns: tuple[Column, ...]


READY_COLUMNS = (
    Column(
        name="Ready",
        path='.status.conditions[?(@.type=="Ready")].status',
        description="Whether all is as the spec says.",
    ),
    Column(
        name="Status",
        path='.status.conditions[?(@.type=="Ready")].message',
        description="The message of the condition Ready.",
    ),
)
AGE_COLUMN = Column(name="Age", path=".metadata.creationTimestamp", type="date")


class Resource(BaseModel):
    """An object of one of our kinds. Subclasses have `spec` and `status` of their own."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    definition: ClassVar[Kind]
    metadata: Metadata
