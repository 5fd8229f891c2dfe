"""That reading the audit log finds what the tests of the rules are about."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from cirahub_operator.permissions import Rule

from .audit import Entry, entries, refused, uncovered, unused

READ = Rule(
    key="read",
    group="",
    resources=("secrets",),
    verbs=("get",),
    names=("ours",),
    why="To read.",
    without="Nothing.",
)
SEEN = Entry("get", "", "secrets", "team", "ours", 200)


def test_a_refusal_is_found() -> None:
    assert refused([SEEN, replace(SEEN, code=403)]) == [replace(SEEN, code=403)]


def test_a_request_that_no_rule_admits_is_found() -> None:
    another = replace(SEEN, name="theirs")
    wider = replace(SEEN, verb="list", name="")
    asking = replace(SEEN, verb="create", resource="selfsubjectaccessreviews", name="")
    discovery = replace(SEEN, resource="", name="")
    assert uncovered([SEEN, another, wider, asking, discovery], [READ]) == {another, wider}


def test_a_rule_that_nobody_needed_is_found() -> None:
    wider = replace(READ, verbs=("get", "list"), names=())
    assert unused([SEEN], [READ]) == []
    assert unused([SEEN], [wider]) == ["read: list secrets"]


def test_only_what_one_user_did_is_read(tmp_path: Path) -> None:
    def event(user: str) -> str:
        what = {"resource": "hubs", "subresource": "status", "apiGroup": "cirahub.io", "name": "a"}
        made = {
            "verb": "patch",
            "user": {"username": user},
            "objectRef": {**what, "namespace": "team"},
            "responseStatus": {"code": 200},
        }
        return json.dumps(made)

    log = tmp_path / "audit.jsonl"
    log.write_text("\n".join(map(event, ("admin", "operator", "admin"))))
    found = list(entries(log, "operator"))
    assert found == [Entry("patch", "cirahub.io", "hubs/status", "team", "a", 200)]
