"""The way out: connections to services, and the addresses that none is made to.

A name is resolved, all of its addresses are judged, and the connection goes to one of these very
addresses: a name that resolves differently the next time gains nothing. Numbers in a name's place
are judged by what the system makes of them. Refused are this machine, its link, the metadata
services of clouds, and the ranges of the cluster; private ranges of a company are not.

Exempt are origins that the endpoints file puts in another's place, and the way through a proxy of
the environment (which resolves names itself): both are the administrator's choice.

No redirect is followed on any way out: a credential stays with its own origin.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from cirahub_sync.errors import AddressRefusedError, RedirectRefusedError
from cirahub_sync.origins import Network, Origins

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

    from cirahub_sync.requesting import Watch

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


_KINDS: Mapping[str, tuple[Network, ...]] = {
    "a loopback address": _networks("127.0.0.0/8", "::1/128"),
    "an unspecified address": _networks("0.0.0.0/8", "::/128"),
    "a link-local address": _networks("169.254.0.0/16", "fe80::/10"),
    "a multicast address": _networks("224.0.0.0/4", "ff00::/8"),
    "a reserved address": _networks("240.0.0.0/4"),
    "the address of a cloud's metadata service": _networks(
        "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128",
        "fd20:ce::254/128",
    ),
}  # fmt: skip
"""RFC 6890 and its registries. Metadata services that are not link-local: Azure
(https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16), Alibaba and
Oracle Cloud, AWS and Google Cloud over IPv6."""
_TRANSLATED = _networks("64:ff9b::/96", "64:ff9b:1::/48")
"""NAT64 (RFC 6052, RFC 8215): the IPv4 address is in the last 32 bits."""


def objection(address: str, cluster: Sequence[Network] = ()) -> str | None:
    """What speaks against connecting to an address; None if nothing does."""
    for meant in _meant(ipaddress.ip_address(address.partition("%")[0])):
        for kind, networks in _KINDS.items():
            if any(meant in network for network in networks):
                return kind
        if any(meant in network for network in cluster):
            return "in a range of the cluster"
    return None


def _meant(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 addresses that the system or a gateway takes from inside it."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif int(address) >> 32 == 0 or any(address in network for network in _TRANSLATED):
        yield low
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


class Guard:
    """Judges the addresses of one route. Raises AddressRefusedError."""

    def __init__(self, who: str, cluster: Sequence[Network]) -> None:
        self._who = who
        self._cluster = cluster

    def check(self, host: str, addresses: Iterable[str]) -> None:
        """All addresses of a name have to be free of objections, or it is not connected to."""
        for address in addresses:
            why = objection(address, self._cluster)
            if why is None:
                continue
            named = host if host == address else f"{host} is at {address}, which"
            raise AddressRefusedError(
                f"{self._who}: {named} is {why}; nothing was sent there. Correct the name "
                "resolution of the operator's pod; an address that is meant (a relay) is named in "
                "the file of --endpoints"
            )

    def make_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for the address that it is about to be connected to: numbers in a name's place
        are not resolved, and pass by here only."""
        family, kind, protocol, _, address = info
        self.check(str(address[0]), [str(address[0])])
        return socket.socket(family, kind, protocol)


class Route:
    """How requests reach one origin: where it is, whom to trust, by which proxy, and guarded."""

    def __init__(self, url: str, origins: Origins, who: str, *, trusted: str = "") -> None:
        """`who` begins the message of a refusal; `trusted` are certificates in PEM, to be trusted
        in place of the system's, and besides that of an endpoints file."""
        self.url = origins.rewrite(url)
        """Where the origin is, as the endpoints file has it."""
        rewritten = origins.rewritten(url)
        self.rewritten = rewritten
        self.ca_file = origins.ca_file if rewritten else os.environ.get("SSL_CERT_FILE")
        """None: the system's authorities."""
        self._trusted = trusted
        self.proxy = None if rewritten else _proxy(self.url)
        exempt = rewritten or self.proxy is not None
        self._guard = None if exempt else Guard(who, origins.networks)
        self._who = who

    @cached_property
    def trust(self) -> ssl.SSLContext:
        if not self._trusted:
            return ssl.create_default_context(cafile=self.ca_file)
        trust = ssl.create_default_context(cadata=self._trusted)
        if self.rewritten and self.ca_file is not None:
            trust.load_verify_locations(self.ca_file)
        return trust

    def session(
        self, traces: Sequence[aiohttp.TraceConfig] = (), *, connections: int = 64
    ) -> aiohttp.ClientSession:
        """A session that nothing of the environment changes any more; `.netrc` neither. What it
        sends it sends once; what needs more than so many `connections` waits."""
        guarded: dict[str, Any] = {}
        if self._guard is not None:
            guarded = {
                "resolver": _Resolver(self._guard),
                "socket_factory": self._guard.make_socket,
            }
        connector = aiohttp.TCPConnector(
            ssl=self.trust, limit=connections, keepalive_timeout=30, **guarded
        )
        session = aiohttp.ClientSession(
            connector=connector,
            proxy=self.proxy,
            cookie_jar=aiohttp.DummyCookieJar(),
            raise_for_status=self._stay,
            trace_configs=list(traces),
        )
        # aiohttp sends a PUT or DELETE again whose connection was dropped without an answer, and
        # has no public switch for it; the contract tests hold it to this one.
        session._retry_connection = False
        return session

    def adapter(self, *, retries: int, watch: Watch | None = None) -> HTTPAdapter:
        """For a session of requests. A proxy is the session's to name; certificates too, unless
        there is a `watch`: then those that this route trusts are."""
        # Not at the top: only MSAL and an Exchange Server are asked by requests.
        from cirahub_sync.requesting import Adapter

        return Adapter(self, self._guard, retries=retries, watch=watch)

    def refuse_redirect(self, status: int) -> None:
        """Raises RedirectRefusedError."""
        if 300 <= status < 400:
            raise RedirectRefusedError(
                f"{self._who}: {urlsplit(self.url).netloc} answered with a redirect ({status}), "
                "which was not followed; check the network between here and the service (a proxy, "
                "a login page of the network's)"
            )

    async def _stay(self, response: aiohttp.ClientResponse) -> None:
        try:
            self.refuse_redirect(response.status)
        except RedirectRefusedError:
            response.close()
            raise


def _proxy(url: str) -> str | None:
    parts = urlsplit(url)
    named = getproxies().get(parts.scheme)
    if not named or proxy_bypass(parts.hostname or ""):
        return None
    return named if "://" in named else f"http://{named}"


class _Resolver(AbstractResolver):
    """The system's resolver, its answers judged."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        self._guard.check(host, [one["host"] for one in found])
        return found

    async def close(self) -> None:
        await self._system.close()
