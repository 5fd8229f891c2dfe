"""What goes wrong between the operator and its own custom resource definitions."""

from __future__ import annotations

import asyncio

import yaml
from tests.failures.catalogue.outcome import STAFF
from tests.failures.running import Start
from tests.failures.situation import Said, Sample, Situation
from tests.failures.town import Town
from tests.operator.conftest import ROOT
from tests.rbac.conftest import apply_definitions

HUBS = ROOT / "crds/cirahub.io_hubs.yaml"


def _missing(value: float) -> Sample:
    return Sample(metric="cirahub_definitions_missing", labels={}, value=value, everywhere=True)


async def _as_it_is(town: Town) -> Start:
    return town.start


async def _nothing(_: Town) -> None:
    """There are none from the start."""


async def _installed(town: Town) -> None:
    await asyncio.to_thread(apply_definitions, town.stage.plane)
    await town.well()


async def _older(town: Town) -> None:
    """As of a version that did not tell yet when a Hub synced last."""
    await asyncio.to_thread(apply_definitions, town.stage.plane)
    await town.well()
    definition = yaml.safe_load(HUBS.read_text())
    for version in definition["spec"]["versions"]:
        del version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"][
            "lastSyncTime"
        ]
    await town.stage.apply(definition)


async def _updated(town: Town) -> None:
    await asyncio.to_thread(apply_definitions, town.stage.plane)
    await town.stage.apply(town.hub(interval="6s"))


SITUATIONS = (
    Situation(
        id="definitions-missing",
        happens="The operator is started before its custom resource definitions are installed.",
        start=_as_it_is,
        cause=_nothing,
        seen=Said(words="install the custom resource definitions"),
        names="the API server does not know connections, hubs, spokes, spokesets of "
        "cirahub.io/v1alpha1",
        remedy="kubectl apply --server-side -f crds/",
        sample=_missing(1.0),
        do="Install them: the message, which `/readyz` has too, has the command.",
        mend=_installed,
        recovers="Within five seconds, when they are there.",
        after=STAFF,
        over=_missing(0.0),
    ),
    Situation(
        id="definitions-older",
        happens="The operator was updated and its custom resource definitions were not: they have "
        "no room for what it reports.",
        start=_as_it_is,
        cause=_older,
        seen=Said(words="was refused", kind="Hub", name="staff"),
        names="the status of Hub [^ ]+/staff was refused",
        remedy="Apply the custom resource definitions of this operator's version",
        event=("Warning", "StatusRefused"),
        sample=Sample(
            metric="cirahub_status_refused_total",
            labels={"kind": "Hub"},
            at_least=True,
            everywhere=True,
        ),
        do="Apply them: `kubectl apply --server-side -f crds/`. Syncing goes on, and its status "
        "grows old; the log says so once of each kind.",
        mend=_updated,
        recovers="With the next status that is written: after the Hub's next pass, or the "
        "Connection's next check.",
        after=STAFF,
    ),
)
