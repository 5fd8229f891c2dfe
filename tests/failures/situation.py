"""What a failure situation is: how it comes about, what an administrator sees of it, what mends it.

Values only. The tests play them, and `docs/failures.md` is made from them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .running import Start
    from .town import Records, Town

READY = "Ready"
STALLED = "Stalled"
RECONCILING = "Reconciling"

Act = Callable[["Town"], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A condition of an object."""

    kind: str
    name: str
    reason: str
    type: str = READY
    status: str = "False"


@dataclass(frozen=True, kw_only=True)
class Said:
    """A line of the operator's log, where no status can be written."""

    words: str
    level: str = "ERROR"
    kind: str = ""
    """Of the object that an event tells of; blank: no event can be written, either."""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The API server does not admit what was applied, and nothing changes."""

    kind: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A value among the metrics. `labels` besides the namespace, which is the situation's own if
    the metric has one."""

    metric: str
    labels: Mapping[str, str]
    value: float = 1.0
    at_least: bool = False
    """Of a counter: it may have gone on."""
    everywhere: bool = False
    """Whether the metric has no namespace."""


def condition_sample(seen: Seen, type_: str | None = None) -> Sample:
    """How the metrics tell a condition that is true."""
    labels = {"kind": seen.kind, "name": seen.name, "type": type_ or seen.type}
    return Sample(metric="cirahub_condition", labels=labels)


@dataclass(frozen=True, kw_only=True)
class Situation:
    id: str
    happens: str
    """For the page: what went wrong."""
    cause: Act
    seen: Seen | Said | Refusal
    goes_with: str | None = None
    """Stalled (somebody has to do something), Reconciling (it is being tried again) or neither."""
    names: str
    """What the message says of the object: a pattern."""
    remedy: str
    """What it says of the remedy: a pattern."""
    also: tuple[Seen, ...] = ()
    """What else is seen."""
    event: tuple[str, str] | None = None
    """Type and reason; by default Warning and the condition's."""
    told_of: Seen | None = None
    """The object that the event is about, if it is not the one that shows the condition."""
    sample: Sample | None = None
    """By default that of the condition that goes with it."""
    over: Sample | None = None
    """What is measured when all is well again, besides the condition."""
    do: str
    """For the page: what an administrator does."""
    mend: Act
    recovers: str
    """For the page: how it comes right then."""
    after: Seen
    start: Callable[[Town], Awaitable[Start]] | None = None
    """For a situation that needs an operator of its own: how to start it."""
    besides: Callable[[Town], Records] | None = None
    """What the simulator is seeded with besides a tenant: an Exchange Server, say."""
    untouched: tuple[str, ...] = ()
    """Places of the town in which nothing changes while it lasts."""
    equal: tuple[str, ...] = ()
    """Places that show the same people once all is well again, each of them once."""

    @property
    def told(self) -> tuple[str, str] | None:
        """None if no event tells of it."""
        if isinstance(self.seen, Seen):
            return self.event or ("Warning", self.seen.reason)
        return self.event

    @property
    def measured(self) -> Sample | None:
        """None if nothing is to be measured."""
        if isinstance(self.seen, Seen) and self.sample is None:
            return condition_sample(self.seen, self.goes_with or self.seen.type)
        return self.sample
