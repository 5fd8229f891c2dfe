"""What applications keep with contacts and events: values of several, and open extensions."""

from __future__ import annotations

from typing import Any

import pytest
from tests.simulator.graph.calendars import EVENTS, MONTH, VIEW, meeting, weekly
from tests.simulator.graph.cloud import ADA, Client

CONTACTS = f"/users/{ADA}/contacts"
COLOURS = "StringArray {66f5a359-4659-4830-9070-00040ec6ac6e} Name Colours"
SIZES = "IntegerArray {66f5a359-4659-4830-9070-00040ec6ac6e} Id 0x8001"
NAME = "Com.Contoso.Referral"
EXTENSION = {
    "@odata.type": "microsoft.graph.openTypeExtension",
    "extensionName": NAME,
    "companyName": "Wingtip",
    "dealValue": 500050,
    "tags": ["a"],
}
OWNERS = pytest.mark.parametrize(
    ("path", "body"), [(CONTACTS, {"givenName": "A"}), (EVENTS, meeting())]
)


def expand(name: str, wanted: str) -> str:
    return f"$expand={name}($filter=id eq '{wanted}')"


@OWNERS
def test_properties_of_several_values_are_expanded(
    client: Client, path: str, body: dict[str, Any]
) -> None:
    values = [{"id": COLOURS, "value": ["red", "blue"]}, {"id": SIZES, "value": ["1"]}]
    made = client.post(path, body | {"multiValueExtendedProperties": values}).json
    assert "multiValueExtendedProperties" not in made
    one = f"{path}/{made['id']}?{expand('multiValueExtendedProperties', COLOURS)}"
    assert client.get(one).json["multiValueExtendedProperties"] == values[:1]
    [listed] = client.get(f"{path}?{expand('multiValueExtendedProperties', SIZES)}").items
    assert listed["multiValueExtendedProperties"] == [
        {"id": SIZES.replace("0x8001", "0x8001"), "value": ["1"]}
    ]
    changes = [{"id": COLOURS, "value": ["green"]}]
    client.patch(f"{path}/{made['id']}", {"multiValueExtendedProperties": changes})
    assert client.get(one).json["multiValueExtendedProperties"] == changes
    gone = [{"id": COLOURS, "value": None}]
    client.patch(f"{path}/{made['id']}", {"multiValueExtendedProperties": gone})
    assert "multiValueExtendedProperties" not in client.get(one).json


@OWNERS
@pytest.mark.parametrize(
    "values",
    [
        [{"id": "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name X", "value": ["a"]}],
        [{"id": "nonsense", "value": ["a"]}],
        [{"id": COLOURS, "value": "a"}],
        [COLOURS],
    ],
)
def test_what_is_no_property_of_several_values_is_refused(
    client: Client, path: str, body: dict[str, Any], values: list[Any]
) -> None:
    client.judged = False
    assert client.post(path, body | {"multiValueExtendedProperties": values}).status == 400
    assert client.get(path).items == []


@OWNERS
def test_extensions_are_made_read_changed_and_deleted(
    client: Client, path: str, body: dict[str, Any]
) -> None:
    owner = client.post(path, body).json
    extensions = f"{path}/{owner['id']}/extensions"
    made = client.post(extensions, EXTENSION)
    assert made.status == 201
    assert made.json["id"] == f"Microsoft.OutlookServices.OpenTypeExtension.{NAME}"
    assert made.json["@odata.type"] == "#microsoft.graph.openTypeExtension"
    assert (made.json["companyName"], made.json["tags"]) == ("Wingtip", ["a"])
    assert client.get(f"{path}/{owner['id']}").json["changeKey"] != owner["changeKey"]
    one = f"{extensions}/{NAME.upper()}"
    changed = client.patch(one, {"companyName": None, "dealValue": 1, "extra": True}).json
    assert "companyName" not in changed
    assert (changed["dealValue"], changed["extra"], changed["tags"]) == (1, True, ["a"])
    [listed] = client.get(extensions).items
    assert listed == {n: v for n, v in client.get(one).json.items() if n != "@odata.context"}
    assert client.post(extensions, EXTENSION).status == 409
    assert client.delete(f"{extensions}/{made.json['id']}").status == 204
    assert client.get(one).code == "ErrorItemNotFound"
    assert client.get(extensions).items == []


@OWNERS
def test_extensions_come_along_and_are_expanded(
    client: Client, path: str, body: dict[str, Any]
) -> None:
    other = {"extensionName": "Com.Other", "x": 1}
    made = client.post(path, body | {"extensions": [EXTENSION, other]}).json
    assert "extensions" not in made
    item = f"{path}/{made['id']}"
    [found] = client.get(f"{item}?{expand('extensions', NAME)}").json["extensions"]
    assert found["companyName"] == "Wingtip"
    assert len(client.get(f"{item}?$expand=extensions").json["extensions"]) == 2
    assert client.get(f"{item}?{expand('extensions', 'Com.None')}").json["extensions"] == []
    again = client.patch(item, {"extensions": [other]})
    assert (again.status, again.code) == (409, "ErrorExtensionExists")


@OWNERS
def test_extensions_without_a_name_or_twice_are_refused(
    client: Client, path: str, body: dict[str, Any]
) -> None:
    for extensions in ([{"x": 1}], [EXTENSION, EXTENSION]):
        assert client.post(path, body | {"extensions": extensions}).status in (400, 409)
    assert client.get(path).items == []


def test_an_instance_shows_what_its_series_has_and_takes_none_of_its_own(client: Client) -> None:
    values = [{"id": COLOURS, "value": ["red"]}]
    client.post(EVENTS, weekly(multiValueExtendedProperties=values))
    view = f"{VIEW}?{MONTH}&{expand('multiValueExtendedProperties', COLOURS)}"
    first = client.get(view).items[0]
    assert first["multiValueExtendedProperties"] == values
    instance = f"{EVENTS}/{first['id']}"
    assert client.patch(instance, {"multiValueExtendedProperties": values}).status == 501
    assert client.post(f"{instance}/extensions", EXTENSION).status == 501


def test_roles_follow_the_object(client: Client) -> None:
    contact = client.post(CONTACTS, {"givenName": "A"}).json["id"]
    event = client.post(EVENTS, meeting()).json["id"]
    client.roles = frozenset(("Calendars.ReadWrite",))
    assert client.get(f"{EVENTS}/{event}/extensions").status == 200
    assert client.get(f"{CONTACTS}/{contact}/extensions").status == 403
    client.roles = frozenset(("Contacts.ReadWrite",))
    assert client.get(f"{CONTACTS}/{contact}/extensions").status == 200
    assert client.get(f"{EVENTS}/{event}/extensions").status == 403
