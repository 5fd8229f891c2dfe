"""The judge of deliveries: it passes what the documents show, and sees what breaks it."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.contract.notifications import main, problems

CHANGE: dict[str, Any] = {
    "id": "lsgTZMr9KwAAA",
    "subscriptionId": "c6126aa3-0ed8-412f-a988-71e6cee627c4",
    "subscriptionExpirationDateTime": "2022-01-02T03:12:18.2257768+05:30",
    "changeType": "created",
    "resource": "Users/622eaaff-0683-4862-9de4-f2ec83c2bd98/Contacts/AAMkAGUwNjQ4ZjIxAAA=",
    "resourceData": {
        "@odata.type": "#Microsoft.Graph.Contact",
        "@odata.id": "Users/622eaaff-0683-4862-9de4-f2ec83c2bd98/Contacts/AAMkAGUwNjQ4ZjIxAAA=",
        "@odata.etag": 'W/"CQAAABYAAACQ2fKdhq8oSKEDSVrdi3lRAAGDUUXn"',
        "id": "AAMkAGUwNjQ4ZjIxAAA=",
    },
    "clientState": "secretClientState",
    "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
}
LIFECYCLE = {
    "subscriptionId": CHANGE["subscriptionId"],
    "subscriptionExpirationDateTime": "2019-03-20T11:00:00.0000000Z",
    "tenantId": CHANGE["tenantId"],
    "clientState": "secretClientState",
    "lifecycleEvent": "missed",
}


def test_what_the_documents_show_passes() -> None:
    assert problems(json.dumps({"value": [CHANGE, LIFECYCLE]})) == []


@pytest.mark.parametrize(
    ("whose", "name", "value"),
    [
        (CHANGE, "changeType", "moved"),
        (CHANGE, "subscriptionId", "mine"),
        (CHANGE, "subscriptionExpirationDateTime", "tomorrow"),
        (CHANGE, "tenantId", None),
        (CHANGE, "resourceData", {"id": "x"}),
        (CHANGE, "subject", "Lunch"),
        (LIFECYCLE, "lifecycleEvent", "ended"),
        (LIFECYCLE, "resource", "Users/x"),
    ],
)
def test_what_they_do_not_is_seen(whose: dict[str, Any], name: str, value: object) -> None:
    wrong = deepcopy(whose) | {name: value}
    assert problems(json.dumps({"value": [CHANGE, wrong]})) != []


def test_recordings_are_judged_by_their_deliveries_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"service": "notification", "request_body": json.dumps({"value": [CHANGE]})}
    other = {"service": "graph", "request_body": "no notification"}
    recording = tmp_path / "one.jsonl"

    def write(*lines: object) -> None:
        recording.write_text("".join(json.dumps(x, separators=(",", ":")) + "\n" for x in lines))

    write(good, other)
    assert main([str(tmp_path)]) == 0
    assert "1 deliveries of notifications, 0 problems" in capsys.readouterr().out
    write(good, other, good | {"request_body": "{}"})
    assert main([str(tmp_path)]) == 1
