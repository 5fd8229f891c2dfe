"""Which rules are granted, as the API server itself says, and what follows for readiness.

Source: "Checking API access", https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cirahub_operator.errors import (
    ClusterRefusedError,
    ClusterUnreachableError,
)
from cirahub_operator.leases import own_namespace
from cirahub_operator.metrics import Metrics
from cirahub_operator.permissions.rules import RULES, Action, Rule, Scope
from cirahub_operator.settings import Settings

logger = logging.getLogger(__name__)

ALL_NAMESPACES = ""
QUESTIONS = 10
"""Asked at the same time."""
AGAIN = 300.0
"""Seconds between two reviews when nothing is missing."""
SOON = 15.0
"""The same while something is missing."""


class Asked(Protocol):
    """The part of `Cluster` that answers."""

    async def may(self, action: Action, namespace: str) -> bool: ...


@dataclass(frozen=True)
class Missing:
    """A rule that is not granted, or not wholly, in a namespace."""

    rule: Rule
    namespace: str
    """`ALL_NAMESPACES` if it has to be granted for all of them, or for none in particular."""
    actions: Sequence[Action]

    def __str__(self) -> str:
        where = f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"
        refused = ", ".join(map(str, self.actions))
        return (
            f"the operator may not {refused} {where} (rule {self.rule.key!r}). What for: "
            f"{self.rule.why} Without: {self.rule.without} Apply the role that docs/permissions.md "
            "names, there"
        )


def asked_for(settings: Settings) -> dict[Rule, Sequence[str]]:
    """What is needed with these settings, and where. What is opted in to is not."""
    places: dict[Scope, Sequence[str]] = {
        Scope.SERVED: settings.namespaces or (ALL_NAMESPACES,),
        Scope.CLUSTER: (ALL_NAMESPACES,),
        Scope.KUBE_SYSTEM: () if settings.installation else (Scope.KUBE_SYSTEM.value,),
        Scope.OWN: (),
        Scope.WORKERS: ()
        if settings.workers is None
        else (settings.workers.namespace or own_namespace(),),
    }
    named: tuple[str, ...] = ()
    if settings.election is not None:
        places[Scope.OWN] = (settings.election.namespace or own_namespace(),)
        named = (settings.election.name,)
    return {
        (replace(rule, names=named) if rule.scope is Scope.OWN and rule.names else rule): where
        for rule in RULES
        if not rule.opt_in and (where := places[rule.scope])
    }


class Review:
    """Asks once or for as long as the operator runs."""

    def __init__(
        self, cluster: Asked, metrics: Metrics, asked_for: Mapping[Rule, Sequence[str]]
    ) -> None:
        """`asked_for`: rules, each with the namespaces in which it has to be granted."""
        self._cluster = cluster
        self._metrics = metrics
        self._places = asked_for
        self._missing: Sequence[Missing] = ()

    @property
    def denied(self) -> list[str]:
        """What keeps us from serving at all. A rule that one served namespace lacks is its team's
        to grant: it takes nothing away from the others."""
        lacking: dict[str, set[str]] = {}
        for one in self._missing:
            lacking.setdefault(one.rule.key, set()).add(one.namespace)
        return [
            f"permission missing: {rule.key}"
            for rule, places in self._places.items()
            if not rule.optional and lacking.get(rule.key) == set(places)
        ]

    @property
    def _needed(self) -> bool:
        return any(not one.rule.optional for one in self._missing)

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(SOON if self._needed else AGAIN)
            await self.once()

    async def once(self) -> None:
        """What is missing is logged when it is new, counted, and told to the readiness probe."""
        pairs = [(rule, where) for rule, places in self._places.items() for where in places]
        slots = asyncio.Semaphore(QUESTIONS)
        try:
            found = await asyncio.gather(*(self._ask(slots, *pair) for pair in pairs))
        except (ClusterRefusedError, ClusterUnreachableError) as error:
            known = isinstance(error, ClusterUnreachableError) and error.said
            level = logging.DEBUG if known else logging.WARNING
            logger.log(level, "which permissions are granted was not found out: %s", error)
            return
        for (rule, where), missing in zip(pairs, found, strict=True):
            if not rule.optional:
                series = self._metrics.permission_missing.labels(rule.key, where)
                series.set(missing is not None)
        self._tell([one for one in found if one is not None])

    def _tell(self, missing: Sequence[Missing]) -> None:
        before = {(one.rule.key, one.namespace) for one in self._missing}
        now = {(one.rule.key, one.namespace) for one in missing}
        for one in missing:
            if (one.rule.key, one.namespace) not in before:
                level = logging.WARNING if one.rule.optional else logging.ERROR
                logger.log(level, "%s", one)
        for key, namespace in sorted(before - now):
            logger.info("rule %r is granted now in %s", key, namespace or "the whole cluster")
        self._missing = missing

    async def _ask(self, slots: asyncio.Semaphore, rule: Rule, where: str) -> Missing | None:
        async with slots:
            refused = [
                action for action in rule.actions if not await self._cluster.may(action, where)
            ]
        return Missing(rule, where, refused) if refused else None
