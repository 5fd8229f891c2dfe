"""The scenes that every demo has, in the order in which they can be played."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo import resources
from demo.errors import DemoError
from demo.mailbox import Held
from demo.narration import Narration
from demo.resources import RESOURCES, Spoke
from demo.stage import Stage
from demo.tally import RESULTS, Tally

NAMESPACE = "cirahub-demo"
REQUESTED_AT = "reconcile.cirahub.io/requestedAt"
ERASE_NOW = "cirahub.io/erase=now"
ARRIVES_WITHIN = 90.0
LEAVES_WITHIN = 180.0
JOB_TITLE = "Keeper of the Address Book"


@dataclass(frozen=True, slots=True)
class Script:
    manifests: Sequence[str]
    """Arguments of `kubectl apply`."""
    hub: str
    editor: str
    """The contributing spoke whose user changes a contact."""
    leaver: str
    """The spoke that is deleted."""
    ready_within: float
    """Seconds for the first pass."""


class Story:
    def __init__(self, stage: Stage, narration: Narration, script: Script) -> None:
        self._stage = stage
        self._tell = narration
        self._script = script
        self._tally = Tally()
        self._original: Mapping[str, Sequence[Held]] = {}
        self._directions: dict[str, str] = {}
        self._erased = 0
        self.spokes: dict[str, Spoke] = {}
        """Those that are there, by name."""

    @property
    def receivers(self) -> list[Spoke]:
        return [spoke for spoke in self.spokes.values() if spoke.receives]

    def apply(self) -> None:
        self._tell.step("What somebody declares, with kubectl")
        self._original = {
            str(mailbox["userPrincipalName"]): self._stage.mailboxes.contacts(mailbox["id"])
            for mailbox in self._stage.simulator.admin.mailboxes()
        }
        self._run("apply", *self._script.manifests)
        self.spokes = resources.spokes(self._stage.plane, NAMESPACE)
        self._directions = {name: spoke.direction for name, spoke in self.spokes.items()}

    def wait(self) -> None:
        self._tell.step("The first pass: pull, merge, plan, push")
        began = time.monotonic()
        self._tell.until(
            "everything becomes Ready",
            self._all_ready,
            within=self._script.ready_within,
            status=self._waiting_for,
            check=self._stage.operator.check_running,
        )
        took = time.monotonic() - began
        self._run("wait", "--for=condition=Ready", RESOURCES, "--all", quiet=True)
        self._tell.say(f"Ready after {took:.1f} s.")

    def look(self) -> None:
        self._tell.step("How it stands")
        self._run("get", RESOURCES)

    def change(self) -> None:
        """A person edits a contact in a mailbox that contributes."""
        editor = self.spokes[self._script.editor]
        self._tell.step(f"Somebody edits a contact in {editor.place}")
        interested = [
            spoke
            for spoke in self.receivers
            if not spoke.spec.receives.include or "jobTitle" in spoke.spec.receives.include
        ]
        chosen = self._spread_contact(editor, interested)
        old = chosen.content.get("jobTitle", "none")
        self._tell.say(f"{chosen.name}: job title {old!r} becomes {JOB_TITLE!r}.")
        self._stage.mailboxes.change(editor.mailbox, chosen, {"jobTitle": JOB_TITLE})
        changed = time.monotonic()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._run("annotate", "hub", self._script.hub, "--overwrite", f"{REQUESTED_AT}={stamp}")
        arrived: dict[str, float] = {}

        def look() -> bool | None:
            for spoke in interested:
                if spoke.name not in arrived:
                    copy = _same(chosen, self._stage.mailboxes.at(spoke))
                    if copy and copy[0].content.get("jobTitle") == JOB_TITLE:
                        arrived[spoke.name] = time.monotonic() - changed
            return len(arrived) == len(interested) or None

        self._tell.until(
            "the change arrives everywhere",
            look,
            within=ARRIVES_WITHIN,
            status=lambda: f"{len(arrived)} of {len(interested)} mailboxes have it",
            check=self._stage.operator.check_running,
        )
        rows = [(spoke.place, f"{arrived[spoke.name]:.1f} s") for spoke in interested]
        self._tell.table(("ARRIVED IN", "AFTER"), rows)

    def untouched(self) -> None:
        """Who only contributes gets nothing."""
        self._tell.step("A spoke receives nothing unless its manifest says so")
        writable = {spoke.mailbox for spoke in self.receivers}
        watched = [spoke for spoke in self.spokes.values() if spoke.mailbox not in writable]
        rows = []
        for spoke in watched:
            before = {held.id: held.version for held in self._original[spoke.mailbox]}
            now = {held.id: held for held in self._stage.mailboxes.contacts(spoke.mailbox)}
            ours = {
                held_id
                for held_id, held in now.items()
                if before.get(held_id) != held.version and held.content.get("jobTitle") != JOB_TITLE
            }
            if ours or set(now) != set(before):
                raise DemoError(
                    f"{spoke.mailbox} only contributes, and was written to: "
                    f"{len(set(now) - set(before))} new contacts, {len(ours)} changed."
                )
            rows.append((spoke.name, spoke.mailbox, len(before), len(now), 0))
        self._tell.table(("SPOKE", "MAILBOX", "CONTACTS BEFORE", "NOW", "WRITTEN"), rows)

    def leave(self) -> None:
        """A spoke is deleted, and with it what only it contributed."""
        leaver = self.spokes[self._script.leaver]
        self._tell.step(f"A spoke leaves: {leaver.place} ({leaver.direction})")
        mailboxes = self._stage.mailboxes
        others = [spoke for spoke in self.receivers if spoke.name != leaver.name]
        before = {spoke.name: mailboxes.at(spoke) for spoke in (*others, leaver)}
        self._read_metrics()
        self._tell.say("A day of grace would let it come back; this one is to go at once:")
        self._run("annotate", "spoke", leaver.name, ERASE_NOW)
        began = time.monotonic()
        self._run("delete", "spoke", leaver.name, f"--timeout={LEAVES_WITHIN:.0f}s")
        took = time.monotonic() - began
        del self.spokes[leaver.name]
        after = {spoke.name: mailboxes.at(spoke) for spoke in (*others, leaver)}
        self._check_left(leaver, others, after)
        self._tell.say(f"Gone after {took:.1f} s, and from the other mailboxes with it:")
        rows = []
        for spoke in (*others, leaver):
            remaining = {held.id for held in after[spoke.name]}
            erased = [held for held in before[spoke.name] if held.id not in remaining]
            kept = list(mailboxes.found_anywhere(spoke.mailbox, erased))
            if kept:
                raise DemoError(
                    f"{len(kept)} of {len(erased)} contacts that were erased from {spoke.place} "
                    "are still to be found, in its bin for example."
                )
            rows.append((spoke.place, len(before[spoke.name]), len(remaining), len(erased)))
            self._erased += len(erased)
        self._tell.table(("MAILBOX", "BEFORE", "AFTER", "ERASED FOR GOOD"), rows)
        self._tell.say("None of the erased contacts is in a bin; what others contribute stayed.")

    def summary(self) -> None:
        self._tell.step("What it came to")
        self._read_metrics()
        rows = [
            (name, direction, *self._tally.of(name)) for name, direction in self._directions.items()
        ]
        self._tell.table(("SPOKE", "DIRECTION", *(result.upper() for result in RESULTS)), rows)
        totals = dict(zip(RESULTS, map(sum, zip(*(r[2:] for r in rows), strict=True)), strict=True))
        self._tell.say(
            f"{totals['pulled']} contacts pulled and merged into {self._tally.items} items; "
            f"{totals['created'] + totals['updated'] + totals['deleted']} writes pushed, "
            f"in {self._tally.passes} passes; {self._erased} copies erased with "
            f"{self._script.leaver}."
        )

    def _check_left(
        self, leaver: Spoke, others: Sequence[Spoke], after: Mapping[str, Sequence[Held]]
    ) -> None:
        """Whatever is still there, somebody else contributes; and the leaver keeps their own."""
        own = {held.id for held in self._original[leaver.mailbox] if held.folder == leaver.folder}
        if {held.id for held in after[leaver.name]} != own:
            raise DemoError(
                f"{leaver.place} should hold again what it held before, and nothing else."
            )
        natives = [
            held
            for spoke in self.spokes.values()
            if spoke.contributes
            for held in self._original[spoke.mailbox]
            if held.folder == spoke.folder
        ]
        known = {mark for held in natives for mark in _marks(held)}
        for spoke in others:
            left = [h for h in after[spoke.name] if h.is_copy and not known & _marks(h)]
            if left:
                raise DemoError(
                    f"{spoke.place} still has {len(left)} contacts that only {leaver.name} had."
                )

    def _spread_contact(self, editor: Spoke, receivers: Sequence[Spoke]) -> Held:
        """A contact of which nobody else has one, and every receiver has exactly one copy."""
        held_by = {spoke.name: self._stage.mailboxes.at(spoke) for spoke in receivers}
        elsewhere = [
            held
            for mailbox, contacts in self._original.items()
            for held in contacts
            if (mailbox, held.folder) != (editor.mailbox, editor.folder)
        ]
        for held in self._stage.mailboxes.at(editor):
            if not held.name or not (held.emails or held.custom_id) or _same(held, elsewhere):
                continue
            if all(len(_same(held, copies)) == 1 for copies in held_by.values()):
                return held
        raise DemoError(f"no contact of {editor.place} has exactly one copy in every receiver.")

    def _all_ready(self) -> bool | None:
        found = resources.standings(self._stage.plane, NAMESPACE)
        return (bool(found) and all(one.ready for one in found)) or None

    def _waiting_for(self) -> str:
        found = resources.standings(self._stage.plane, NAMESPACE)
        waiting = [one for one in found if not one.ready]
        return f"{len(found) - len(waiting)} of {len(found)} are. " + "; ".join(
            str(one) for one in waiting[:2]
        )

    def _read_metrics(self) -> None:
        self._tally.read(self._stage.operator.metrics())

    def _run(self, *arguments: str, quiet: bool = False) -> None:
        scoped = arguments if arguments[0] == "apply" else (*arguments, "-n", NAMESPACE)
        output = self._stage.plane.kubectl(*scoped)
        self._tell.command(f"kubectl {' '.join(scoped)}", "" if quiet else output)


def _same(wanted: Held, contacts: Sequence[Held]) -> list[Held]:
    """Those that are about the same person, by custom id or else by an e-mail address."""
    if wanted.custom_id:
        return [held for held in contacts if held.custom_id == wanted.custom_id]
    return [held for held in contacts if held.emails & wanted.emails]


def _marks(held: Held) -> set[str]:
    """What tells whom a contact is about."""
    if held.custom_id:
        return {held.custom_id}
    return set(held.emails) or {held.name}
