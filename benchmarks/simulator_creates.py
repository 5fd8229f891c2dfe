"""How many batched contact creates the Graph service takes in a second, without HTTP around it.

Run it as `python benchmarks/simulator_creates.py [--contacts N]`. The simulator must not be what a
benchmark of the engine measures: with HTTP around it, 5,000 a second on one core are asked for.
"""

from __future__ import annotations

import time

import msgspec

from cirahub_simulator.directory import Principal, Tenant, User
from cirahub_simulator.graph import GraphService
from cirahub_simulator.throttle import Limits
from cirahub_simulator.wire import Request
from cirahub_simulator.world import World
from figures import Figures, options

BATCH = 20
TENANT = "11111111-1111-1111-1111-111111111111"
USER = "22222222-2222-2222-2222-222222222222"


def contact(number: int) -> dict[str, object]:
    """A contact of typical size, about 1 kB, with a stamp."""
    return {
        "givenName": "Zoë",
        "surname": f"Nováková {number}",
        "displayName": f"Zoë Nováková {number}",
        "emailAddresses": [
            {"name": f"Zoë Nováková {number}", "address": f"zoe.{number}@contoso.example"},
            {"name": "private", "address": f"z{number}@home.example"},
        ],
        "businessPhones": ["+44 20 7946 0123", "+44 20 7946 0124"],
        "mobilePhone": "+44 7700 900123",
        "companyName": "Contoso",
        "department": "Research",
        "jobTitle": "Engineer",
        "officeLocation": "Building 7",
        "businessAddress": {
            "street": "1 Example Road",
            "city": "London",
            "postalCode": "N1 1AA",
            "countryOrRegion": "United Kingdom",
        },
        "birthday": "1980-02-29T00:00:00Z",
        "personalNotes": "Met at the fair. " * 8,
        "categories": ["Team"],
        "singleValueExtendedProperties": [
            {
                "id": "String {6a2d3f6e-0b7c-4a6e-9d3e-0c5b8f1a2b3c} Name CiraHubItem",
                "value": f"installation/hub/{number}/spoke",
            }
        ],
    }


def main() -> None:
    """Send the contacts in batches of twenty."""
    parser = options(__doc__ or "")
    parser.add_argument("--contacts", type=int, default=40_000, help="to create")
    asked = parser.parse_args()
    total = asked.contacts
    found = Figures("simulator", asked)
    world = World(limits=Limits(requests=None, upload_bytes=None, concurrent=None))
    world.directory.add_tenant(Tenant(TENANT, "contoso.example", "Contoso"))
    world.directory.add_user(
        User(
            id=USER,
            tenant_id=TENANT,
            user_principal_name="zoe@contoso.example",
            display_name="Zoë",
        )
    )
    client = Principal(TENANT, "app", frozenset(("Contacts.ReadWrite",)))
    batches = [
        msgspec.json.encode(
            {
                "requests": [
                    {
                        "id": str(number),
                        "method": "POST",
                        "url": f"/users/{USER}/contactFolders/contacts/contacts",
                        "headers": {"Content-Type": "application/json"},
                        "body": contact(number),
                    }
                    for number in range(start, start + BATCH)
                ]
            }
        )
        for start in range(0, total, BATCH)
    ]
    service = GraphService(world)
    headers = {"content-type": "application/json"}
    started = time.process_time()
    for body in batches:
        request = Request(method="POST", path="/$batch", headers=headers, body=body, client=client)
        if service.handle(request).status != 200:
            raise SystemExit("a batch was refused")
    seconds = time.process_time() - started
    made = len(world.mailboxes[USER].default_folder.contacts)
    print(f"{made:,} contacts of {len(batches[0]) // BATCH} bytes:")
    found.one("CPU of a create, µs", 1e6 * seconds / made)
    found.write()


if __name__ == "__main__":
    main()
