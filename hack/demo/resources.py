"""Our resources as the cluster shows them, as far as the demo reads them."""

from __future__ import annotations

import msgspec

from cluster.access import Cluster

RESOURCES = "hubs,spokes,connections"


class _Read(msgspec.Struct, frozen=True, rename="camel"):
    """Reads what it has fields for."""


class Condition(_Read, frozen=True, rename="camel"):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    observed_generation: int = -1


class _Status(_Read, frozen=True, rename="camel"):
    conditions: tuple[Condition, ...] = ()


class _Metadata(_Read, frozen=True, rename="camel"):
    name: str
    generation: int = 0


class Standing(_Read, frozen=True, rename="camel"):
    """Any of our objects, and what it says of itself."""

    kind: str
    metadata: _Metadata
    status: _Status = _Status()

    @property
    def ready(self) -> bool:
        """Whether it is, by a condition that stands for the newest generation."""
        found = self._condition
        return (
            found is not None
            and found.status == "True"
            and found.observed_generation == self.metadata.generation
        )

    def __str__(self) -> str:
        found = self._condition
        what = f"{found.reason}: {found.message}" if found else "not looked at yet"
        return f"{self.kind} {self.metadata.name}: {what}"

    @property
    def _condition(self) -> Condition | None:
        return next((c for c in self.status.conditions if c.type == "Ready"), None)


class _Mailbox(_Read, frozen=True, rename="camel"):
    address: str
    folder: str = ""


class Term(_Read, frozen=True, rename="camel"):
    """Of a filter."""

    field: str
    operator: str
    values: tuple[str, ...] = ()


class _Filter(_Read, frozen=True, rename="camel"):
    none: tuple[Term, ...] = ()


class _Contributes(_Read, frozen=True, rename="camel"):
    exclude: frozenset[str] = frozenset()
    filter: _Filter = _Filter()


class _Mapping(_Read, frozen=True, rename="camel"):
    add_category: str = ""


class _Receives(_Read, frozen=True, rename="camel"):
    include: frozenset[str] = frozenset()
    mapping: tuple[_Mapping, ...] = ()


class _SpokeSpec(_Read, frozen=True, rename="camel"):
    mailbox: _Mailbox
    direction: str = "Contribute"
    contributes: _Contributes = _Contributes()
    receives: _Receives = _Receives()


class Spoke(_Read, frozen=True, rename="camel"):
    metadata: _Metadata
    spec: _SpokeSpec

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def direction(self) -> str:
        return self.spec.direction

    @property
    def contributes(self) -> bool:
        return self.direction != "Receive"

    @property
    def receives(self) -> bool:
        return self.direction != "Contribute"

    @property
    def mailbox(self) -> str:
        return self.spec.mailbox.address

    @property
    def folder(self) -> tuple[str, ...]:
        return tuple(filter(None, self.spec.mailbox.folder.split("/")))

    @property
    def filtered_out(self) -> tuple[Term, ...]:
        """Whoever matches one of these is not contributed."""
        return self.spec.contributes.filter.none

    @property
    def added_categories(self) -> set[str]:
        """Of copies here."""
        return {step.add_category for step in self.spec.receives.mapping if step.add_category}

    @property
    def place(self) -> str:
        """For people."""
        return "/".join((self.mailbox, *self.folder))


class _Standings(_Read, frozen=True):
    items: tuple[Standing, ...]


class _Spokes(_Read, frozen=True):
    items: tuple[Spoke, ...]


def standings(cluster: Cluster, namespace: str) -> tuple[Standing, ...]:
    """Of every object of ours in the namespace."""
    answer = cluster.kubectl("get", RESOURCES, "--namespace", namespace, "--output", "json")
    return msgspec.json.decode(answer, type=_Standings).items


def spokes(cluster: Cluster, namespace: str) -> dict[str, Spoke]:
    """By name."""
    answer = cluster.kubectl("get", "spokes", "--namespace", namespace, "--output", "json")
    return {spoke.name: spoke for spoke in msgspec.json.decode(answer, type=_Spokes).items}
