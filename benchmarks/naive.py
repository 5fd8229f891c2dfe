"""A part of the same work by a loop over a client, as its documentation shows: Microsoft's own
(msgraph-sdk), and python-o365.

https://learn.microsoft.com/graph/api/user-post-contacts (Python): one `post` for each contact, each
waited for. https://o365.github.io/python-o365/latest/usage/addressbook.html: one `save`. What keeps
track of anything, batches, or sends two at a time comes on top of that; so does what the loops
can't do: say later which contacts they made. Ours is a whole pass with its store, of more contacts
to more mailboxes; all are told per contact, in one run, alternating.

    python benchmarks/naive.py [--contacts N] [--receivers M] [--rounds R] [--part P]
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from msgraph.generated.models.contact import Contact
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.physical_address import PhysicalAddress
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter

from bare import CLIENT, SECRET, TENANT, contact, token
from cirahub_simulator.process import SimulatorProcess
from fanout import Ours, seed
from figures import Figures, options

WARMED_UP = 10


class Token(AccessTokenProvider):
    def __init__(self, value: str) -> None:
        self._value = value

    async def get_authorization_token(
        self,
        uri: str,
        additional_authentication_context: dict[str, Any] | None = None,
    ) -> str:
        return self._value

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


def client(simulator: SimulatorProcess) -> GraphServiceClient:
    """With its default middleware, at the simulator."""
    trusting = httpx.AsyncClient(verify=str(simulator.endpoints.ca_file), http2=True)
    adapter = GraphRequestAdapter(
        BaseBearerTokenAuthenticationProvider(Token(token(simulator))),
        GraphClientFactory.create_with_default_middleware(client=trusting),
    )
    adapter.base_url = f"{simulator.endpoints.graph}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def as_documented(number: int) -> Contact:
    """The same contact, in the client's classes."""
    fields: Any = contact(number)
    (email,) = fields["emailAddresses"]
    address = fields["businessAddress"]
    return Contact(
        display_name=fields["displayName"],
        given_name=fields["givenName"],
        surname=fields["surname"],
        company_name=fields["companyName"],
        job_title=fields["jobTitle"],
        business_phones=fields["businessPhones"],
        mobile_phone=fields["mobilePhone"],
        email_addresses=[EmailAddress(address=email["address"], name=email["name"])],
        business_address=PhysicalAddress(
            street=address["street"], city=address["city"], state=address["state"]
        ),
        personal_notes=fields["personalNotes"],
    )


async def loop(simulator: SimulatorProcess, mailbox: str, part: int) -> tuple[float, float]:
    """Wall and CPU seconds of a contact."""
    graph = client(simulator)

    async def post(number: int) -> None:
        made = await graph.users.by_user_id(mailbox).contacts.post(as_documented(number))
        assert made is not None
        assert made.id

    for number in range(WARMED_UP):
        await post(number)
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(WARMED_UP, WARMED_UP + part):
        await post(number)
    return (time.perf_counter() - wall) / part, (time.process_time() - cpu) / part


class Undelayed(HTTPAdapter):
    """urllib3 leaves Nagle's algorithm on towards a proxy, and each request waits 40 ms for an
    acknowledgement: Microsoft's servers would not make it."""

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        undelayed = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        return super().proxy_manager_for(proxy, socket_options=undelayed, **options)


def loop_o365(simulator: SimulatorProcess, mailbox: str, part: int) -> tuple[float, float]:
    """Wall and CPU seconds of a contact. It asks for Microsoft's names: it is given the proxy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own modules
        from O365 import Account  # type: ignore[import-untyped]
        from O365.utils.token import MemoryTokenBackend  # type: ignore[import-untyped]
    os.environ["HTTPS_PROXY"] = simulator.endpoints.proxy
    os.environ["REQUESTS_CA_BUNDLE"] = str(simulator.endpoints.ca_file)
    try:
        account = Account(
            (CLIENT, SECRET),
            auth_flow_type="credentials",
            tenant_id=TENANT,
            token_backend=MemoryTokenBackend(),
            timezone="UTC",
            requests_delay=0,  # by default it pauses after each request
        )
        assert account.authenticate()
        account.connection.session = account.connection.get_session(load_token=True)
        account.connection.session.mount("https://", Undelayed())
        book = account.address_book(resource=mailbox)

        def save(number: int) -> None:
            fields: Any = contact(number)
            (email,) = fields["emailAddresses"]
            made = book.new_contact()
            made.name, made.surname = fields["givenName"], fields["surname"]
            made.display_name, made.company_name = fields["displayName"], fields["companyName"]
            made.job_title = fields["jobTitle"]
            made.business_phones, made.mobile_phone = (
                fields["businessPhones"],
                fields["mobilePhone"],
            )
            made.business_address = fields["businessAddress"]
            made.emails.add((email["name"], email["address"]))
            made.personal_notes = fields["personalNotes"]
            assert made.save()

        for number in range(WARMED_UP):
            save(number)
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(WARMED_UP, WARMED_UP + part):
            save(number)
        return (time.perf_counter() - wall) / part, (time.process_time() - cpu) / part
    finally:
        del os.environ["HTTPS_PROXY"], os.environ["REQUESTS_CA_BUNDLE"]


async def measure(contacts: int, receivers: int, part: int) -> dict[str, float]:
    names = [f"m{index}@bench.example" for index in range(receivers + 1)]
    looped, looped_o365 = "looped@bench.example", "looped2@bench.example"
    with (
        SimulatorProcess("--empty", "--no-throttle") as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        seed(simulator, contacts, [*names, looped, looped_o365])
        sdk, sdk_cpu = await loop(simulator, looped, part)
        o365, o365_cpu = await asyncio.to_thread(loop_o365, simulator, looped_o365, part)
        ours = Ours(simulator, Path(folder), names)
        wall, cpu, report = await ours.sync()
        await ours.worker.close()
    assert report.written == contacts * receivers
    return {
        "first pass, wall, ours / msgraph-sdk loop": wall / report.written / sdk,
        "first pass, CPU, ours / msgraph-sdk loop": cpu / report.written / sdk_cpu,
        "first pass, wall, ours / python-o365 loop": wall / report.written / o365,
        "first pass, CPU, ours / python-o365 loop": cpu / report.written / o365_cpu,
        "python-o365 loop, wall, µs a contact": 1e6 * o365,
        "python-o365 loop, CPU, µs a contact": 1e6 * o365_cpu,
        "msgraph-sdk loop, wall, µs a contact": 1e6 * sdk,
        "msgraph-sdk loop, CPU, µs a contact": 1e6 * sdk_cpu,
        "ours, wall, µs a contact": 1e6 * wall / report.written,
        "ours, CPU, µs a contact": 1e6 * cpu / report.written,
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--contacts", type=int, default=1000, help="in the one mailbox")
    parser.add_argument("--receivers", type=int, default=20, help="mailboxes that receive them")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is told")
    parser.add_argument("--part", type=int, default=200, help="contacts that each loop makes")
    asked = parser.parse_args()
    found = Figures("naive", asked)
    print(f"{asked.contacts:,} contacts to {asked.receivers:,} mailboxes, {asked.rounds} rounds:")
    found.rounds(
        [
            asyncio.run(measure(asked.contacts, asked.receivers, asked.part))
            for _ in range(asked.rounds)
        ]
    )
    found.write()


if __name__ == "__main__":
    main()
