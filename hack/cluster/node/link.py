"""The wire between a node and the machine: all that the two share, and all addresses."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Self

from cluster.errors import NodeFailedError

LINKS = 100
NODE_SIDE = "eth0"


@dataclass(frozen=True, slots=True)
class Link:
    """A pair of virtual Ethernet devices. Addresses are of 198.18.0.0/15, which no network uses:
    it is set aside for tests of network devices (RFC 2544, appendix C.2.2). The number of a link
    tells the addresses of two nodes of one machine apart."""

    number: int

    @property
    def name(self) -> str:
        return f"cirahub{self.number}"

    @property
    def host(self) -> str:
        """The machine's side, on which the API server listens."""
        return f"198.18.{self.number}.1"

    @property
    def node(self) -> str:
        return f"198.18.{self.number}.2"

    @property
    def pods(self) -> str:
        return f"198.18.{self.number}.128/25"

    @property
    def services(self) -> str:
        return f"198.19.{self.number}.0/24"

    @property
    def dns(self) -> str:
        return f"198.19.{self.number}.10"

    @classmethod
    def lay(cls, process: int) -> Self:
        """To the network namespace of a process, with which it goes. The machine reaches pods and
        services by it. Raises NodeFailedError."""
        link = cls._first(process)
        for command in (
            ("address", "add", f"{link.host}/30", "dev", link.name),
            ("link", "set", link.name, "up"),
        ):
            _ip(*command)
        inside = ("nsenter", "--target", str(process), "--net", "--")
        for command in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{link.node}/30", "dev", NODE_SIDE),
            ("link", "set", NODE_SIDE, "up"),
            ("route", "add", "default", "via", link.host),
        ):
            _ip(*command, within=inside)
        for network in (link.pods, link.services):
            _ip("route", "add", network, "via", link.node)
        return link

    @classmethod
    def _first(cls, process: int) -> Self:
        """Whose name is free: the kernel lets one of two who take it at once have it."""
        for number in range(LINKS):
            link = cls(number)
            peer = ("peer", "name", NODE_SIDE, "netns", str(process))
            try:
                _ip("link", "add", link.name, "type", "veth", *peer)
            except NodeFailedError as error:
                if "File exists" not in str(error):
                    raise
            else:
                return link
        raise NodeFailedError(
            f"There are {LINKS} links of nodes already: cirahub0 and so on, in `ip link`. End some."
        )


def _ip(*arguments: str, within: tuple[str, ...] = ()) -> None:
    outcome = subprocess.run(
        [*within, "ip", *arguments], capture_output=True, text=True, check=False
    )
    if outcome.returncode != 0:
        raise NodeFailedError(
            f"ip {' '.join(arguments)} ended with {outcome.returncode}: {outcome.stderr.strip()}"
        )
