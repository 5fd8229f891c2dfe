"""The story of one's own people, and the proof that all of them arrive as they are.

The file is JSON Lines, a person each: `id`, `given` and `family` at least, and any of the fields
that `cirahub_simulator.seed.people` lists. What is compared:

- each receiver against the source mailbox: every field of every contact, exactly;
- each receiver against the file: every value of every person and office, wherever it stands in
  the contact. This trusts neither the simulator's loader nor the operator.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from demo.mailbox import Mailboxes
from demo.narration import Narration
from demo.proof import absences, by_id, differences
from demo.story import Script, Story

MAILBOX = "anna.bergstrom@contoso.example"
FOLDER = "People"
SOURCE = "source"
SHOWN = 5
SECONDS_PER_CONTACT = 0.1

QUICKSTART = ("namespace", "identity", "connections")
MANIFESTS = (
    *(part for name in QUICKSTART for part in ("-f", f"examples/quickstart/{name}.yaml")),
    *("-f", "hack/demo/manifests/people.yaml"),
)


@dataclass(frozen=True, slots=True)
class People:
    path: Path
    entries: Mapping[str, Mapping[str, object]]
    """The values of every person and office, by id; an office's is its person's and its number,
    from 1."""
    offices: frozenset[str]
    """Which of the ids are offices'."""


def read(path: Path) -> People:
    """Raises DemoError, which names file and line."""
    entries: dict[str, Mapping[str, object]] = {}
    offices: set[str] = set()
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DemoError(f"{path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            person = json.loads(line)
            places = {
                f"{person['id']}/{count}": dict(place)
                for count, place in enumerate(person.pop("offices", []), 1)
            }
            made = {str(person["id"]): dict(person), **places}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DemoError(f"{path}, line {number}: no person with an id ({error!r})") from error
        if repeated := entries.keys() & made.keys():
            raise DemoError(f"{path}, line {number}: the id {min(repeated)!r} is there already")
        entries |= made
        offices |= places.keys()
    if not entries:
        raise DemoError(f"{path} has no people in it")
    return People(path, entries, frozenset(offices))


def simulator_arguments(people: People) -> tuple[str, ...]:
    return (
        f"--people={people.path}",
        f"--people-mailbox={MAILBOX}",
        f"--people-folder={FOLDER}",
    )


def script(people: People) -> Script:
    return Script(
        manifests=MANIFESTS,
        hub="people",
        editor=SOURCE,
        leaver="amadou",
        ready_within=180.0 + SECONDS_PER_CONTACT * len(people.entries),
    )


def play(story: Story, people: People, mailboxes: Mailboxes, tell: Narration) -> None:
    story.apply()
    story.wait()
    story.look()
    persons = len(people.entries) - len(people.offices)
    tell.step(f"Whether {persons} people and {len(people.offices)} offices arrived as they are")
    _prove(story, people, mailboxes, tell, with_file=True)
    story.change()
    story.untouched()
    story.leave()
    tell.step("Whether everybody is still there")
    _prove(story, people, mailboxes, tell, with_file=False)
    story.summary()


def _prove(
    story: Story, people: People, mailboxes: Mailboxes, tell: Narration, *, with_file: bool
) -> None:
    """Raises DemoError after the table if a receiver lacks something or differs."""
    source = mailboxes.at(story.spokes[SOURCE])
    fields = {custom_id: len(held.content) for custom_id, held in by_id(source).items()}
    rows: list[tuple[object, ...]] = []
    faults: list[str] = []
    for spoke in story.receivers:
        held = mailboxes.at(spoke)
        ours = [one for one in held if one.custom_id in people.entries or one.custom_id in fields]
        found = list(differences(source, ours))
        if with_file:
            found += absences(people.entries, ours)
        arrived = by_id(ours).keys() & people.entries.keys()
        persons = sum(custom_id not in people.offices for custom_id in arrived)
        compared = sum(fields.get(custom_id, 0) for custom_id in arrived)
        rows.append((spoke.place, persons, len(arrived) - persons, compared, len(found)))
        faults += (f"{spoke.place}: {fault}" for fault in found)
    tell.table(("RECEIVED IN", "PEOPLE", "OFFICES", "FIELDS COMPARED", "DIFFERENT"), rows)
    if faults:
        shown = "\n".join(faults[:SHOWN])
        raise DemoError(f"{len(faults)} values are missing or different, for example:\n{shown}")
    against = "the source mailbox and the file" if with_file else "the source mailbox"
    tell.say(f"Every value equals that of {against}.")
