"""A real Radicale behind TLS, and what other servers do otherwise, between it and the client."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import unquote

import trustme
from aiohttp import web
from radicale import config
from radicale.app import Application

from cirahub_simulator.exchange import make_handler
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World
from cirahub_sync.origins import Origins

HOST = "dav.contoso.example"
ORIGIN = f"https://{HOST}"
ACCOUNT = "ada"
PASSWORD = "pä55 wörd:of-the-account"
_RESPONSE = re.compile(rb"<response>.*?</response>", re.DOTALL)
_TOKEN = re.compile(rb"<sync-token>([^<]*)</sync-token>")
_ASKED_TOKEN = re.compile(rb"<d:sync-token>([^<]*)</d:sync-token>")


@dataclass
class Habits:
    """Where servers differ. Each as its source has it."""

    syncs: bool = True
    """Without sync-collection: a report that a server lacks is refused with `supported-report`
    (RFC 3253 3.6)."""
    ctag: bool = True
    """Without Apple's getctag, which no RFC has."""
    tells_etag: bool = True
    """Without an ETag in the answer to a PUT, as RFC 6352 6.3.2.3 has it of a server that stores a
    card otherwise than it came."""
    weak: bool = False
    """With etags that something in between has weakened: nginx does, for what it compresses
    (nginx.org, ngx_http_gzip_module and RFC 9110 8.8.1)."""
    takes_weak: bool = True
    """Without it, If-Match never holds (RFC 9110 13.1.1, of weak etags)."""
    rewrites: Callable[[str], str] | None = None
    """What it makes of a card that comes: developers.google.com/people/carddav says that
    unsupported properties are not kept, RFC 6352 5.1 lets a server add and change some."""
    most: int | None = None
    """How many changes sync-collection tells at once; the rest by 507 (RFC 6578 3.6)."""
    whole_links: bool = False
    """With hrefs that are absolute URLs (RFC 4918 8.3)."""
    prefix: str = ""
    """Hrefs begin with what a proxy in between takes away from paths (RFC 4918 8.3 has them be
    paths of the server's)."""
    sent_on: str = ""
    """Where the well-known path leads to (RFC 6764 5); blank: as Radicale has it."""
    forms: str = ""
    """The versions of vCards in supported-address-data (RFC 6352 6.2.2)."""
    largest: int | None = None
    """max-resource-size (RFC 6352 6.2.3)."""
    read_only: bool = False
    """Writes are refused with need-privileges (RFC 3744 7.1.1)."""
    full: bool = False
    """Creates are refused: there is no room (RFC 4331 6)."""
    before: Callable[[Request], None] | None = None
    """What keeps it busy before it looks at a request, in a thread of that request."""


class Server:
    """With one account, from `start` to `stop`."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.habits = Habits()
        self._directory = tempfile.TemporaryDirectory(prefix="cirahub-radicale-")
        self._root = Path(self._directory.name)
        self.ca_file = self._root / "ca.pem"
        self.password = PASSWORD
        self._listener: asyncio.Server | None = None
        self._web: web.Server | None = None
        self._parts: dict[bytes, tuple[bytes, list[bytes]]] = {}
        self.origins: dict[str, str] = {}
        self.headers: list[dict[str, str]] = []
        """Of every request that came."""

    async def start(self) -> Self:
        users = self._root / "users"
        users.write_text(f"{ACCOUNT}:{self.password}\n")
        configuration = config.load()
        configuration.update(
            {
                "auth": {
                    "type": "htpasswd",
                    "htpasswd_filename": str(users),
                    "htpasswd_encryption": "plain",
                    "delay": "0",
                },
                "storage": {"filesystem_folder": str(self._root)},
                "logging": {"level": "critical"},
            },
            "tests",
        )
        self._application = Application(configuration)
        authority = trustme.CA()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        authority.cert_pem.write_to_path(self.ca_file)
        handler = make_handler(self.world, cast("Any", "carddav"), "https", self._answer)
        self._web = web.Server(cast("Any", handler), access_log=None)
        self._listener = await asyncio.get_running_loop().create_server(
            self._web, "127.0.0.1", 0, ssl=tls
        )
        port = self._listener.sockets[0].getsockname()[1]
        self.origins = {ORIGIN: f"https://127.0.0.1:{port}"}
        return self

    async def stop(self) -> None:
        if self._listener is not None and self._web is not None:
            self._listener.close()
            await self._web.shutdown(timeout=0.1)
            self._listener = self._web = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *error: object) -> None:
        await self.stop()
        self._directory.cleanup()

    @property
    def trusted(self) -> Origins:
        return Origins(self.origins, str(self.ca_file))

    # What the account's owner does, past HTTP

    def make(self, name: str, path: str) -> Path:
        """An address book, and its folder."""
        folder = self._root / "collection-root" / ACCOUNT / path
        folder.mkdir(parents=True)
        (folder / ".Radicale.props").write_text(
            f'{{"tag": "VADDRESSBOOK", "D:displayname": "{name}"}}'
        )
        return folder

    def books(self) -> list[Path]:
        root = self._root / "collection-root" / ACCOUNT
        return [one.parent for one in sorted(root.glob("*/.Radicale.props"))]

    def forget_tokens(self) -> None:
        for book in self.books():
            shutil.rmtree(book / ".Radicale.cache" / "sync-token", ignore_errors=True)

    # On the way

    def _answer(self, request: Request) -> Awaitable[Response]:
        return asyncio.to_thread(self._through, request)

    def _through(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        habits, body, headers = self.habits, request.body, dict(request.headers)
        if habits.before is not None:
            habits.before(request)
        asked = _ASKED_TOKEN.search(body) if b"<d:sync-collection" in body else None
        if habits.sent_on and request.path == "/.well-known/carddav":
            return Response(301, {"Location": habits.sent_on})
        if asked is not None and not habits.syncs:
            return _condition(403, "supported-report")
        if request.method in ("PUT", "DELETE") and habits.read_only:
            return _condition(403, "need-privileges")
        if request.method == "PUT" and habits.full:
            return _condition(507, "quota-not-exceeded")
        if habits.weak and "if-match" in headers:
            if not habits.takes_weak:
                return Response(412)
            if headers["if-match"].startswith("W/"):
                return Response(412)
        if request.method == "PUT" and habits.rewrites is not None:
            body = habits.rewrites(body.decode()).encode()
        if asked is not None and asked[1] in self._parts:
            return self._part(*self._parts.pop(asked[1]))
        answer = self._radicale(request, headers, body)
        if request.method == "PUT":
            if not habits.tells_etag:
                answer.headers.pop("ETag", None)
            answer.body = answer.body or b"done\n"  # something that can be cut off
        if asked is not None and habits.most is not None and answer.status == 207:
            token = _TOKEN.search(answer.body)
            assert token is not None
            return self._part(token[1], _RESPONSE.findall(answer.body))
        if not habits.ctag:
            answer.body = answer.body.replace(b"getctag", b"nothing")
        if habits.prefix:
            answer.body = answer.body.replace(b"<href>/", f"<href>{habits.prefix}/".encode())
        if habits.whole_links:
            answer.body = answer.body.replace(b"<href>/", f"<href>{ORIGIN}/".encode())
        if habits.weak:
            answer.body = re.sub(rb'(<getetag>)("|&quot;)', rb"\1W/\2", answer.body)
            if "ETag" in answer.headers:
                answer.headers["ETag"] = f"W/{answer.headers['ETag']}"
        if b"supported-address-data" in body and (habits.forms or habits.largest):
            return self._terms(request)
        return answer

    def _radicale(self, request: Request, headers: dict[str, str], body: bytes) -> Response:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote(request.path),
            "SCRIPT_NAME": "",
            "QUERY_STRING": request.query,
            "CONTENT_TYPE": headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": HOST,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }
        for name, value in headers.items():
            if name not in ("content-type", "content-length", "accept-encoding"):
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        told: list[Any] = []

        def start(status: str, fields: Iterable[tuple[str, str]], *_: object) -> None:
            told[:] = [int(status.partition(" ")[0]), dict(fields)]

        pieces = b"".join(self._application(environ, cast("Any", start)))
        fields = {name: value for name, value in told[1].items() if name != "Content-Length"}
        return Response(told[0], fields, pieces)

    def _part(self, token: bytes, found: list[bytes]) -> Response:
        most = self.habits.most or len(found)
        now, later = found[:most], found[most:]
        if later:
            whole, token = token, b"part-%d-%s" % (len(later), token)
            self._parts[token] = whole, later
            book = f"/{ACCOUNT}/{self.books()[0].name}/".encode()
            now.append(
                b"<response><href>%s</href><status>HTTP/1.1 507 Insufficient Storage</status>"
                b"</response>" % book
            )
        body = b'<?xml version="1.0"?><multistatus xmlns="DAV:">%s<sync-token>%s</sync-token>' % (
            b"".join(now),
            token,
        )
        return Response(207, {"Content-Type": "text/xml"}, body + b"</multistatus>")

    def _terms(self, request: Request) -> Response:
        forms = "".join(
            f'<c:address-data-type content-type="text/vcard" version="{one}"/>'
            for one in self.habits.forms.split()
        )
        largest = self.habits.largest
        size = "" if largest is None else f"<c:max-resource-size>{largest}</c:max-resource-size>"
        body = (
            '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" '
            f'xmlns:c="urn:ietf:params:xml:ns:carddav"><d:response><d:href>{request.path}</d:href>'
            "<d:propstat><d:prop>"
            f"<c:supported-address-data>{forms}</c:supported-address-data>{size}</d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"
        )
        return Response(207, {"Content-Type": "text/xml"}, body.encode())


def _condition(status: int, name: str) -> Response:
    body = f'<?xml version="1.0"?><d:error xmlns:d="DAV:"><d:{name}/></d:error>'
    return Response(status, {"Content-Type": "text/xml"}, body.encode())
