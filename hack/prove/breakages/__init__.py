"""All breakages, a module for each kind of promise."""

from prove.breakage import Breakage
from prove.breakages import (
    address_lists,
    availability,
    calendars,
    earlier,
    filters,
    flips,
    groups,
    identity,
    invariants,
    leaving,
    matching,
    permissions,
    plans,
    semantics,
    sets,
    simulator,
    stages,
    trust,
)

BREAKAGES: tuple[Breakage, ...] = (
    *invariants.BREAKAGES,
    *leaving.BREAKAGES,
    *plans.BREAKAGES,
    *stages.BREAKAGES,
    *trust.BREAKAGES,
    *identity.BREAKAGES,
    *permissions.BREAKAGES,
    *availability.BREAKAGES,
    *matching.BREAKAGES,
    *semantics.BREAKAGES,
    *flips.BREAKAGES,
    *calendars.BREAKAGES,
    *filters.BREAKAGES,
    *earlier.BREAKAGES,
    *groups.BREAKAGES,
    *address_lists.BREAKAGES,
    *sets.BREAKAGES,
    *simulator.BREAKAGES,
)
