"""A server elsewhere proves who it is by its certificate, before it is told a password or a token.

The tests' server speaks no TLS, so that a door before it does, as PostgreSQL itself would: it
answers the client's request for TLS and passes on what it then reads (PostgreSQL's documentation,
"Frontend/Backend Protocol", "SSL Session Encryption").
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import trustme
from tests.keeps import PostgreSQLKeep

from cirahub_sync.errors import StoreError
from cirahub_sync.store.opening import Store

from .conftest import SECRET, told

HOST = "db.example"
SSL_REQUEST = struct.pack("!II", 8, 80877103)


class Door:
    """At a port of this machine, leading to the server's socket."""

    def __init__(self, behind: Path, certificate: trustme.LeafCert | None) -> None:
        self._behind = str(behind)
        self._tls = None
        if certificate is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(self._tls)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.passed = bytearray()
        """What clients said after the handshake."""
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._let_in, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _let_in(self, client: socket.socket) -> None:
        # Whoever does not like a certificate goes without a word.
        with client, suppress(OSError):
            if client.recv(len(SSL_REQUEST), socket.MSG_WAITALL) != SSL_REQUEST:
                return
            if self._tls is None:
                client.sendall(b"N")
                self.passed += client.recv(65536)
                return
            client.sendall(b"S")
            with (
                self._tls.wrap_socket(client, server_side=True) as inside,
                socket.socket(socket.AF_UNIX) as server,
            ):
                server.connect(self._behind)
                self._pass_on(inside, server)

    def _pass_on(self, client: ssl.SSLSocket, server: socket.socket) -> None:
        def back() -> None:
            with suppress(OSError):
                while answer := server.recv(65536):
                    client.sendall(answer)

        answering = threading.Thread(target=back, daemon=True)
        answering.start()
        try:
            while asked := client.recv(65536):
                self.passed += asked
                server.sendall(asked)
        finally:
            server.shutdown(socket.SHUT_RDWR)
            answering.join()


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    return made


def url(name: str, door: Door, trusted: Path) -> str:
    query = f"hostaddr=127.0.0.1&sslrootcert={trusted}"
    return f"postgresql://{name}:{SECRET}@{HOST}:{door.port}/{name}?{query}"


@pytest.mark.only_database("postgresql")
def test_a_server_that_is_vouched_for_by_its_name_is_logged_in_to(
    tenant: PostgreSQLKeep, authority: trustme.CA, tmp_path: Path, key_file: Path
) -> None:
    behind = tenant.server.home / ".s.PGSQL.5432"
    with Door(behind, authority.issue_cert(HOST)) as door:
        store = Store.open(url(tenant.name, door, tmp_path / "ca.crt"), key_file, time.time)
        store.hub("hub-1")
        assert store.hubs() == ["hub-1"]
        store.close()
    assert tenant.name.encode() in door.passed


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        (
            "of another authority",
            "nobody who is trusted vouches for its certificate; name the file",
        ),
        ("of another host", "its certificate is for another host; use the name that is in it"),
        ("none", "it speaks no TLS; set it up there"),
        ("not looked at", "the file of sslrootcert cannot be read"),
    ],
)
def test_a_server_that_proves_nothing_is_told_nothing(
    authority: trustme.CA, tmp_path: Path, key_file: Path, proof: str, why: str
) -> None:
    certificate = {
        "of another authority": trustme.CA().issue_cert(HOST),
        "of another host": authority.issue_cert("other.example"),
        "none": None,
    }.get(proof, authority.issue_cert(HOST))
    trusted = tmp_path / ("no.crt" if proof == "not looked at" else "ca.crt")
    with (
        Door(tmp_path / "nowhere", certificate) as door,
        pytest.raises(StoreError, match=why) as caught,
    ):
        Store.open(url("cirahub", door, trusted), key_file, time.time)
    assert door.passed == b""
    assert SECRET not in told(caught.value)
