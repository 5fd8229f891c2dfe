"""A pass over unchanged spokes: no writes, and one request per contributor (invariants 1 and 7)."""

from __future__ import annotations

import sys

import pytest

from cirahub_sync.configuration import Condition, Direction, Filter, Flow, Operator

from .conftest import Scene

pytestmark = pytest.mark.every_database


def _rows(scene: Scene) -> list[tuple[object, ...]]:
    rows = scene.keep.rows
    return [
        *rows("select id, seq, content from items order by id"),
        *rows("select remote, etag, content, own from shadows order by remote"),
        *rows("select remote, etag, delivered_seq from replicas order by remote"),
    ]


@pytest.fixture
async def quiet(scene: Scene) -> Scene:
    """Three contributors and four receivers, in sync."""
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.TWO_WAY)
    for name in ("dee", "eve", "flo", "gus"):
        scene.connect(name, Direction.RECEIVE)
    for name in ("ada", "ben", "cy"):
        for number in range(12):
            scene.add(
                name,
                displayName=f"{name} {number}",
                email=f"{name}{number}@example.org",
                businessPhones=["(425) 555-0101", "+44 (0)20 7946 0018"],
                birthday="1980-02-29T00:00:00Z",
            )
    await scene.settle()
    return scene


async def test_a_second_pass_writes_nothing_anywhere(quiet: Scene) -> None:
    before = _rows(quiet)
    quiet.forget()
    report = await quiet.sync()
    assert quiet.writes() == []
    assert report.written == 0
    assert _rows(quiet) == before


async def test_a_no_op_pass_costs_one_delta_request_per_contributor_and_none_per_receiver(
    quiet: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet.forget()
    await quiet.sync()
    requests = quiet.requests()
    with capsys.disabled():
        lines = [f"  {entry['method']} …/{entry['path'].split('/')[-1]}" for entry in requests]
        sys.stdout.write(
            "\nrequests of a no-op pass over 3 contributors and 4 receivers:\n"
            + "\n".join(lines)
            + "\n"
        )
    assert len(requests) == 3
    assert all("delta" in entry["path"] for entry in requests)


async def test_after_a_restart_a_no_op_pass_costs_the_same(quiet: Scene) -> None:
    await quiet.restart()
    quiet.forget()
    await quiet.sync()
    assert len(quiet.requests()) == 3


async def test_the_verification_of_a_receiver_costs_one_request_and_writes_nothing(
    quiet: Scene,
) -> None:
    await quiet.sync()
    quiet.advance(2 * 86_400)
    await quiet.sync()
    quiet.advance(2 * 86_400)
    quiet.forget()
    await quiet.sync()
    assert len(quiet.requests()) == 7
    assert quiet.writes() == []


async def test_a_receiver_whose_filter_changes_but_admits_the_same_is_not_written_to(
    quiet: Scene,
) -> None:
    """Everything is judged anew, and everything is found to be there already."""
    everybody = Filter(all=(Condition("displayName", Operator.EXISTS),))
    for name in ("dee", "eve"):
        quiet.connect(name, Direction.RECEIVE, receives=Flow(filter=everybody))
    quiet.connect("cy", Direction.TWO_WAY, receives=Flow(filter=everybody))
    quiet.forget()
    await quiet.sync(2)
    assert quiet.writes() == []
