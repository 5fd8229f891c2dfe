"""The way in for programs that ask for Microsoft's own names."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest
import requests

from cirahub_simulator.clouds import CLOUDS
from cirahub_simulator.process import EmbeddedSimulator, SimulatorProcess, shipped_world


@pytest.fixture
def session(simulator: EmbeddedSimulator) -> requests.Session:
    found = requests.Session()
    found.proxies = {"http": simulator.endpoints.proxy, "https": simulator.endpoints.proxy}
    found.verify = simulator.endpoints.ca_file
    return found


def spoken(simulator: EmbeddedSimulator, head: bytes) -> bytes:
    """What the proxy answers before it closes."""
    ours = urlsplit(simulator.endpoints.proxy)
    assert ours.hostname is not None
    with socket.create_connection((ours.hostname, ours.port or 0)) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    return answer


def test_well_known_names_lead_to_what_stands_for_them(
    session: requests.Session, simulator: EmbeddedSimulator
) -> None:
    answer = session.get(
        f"{CLOUDS['Global'].authority}/contoso.example/v2.0/.well-known/openid-configuration"
    )
    assert answer.status_code == 200
    assert session.get("https://graph.microsoft.com/v1.0/users").status_code == 401
    for origin in simulator.endpoints.origins:
        assert session.get(origin).status_code < 500


@pytest.mark.parametrize(
    "origin", ["https://example.org", "https://graph.microsoft.com:444", "https://127.0.0.1"]
)
def test_it_leads_nowhere_else(session: requests.Session, origin: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        session.get(origin)


def test_it_makes_tunnels_and_nothing_else(
    session: requests.Session, simulator: EmbeddedSimulator
) -> None:
    answer = session.get("http://graph.microsoft.com/v1.0/users")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "CONNECT")
    assert spoken(simulator, b"CONNECT graph.microsoft.com:443 HTTP/1.1") == b""
    long = b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\nX: " + b"x" * 40_000
    assert spoken(simulator, long).startswith(b"HTTP/1.1 431 ")


def test_a_tunnel_ends_with_the_simulator() -> None:
    with ExitStack() as after:
        with EmbeddedSimulator(shipped_world()) as running:
            ours = urlsplit(running.endpoints.proxy)
            assert ours.hostname is not None
            tunnel = after.enter_context(socket.create_connection((ours.hostname, ours.port or 0)))
            tunnel.sendall(b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n")
            assert b" 200 " in tunnel.recv(4096)
        with suppress(ConnectionResetError):
            assert tunnel.recv(1) == b""


def test_a_program_needs_the_environment_and_no_change() -> None:
    program = (
        "import requests; print(requests.get('https://graph.microsoft.com/v1.0/me').status_code)"
    )
    with SimulatorProcess() as running:
        environment = {
            "HTTPS_PROXY": running.endpoints.proxy,
            "REQUESTS_CA_BUNDLE": running.endpoints.ca_file,
        }
        said = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
    assert said.strip() == "401"
