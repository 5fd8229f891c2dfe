"""What is said on a Hub about conflicts, beside the policy of all fields."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from cirahub_operator.api.flow import FIELD_NAMES, FieldName
from cirahub_operator.api.meta import Model, Rule
from cirahub_operator.api.text import Matching
from cirahub_sync.configuration import ConflictPolicy, ListPolicy
from cirahub_sync.model.field_names import MANIFEST_FIELDS
from cirahub_sync.model.kind import KINDS

SpokeLabel = Annotated[
    str,
    Matching(
        pattern="^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        message="write the metadata.name of a Spoke; of another namespace: namespace/name",
        max_length=317,
    ),
]
_LISTS = frozenset().union(*(kind.lists for kind in KINDS.values()))
LIST_NAMES = tuple(name for name in FIELD_NAMES if MANIFEST_FIELDS[name] in _LISTS)


class FieldConflicts(Model):
    """What is different about the conflicts of one field."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="has(self.policy) || has(self.lists)",
            message="say what is different about the field: set policy, lists or both",
            holds=lambda self: self.policy is not None or self.lists is not None,
        ),
        Rule(
            rule=f"!has(self.lists) || self.field in {list(LIST_NAMES)}",
            message=f"lists is for fields with several values: {', '.join(LIST_NAMES)}",
            holds=lambda self: self.lists is None or self.field in LIST_NAMES,
        ),
    )

    field: FieldName = Field(description="The field of the item, in camel case.")
    policy: ConflictPolicy | None = Field(
        default=None, description="Whose value wins; without it, as `conflictPolicy` says."
    )
    lists: ListPolicy | None = Field(
        default=None,
        description="Of a field with several values: Union (the default) is what any spoke has; "
        "with SourceWins the list of the spoke that wins stays whole; Intersect is what every "
        "spoke has that ever had any.",
    )


class ConflictSpec(Model):
    """Who is preferred, and what is different about certain fields."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="!has(self.fields) || "
            "self.fields.all(one, self.fields.exists_one(other, other.field == one.field))",
            message="fields: name each field once",
            holds=lambda self: (
                len({MANIFEST_FIELDS[one.field] for one in self.fields}) == len(self.fields)
            ),
        ),
    )

    priority: Annotated[tuple[SpokeLabel, ...], Field(max_length=64)] = Field(
        default=(),
        description="Spokes that Priority prefers, the first one most: by name; of another "
        "namespace: `namespace/name`. Those that are not named come after them, in the order in "
        "which they joined.",
    )
    fields: Annotated[tuple[FieldConflicts, ...], Field(max_length=32)] = Field(
        default=(), description="Fields that have a policy of their own."
    )
