"""Writes the organisation that the simulator ships: `python -m cirahub_simulator.seed.generate`.

The same lines on every machine: all chance comes from one seed, ids from names. `--check` compares
instead of writing and exits with 1 when a file differs.

Three tenants (`contoso.example`, `fabrikam.example`, `northwind.example`), eight mailboxes each,
a guest and a former employee without one, appointments as offices have them, four groups (`team`,
of which `desk` is a part, `board`, whose membership is hidden, and `opted-out`, with nobody in it),
a vault each, and two applications:

- `cirahub` (multi-tenant, consented in all three): Graph roles Contacts.ReadWrite and
  User.Read.All; a secret for each tenant, kept as `graph-client-secret` in the tenant's vault.
- `cirahub-vault-reader`: no Graph roles, may read the vaults.

`cirahub` may also use Exchange Web Services as every mailbox (full_access_as_app).

One Exchange Server organisation, `adatum.example`: three mailboxes with an account each (`ADATUM`
and the given name, password `simulated-NAME-password`), a service account `svc-cirahub` that may
impersonate them, and public folders with contacts.

Both trust the service accounts `cirahub-demo/cirahub-sync` and `cirahub-system/cirahub-operator` of
whatever cluster `--cluster-issuer` names. `cirahub-read-only` (Contacts.Read, in contoso only) and
`cirahub-elsewhere` (consented in northwind only) are for what must fail.
"""

from __future__ import annotations

import random
import sys
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from cirahub_simulator.seed import names
from cirahub_simulator.seed.appointments import appointments
from cirahub_simulator.seed.people import BUSINESS_FAX
from cirahub_simulator.seed.record import (
    AccountRecord,
    ApplicationRecord,
    ContactRecord,
    ExchangeServerRecord,
    Federation,
    GroupRecord,
    PublicContactRecord,
    Record,
    SecretOfApplication,
    SecretRecord,
    TenantRecord,
    UserRecord,
    VaultRecord,
    schema,
)

SEED = 20261101
PEOPLE = 1_150
MAILBOXES_EACH = 8
CONTACTS_EACH = (64, 103)

TENANTS = (
    TenantRecord(
        id="c0117050-0000-4000-8000-000000000001", domain="contoso.example", display_name="Contoso"
    ),
    TenantRecord(
        id="fab21ca3-0000-4000-8000-000000000002",
        domain="fabrikam.example",
        display_name="Fabrikam",
    ),
    TenantRecord(
        id="20474171-0000-4000-8000-000000000003",
        domain="northwind.example",
        display_name="Northwind Traders",
    ),
)
ADATUM = ExchangeServerRecord(
    id="ada70000-0000-4000-8000-000000000005",
    domain="adatum.example",
    host="mail.adatum.example",
    netbios_domain="ADATUM",
    display_name="A. Datum",
    hybrid_tenant="contoso.example",
)
SERVICE_ACCOUNT = "svc-cirahub"
SERVICE_PASSWORD = f"simulated-{SERVICE_ACCOUNT}-password"
CIRAHUB = "c14a40b0-0000-4000-8000-00000000a001"
VAULT_READER = "c14a40b0-0000-4000-8000-00000000a002"
READ_ONLY = "c14a40b0-0000-4000-8000-00000000a003"
ELSEWHERE = "c14a40b0-0000-4000-8000-00000000a004"
SERVICE_ACCOUNTS = (
    "system:serviceaccount:cirahub-demo:cirahub-sync",
    "system:serviceaccount:cirahub-system:cirahub-operator",
)
VAULT_SECRET = "graph-client-secret"  # noqa: S105 - its name
VAULT_PASSWORD = "exchange-password"  # noqa: S105 - its name

T = TypeVar("T")


def organisation() -> Iterator[Record]:
    """All records, in the order of the file."""
    chance = _Chance(SEED)
    yield from TENANTS
    yield from _applications()
    yield from _vaults()
    people = _people(chance)
    colleagues: dict[str, list[UserRecord]] = {tenant.domain: [] for tenant in TENANTS}
    for tenant in TENANTS:
        users: list[str] = []
        for user in _users(tenant, chance):
            users.append(user.id)
            yield user
            colleagues[tenant.domain].append(user)
            if user.has_mailbox:
                yield from _contacts(user.user_principal_name, people, chance)
        yield from _groups(tenant, users)
    yield ADATUM
    yield from _accounts(people, chance)
    for folder in (["Company Contacts"], ["Company Contacts", "Suppliers"]):
        for somebody in people[:12] if len(folder) == 1 else people[12:20]:
            yield PublicContactRecord(
                server=ADATUM.domain, folder=folder, contact=_contact(somebody, chance)
            )
    for domain, staff in colleagues.items():
        yield from appointments(domain, staff)


def files() -> dict[Path, bytes]:
    """What is generated, and where it belongs."""
    here = Path(__file__).parent
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in organisation())
    return {here / "organisation.jsonl": lines, here / "seed.schema.json": schema() + b"\n"}


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with `--check` say which differ."""
    drifted = [
        path
        for path, content in files().items()
        if not path.exists() or path.read_bytes() != content
    ]
    if "--check" in arguments:
        for path in drifted:
            sys.stderr.write(f"{path.name} differs from what generate.py writes\n")
        return 1 if drifted else 0
    for path, content in files().items():
        path.write_bytes(content)
    return 0


class _Chance:
    """Choices from `Random.random` alone, the one method whose sequence Python guarantees."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same lines every time is the point

    def below(self, end: int) -> int:
        return int(self._random.random() * end)

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def of(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def hits(self, percent: int) -> bool:
        return self._random.random() * 100 < percent


def _applications() -> Iterator[ApplicationRecord]:
    federated = [Federation(issuer="cluster", subject=subject) for subject in SERVICE_ACCOUNTS]
    domains = [tenant.domain for tenant in TENANTS]
    yield ApplicationRecord(
        client_id=CIRAHUB,
        display_name="cirahub",
        home_tenant=domains[0],
        secrets=[
            *(SecretOfApplication(value=_secret(d), name=d.partition(".")[0]) for d in domains),
            SecretOfApplication(
                value="simulated-expired-secret",
                name="expired",
                expires=datetime(2025, 1, 1, tzinfo=UTC),
            ),
        ],
        federated=federated,
        requested=["Calendars.ReadWrite", "Contacts.ReadWrite", "User.Read.All"],
        granted={
            domain: ["Contacts.ReadWrite", "User.Read.All", "full_access_as_app"]
            for domain in domains
        },
    )
    yield ApplicationRecord(
        client_id=VAULT_READER,
        display_name="cirahub-vault-reader",
        home_tenant=domains[0],
        federated=federated,
        granted={domain: [] for domain in domains},
    )
    yield ApplicationRecord(
        client_id=READ_ONLY,
        display_name="cirahub-read-only",
        home_tenant=domains[0],
        secrets=[SecretOfApplication(value="simulated-read-only-secret", name="only")],
        requested=["Contacts.Read"],
        granted={domains[0]: ["Contacts.Read"]},
    )
    yield ApplicationRecord(
        client_id=ELSEWHERE,
        display_name="cirahub-elsewhere",
        home_tenant=domains[2],
        secrets=[SecretOfApplication(value="simulated-elsewhere-secret", name="only")],
        requested=["Contacts.ReadWrite", "User.Read.All"],
        redirect_uris=["https://cirahub.example/consented"],
        granted={domains[2]: ["Contacts.ReadWrite", "User.Read.All"]},
    )


def _secret(domain: str) -> str:
    return f"simulated-{domain.partition('.')[0]}-secret"


def _vaults() -> Iterator[VaultRecord | SecretRecord]:
    for tenant in TENANTS:
        name = f"{tenant.domain.partition('.')[0]}-cirahub"
        yield VaultRecord(
            name=name,
            tenant=tenant.domain,
            access={CIRAHUB: ["get"], VAULT_READER: ["get", "list"]},
        )
        yield SecretRecord(vault=name, name=VAULT_SECRET, value=_secret(tenant.domain))
    yield SecretRecord(
        vault=f"{TENANTS[0].domain.partition('.')[0]}-cirahub",
        name=VAULT_PASSWORD,
        value=SERVICE_PASSWORD,
        tags={"cirahub-hosts": ADATUM.host},
    )


def _users(tenant: TenantRecord, chance: _Chance) -> Iterator[UserRecord]:
    for number, (given, surname) in enumerate(names.STAFF[tenant.domain]):
        local = f"{_plain(given)}.{_plain(surname)}"
        guest = number == MAILBOXES_EACH
        former = number == MAILBOXES_EACH + 1
        address = f"{local}@{tenant.domain}"
        if guest:
            address = f"{local}_partner.example#EXT#@{tenant.domain}"
        yield UserRecord(
            id=str(uuid.uuid5(uuid.UUID(tenant.id), address)),
            tenant=tenant.domain,
            user_principal_name=address,
            display_name=f"{given} {surname}",
            mail=f"{local}@partner.example" if guest else address,
            given_name=given,
            surname=surname,
            job_title=chance.of(names.TITLES),
            department=None if guest else chance.of(names.DEPARTMENTS),
            company_name=tenant.display_name,
            account_enabled=not former,
            user_type="Guest" if guest else "Member",
            has_mailbox=not (guest or former),
        )


def _groups(tenant: TenantRecord, users: Sequence[str]) -> Iterator[GroupRecord]:
    """Half of the people are in `team` themselves, the others through `desk`; the guest too."""

    def group(name: str, members: Sequence[str], visibility: str | None = None) -> GroupRecord:
        return GroupRecord(
            id=str(uuid.uuid5(uuid.UUID(tenant.id), f"group {name}")),
            tenant=tenant.domain,
            display_name=name.title(),
            mail=f"{name}@{tenant.domain}",
            mail_nickname=name,
            mail_enabled=True,
            visibility=visibility,
            members=list(members),
        )

    half = MAILBOXES_EACH // 2
    desk = group("desk", users[half : MAILBOXES_EACH + 1])
    yield group("team", (*users[:half], desk.id))
    yield desk
    yield group("board", users[:2], "HiddenMembership")
    yield group("opted-out", ())


class _Somebody:
    """A person whom several mailboxes may know."""

    def __init__(self, chance: _Chance) -> None:
        self.given = chance.of(names.GIVEN)
        self.surname = chance.of(names.SURNAMES)
        self.company, self.label = chance.of(names.COMPANIES)
        self.domain = f"{self.label}.example"
        self.title = chance.of(names.TITLES)
        self.department = chance.of(names.DEPARTMENTS)
        self.place = chance.of(names.CITIES)
        self.house = chance.between(1, 240)
        self.area = chance.of(names.AREAS)
        self.mobile_area = chance.of(names.AREAS)
        self.office_line = chance.below(100)
        self.mobile_line = chance.below(100)
        self.born = date(1950, 1, 1) + timedelta(days=chance.below(18_000))

    @property
    def address(self) -> str:
        return f"{_plain(self.given)}.{_plain(self.surname)}@{self.domain}"


def _people(chance: _Chance) -> list[_Somebody]:
    """Everybody, no two with one address."""
    people: dict[str, _Somebody] = {}
    while len(people) < PEOPLE:
        somebody = _Somebody(chance)
        people.setdefault(somebody.address, somebody)
    return list(people.values())


def _accounts(people: list[_Somebody], chance: _Chance) -> Iterator[AccountRecord | ContactRecord]:
    """The mailboxes of the Exchange Server, the service account last."""
    for given, surname in names.ADATUM:
        local = f"{_plain(given)}.{_plain(surname)}"
        address = f"{local}@{ADATUM.domain}"
        yield AccountRecord(
            server=ADATUM.domain,
            id=str(uuid.uuid5(uuid.UUID(ADATUM.id), address)),
            user_principal_name=address,
            display_name=f"{given} {surname}",
            account=_plain(given),
            password=f"simulated-{_plain(given)}-password",
            given_name=given,
            surname=surname,
            job_title=chance.of(names.TITLES),
            department=chance.of(names.DEPARTMENTS),
            company_name=ADATUM.display_name,
        )
        yield from _contacts(address, people, chance)
    address = f"{SERVICE_ACCOUNT}@{ADATUM.domain}"
    yield AccountRecord(
        server=ADATUM.domain,
        id=str(uuid.uuid5(uuid.UUID(ADATUM.id), address)),
        user_principal_name=address,
        display_name="cirahub",
        account=SERVICE_ACCOUNT,
        password=SERVICE_PASSWORD,
        impersonates=True,
    )


def _contacts(mailbox: str, people: list[_Somebody], chance: _Chance) -> Iterator[ContactRecord]:
    last: _Somebody | None = None
    for _ in range(chance.between(*CONTACTS_EACH)):
        # A third are people whom everybody knows; now and then somebody is there twice.
        well_known = people[: len(people) // 10]
        somebody = chance.of(well_known if chance.hits(33) else people)
        if last is not None and chance.hits(4):
            somebody = last
        last = somebody
        folder: list[str] = []
        if chance.hits(20):
            folder = chance.of((["Customers"], ["Suppliers"], ["Customers", "Archive"]))
        yield ContactRecord(mailbox=mailbox, folder=folder, contact=_contact(somebody, chance))


def _contact(somebody: _Somebody, chance: _Chance) -> dict[str, object]:
    """The person as one of those who know it wrote it down."""
    given, surname = somebody.given, somebody.surname
    if chance.hits(10):
        given, surname = _without_accents(given), _without_accents(surname)
    contact: dict[str, object] = {
        "givenName": given,
        "surname": surname,
        "displayName": f"{surname}, {given}" if chance.hits(15) else f"{given} {surname}",
        "emailAddresses": _addresses(somebody, chance),
    }
    if chance.hits(5):
        contact = {"displayName": somebody.company, "companyName": somebody.company}
    if chance.hits(70):
        contact["companyName"] = somebody.company
    if chance.hits(45):
        contact["jobTitle"] = somebody.title
    elif chance.hits(20):
        contact["jobTitle"] = ""
    if chance.hits(25):
        contact["department"] = somebody.department
    if chance.hits(65):
        contact["businessPhones"] = [_phone(somebody.area, somebody.office_line, chance)]
        if chance.hits(12):
            contact["businessPhones"] += [  # type: ignore[operator]
                _phone("775", somebody.office_line, chance)
            ]
    if chance.hits(50):
        contact["mobilePhone"] = _phone(somebody.mobile_area, somebody.mobile_line, chance)
    if chance.hits(35):
        city, state, code, country, street = somebody.place
        contact["businessAddress"] = {
            "street": f"{street} {somebody.house}",
            "city": city,
            "state": state,
            "postalCode": code,
            "countryOrRegion": country,
        }
    if chance.hits(30):
        contact["categories"] = sorted(
            {chance.of(names.CATEGORIES) for _ in range(chance.between(1, 3))}
        )
    if chance.hits(12):
        contact["birthday"] = f"{somebody.born.isoformat()}T00:00:00Z"
    if chance.hits(10):
        contact["personalNotes"] = chance.of(names.NOTES)
    if chance.hits(5):
        contact["nickName"] = given[:3] if given else ""
    if chance.hits(5):
        contact["singleValueExtendedProperties"] = [
            {"id": BUSINESS_FAX, "value": _phone("646", somebody.office_line, chance)}
        ]
    return contact


def _addresses(somebody: _Somebody, chance: _Chance) -> list[dict[str, str]]:
    if chance.hits(8):
        return []
    address = somebody.address
    if chance.hits(12):
        address = address.title()
    name = f"{somebody.given} {somebody.surname}"
    found = [{"address": address, "name": name if chance.hits(70) else address}]
    if chance.hits(25):
        private = f"{_plain(somebody.given)}{somebody.born.year % 100}@mail.example"
        found.append({"address": private, "name": private})
    if chance.hits(5):
        found.append({"address": f"info@{somebody.domain}", "name": somebody.company})
    return found


def _phone(area: str, line: int, chance: _Chance) -> str:
    """One of the ways in which people write the same number; 555-01xx is nobody's.

    https://www.nanpa.com/numbering/555-line-numbers (555-0100 to 555-0199 for fiction).
    """
    return chance.of(
        (
            f"+1 {area} 555 01{line:02}",
            f"+1{area}55501{line:02}",
            f"({area}) 555-01{line:02}",
            f"{area}-555-01{line:02}",
            f"{area}.555.01{line:02}",
            f"1-{area}-555-01{line:02} ext. 7",
            f"001 {area} 55501{line:02}",
        )
    )


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _plain(text: str) -> str:
    """A name as the local part of an address."""
    folded = _without_accents(text).lower()
    for letter, plain in (("ł", "l"), ("ø", "o"), ("ß", "ss"), ("ı", "i"), ("đ", "d")):
        folded = folded.replace(letter, plain)
    return "".join(char for char in folded if char.isascii() and char.isalnum())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
