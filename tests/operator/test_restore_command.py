"""`cirahub deletions` and `cirahub restore`, on a real store, with a simulated tenant behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from .laptop import Laptop, opened

HUB = "default/staff"


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """Ann had Ada and Bea, and deleted both; Bob and Cy have copies for another day."""
    with opened(tmp_path) as made:
        made.declare(deletion={"maxPercent": 100})
        made.add("ann", "Ada")
        made.add("ann", "Bea")
        made.add("ann", "Cleo")
        made.sync()
        for entry in made.simulator.admin.contacts("ann@contoso.com"):
            if entry["contact"]["displayName"] != "Cleo":
                made.simulator.admin.delete_contact("ann@contoso.com", entry["contact"]["id"])
        made.sync()
        yield made


def before(laptop: Laptop) -> str:
    """The end of the first pass, as --to takes it."""
    store = laptop.store()
    (uid,) = store.hubs()
    with store.hub(uid).read() as tx:
        first = tx.moments.first()
    store.close()
    assert first is not None
    return datetime.fromtimestamp(first.at + 0.001, UTC).isoformat()


def deletions(laptop: Laptop) -> list[dict[str, Any]]:
    ran = laptop.run("deletions", "-o", "json")
    assert ran.exit_code == 0, ran.output
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def test_the_list_tells_what_goes_and_when_without_any_content(laptop: Laptop) -> None:
    first, second = deletions(laptop)
    assert first["hub"] == second["hub"] == HUB
    assert first["deletedIn"] == ["default/ann"]
    assert [(one["spoke"], one["reason"]) for one in first["waiting"]] == [
        ("default/bob", "Grace"),
        ("default/cy", "Grace"),
    ]
    ran = laptop.run("deletions", "--hub", HUB)
    assert first["item"] in ran.output
    assert second["item"] in ran.output
    assert not {"Ada", "Bea", "Cleo"} & set(ran.output.split())
    assert "Nothing" in laptop.run("deletions", "--hub", "default/others").output


def test_an_item_is_brought_back_and_given_up_again(laptop: Laptop) -> None:
    item = deletions(laptop)[0]["item"]
    ran = laptop.run("restore", "staff", item)
    assert ran.exit_code == 0, ran.output
    assert item in ran.output
    laptop.sync()
    assert [one["item"] for one in deletions(laptop)].count(item) == 0
    ran = laptop.run("restore", "staff", item, "--take-back")
    assert ran.exit_code == 0, ran.output
    laptop.sync()
    assert [one["item"] for one in deletions(laptop)].count(item) == 1


def test_a_mailbox_is_brought_back_to_a_moment_after_a_preview(laptop: Laptop) -> None:
    asked = ("restore", HUB, "--spoke", "ann", "--to", before(laptop), "-o", "json")
    told = laptop.run(*asked, "--dry-run")
    assert told.exit_code == 0, told.output
    assert len(deletions(laptop)) == 2
    done = laptop.run(*asked)
    assert json.loads(done.stdout) == json.loads(told.stdout)
    assert deletions(laptop) == []
    laptop.sync()
    assert laptop.names("cy") == ["Ada", "Bea", "Cleo"]
    assert laptop.names("ann") == ["Cleo"], "it only contributes"


def test_an_item_is_put_back_to_a_moment_after_a_preview_with_values_if_asked(
    laptop: Laptop,
) -> None:
    moment = before(laptop)
    (cleo,) = laptop.simulator.admin.contacts("ann@contoso.com")
    laptop.simulator.admin.update_contact(
        "ann@contoso.com", cleo["contact"]["id"], {"jobTitle": "BAKER", "department": "\x1b[2J"}
    )
    laptop.sync()
    explained = laptop.run("explain", "cleo@x.org", "-o", "json")
    item = json.loads(explained.stdout)["found"][0]["item"]
    asked = ("restore", HUB, item, "--to", moment)
    told = laptop.run(*asked, "--dry-run")
    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        f"{item}  default/ann  department, jobTitle",
        "1 items would be put back (department 1, jobTitle 1).",
    ]
    shown = laptop.run(*asked, "--dry-run", "--values")
    assert "  jobTitle: BAKER  ->  -" in shown.output
    assert "  department: \\x1b[2J  ->  -" in shown.output
    assert "put back" not in laptop.run("explain", "cleo@x.org").output
    assert laptop.run(*asked).output.startswith(told.output.splitlines()[0])
    assert laptop.run(*asked).output == "Nothing is otherwise than it was then.\n"
    assert "a person put it back to an earlier moment" in laptop.run("explain", item).output
    laptop.sync()
    (copy,) = [
        one["contact"]
        for one in laptop.simulator.admin.contacts("cy@contoso.com")
        if one["contact"]["displayName"] == "Cleo"
    ]
    assert copy["jobTitle"] is None
    taken = laptop.run("restore", HUB, "--spoke", "ann", "--take-back", "-o", "json")
    assert json.loads(taken.stdout) == [item]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "name items"),
        (("one", "--spoke", "ann"), "name items"),
        (("--spoke", "ann"), "--to"),
        (("one", "--take-back", "--dry-run"), "--take-back"),
        (("one", "--to", "yesterday"), "2026-11-23T14:00Z"),
        (("one", "--take-back", "--to", "2026-11-23"), "--take-back"),
        (("one", "--values"), "--to"),
        (("nobody",), "item nobody"),
        (("nobody", "--to", "2026-01-01"), "hub staff, item nobody: what it was at 2026-01-01"),
        (("--spoke", "zoe", "--to", "2026-01-01"), "spoke zoe"),
    ],
)
def test_wrong_options_are_refused_with_what_to_write(
    laptop: Laptop, options: tuple[str, ...], why: str
) -> None:
    ran = laptop.run("restore", "staff", *options)
    assert (ran.exit_code, why in ran.output) == (2, True), ran.output


def test_a_pass_under_way_is_waited_for(laptop: Laptop) -> None:
    item = deletions(laptop)[0]["item"]
    store = laptop.store()
    (uid,) = store.hubs()
    hub = store.hub(uid)
    hub.acquire()
    ran = laptop.run("restore", "staff", item, "--wait", "1s")
    assert ran.exit_code == 1, ran.output
    hub.release()
    store.close()
    assert laptop.run("restore", "staff", item).exit_code == 0
