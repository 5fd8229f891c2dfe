"""The judge itself: it passes what the contract has, and sees what breaks it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract import graph
from tests.contract.graph import Contract, Exchange, read_recording

JSON = {"content-type": "application/json;odata.metadata=minimal"}
CONTACTS = "/v1.0/users/u/contactFolders/f/contacts"


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The published contract."""
    found = Contract.find()
    if found is None:
        pytest.skip("contracts/graph-v1.0.yaml of the shared folder is not here")
    return found


def exchange(body: object, *, status: int = 200, method: str = "GET", **more: str) -> Exchange:
    """An exchange over a folder's contacts."""
    return Exchange(
        method=method,
        path=more.pop("path", CONTACTS),
        status=status,
        headers=JSON,
        body=json.dumps(body),
        **more,
    )


@pytest.mark.parametrize(
    "path",
    [
        CONTACTS,
        f"{CONTACTS}/delta",
        f"{CONTACTS}/delta()",
        "/users/u/contactFolders/f/childFolders/g/contacts/delta",
        "/users/u/contactFolders/f/childFolders/g/childFolders/h/childFolders/i/contacts",
        "/users/u/calendars/c/events",
        "/users/u/calendar/events/delta",
        "/users/u/calendar/events/e/instances",
        "/users('u')/contactfolders('f')/contacts/microsoft.graph.delta()",
    ],
)
def test_right_answers_pass(contract: Contract, path: str) -> None:
    page = {"value": [{"id": "1", "birthday": "1980-01-01T00:00:00Z", "title": None}]}
    assert contract.problems(exchange(page, path=path)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        exchange({}),
        exchange({"value": [{"givenName": 5}]}),
        exchange({"value": [{"birthday": "1980-01-01"}]}),
        exchange({"value": [{"emailAddresses": ["a"]}]}),
        exchange({"value": []}, path="/users/u/nothing"),
        exchange({"value": []}, query="$levels=3"),
        exchange({"error": "x"}, status=404),
        exchange({"error": {"code": "x"}}, status=404),
        exchange({"id": "1"}, status=201, method="POST", request_body='{"givenName":1}'),
        Exchange(method="GET", path=CONTACTS, status=200, body='{"value":[]}'),
        Exchange(method="GET", path=CONTACTS, status=200, headers=JSON),
        Exchange(method="GET", path=CONTACTS, status=200, headers=JSON, body="{"),
        Exchange(
            method="DELETE", path=f"{CONTACTS}/c", status=204, headers=JSON, body='{"id":"1"}'
        ),
        exchange(
            {"responses": [{"id": "1", "status": 200, "headers": JSON, "body": {"value": 1}}]},
            path="/$batch",
            method="POST",
            request_body='{"requests":[{"id":"1","method":"GET","url":"/users/u/contacts"}]}',
        ),
        exchange(
            {"responses": [{"id": "2", "status": 204}]},
            path="/$batch",
            method="POST",
            request_body='{"requests":[{"id":"1","method":"GET","url":"/users/u/contacts"}]}',
        ),
    ],
)
def test_wrong_ones_do_not(contract: Contract, wrong: Exchange) -> None:
    right = exchange({"value": [{"givenName": "a"}]})
    assert contract.problems(right) == []
    assert contract.problems(wrong) != []
    with pytest.raises(AssertionError):
        contract.check(wrong)


def judge(*named: Path) -> subprocess.CompletedProcess[str]:
    """As CI does."""
    command = [sys.executable, graph.__file__, *map(str, named)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_recordings_are_judged_line_by_line(contract: Contract, tmp_path: Path) -> None:
    assert contract is not None
    recording, other = tmp_path / "recording.jsonl", tmp_path / "other.jsonl"
    good = {"method": "GET", "path": CONTACTS, "query": "", "status": 200, "headers": JSON}
    lines = [good | {"body": '{"value":[]}'}, good | {"body": {"value": []}, "fault": None}]
    recording.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(list(read_recording(recording))) == 2
    assert judge(recording).returncode == 0
    with recording.open("a") as more:
        more.write(json.dumps(good | {"body": "{}"}) + "\n")
        more.write(json.dumps(good | {"body": '{"val', "fault": "1"}) + "\n")
        more.write(json.dumps(good | {"status": 0, "body": ""}) + "\n")
    other.write_text(json.dumps(good | {"body": "[]"}) + "\n")
    judged = judge(tmp_path)
    assert judged.returncode == 1
    assert "held against 1 operations, parts of batches one by one: 5\n" in judged.stdout
    assert "6 exchanges over Graph, 2 problems" in judged.stdout
