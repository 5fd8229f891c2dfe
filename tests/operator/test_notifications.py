"""The endpoint of change notifications, over real sockets and TLS."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import trustme
from click.testing import CliRunner
from yarl import URL

from cirahub_operator import notifications
from cirahub_operator.cli.operator import command
from cirahub_operator.errors import OperatorError
from cirahub_operator.metrics import Metrics
from cirahub_operator.notifications import LARGEST_BODY, MOST, Listener
from cirahub_operator.settings import Notifications
from cirahub_sync.errors import StoreError
from cirahub_sync.notifications import Heard, Notification

SECRET = "s3cr3t-of-a-subscription"
KNOWN = "c6126aa3-0ed8-412f-a988-71e6cee627c4"
CHANGE = {
    "subscriptionId": KNOWN,
    "subscriptionExpirationDateTime": "2026-12-02T03:12:18.2257768+00:00",
    "changeType": "created",
    "resource": "Users/622eaaff/Contacts/AAMkAGUwNjQ4ZjIxAAA=",
    "resourceData": {"@odata.type": "#Microsoft.Graph.Contact", "id": "AAMkAGUwNjQ4ZjIxAAA="},
    "clientState": SECRET,
    "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
}


@dataclass
class Room:
    """Records what it is told; knows one subscription of one hub."""

    taken: list[Notification] = field(default_factory=list)
    error: StoreError | None = None

    def heard(self, notifications: Sequence[Notification]) -> Heard:
        if self.error is not None:
            raise self.error
        known = [n for n in notifications if (n.subscription, n.client_state) == (KNOWN, SECRET)]
        self.taken += known
        hubs = frozenset(("team/staff",)) if known else frozenset()
        return Heard(hubs, len(known), len(notifications) - len(known))


class Authority:
    """Certificates for 127.0.0.1, in two files."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.certificate = folder / "tls.crt"
        self.private_key = folder / "tls.key"
        self.issue()

    def issue(self) -> str:
        """Another one; its PEM."""
        made = self._authority.issue_cert("127.0.0.1")
        chain = [one.bytes() for one in made.cert_chain_pems]
        self.private_key.write_bytes(made.private_key_pem.bytes())
        self.certificate.write_bytes(b"".join(chain))
        return chain[0].decode()

    @property
    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context


@dataclass
class Served:
    listener: Listener
    session: aiohttp.ClientSession
    url: URL
    room: Room
    metrics: Metrics
    told: list[frozenset[str]]

    async def post(
        self, body: object = None, query: str = "", **keywords: Any
    ) -> tuple[int, str, dict[str, str]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = URL(f"{self.url}{query}", encoded=True)
        async with self.session.post(url, data=raw, **keywords) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def status(self, body: object, query: str = "") -> int:
        return (await self.post(body, query))[0]

    def count(self, result: str) -> float:
        value = self.metrics.registry.get_sample_value(
            "cirahub_notifications_total", {"result": result}
        )
        return value or 0.0


Serve = Callable[..., Any]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def serve(authority: Authority) -> Serve:
    @asynccontextmanager
    async def serving(**changes: Any) -> AsyncIterator[Served]:
        settings = Notifications(
            url="https://hub.example/graph/notifications",
            port=0,
            certificate=authority.certificate,
            private_key=authority.private_key,
            certificate_look=0.02,
        )
        settings = replace(settings, **changes)
        room, metrics, told = Room(), Metrics(), list[frozenset[str]]()
        listener = Listener(
            settings, host="127.0.0.1", mailroom=room, metrics=metrics, told=told.append
        )
        await listener.start()
        try:
            scheme = "https" if settings.certificate else "http"
            url = URL(f"{scheme}://127.0.0.1:{listener.port}/graph/notifications")
            connector = aiohttp.TCPConnector(ssl=authority.trust)
            async with aiohttp.ClientSession(connector=connector) as session:
                yield Served(listener, session, url, room, metrics, told)
        finally:
            await listener.stop()

    return serving


async def test_what_proves_itself_is_recorded_told_and_accepted(serve: Serve) -> None:
    async with serve() as served:
        lifecycle = {k: v for k, v in CHANGE.items() if not k.startswith(("change", "resource"))}
        body = {"value": [CHANGE, lifecycle | {"lifecycleEvent": "subscriptionRemoved"}]}
        assert await served.status(body) == 202
        assert [one.lifecycle for one in served.room.taken] == ["", "subscriptionRemoved"]
        assert served.told == [frozenset(("team/staff",))]
        assert served.count("accepted") == 2


async def test_a_guesser_learns_nothing_and_wakes_nobody(serve: Serve) -> None:
    async with serve() as served:
        right = await served.post({"value": [CHANGE]})
        guesses = [
            CHANGE | {"clientState": "guessed"},
            CHANGE | {"clientState": None},
            CHANGE | {"subscriptionId": "guessed"},
        ]
        answers = [await served.post({"value": [one]}) for one in guesses]
        dates = ("Date",)
        plain = [{k: v for k, v in one[2].items() if k not in dates} for one in (right, *answers)]
        assert {one[:2] for one in (right, *answers)} == {(202, "")}
        assert plain == [plain[0]] * 4
        assert served.count("unknown") == 3
        assert len(served.told) == len(served.room.taken) == 1


async def test_an_event_that_is_not_known_yet_is_taken_for_missed(serve: Serve) -> None:
    async with serve() as served:
        assert await served.status({"value": [CHANGE | {"lifecycleEvent": "reborn"}]}) == 202
        assert [one.lifecycle for one in served.room.taken] == ["missed"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b'{"value": 1}',
        b'{"value": [1]}',
        b'{"value": [{"clientState": "x"}]}',
        b'{"value": [{"subscriptionId": 5}]}',
        b'{"value": [{"subscriptionId": "\xff"}]}',
        b'{"value": ' + b"[" * 5000,
        json.dumps({"value": [CHANGE] * (MOST + 1)}).encode(),
    ],
)
async def test_what_is_no_collection_of_notifications_is_refused(serve: Serve, body: bytes) -> None:
    async with serve() as served:
        assert await served.status(body) == 400
        assert served.room.taken == []
        assert served.count("malformed") == 1


async def test_what_is_too_large_is_refused_before_it_is_read(serve: Serve) -> None:
    async with serve() as served:
        announced = f"Content-Length: {LARGEST_BODY + 1}\r\n\r\n".encode()
        assert b" 413 " in await _spoken(served, _HEAD + announced)
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        pieces = b"Transfer-Encoding: chunked\r\n\r\n" + piece * (LARGEST_BODY // 65536 + 1)
        assert b" 413 " in await _spoken(served, _HEAD + pieces)
        assert served.count("malformed") == 2


async def test_what_is_compressed_is_not_unpacked(serve: Serve) -> None:
    async with serve() as served:
        answer = await served.post(b"\x1f\x8b" + b"x" * 100, headers={"Content-Encoding": "gzip"})
        assert answer[0] == 400


async def test_what_cannot_be_recorded_is_asked_for_again_and_said_once(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve() as served:
        served.room.error = StoreError("the database is away")
        assert await served.status({"value": [CHANGE]}) == 503
        assert await served.status({"value": [CHANGE]}) == 503
        assert caplog.text.count("the database is away") == 1
        served.room.error = None
        assert await served.status({"value": [CHANGE]}) == 202
        assert (served.count("failed"), served.count("accepted")) == (2, 1)


async def test_the_handshake_answers_the_decoded_token_as_plain_text(serve: Serve) -> None:
    token = "Validation: Testing client application reachability for Request-Id: 1+2/3=&ä"
    async with serve() as served:
        for encoded in (quote(token, safe=""), quote(token, safe="").replace("%20", "+")):
            status, body, headers = await served.post(b"", f"?validationToken={encoded}")
            assert (status, body) == (200, token)
            assert headers["Content-Type"] == "text/plain; charset=utf-8"
            assert headers["X-Content-Type-Options"] == "nosniff"
        assert served.count("validation") == 2


@pytest.mark.parametrize(
    "query",
    [
        "?validationToken=",
        "?validationToken=" + "x" * 4097,
        "?validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "?validationToken=a%0D%0ASet-Cookie%3A%20a%3Db",
        "?validationToken=a&validationToken=b",
    ],
)
async def test_what_is_no_token_is_not_answered(serve: Serve, query: str) -> None:
    async with serve() as served:
        status, body, _ = await served.post(b"", query)
        assert (status, body) == (400, "")


async def test_nothing_else_is_served(serve: Serve) -> None:
    async with serve() as served:
        async with served.session.get(served.url) as answer:
            assert answer.status == 405
        for path in ("/", "/metrics", "/healthz", "/graph/notifications/x"):
            async with served.session.post(served.url.with_path(path)) as answer:
                assert (answer.status, await answer.text()) == (404, "")
        assert answer.headers["Server"] == "cirahub"


async def test_no_word_of_a_stranger_is_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    async with serve() as served:
        await served.post({"value": [CHANGE | {"resource": "stranger-1"}]})
        await served.post(b'{"value": ["stranger-2"]}')
        await served.post(b"", "?validationToken=stranger-3")
        await served.post(b"", "?x=stranger-4", headers={"User-Agent": "stranger-5"})
        assert b" 400 " in await _spoken(served, b"stranger-6 stranger-7 stranger-8\r\n\r\n")
    assert "stranger" not in caplog.text
    assert SECRET not in caplog.text


async def test_it_speaks_no_plain_http_and_no_old_tls(serve: Serve) -> None:
    async with serve() as served:
        with pytest.raises(aiohttp.ClientError):
            await served.session.post(served.url.with_scheme("http"))
        old = _trusting_all()
        with pytest.warns(DeprecationWarning, match="deprecated"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", served.listener.port, ssl=old)


async def test_it_speaks_plain_http_behind_an_ingress_that_ends_tls(serve: Serve) -> None:
    async with serve(certificate=None, private_key=None) as served:
        assert await served.status({"value": [CHANGE]}) == 202


async def test_a_new_certificate_is_used_without_a_restart(
    serve: Serve, authority: Authority
) -> None:
    async with serve() as served:
        before = await _shown(served)
        issued = authority.issue()
        for _ in range(1000):
            if (now := await _shown(served)) != before:
                break
        assert now == ssl.PEM_cert_to_DER_cert(issued)
        assert await served.status({"value": [CHANGE]}) == 202


async def test_a_certificate_that_does_not_fit_its_key_is_not_used(
    serve: Serve, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve() as served:
        before = await _shown(served)
        authority.private_key.write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes())
        for _ in range(1000):
            assert await _shown(served) == before
            if "goes on being used" in caplog.text:
                break
        assert "goes on being used" in caplog.text
        assert await _shown(served) == before


async def test_it_does_not_start_without_a_certificate_or_a_free_port(
    serve: Serve, authority: Authority, tmp_path: Path
) -> None:
    with pytest.raises(OperatorError, match="--notifications-certificate"):
        async with serve(certificate=tmp_path / "nothing.pem"):
            pass
    authority.certificate.write_text("nothing")
    with pytest.raises(OperatorError, match="no certificate with its key"):
        async with serve():
            pass
    authority.issue()
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OperatorError, match="--notifications-port"),
    ):
        async with serve(port=taken.getsockname()[1]):
            pass


async def test_who_connects_and_says_nothing_is_let_go(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "PATIENCE", 0.05)
    async with serve() as served:
        assert await _spoken(served, b"POST /graph/notif") == b""


async def test_only_so_many_connect_at_a_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MOST_CONNECTIONS", 1)
    async with serve() as served:
        assert await served.status({"value": [CHANGE]}) == 202
        assert await _spoken(served, b"GET / HTTP/1.0\r\n\r\n") == b""
        assert await served.status({"value": [CHANGE]}) == 202


_HEAD = b"POST /graph/notifications HTTP/1.1\r\nHost: x\r\n"


async def _spoken(served: Served, said: bytes) -> bytes:
    """What is answered on a new connection until it is closed; nothing if it is torn."""
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.listener.port, ssl=_trusting_all()
        )
        writer.write(said)
        answer = await reader.read()
    except (ConnectionError, ssl.SSLError):
        return b""
    writer.transport.abort()
    return answer


URL_OPTION = "--notifications-url=https://hub.example/x"
PAIR = ("--notifications-certificate=tls.crt", "--notifications-key=tls.key")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--notifications-url=http://hub.example/",), "is no https URL"),
        (("--notifications-url=https:///x",), "is no https URL"),
        (("--notifications-url=https://hub.example/?a=b",), "without user, query and fragment"),
        ((URL_OPTION,), "--notifications-plain where TLS ends"),
        ((URL_OPTION, PAIR[0]), "--notifications-plain where TLS ends"),
        ((URL_OPTION, *PAIR, "--notifications-plain"), "leave one of them out"),
        (("--notifications-plain",), "add it, or leave out"),
        (PAIR, "add it, or leave out"),
    ],
)
def test_options_that_do_not_go_together_are_told(arguments: Sequence[str], told: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


async def _shown(served: Served) -> bytes:
    """The certificate that a new connection is shown."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", served.listener.port, ssl=_trusting_all()
    )
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    await reader.read()
    writer.close()
    return bytes(shown)


def _trusting_all() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
