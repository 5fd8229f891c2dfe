"""Who is in an address list, and what is told of them."""

from __future__ import annotations

import pytest
from tests.endpoints.graph.conftest import TENANT, settings

from cirahub_sync.configuration import AddressListTarget, Listed, MoreAddresses
from cirahub_sync.endpoints.alias import alias_of
from cirahub_sync.endpoints.base import Stamp, Target
from cirahub_sync.endpoints.graph.address_list import AddressListEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import AccessDeniedError
from cirahub_sync.model.contact import AddressKind, Contact, Email, Phone, PhoneKind, PostalAddress

from .conftest import EVERYTHING, HUB, Company, contents, list_of, told

EVERY_DELTA = settings("directory_delta", "delta_order", "delta_repeats", "delta_empty_first_page")


async def names(session: GraphSession, **chosen: object) -> list[str]:
    target = AddressListTarget(**chosen)  # type: ignore[arg-type]
    return sorted(contents((await told(list_of(session, target)))[0]))


@pytest.mark.parametrize("switches", EVERY_DELTA, indirect=True)
async def test_users_are_told_with_all_that_an_address_list_shows(
    company: Company, session: GraphSession
) -> None:
    ada = company.ada
    ada.given_name, ada.surname, ada.job_title = "Ada", "Lovelace", "Analyst"
    ada.department, ada.company_name, ada.office_location = "Numbers", "Contoso", "Room 1"
    ada.business_phones, ada.mobile_phone, ada.fax_number = ["+1 555 0100"], "+1 555 0101", "1"
    ada.street_address, ada.city, ada.state = "Main St 5\r\nEntrance B", "Reno", "NV"
    ada.postal_code, ada.country = "89501", "US"
    changes, _ = await told(list_of(session))
    assert contents(changes)["ada"] == Contact(
        display_name="ada",
        given_name="Ada",
        surname="Lovelace",
        job_title="Analyst",
        department="Numbers",
        company="Contoso",
        office_location="Room 1",
        emails=(Email("ada@contoso.example"),),
        phones=(
            Phone(PhoneKind.BUSINESS, "+1 555 0100"),
            Phone(PhoneKind.MOBILE, "+1 555 0101"),
            Phone(PhoneKind.BUSINESS_FAX, "1"),
        ),
        addresses=(
            PostalAddress(
                AddressKind.BUSINESS, "Main St 5\nEntrance B", "Reno", "NV", "89501", "US"
            ),
        ),
    )


async def test_mail_contacts_are_told_with_all_of_their_phones(
    company: Company, address_list: AddressListEndpoint
) -> None:
    kinds = ("business", "home", "mobile", "businessFax", "homeFax", "otherFax", "pager", "radio")
    company.knows(
        "pat",
        given_name="Pat",
        company_name="Partner",
        phones=[{"type": kind, "number": str(number)} for number, kind in enumerate(kinds)],
        addresses=[{"street": "Elm St 1", "city": "Reno", "officeLocation": "2nd floor"}],
    )
    changes, _ = await told(address_list)
    pat = contents(changes)["pat"]
    assert [phone.kind for phone in pat.phones] == [
        PhoneKind.BUSINESS,
        PhoneKind.HOME,
        PhoneKind.MOBILE,
        PhoneKind.BUSINESS_FAX,
        PhoneKind.HOME_FAX,
        PhoneKind.OTHER_FAX,
        PhoneKind.PAGER,
        PhoneKind.OTHER,
    ]
    assert (pat.given_name, pat.company, pat.office_location) == ("Pat", "Partner", "2nd floor")
    assert pat.addresses == (PostalAddress(AddressKind.BUSINESS, "Elm St 1", "Reno"),)
    assert pat.emails == (Email("pat@partner.example"),)


async def test_who_has_no_address_is_not_in_the_list(
    company: Company, session: GraphSession
) -> None:
    company.hires("service", mail=None)
    company.knows("nobody", mail="")
    company.groups("security", mail=None, mail_enabled=False)
    company.groups("closed", mail_enabled=False)
    company.groups("desk")
    assert await names(session, include=tuple(Listed)) == ["ada", "desk"]


async def test_guests_hidden_and_disabled_users_are_in_the_list_by_choice(
    company: Company, session: GraphSession
) -> None:
    company.hires("guest", user_type="Guest")
    company.hires("hidden", show_in_address_list=False)
    company.hires("shown", show_in_address_list=True)
    company.hires("room", account_enabled=False)
    assert await names(session) == ["ada", "shown"]
    assert await names(session, guests=True) == ["ada", "guest", "shown"]
    assert await names(session, hidden=True) == ["ada", "hidden", "shown"]
    assert await names(session, disabled=True) == ["ada", "room", "shown"]


async def test_only_the_kinds_that_were_chosen_are_asked_for(
    company: Company, session: GraphSession
) -> None:
    company.knows("pat")
    company.groups("desk")
    assert await names(session, include=(Listed.GROUPS,)) == ["desk"]
    assert company.paths() == ["/groups/delta"]
    assert await names(session) == ["ada", "pat"]
    assert company.paths() == ["/users/delta", "/contacts/delta"]


async def test_no_address_is_asked_for_that_was_not_chosen(
    company: Company, session: GraphSession
) -> None:
    company.ada.proxy_addresses = [
        "SMTP:Ada@contoso.example",
        "smtp:a.lovelace@contoso.example",
        "X500:/o=x",
    ]
    company.ada.other_mails = ["ada@home.example", "ADA@contoso.example"]

    async def emails(*more: MoreAddresses) -> list[str]:
        changes, _ = await told(list_of(session, AddressListTarget(more_addresses=more)))
        asked = company.cloud.world.journal.entries()[0].query
        assert ("proxyAddresses" in asked) == (MoreAddresses.ALIASES in more)
        assert ("otherMails" in asked) == (MoreAddresses.OTHER_MAILS in more)
        company.paths()
        return [email.address for email in contents(changes)["ada"].emails]

    assert await emails() == ["ada@contoso.example"]
    assert await emails(MoreAddresses.ALIASES) == [
        "ada@contoso.example",
        "a.lovelace@contoso.example",
    ]
    assert await emails(MoreAddresses.OTHER_MAILS) == ["ada@contoso.example", "ada@home.example"]


@pytest.mark.parametrize("installation", ["ours", "another"])
async def test_mail_contacts_that_we_made_are_nobodys_own(
    company: Company, session: GraphSession, installation: str
) -> None:
    alias = alias_of(Stamp(installation, "hub", 32 * "a", "spoke", "1"))
    company.knows("copy", mail_nickname=alias)
    company.knows("shouted", mail_nickname=alias.upper())
    company.knows("own", mail_nickname="cirahub-fan")
    assert await names(session) == ["ada", "own"]


async def test_an_application_that_may_read_names_only_takes_nobodys_phone_away(
    company: Company, session: GraphSession, address_list: AddressListEndpoint
) -> None:
    company.cloud.application.granted[TENANT] = {"User.ReadBasic.All", "OrgContact.Read.All"}
    with pytest.raises(AccessDeniedError, match=r"names of users only; .*role User\.Read\.All"):
        await told(address_list)
    with pytest.raises(AccessDeniedError, match=r"role User\.Read\.All"):
        await address_list.fetch(["users/1"])
    assert company.paths() == []
    contacts = list_of(session, AddressListTarget(include=(Listed.CONTACTS,)))
    assert (await told(contacts))[0] == []


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (Listed.USERS, "User.Read.All"),
        (Listed.CONTACTS, "OrgContact.Read.All"),
        (Listed.GROUPS, "GroupMember.Read.All"),
    ],
)
async def test_a_role_that_is_missing_is_named(
    company: Company, session: GraphSession, kind: Listed, role: str
) -> None:
    company.cloud.application.granted[TENANT] = set()
    with pytest.raises(AccessDeniedError, match=rf"global address list: .*the role {role}"):
        await told(list_of(session, AddressListTarget(include=(kind,))))


async def test_a_list_may_be_read_for_several_hubs(session: GraphSession) -> None:
    opened = await list_of(session).open(create=False)
    assert opened == Target(TENANT, "directory", HUB)
    assert str(opened).count("/") == 2


async def test_nothing_there_is_a_copy_of_ours_to_find(
    company: Company, address_list: AddressListEndpoint
) -> None:
    assert [item async for item in address_list.stamped()] == []
    assert await address_list.find(["i/h/x/s/1"]) == {"i/h/x/s/1": ()}
    assert company.paths() == []
    assert EVERYTHING.identity == AddressListTarget()
