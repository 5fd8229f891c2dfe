"""Where well-known services live: Microsoft's clouds, and rewrites for a simulator or a relay.

The operator's administrator may give an endpoints file (`--endpoints`), as `cirahub simulate`
writes it: `{"origins": {"https://graph.microsoft.com": "https://127.0.0.1:8443"}, "ca_file": …}`.
Manifests keep the real names, so that the same manifest works on the real cloud; and a manifest
can't choose a host by itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cirahub_sync.configuration import Cloud
from cirahub_sync.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class CloudHosts(msgspec.Struct, frozen=True):
    """Source: learn.microsoft.com, "National clouds" (Graph and Entra endpoints), "Azure Key Vault
    DNS suffixes" and "Connect to Exchange Online PowerShell" (connection URIs)."""

    authority: str
    graph: str
    vault_suffix: str
    outlook: str


HOSTS: Mapping[Cloud, CloudHosts] = {
    Cloud.GLOBAL: CloudHosts(
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        ".vault.azure.net",
        "https://outlook.office365.com",
    ),
    Cloud.US_GOV: CloudHosts(
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        ".vault.usgovcloudapi.net",
        "https://outlook.office365.us",
    ),
    Cloud.US_GOV_DOD: CloudHosts(
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        ".vault.usgovcloudapi.net",
        "https://webmail.apps.mil",
    ),
    Cloud.CHINA: CloudHosts(
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        ".vault.azure.cn",
        "https://partner.outlook.cn",
    ),
}


class Origins(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rewrites of origins (`scheme://host[:port]`) and the CA that signs their answers; and the
    ranges of the cluster (`10.96.0.0/12`), where no other origin may be."""

    origins: Mapping[str, str] = {}
    ca_file: str | None = None
    cluster_ranges: tuple[str, ...] = ()

    @property
    def networks(self) -> tuple[Network, ...]:
        """The cluster's ranges. Raises ConfigurationError."""
        return tuple(map(network, self.cluster_ranges))

    def avoiding(self, ranges: Iterable[str]) -> Origins:
        """The same, with further ranges of the cluster."""
        every = {*self.cluster_ranges, *ranges}
        return msgspec.structs.replace(self, cluster_ranges=tuple(sorted(every)))

    def rewrite(self, url: str) -> str:
        """The URL with its origin replaced, if there is a rewrite for it."""
        replacement = self.origins.get(origin_of(url))
        if replacement is None:
            return url
        return (
            urlsplit(url)
            ._replace(scheme=urlsplit(replacement).scheme, netloc=urlsplit(replacement).netloc)
            .geturl()
        )

    def rewritten(self, url: str) -> bool:
        return self.rewrite(url) != url


def origin_of(url: str) -> str:
    """`scheme://host[:port]` as a browser would compare it (RFC 6454): in small letters, without
    the scheme's own port. Blank for what has none, has a user in it, or has control characters,
    which some programs leave out and others don't."""
    if not url.isprintable():
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None or port == {"https": 443, "http": 80}.get(parts.scheme):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"


def network(text: str) -> Network:
    """A range in CIDR notation, or a single address. Raises ConfigurationError."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is no range of addresses; write it like 10.96.0.0/12 or fd00:10:96::/112"
        ) from error


def load(path: Path | None) -> Origins:
    """Origins of an endpoints file; none rewritten if there is no file."""
    if path is None:
        return Origins()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Origins)
    except OSError as error:
        raise ConfigurationError(
            f"endpoints file {path}: cannot be read ({error.strerror}); give the file that "
            "`cirahub simulate --endpoints-file` wrote, or leave --endpoints out"
        ) from error
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f'endpoints file {path}: {error}; expected {{"origins": {{…}}, "ca_file": "…"}}'
        ) from error
