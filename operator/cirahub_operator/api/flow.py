"""Filters and mappings: which items pass through a spoke, and changed how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from cirahub_operator.api.meta import Model, Reference, Rule
from cirahub_operator.api.text import Matching
from cirahub_sync.configuration import Operator, PhoneForm, Policy
from cirahub_sync.model.expression import LONGEST
from cirahub_sync.model.field_names import MANIFEST_FIELDS
from cirahub_sync.model.group import GROUP, ON_GROUPS
from cirahub_sync.model.kind import KINDS

FIELD_NAMES = tuple(MANIFEST_FIELDS)
"""Of items of any kind; whether a Hub's have the field is for a pass to say."""
_TEXTS = frozenset().union(*(kind.scalars for kind in KINDS.values()))
TEXT_FIELD_NAMES = tuple(name for name in FIELD_NAMES if MANIFEST_FIELDS[name] in _TEXTS)


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"{name!r} is not a field; use one of {', '.join(names)}")
        return name

    return check


FieldName = Annotated[
    str,
    AfterValidator(_one_of(FIELD_NAMES)),
    WithJsonSchema({"type": "string", "enum": FIELD_NAMES}),
]
"""Any field of a contact or an event."""
TextFieldName = Annotated[
    str,
    AfterValidator(_one_of(TEXT_FIELD_NAMES)),
    WithJsonSchema({"type": "string", "enum": TEXT_FIELD_NAMES}),
]
"""A field with a single text value."""
TemplateText = Annotated[
    str,
    Matching(
        pattern="^[^{}]*([{](" + "|".join(TEXT_FIELD_NAMES) + ")[}][^{}]*)+$",
        message="write text with at least one field in braces, like {surname}[, {givenName}], of "
        + ", ".join(TEXT_FIELD_NAMES),
        max_length=256,
    ),
]

Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Line = Annotated[
    str,
    Matching(
        pattern=r"^[^\r\n]*[^\s][^\r\n]*$",
        message="write a single line that is not blank",
        max_length=128,
    ),
]
Domain = Annotated[
    str,
    Matching(
        pattern="^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9-]+)+$",
        message="write a domain, like contoso.com",
        max_length=253,
    ),
]
ConditionField = Annotated[
    str,
    Matching(
        pattern="^(category|domain|group|spoke|custom:.+|"
        + "|".join(name for name in FIELD_NAMES if name != "custom")
        + ")$",
        message="filter on category, domain, group, spoke, custom:NAME or one of "
        + ", ".join(name for name in FIELD_NAMES if name != "custom"),
        max_length=80,
    ),
]


class FilterCondition(Model):
    """A condition on one field of an item."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="self.operator in ['Exists', 'DoesNotExist'] ? "
            "(!has(self.values) || size(self.values) == 0) : "
            "(has(self.values) && size(self.values) > 0)",
            message="values: give at least one with In, NotIn, Contains and StartsWith, and none "
            "with Exists and DoesNotExist",
            holds=lambda self: (
                bool(self.values)
                == (self.operator not in {Operator.EXISTS, Operator.DOES_NOT_EXIST})
            ),
        ),
        Rule(
            rule="self.field != 'group' || self.operator in ['In', 'NotIn']",
            message="group takes In and NotIn",
            holds=lambda self: self.field != GROUP or self.operator in ON_GROUPS,
        ),
        Rule(
            rule="!has(self.connectionRef) || self.field == 'group'",
            message="connectionRef is for a condition on group: it says whose directory has it",
            holds=lambda self: self.connection_ref is None or self.field == GROUP,
        ),
    )

    field: ConditionField = Field(
        description="A field of the item in camel case, for example company or subject, "
        "`category`, `domain` (of any e-mail address) or `custom:NAME`. In `receives` also "
        "`spoke`, with In and NotIn: the Spokes that contribute the item, by name (of another "
        "namespace, `namespace/name`). With In and NotIn also `group`: whether anybody of the "
        "contact's e-mail addresses is in a group of the directory, nested groups included."
    )
    operator: Operator = Field(
        description="How to compare. Text compares without regard to case; of a field with "
        "several values any one may match."
    )
    values: Annotated[tuple[Text, ...], Field(max_length=64)] = Field(
        default=(),
        description="What to compare with: any of these. None with Exists and DoesNotExist. Of "
        "groups their object ids, or their e-mail addresses.",
    )
    connection_ref: Reference | None = Field(
        default=None,
        description="Of a condition on group: the Connection of this namespace whose directory has "
        "it, if it is not the Spoke's own.",
    )

    @property
    def directory(self) -> str | None:
        """The name of the Connection whose directory has the groups; blank: the Spoke's own. None
        for a condition on something else."""
        if self.field != GROUP:
            return None
        return "" if self.connection_ref is None else self.connection_ref.name


FilterConditions = Annotated[tuple[FilterCondition, ...], Field(max_length=32)]


class ItemFilter(Model):
    """Admits an item when every `all`, at least one `any` (if there are any), no `none` and the
    `expression` hold."""

    all: FilterConditions = Field(default=(), description="Every one of these has to hold.")
    any: FilterConditions = Field(
        default=(), description="If there are any, at least one of these has to hold."
    )
    none: FilterConditions = Field(default=(), description="None of these may hold.")
    expression: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)] | None = Field(
        default=None,
        description="CEL that has to say true, for what conditions can't say. `item` has the "
        "contact's fields; in `receives`, `spokes` names the Spokes that contribute it. For "
        "example `item.emails.exists(e, e.address.endsWith('@contoso.com'))`.",
    )

    def directories(self, own: str) -> frozenset[str]:
        """The names of the Connections in whose directories it looks for groups; `own` is the
        Spoke's."""
        named = (one.directory for one in (*self.all, *self.any, *self.none))
        return frozenset(name or own for name in named if name is not None)


class DomainReplacement(Model):
    """One e-mail domain in the place of another."""

    from_: Domain = Field(
        alias="from", description="The domain as it is where the item comes from."
    )
    to: Domain = Field(description="The domain that takes its place.")


class NotesSection(Model):
    """The two lines around the hub's part of the notes."""

    start: Line = Field(description="The line before them.")
    end: Line = Field(description="The line after them: another one.")


_ON_ONE_FIELD = frozenset({"prefix", "suffix", "set_value", "template"})
_ACTIONS = _ON_ONE_FIELD | {"add_category", "replace_domain", "phone_format", "notes_between"}


class MappingStep(Model):
    """One step of a mapping, in the direction of its flow. All but `setValue` and `template` are
    undone on the way back; a field with one of these is read-only on the far side."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.prefix), has(self.suffix), has(self.setValue), has(self.template), "
            "has(self.addCategory), has(self.replaceDomain), has(self.phoneFormat), "
            "has(self.notesBetween)].exists_one(x, x)",
            message="a mapping step does exactly one thing: set one of prefix, suffix, setValue, "
            "template, addCategory, replaceDomain, phoneFormat and notesBetween, and write another "
            "step for another",
            holds=lambda self: len(self.actions()) == 1,
        ),
        Rule(
            rule="has(self.field) == (has(self.prefix) || has(self.suffix) || has(self.setValue) "
            "|| has(self.template))",
            message="field: name the field with prefix, suffix, setValue and template; leave it "
            "out with addCategory, replaceDomain, phoneFormat and notesBetween",
            holds=lambda self: (
                (self.field is not None) == (not self.actions().isdisjoint(_ON_ONE_FIELD))
            ),
        ),
    )

    field: TextFieldName | None = Field(
        default=None, description="The field that prefix, suffix, setValue or template changes."
    )
    prefix: Text | None = Field(default=None, description="Text to put before the field's value.")
    suffix: Text | None = Field(default=None, description="Text to put after the field's value.")
    set_value: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        default=None, description="The value to set instead; blank empties the field."
    )
    template: TemplateText | None = Field(
        default=None,
        description="Text to make the field of, with the names of other fields in braces: "
        "`{surname}[, {givenName}]`. What stands in brackets is left out when a field in them is "
        "blank; if all are, the field stays as it is.",
    )
    add_category: Text | None = Field(
        default=None, description="A category to add to the item's categories."
    )
    replace_domain: DomainReplacement | None = Field(
        default=None, description="Change the domain of e-mail addresses."
    )
    phone_format: PhoneForm | None = Field(
        default=None,
        description="Write phone numbers as E164 (+14255550101), International (+1 425-555-0101) "
        "or National ((425) 555-0101, for numbers of the region they go to; others as "
        "International). What is no possible number is left as it is.",
    )
    notes_between: NotesSection | None = Field(
        default=None,
        description="Put the notes between two lines; what the mailbox's user writes above and "
        "below them is theirs. For receives.",
    )

    def actions(self) -> set[str]:
        """What the step does, by field."""
        return {name for name in _ACTIONS if getattr(self, name) is not None}


class PolicyOfFields(Model):
    """What becomes of some fields where the flow leads to."""

    policy: Policy = Field(
        description="Overwrite: the value that comes replaces the one that is there. FillIfBlank "
        "(for receives): only where there is none. Clear: the field is emptied. Keep: it is left "
        "as it is."
    )
    fields: Annotated[tuple[FieldName, ...], Field(min_length=1, max_length=64)] = Field(
        description="The fields that it is for; no field has two policies."
    )


class FlowSpec(Model):
    """One direction of a spoke: which items pass, which of their fields, changed how."""

    filter: ItemFilter | None = Field(
        default=None, description="Which items pass. Without it, all of them."
    )
    mapping: Annotated[tuple[MappingStep, ...], Field(max_length=32)] = Field(
        default=(), description="Changes to the items that pass, one after the other."
    )
    include: Annotated[tuple[FieldName, ...], Field(max_length=64)] = Field(
        default=(), description="The fields that pass. Without any, all of them."
    )
    exclude: Annotated[tuple[FieldName, ...], Field(max_length=64)] = Field(
        default=(), description="Fields that don't pass, also if they are included."
    )
    policies: Annotated[tuple[PolicyOfFields, ...], Field(max_length=8)] = Field(
        default=(),
        description="What becomes of fields where the flow leads to. Without a policy they are "
        "overwritten.",
    )

    @property
    def receivers_only(self) -> bool:
        """Whether it has what makes sense on the way to a mailbox only."""
        return any(step.notes_between is not None for step in self.mapping) or any(
            one.policy is Policy.FILL_IF_BLANK for one in self.policies
        )
