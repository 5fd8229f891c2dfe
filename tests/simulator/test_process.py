"""`cirahub simulate` as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import msal  # type: ignore[import-untyped]
import pytest
import requests

from cirahub_simulator.process import SimulatorFailedError, SimulatorProcess
from cirahub_simulator.seed.generate import CIRAHUB

from .conftest import ANNA, GRAPH_SCOPE


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cirahub_simulator", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def token_from(sim: SimulatorProcess) -> str:
    application = msal.ConfidentialClientApplication(
        CIRAHUB,
        client_credential="simulated-contoso-secret",
        authority=f"{sim.endpoints.entra}/contoso.example",
        instance_discovery=False,
        verify=sim.endpoints.ca_file,
    )
    return str(application.acquire_token_for_client([GRAPH_SCOPE])["access_token"])


def test_every_exchange_is_recorded_with_the_parts_of_batches(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    with SimulatorProcess("--record", str(record), "--people-folder", "x") as sim:
        headers = {"Authorization": f"Bearer {token_from(sim)}"}
        contact = {"givenName": "Zoë"}
        answer = requests.post(
            f"{sim.endpoints.graph}/v1.0/$batch",
            json={
                "requests": [
                    {
                        "id": "1",
                        "method": "POST",
                        "url": f"/users/{ANNA}/contacts",
                        "headers": {"Content-Type": "application/json"},
                        "body": contact,
                    }
                ]
            },
            headers=headers,
            verify=sim.endpoints.ca_file,
            timeout=30,
        )
        assert answer.status_code == 200

    lines: list[dict[str, Any]] = [json.loads(line) for line in record.read_text().splitlines()]
    part, whole = lines
    assert (part["method"], part["path"], part["status"]) == (
        "POST",
        f"/users/{ANNA}/contacts",
        201,
    )
    assert json.loads(part["request_body"]) == contact
    assert json.loads(part["body"])["givenName"] == "Zoë"
    assert part["batch"] == whole["headers"]["request-id"]
    assert whole["path"] == "/$batch"
    assert whole["query"] == ""
    assert "authorization" not in whole["request_headers"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    endpoints = tmp_path / "endpoints.json"
    with subprocess.Popen(
        [sys.executable, "-m", "cirahub_simulator", "--endpoints-file", str(endpoints)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Ready"):
                break
        found = json.loads(endpoints.read_text())
        process.send_signal(number)

        assert process.wait() == 0

    assert found["origins"].keys() == {
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://outlook.office365.com",
        "https://mail.adatum.example",
        "https://contoso-cirahub.vault.azure.net",
        "https://fabrikam-cirahub.vault.azure.net",
        "https://northwind-cirahub.vault.azure.net",
    }
    assert not endpoints.exists()
    assert not Path(found["ca_file"]).exists()


def test_it_goes_when_its_parent_closes_its_input() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cirahub_simulator", "--stop-with-stdin", "--empty"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait() == 0


def test_ports_and_files_can_be_fixed(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ca = tmp_path / "ca.pem"

    with SimulatorProcess("--admin-port", str(port), "--ca-file", str(ca), "--empty") as sim:
        assert sim.endpoints.admin == f"http://127.0.0.1:{port}"
        assert ca.read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_a_port_that_is_taken_fails_with_a_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run("--empty", "--graph-port", str(port))

    assert done.returncode == 1
    assert "address already in use" in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_wrong_options_exit_with_2() -> None:
    assert run("--switch", "nothing=1").returncode == 2
    assert run("--vault-port", "nonsense").returncode == 2
    assert run("--seed", "/does/not/exist").returncode == 2


def test_a_seed_that_cannot_be_loaded_exits_with_1(tmp_path: Path) -> None:
    seed = tmp_path / "seed.jsonl"
    seed.write_text('{"kind":"planet"}\n')

    done = run("--seed", str(seed))

    assert done.returncode == 1
    assert "seed.jsonl, line 1" in done.stderr


def test_a_failed_start_says_what_the_simulator_wrote() -> None:
    with pytest.raises(SimulatorFailedError, match="no switch 'nothing'"):
        SimulatorProcess("--switch", "nothing=1").start()


def test_switches_are_listed_and_set() -> None:
    listed = run("--list-switches")
    assert 'throttle_code="ApplicationThrottled"' in listed.stdout

    with SimulatorProcess("--empty", "--switch", "throttle_code=TooManyRequests") as sim:
        assert sim.admin.call("GET", "/switches")["throttle_code"] == "TooManyRequests"
