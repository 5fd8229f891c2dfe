"""The judge of what a test run says: that it would hear, and would tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.silence.canaries import Canaries, gathered
from tests.silence.heard import SAID
from tests.silence.judge import KINDS, judge
from tests.silence.plugin import CHILD

from cirahub_simulator.seed.loader import secrets
from cluster.controlplane import ControlPlane

PERSON = {
    "displayName": "Ottilie Wagner",
    "emailAddresses": [{"address": "Ottilie@private.example", "name": "Ottilie Wagner"}],
    "mobilePhone": "+44 20 7946 0321",
    "personalNotes": "Prefers to be called after six",
}
EVENT = {"subject": "Interview with Ottilie", "attendees": [], "bodyPreview": ""}
XML = (
    "<t:Contact><t:DisplayName>Benedikt Vogel</t:DisplayName><t:EmailAddresses>"
    '<t:Entry Key="EmailAddress1">benedikt@private.example</t:Entry></t:EmailAddresses></t:Contact>'
)
Write = Callable[..., None]


@pytest.fixture
def canaries(tmp_path: Path) -> Canaries:
    recording = tmp_path / "recording.jsonl"
    records = [
        ("/v1.0/users/anna@contoso.example/contacts", json.dumps(PERSON)),
        ("/v1.0/users/anna@contoso.example/events", json.dumps({"value": [EVENT]})),
        ("/v1.0/users", json.dumps({"value": [{"mail": "anna@contoso.example"}]})),
        ("/v1.0/users/anna@contoso.example/contacts", '{"half": '),
        ("/EWS/Exchange.asmx", XML),
    ]
    recording.write_text(
        "".join(
            json.dumps({"path": path, "request_body": "", "body": body}) + "\n"
            for path, body in records
        )
    )
    return gathered([recording], secrets())


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """What a run says: something harmless of each kind, and what it is given."""
    folder = tmp_path / "said"
    folder.mkdir()

    def written(kind: str = "log", text: str = "") -> None:
        lines = [{"kind": one, "text": "cirahub-demo/anna is in sync"} for one in KINDS]
        lines.append({"kind": kind, "text": text})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "1.jsonl").write_text(text)

    return written


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text",
    [
        "no mailbox of ottilie@private.example",
        "not the number +44 20 7946 0321 again",
        "pushed Ottilie Wagner",
        "notes: Prefers to be called after six",
        "Interview with Ottilie could not be copied",
        "benedikt@private.example",
        "Benedikt Vogel",
        "simulated-svc-cirahub-password",
        "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6.eyJhdWQiOiJodHRwczovL2dyYXBo.c2ln",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_what_must_not_be_said_is_found_wherever_it_is(
    canaries: Canaries, write: Write, tmp_path: Path, kind: str, text: str
) -> None:
    write(kind, text)
    lines, problems = judge(tmp_path / "said", canaries)
    assert problems >= 1
    assert f"in a text of kind {kind}" in "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "anna@contoso.example does not exist",  # its Spoke names it
        "Ottilie",
        "called after six",
        "2026-11-29 12:00:01 42 of 7946 0321",
    ],
)
def test_what_manifests_name_and_words_alone_are_nothing(
    canaries: Canaries, write: Write, tmp_path: Path, text: str
) -> None:
    write("log", text)
    assert judge(tmp_path / "said", canaries)[1] == 0


def test_a_run_that_nobody_listened_to_is_no_proof(canaries: Canaries, tmp_path: Path) -> None:
    (tmp_path / "said").mkdir()
    lines, problems = judge(tmp_path / "said", canaries)
    assert problems == len(KINDS)
    assert lines[-1].endswith("there was nothing of: " + ", ".join(KINDS))


def test_processes_that_tests_start_are_heard(tmp_path: Path) -> None:
    program = "import logging; logging.getLogger('azure').warning('%s spoke', 'it'); 1 / 0"
    environment = {**os.environ, SAID: str(tmp_path), "PYTHONPATH": str(CHILD)}
    subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=False
    )
    (heard,) = tmp_path.glob("*.jsonl")
    first, second = map(json.loads, heard.read_text().splitlines())
    assert first == {"kind": "log", "text": "it spoke"}
    assert second["kind"] == "end"
    assert "ZeroDivisionError" in second["text"]


def test_a_process_that_may_write_no_more_goes_on_and_tells_it_later(tmp_path: Path) -> None:
    """A test fills the disk in this way: neither may what listens fail what it listens to, nor may
    something said meanwhile go unheard."""
    code = (
        "import logging, resource as r\n"
        "log, before = logging.getLogger('ours'), r.getrlimit(r.RLIMIT_FSIZE)\n"
        "r.setrlimit(r.RLIMIT_FSIZE, (100, before[1]))\n"
        "for number in range(10): log.warning('%s, on a full disk', number)\n"
        "r.setrlimit(r.RLIMIT_FSIZE, before)\n"
        "log.warning('enlarged')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHILD), SAID: str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    [file] = tmp_path.iterdir()
    heard = [json.loads(line)["text"] for line in file.read_text().splitlines()]
    assert heard == [*(f"{number}, on a full disk" for number in range(10)), "enlarged"]


def test_the_simulator_is_not_heard(tmp_path: Path) -> None:
    """It stands for Microsoft, and knows everything."""
    environment = {**os.environ, SAID: str(tmp_path), "PYTHONPATH": str(CHILD)}
    command = [sys.executable, "-m", "cirahub_simulator", "--help"]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_of_an_object_is_in_the_audit_log(
    own_control_plane: ControlPlane, namespace: str
) -> None:
    """Events and statuses of ours, with what they say."""
    told = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "heard", "namespace": namespace},
        "involvedObject": {"kind": "Hub", "name": "staff", "namespace": namespace},
        "message": "it was said aloud",
    }
    own_control_plane.kubectl("create", "-f", "-", input=json.dumps(told))
    assert own_control_plane.audit_log is not None
    lines = own_control_plane.audit_log.read_text().splitlines()
    entries = [json.loads(line) for line in lines if namespace in line]
    said = [one["requestObject"]["message"] for one in entries if "requestObject" in one]
    assert said == ["it was said aloud"]
