"""Groups of a directory, as filters name them, and how the addresses of their members compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from cirahub_sync.configuration import Condition, Filter, Operator
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.normalise import caseless

GROUP = "group"
"""The field of a condition on who is in a group."""
ON_GROUPS = (Operator.IN, Operator.NOT_IN)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


class GroupRef(msgspec.Struct, frozen=True, order=True):
    """A group as a condition names it: by its id, or by its e-mail address."""

    connection: str
    """The name of the connection whose directory has it; blank: the spoke's own."""
    group: str
    """In small letters."""

    @property
    def called(self) -> str:
        """For messages and tables, which tell no addresses."""
        return f"group {self.group}" if is_id(self.group) else "a group named by its address"


Membership = Callable[[GroupRef, Iterable[str]], bool | None]
"""Whether anybody of these addresses is in the group, nested groups included; None: it was never
read."""


def is_id(group: str) -> bool:
    """Whether it is an id, and no address."""
    return _ID.fullmatch(group) is not None


def comparable(address: str) -> str:
    """An address as it compares with those of members."""
    return caseless(address)


def refs_of(condition: Condition) -> tuple[GroupRef, ...]:
    """The groups that a condition on `group` names. Raises ConfigurationError."""
    if condition.operator not in ON_GROUPS or not condition.values:
        raise ConfigurationError("filter: group takes In and NotIn, and at least one group")
    refs = tuple(GroupRef(condition.connection, caseless(value)) for value in condition.values)
    if not all(is_id(ref.group) or _ADDRESS.fullmatch(ref.group) for ref in refs):
        raise ConfigurationError(
            "filter: a group is named by its object id or by its e-mail address; names that people "
            "see belong to whoever makes a group of that name"
        )
    return refs


def groups_of(spec: Filter) -> Collection[GroupRef]:
    """Every group that a filter names. Raises ConfigurationError."""
    found: dict[GroupRef, None] = {}
    for condition in (*spec.all, *spec.any, *spec.none):
        if condition.field == GROUP:
            found |= dict.fromkeys(refs_of(condition))
    return tuple(found)


def holding(
    condition: Condition, addresses: Sequence[str], membership: Membership
) -> tuple[GroupRef, ...]:
    """Those of a condition's groups that anybody of these addresses is in."""
    return tuple(ref for ref in refs_of(condition) if membership(ref, addresses))
