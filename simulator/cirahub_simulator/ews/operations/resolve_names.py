"""ResolveNames: [MS-OXWSRSLNM] 3.1.4.1.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/resolvenames-operation:
at most a hundred; none is an error and several a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.directory import Group, OrgContact, User
from cirahub_simulator.ews import errors
from cirahub_simulator.ews.addressee import address_list
from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.contact import indexed_value
from cirahub_simulator.ews.envelope import error_message, success
from cirahub_simulator.ews.item_properties import item_id
from cirahub_simulator.ews.markup import (
    Element,
    add,
    boolean,
    children,
    element,
    find,
    is_true,
    text_of,
)
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

MOST = 100
_SCOPES = ("ActiveDirectory", "ActiveDirectoryContacts", "Contacts", "ContactsActiveDirectory")
_TAG = "m:ResolveNamesResponseMessage"


def answer(call: Call) -> list[Element]:
    """The one message."""
    try:
        return [_resolve(call)]
    except errors.SoapFaultError:
        raise
    except errors.EwsError as error:
        return [error_message(element(_TAG), error)]


def _resolve(call: Call) -> Element:
    request = call.request
    scope = attribute(request, "SearchScope", _SCOPES, "ActiveDirectoryContacts")
    full = is_true(attribute(request, "ReturnFullContactData", ("true", "false", "1", "0")))
    wanted = text_of(child(request, "m:UnresolvedEntry")).strip()
    if not wanted:
        raise errors.schema_violation("The 'UnresolvedEntry' element is empty.")
    wanted = wanted.removeprefix("smtp:").removeprefix("SMTP:").casefold()
    directory = [] if scope == "Contacts" else list(_from_directory(call, wanted, full))
    own = [] if scope == "ActiveDirectory" else list(_from_contacts(call, wanted))
    found = own + directory if scope.startswith("Contacts") else directory + own
    if not found:
        raise errors.EwsError("ErrorNameResolutionNoResults", "No results were found.")
    if len(found) == 1:
        made = success(_TAG)
    else:
        made = error_message(
            element(_TAG),
            errors.EwsError("ErrorNameResolutionMultipleResults", "Multiple results were found."),
        )
        made.set("ResponseClass", "Warning")
    resolutions = add(
        made,
        "m:ResolutionSet",
        TotalItemsInView=str(min(len(found), MOST)),
        IncludesLastItemInRange=boolean(len(found) <= MOST),
    )
    resolutions.extend(found[:MOST])
    return made


def _from_directory(call: Call, wanted: str, full: bool) -> Iterator[Element]:
    for one in address_list(call.world, call.organisation_id):
        if one.begins(wanted):
            made = element("t:Resolution")
            made.append(one.mailbox())
            if full and not isinstance(one.who, Group):
                made.append(_contact(one.who, one.address))
            yield made


def _contact(who: User | OrgContact, address: str) -> Element:
    """Somebody as a contact of the directory."""
    made = element("t:Contact")

    def text(name: str, value: str | None) -> None:
        if value:
            add(made, f"t:{name}", value)

    text("DisplayName", who.display_name)
    text("GivenName", who.given_name)
    text("CompanyName", who.company_name)
    entry = add(add(made, "t:EmailAddresses"), "t:Entry", f"SMTP:{address}")
    entry.set("Key", "EmailAddress1")
    if phones := _phones(who):
        dictionary = add(made, "t:PhoneNumbers")
        for key, phone in phones:
            add(dictionary, "t:Entry", phone, Key=key)
    text("ContactSource", "ActiveDirectory")
    text("Department", who.department)
    text("JobTitle", who.job_title)
    if isinstance(who, User):
        text("OfficeLocation", who.office_location)
    text("Surname", who.surname)
    return made


def _phones(who: User | OrgContact) -> list[tuple[str, str]]:
    """By PhoneNumberKeyType, in its order."""
    if isinstance(who, User):
        phones = [("BusinessPhone", phone) for phone in who.business_phones[:1]]
        return [*phones, *([("MobilePhone", who.mobile_phone)] if who.mobile_phone else [])]
    given = {phone["type"]: phone["number"] for phone in who.phones}
    keys = {"businessFax": "BusinessFax", "business": "BusinessPhone", "mobile": "MobilePhone"}
    return [(key, given[kind]) for kind, key in keys.items() if kind in given]


def _from_contacts(call: Call, wanted: str) -> Iterator[Element]:
    for mailbox, folder in _searched(call):
        for contact in folder.contacts.values():
            address = _address_of(contact, wanted)
            if address is None:
                continue
            made = element("t:Resolution")
            name = contact.fields.display_name or address
            node = _mailbox(name, address, "Contact")
            node.append(item_id(call.reading(mailbox, contact)))
            made.append(node)
            yield made


def _searched(call: Call) -> Iterator[tuple[Mailbox, Folder]]:
    parents = find(call.request, "m:ParentFolderIds")
    if parents is None:
        mailbox = call.own_mailbox()
        yield mailbox, mailbox.default_folder
        return
    for node in children(parents):
        yield call.folder_of(node)


def _address_of(contact: Contact, wanted: str) -> str | None:
    """The first e-mail address of a contact whose names or addresses begin with a text."""
    fields = contact.fields
    addresses = [
        value
        for key in ("EmailAddress1", "EmailAddress2", "EmailAddress3")
        if (value := indexed_value(contact, "contacts:EmailAddress", key))
    ]
    names = (fields.display_name, fields.given_name, fields.surname, *addresses)
    if not addresses or not any((name or "").casefold().startswith(wanted) for name in names):
        return None
    return addresses[0]


def _mailbox(name: str, address: str, kind: str) -> Element:
    made = element("t:Mailbox")
    add(made, "t:Name", name)
    add(made, "t:EmailAddress", address)
    add(made, "t:RoutingType", "SMTP")
    add(made, "t:MailboxType", kind)
    return made
