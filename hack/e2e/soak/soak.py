"""The course of it, from the first Ready to the last comparison."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cirahub_simulator.seed.loader import secrets
from cluster.node import Node
from demo.mailbox import Held
from e2e.errors import EndToEndError
from e2e.expectation import canonical
from e2e.load import DOMAIN, Load
from e2e.release import NAMESPACE, TEAM, Release
from e2e.soak.blows import Blow, planned
from e2e.soak.harm import Harm
from e2e.soak.said import Said, canaries, told_too_much
from e2e.story import Steps
from e2e.team import Team
from e2e.versions import ROOT, Version

MANIFESTS = ROOT / "hack/e2e/soak"
REPLICAS = 2
CHANGE_EVERY = 0.5
"""Seconds."""
DELETED_AT_MOST = 40
"""Of the 50 that the example's guard lets pass at once, whenever they come to be seen."""
SETTLES_WITHIN = 300.0
HANDLED_WITHIN = 180.0
SHOWN = 20
HELD_FOR = 3.0
"""Seconds that a request of the first delivery waits for its answer, lest all be over too soon."""
SEEN_WITHIN = 180.0
DELIVERING = re.compile(r"deliver: 0 of \d+ shards, [1-9]\d* under way")
ENDS_WITHIN = 60.0
HUBS = f"/apis/cirahub.io/v1alpha1/namespaces/{TEAM}/hubs"


@dataclass(frozen=True, slots=True)
class Picture:
    """What nothing of all this may change."""

    own: Mapping[str, Mapping[str, str]]
    """People's own contacts by mailbox: versions by immutable id."""
    copies: Mapping[str, Counter[str]]
    """What receivers hold of what was there from the start, by Spoke."""


class Soak:
    def __init__(
        self,
        node: Node,
        release: Release,
        harm: Harm,
        said: Said,
        *,
        secret: str,
        steps: Steps,
    ) -> None:
        """`secret`: what of the database no log may have."""
        self._node = node
        self._release = release
        self._harm = harm
        self._said = said
        self._secret = secret
        self._steps = steps
        self._tell = steps.tell
        self._team = Team(node.plane, release.stand.admin, steps.tell)

    def play(self, version: Version, seed: int, seconds: float) -> None:
        """Raises EndToEndError and DemoError for whatever is not as it should be."""
        with self._steps.step("helm install: two replicas on PostgreSQL"):
            self._release.make_key()
            self._release.install(version)
        with self._steps.step("examples/quickstart by workers, who are killed as they deliver"):
            self._killed_as_they_deliver()
            self._team.until_ready()
            self._team.until_equal()
            before = self._picture(())
        load = Load(
            self._release.stand.admin,
            self._team.sources,
            every=CHANGE_EVERY,
            deletions=DELETED_AT_MOST,
        )
        with self._steps.step(f"{seconds:.0f} s of blows and changes, SEED={seed}"):
            dealt = self._strike(planned(seed, seconds), seconds, load)
        with self._steps.step("Quiet: everything becomes Ready and equal"):
            began = time.monotonic()
            self._release.rolled_out()
            self._team.until_ready(SETTLES_WITHIN)
            self._team.until_equal(SETTLES_WITHIN)
            self._team.until_ready(SETTLES_WITHIN)
            settled = time.monotonic() - began
        with self._steps.step("One more pass, the next is suspended, and what is left"):
            self._pass_over()
            self._all_ready()
            self._suspend_amid_a_pass()
            self._judge(before, load)
        self._sum_up(dealt, load, settled)

    def _killed_as_they_deliver(self) -> None:
        """Until the leases of their shards have run out nobody else takes those; meanwhile the Hub
        says how far it is."""
        held = self._harm.hold_a_batch(HELD_FOR)
        self._team.declare(MANIFESTS)
        self._tell.until("a worker delivers", held, within=SEEN_WITHIN, status=self._hub_says)
        self._tell.say(f"{self._harm.kill_workers()} workers are killed.")
        progress = self._tell.until("how far it is, is told", self._delivering, within=SEEN_WITHIN)
        self._tell.say(f"Meanwhile the Hub says: {progress}")

    def _delivering(self) -> str | None:
        found = DELIVERING.search(self._hub_says())
        return found and found[0]

    def _hub_says(self) -> str:
        (hub,) = self._node.plane.get(HUBS)["items"]
        conditions = hub.get("status", {}).get("conditions", ())
        return "; ".join(f"{one['type']}: {one['message']}" for one in conditions)

    def _all_ready(self) -> None:
        not_ready = self._team.waiting_for()
        if not_ready:
            raise EndToEndError(f"Not Ready: {not_ready}")

    def _suspend_amid_a_pass(self) -> None:
        """Whose workers end by it."""

        def nobody() -> bool | None:
            return not list(self._left()) or None

        working = self._harm.until_somebody_works()
        self._team.suspend()
        self._tell.until(
            "no worker is left", nobody, within=ENDS_WITHIN, status=lambda: "; ".join(self._left())
        )
        self._tell.say(
            f"Suspended with {working} workers at work; no Job and no pod of them is left."
        )

    def _strike(self, blows: Iterable[Blow], seconds: float, load: Load) -> Counter[str]:
        dealt: Counter[str] = Counter()
        began = time.monotonic()
        with load.applied():
            for blow in blows:
                time.sleep(max(0.0, began + blow.at - time.monotonic()))
                at = time.monotonic() - began
                hit = self._harm.strike(blow)
                dealt[blow.kind] += 1
                self._tell.say(f"{at:6.1f} s  {blow.kind}: {hit}")
            time.sleep(max(0.0, began + seconds - time.monotonic()))
        return dealt

    def _pass_over(self) -> None:
        token = self._team.ask_for_pass()

        def handled() -> bool | None:
            found = self._node.plane.get(HUBS)["items"]
            done = (hub["status"].get("lastHandledReconcileAt") == token for hub in found)
            return all(done) or None

        self._tell.until("the pass is over", handled, within=HANDLED_WITHIN)

    def _picture(self, passed_over: Sequence[str]) -> Picture:
        """Without contacts of these ids, and without copies of who came by the load."""
        mailboxes = self._team.mailboxes
        return Picture(
            own={
                mailbox: {
                    held.immutable_id: held.version
                    for held in mailboxes.contacts(mailbox)
                    if not held.is_copy and held.id not in passed_over
                }
                for mailbox in self._team.addresses
            },
            copies={
                spoke.name: Counter(
                    canonical(held)
                    for held in mailboxes.at(spoke)
                    if held.is_copy and not _came_by_the_load(held)
                )
                for spoke in self._team.receivers
            },
        )

    def _judge(self, before: Picture, load: Load) -> None:
        """Of everything that is wrong, some is told."""
        own = {one for mailbox in self._team.sources for one in load.contacts(mailbox)}
        after = self._picture(sorted(own))
        faults = [
            *self._team.faults(),
            *changed(before, after),
            *self._left(),
            *told_too_much(self._said.lines(), self._forbidden()),
        ]
        if faults:
            shown = "\n".join(faults[:SHOWN])
            raise EndToEndError(f"{len(faults)} things are wrong:\n{shown}")

    def _left(self) -> Iterator[str]:
        """Of what was started meanwhile."""
        get = self._node.plane.get
        pods = [
            one["metadata"]["name"] for one in get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]
        ]
        if len(pods) != REPLICAS:
            yield f"pods in {NAMESPACE}: {', '.join(pods)}"
        elsewhere = get(f"/api/v1/namespaces/{TEAM}/pods")["items"]
        jobs = get("/apis/batch/v1/jobs")["items"]
        for one in (*elsewhere, *jobs):
            yield f"left in {one['metadata']['namespace']}: {one['metadata']['name']}"

    def _forbidden(self) -> set[str]:
        contacts = (
            held
            for mailbox in self._team.addresses
            for held in self._team.mailboxes.contacts(mailbox)
        )
        named = {spoke.mailbox for spoke in self._team.spokes.values()}
        return canaries(contacts, (*secrets(), self._secret)) - named

    def _sum_up(self, dealt: Counter[str], load: Load, settled: float) -> None:
        self._tell.step("What it came to")
        rows: list[tuple[object, ...]] = [(kind, dealt[kind]) for kind in sorted(dealt)]
        self._tell.table(("BLOW", "TIMES"), rows)
        held = sum(len(self._team.mailboxes.at(spoke)) for spoke in self._team.receivers)
        self._tell.say()
        self._tell.table(
            ("", "COUNT"),
            [
                ("contacts created", load.created),
                ("edited", load.edits),
                ("deleted", load.deletions),
                ("contacts compared", held),
                ("processes of the operator", self._said.processes("operator")),
                ("processes of workers", self._said.processes("worker")),
                ("seconds until all was Ready and equal", round(settled)),
            ],
        )


def _came_by_the_load(held: Held) -> bool:
    return any(address.endswith(f"@{DOMAIN}") for address in held.emails)


def changed(before: Picture, after: Picture) -> Iterator[str]:
    """A line for each mailbox and each copy that is not as it was."""
    for mailbox, own in before.own.items():
        now = after.own[mailbox]
        for what, several in (
            ("gone", own.keys() - now.keys()),
            ("new", now.keys() - own.keys()),
            ("changed", {one for one in own.keys() & now.keys() if own[one] != now[one]}),
        ):
            if several:
                yield f"{mailbox}: {len(several)} of people's own contacts are {what}"
    for spoke, copies in before.copies.items():
        lost, made = copies - after.copies[spoke], after.copies[spoke] - copies
        yield from (f"{spoke}: a copy is gone: {one[:200]}" for one in lost)
        yield from (f"{spoke}: a copy is new: {one[:200]}" for one in made)
