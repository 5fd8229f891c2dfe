"""People of `make e2e` and `make soak` do what it is said that they did."""

from __future__ import annotations

import time

from cirahub_simulator.process import EmbeddedSimulator, shipped_world
from demo.mailbox import Mailboxes
from e2e.load import DOMAIN, Load

PEOPLE = ["anna.bergstrom@contoso.example", "alice.edwards@fabrikam.example"]
WITHIN = 60.0


def test_mailboxes_hold_what_the_load_expects_and_deletions_stop_where_they_have_to() -> None:
    with EmbeddedSimulator(shipped_world()) as simulator:
        load = Load(simulator.admin, PEOPLE, every=0.001, deletions=5)

        deadline = time.monotonic() + WITHIN
        with load.applied():
            while load.created < 60:
                assert time.monotonic() < deadline
                time.sleep(0.01)

        mailboxes = Mailboxes(simulator.admin)
        there: dict[str, dict[str, object]] = {}
        ids = set()
        for mailbox in PEOPLE:
            for held in mailboxes.contacts(mailbox):
                (address, *_) = held.emails or {""}
                if address.endswith(f"@{DOMAIN}"):
                    ids.add(held.id)
                    there.setdefault(address, {}).update(
                        {
                            n: held.content[n]
                            for n in ("jobTitle", "department")
                            if n in held.content
                        }
                    )
    assert there == load.expected
    assert ids == {one for mailbox in PEOPLE for one in load.contacts(mailbox)}
    assert load.deletions == 5
    assert load.edits > 20
    assert any(len(fields) == 2 for fields in load.expected.values())
