"""What is played, step by step, on whichever cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import yaml

from cluster import promtool
from cluster.access import Cluster
from cluster.errors import KubectlFailedError
from cluster.prometheus import Prometheus
from cluster.promtool import Program
from demo.narration import Narration
from demo.resources import RESOURCES
from e2e import identities
from e2e.background import Background
from e2e.errors import EndToEndError
from e2e.load import Load
from e2e.release import CRDS, NAMESPACE, TEAM, Release
from e2e.stand import Stand
from e2e.team import READY_WITHIN, SHOWN, Team
from e2e.versions import ROOT, Version

SCRAPED_WITHIN = 60.0
NEWER = "of a newer version"
"""What an operator says of a store with a schema that it doesn't know."""
SERVICE = "service/cirahub-operator-metrics"
MONITORING = {
    "ServiceMonitor": "metrics.serviceMonitor.enabled",
    "PrometheusRule": "metrics.prometheusRule.enabled",
}
SCRAPED = (
    "up == 1",
    'cirahub_condition{kind="Hub",type="Ready"} == 1',
    'cirahub_passes_total{result="success"} > 0',
    "cirahub_leader == 1",
)


class Story:
    def __init__(
        self,
        cluster: Cluster,
        release: Release,
        stand: Stand,
        background: Background,
        steps: Steps,
    ) -> None:
        self._cluster = cluster
        self._release = release
        self._stand = stand
        self._background = background
        self._steps = steps
        self._tell = steps.tell
        self._team = Team(cluster, stand.admin, steps.tell)
        self._load = Load(stand.admin, ())
        self._originals: dict[str, set[str]] = {}

    def play(self, now: Version, before: Version | None) -> None:
        first = before or now
        with self._steps.step(f"helm install: {first.what}"):
            self._release.make_key()
            self._release.install(first)
        with self._steps.step("examples/quickstart, to Ready"):
            self._examples()
        with self._steps.step("Every copy is what its original is"):
            self._copies()
        with self._steps.step(
            "The pod's projected token signs in; of another subject, cluster or audience, none does"
        ):
            identities.play(self._cluster, self._stand.admin, self._team, self._tell)
        with self._steps.step(f"helm upgrade to {now.what} while changes arrive"):
            self._moved_under_load(now)
        with self._steps.step("Prometheus scrapes, and knows the alerts"):
            self._scraped(now)
        if before is not None:
            with self._steps.step(f"helm upgrade back to {before.what} while changes arrive"):
                if now.schema <= before.schema:
                    self._moved_under_load(before)
                else:
                    self._refuses(before)
            with self._steps.step(f"helm upgrade to {now.what} again"):
                self._moved_under_load(now)
        with self._steps.step("The drain of docs/install.md, and helm uninstall"):
            self._drained()

    def _examples(self) -> None:
        self._originals = {mailbox: self._held_ids(mailbox) for mailbox in self._team.addresses}
        self._team.declare(ROOT / "examples/quickstart")
        self._team.until_ready()
        self._tell.say(self._team.look())
        self._load = Load(self._stand.admin, self._team.sources)

    def _held_ids(self, mailbox: str) -> set[str]:
        return {held.immutable_id for held in self._team.mailboxes.contacts(mailbox)}

    def _copies(self) -> None:
        faults = list(self._team.faults())
        if faults:
            raise EndToEndError(f"{len(faults)} differ, for example: {'; '.join(faults[:SHOWN])}")
        for spoke in self._team.receivers:
            held = len(self._team.mailboxes.at(spoke))
            self._tell.say(f"{held} contacts in {spoke.place}: equal, field by field.")

    def _moved_under_load(self, version: Version) -> None:
        held = self._uids()
        with self._load.applied():
            self._release.upgrade(version)
        if self._uids() != held:
            raise EndToEndError("Objects were made anew by the upgrade.")
        self._team.ask_for_pass()
        self._team.until_equal()
        self._team.until_ready()
        self._tell.say(
            f"{len(self._load.expected)} contacts and {self._load.edits} edits so far, in each of "
            f"{len(self._team.receivers)} mailboxes once."
        )

    def _refuses(self, version: Version) -> None:
        """Whose schema is older. Nothing is lost by it: who comes after goes on from there."""
        with self._load.applied():
            self._release.begin_upgrade(version)
            self._tell.until(
                "it leaves the store alone",
                self._said_newer,
                within=READY_WITHIN,
            )
        self._tell.say("It does not open the store of a newer version, and says so.")

    def _said_newer(self) -> bool | None:
        try:
            return NEWER in self._release.logs() or None
        except KubectlFailedError:
            # A pod whose container is not there yet has no log.
            return None

    def _scraped(self, version: Version) -> None:
        """By the port that the chart's ServiceMonitor names, with the rules of its
        PrometheusRule."""
        monitor, rule = (
            yaml.safe_load(
                self._release.rendered(version, f"{name.lower()}.yaml", f"{setting}=true")
            )
            for name, setting in MONITORING.items()
        )
        (endpoint,) = monitor["spec"]["endpoints"]
        rules = self._background.folder / "rules.json"
        rules.write_text(json.dumps({"groups": rule["spec"]["groups"]}))
        forwarded = self._background.forwarded(self._cluster, NAMESPACE, SERVICE, endpoint["port"])
        binary = promtool.find(Program.SERVER)
        with (
            forwarded as port,
            Prometheus.start(binary, scraped=f"127.0.0.1:{port}", rules=[rules]) as prometheus,
        ):
            self._watched(prometheus)

    def _watched(self, prometheus: Prometheus) -> None:
        for expression in SCRAPED:
            self._tell.until(
                f"{expression} holds",
                partial(_held, prometheus, expression),
                within=SCRAPED_WITHIN,
            )
        rules = self._tell.until(
            "every rule is evaluated",
            lambda: _evaluated(prometheus.rules()),
            within=SCRAPED_WITHIN,
        )
        wrong = [rule["name"] for rule in rules if rule["health"] != "ok"]
        firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
        if wrong or firing:
            raise EndToEndError(f"Rules fail: {wrong}. Alerts fire: {firing}.")
        self._tell.say(f"{len(rules)} rules are evaluated without an error, and none fires.")

    def _drained(self) -> None:
        ours = ("--all", "-n", TEAM)
        ask = self._cluster.kubectl
        ask("annotate", "hubs", *ours, "cirahub.io/erase=now")
        ask("delete", "spokesets,spokes", *ours, "--timeout=300s")
        ask("delete", "hubs,connections", *ours, "--timeout=300s")
        left = {
            mailbox: count
            for mailbox in self._originals
            if (count := sum(held.is_copy for held in self._team.mailboxes.contacts(mailbox)))
        }
        if left:
            raise EndToEndError(f"Copies are left: {left}")
        lost = {
            mailbox: len(gone)
            for mailbox, ids in self._originals.items()
            if (gone := ids - self._held_ids(mailbox))
        }
        if lost:
            raise EndToEndError(f"People's own contacts are gone: {lost}")
        self._release.uninstall()
        ask("delete", "crd", *CRDS)
        volume, key = "pvc/cirahub-operator-store", "secret/cirahub-operator-key"
        ask("delete", volume, key, "-n", NAMESPACE)
        remaining = ask("get", "all,pvc,roles,rolebindings", "-n", NAMESPACE, "-o", "name").split()
        if remaining:
            raise EndToEndError(f"Left in {NAMESPACE}: {', '.join(remaining)}")
        self._tell.say("No copy is left, and everybody has all that was theirs.")

    def _uids(self) -> dict[str, str]:
        told = self._cluster.kubectl(
            "get",
            RESOURCES,
            "-n",
            TEAM,
            "-o",
            "jsonpath={range .items[*]}{.metadata.uid}={.kind}/{.metadata.name} {end}",
        )
        return dict(pair.split("=", maxsplit=1) for pair in told.split())


class Steps:
    """Each with its time."""

    def __init__(self, tell: Narration) -> None:
        self.tell = tell
        self._taken: list[tuple[str, str]] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.tell.step(title)
        began = time.monotonic()
        yield
        self._taken.append((title, f"{time.monotonic() - began:.1f}"))

    def table(self) -> None:
        self.tell.table(("STEP", "SECONDS"), self._taken)


def _held(prometheus: Prometheus, expression: str) -> bool | None:
    return bool(prometheus.query(expression)) or None


def _evaluated(rules: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]] | None:
    """None as long as there are some that were not looked at."""
    return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None
