"""Contacts: what is kept, what the server sets, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulator.graph.cloud import ADA, Client

from cirahub_simulator.graph.contact import FIELDS
from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.world import World

CONTACTS = f"/users/{ADA}/contacts"
STAMP = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name Stamp"

EVERYTHING: dict[str, Any] = {
    "categories": ["Team", "Friends"],
    "birthday": "1980-02-29T00:00:00Z",
    "fileAs": "Lovelace, Ada",
    "displayName": "Ada Lovelace",
    "givenName": "Ada",
    "initials": "A. L.",
    "middleName": "King",
    "nickName": "Countess",
    "surname": "Lovelace",
    "title": "Lady",
    "yomiGivenName": "エイダ",
    "yomiSurname": "ラブレス",
    "yomiCompanyName": "カイシャ",
    "generation": "I",
    "imAddresses": ["sip:ada@contoso.example"],
    "jobTitle": "Analyst",
    "companyName": "Analytical Engines",
    "department": "Notes",
    "officeLocation": "St. James's Square",
    "profession": "Mathematician",
    "businessHomePage": "https://engines.example",
    "assistantName": "Mary",
    "manager": "Charles",
    "homePhones": ["+44 1", "+44 2"],
    "mobilePhone": "+44 3",
    "businessPhones": ["+44 4", "+44 5"],
    "spouseName": "William",
    "personalNotes": "Note G\n“Bernoulli”",
    "children": ["Byron", "Anne", "Ralph"],
    "emailAddresses": [
        {"name": "Ada", "address": "ada@contoso.example"},
        {"name": "home", "address": "ada@home.example"},
        {"name": "old", "address": "ada@old.example"},
    ],
    "homeAddress": {
        "street": "12 Square",
        "city": "London",
        "state": "Greater London",
        "countryOrRegion": "UK",
        "postalCode": "SW1",
    },
    "businessAddress": {"city": "London"},
    "otherAddress": {"countryOrRegion": "Schweiz"},
}


def test_every_field_is_kept_as_it_was_sent(client: Client) -> None:
    assert set(EVERYTHING) == set(FIELDS)
    made = client.post(CONTACTS, EVERYTHING)
    assert made.status == 201
    got = client.get(f"{CONTACTS}/{made.json['id']}")
    assert {name: got.json[name] for name in EVERYTHING} == EVERYTHING
    assert {n: v for n, v in made.json.items() if n != "@odata.context"} == {
        n: v for n, v in got.json.items() if n != "@odata.context"
    }


def test_a_sparse_contact_shows_every_field_empty(client: Client) -> None:
    made = client.post(CONTACTS, {"givenName": "Pavel", "surname": "Bansky"})
    assert made.json["displayName"] == "Pavel Bansky"
    assert made.json["businessPhones"] == []
    assert made.json["homeAddress"] == {}
    assert made.json["birthday"] is None
    assert made.json["personalNotes"] == ""
    assert made.json["@odata.etag"] == f'W/"{made.json["changeKey"]}"'
    assert made.json["createdDateTime"] == made.json["lastModifiedDateTime"]
    assert (
        made.json["parentFolderId"]
        == client.get(f"/users/{ADA}/contactFolders/contacts").json["id"]
    )


def test_a_patch_changes_what_it_names_and_the_change_key(client: Client) -> None:
    made = client.post(CONTACTS, EVERYTHING).json
    change = {"mobilePhone": None, "businessPhones": ["+44 9"], "homeAddress": None, "title": "Dr"}
    done = client.patch(f"{CONTACTS}/{made['id']}", change)
    assert done.status == 200
    expected = EVERYTHING | {
        "mobilePhone": None,
        "businessPhones": ["+44 9"],
        "homeAddress": {},
        "title": "Dr",
    }
    assert {name: done.json[name] for name in expected} == expected
    assert done.json["changeKey"] != made["changeKey"]
    assert done.json["id"] == made["id"]


def test_a_patch_of_a_name_part_writes_the_display_name_anew(
    client: Client, switched: Callable[..., Client]
) -> None:
    made = client.post(CONTACTS, {"givenName": "Ada", "displayName": "The Countess"}).json
    done = client.patch(f"{CONTACTS}/{made['id']}", {"surname": "King"})
    assert done.json["displayName"] == "Ada King"
    kept = client.patch(
        f"{CONTACTS}/{made['id']}", {"surname": "Lovelace", "displayName": "The Countess"}
    )
    assert kept.json["displayName"] == "The Countess"

    other = switched(display_name_kept=True)
    made = other.post(CONTACTS, {"givenName": "Ada", "displayName": "The Countess"}).json
    done = other.patch(f"{CONTACTS}/{made['id']}", {"surname": "King"})
    assert done.json["displayName"] == "The Countess"


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "businessPhones",
            ["1", "2", "3"],
            (
                "The multi value property BusinessPhones has 3 entries, "
                "that exceeds the max allowed value of 2"
            ),
        ),
        (
            "emailAddresses",
            [{"address": f"{n}@x.example"} for n in range(4)],
            (
                "The multi value property EmailAddresses has 4 entries, "
                "that exceeds the max allowed value of 3"
            ),
        ),
        ("homePhones", ["1", "2", "3"], None),
        ("imAddresses", ["1", "2", "3", "4"], None),
    ],
)
def test_more_values_than_outlook_has_room_for_are_refused(
    client: Client, name: str, values: list[object], message: str | None
) -> None:
    refused = client.post(CONTACTS, {"givenName": "A", name: values})
    assert refused.status == 400
    if message is not None:
        assert refused.json["error"]["message"] == message
    made = client.post(CONTACTS, {"givenName": "A"}).json
    assert client.patch(f"{CONTACTS}/{made['id']}", {name: values}).status == 400
    assert client.get(f"{CONTACTS}/{made['id']}").json[name] == []


@pytest.mark.parametrize(
    "body",
    [
        {"favouriteColour": "blue"},
        {"givenName": 5},
        {"businessPhones": "+44 1"},
        {"businessPhones": [1]},
        {"emailAddresses": [{"adress": "typo@x.example"}]},
        {"homeAddress": {"zip": "1"}},
        {"birthday": "29 February"},
        {"birthday": "1980-02-30T00:00:00Z"},
        {"singleValueExtendedProperties": [{"id": "nonsense", "value": "1"}]},
        {"singleValueExtendedProperties": [{"value": "1"}]},
    ],
)
def test_what_is_no_contact_is_refused_with_the_name_of_the_fault(
    client: Client, body: dict[str, object]
) -> None:
    refused = client.post(CONTACTS, body)
    assert refused.status == 400
    assert next(iter(body)) in refused.json["error"]["message"] or "nonsense" in str(body)
    assert client.get(CONTACTS).items == []


def test_an_unknown_property_is_told_in_odata_words(client: Client) -> None:
    refused = client.post(CONTACTS, {"favouriteColour": "blue"})
    assert refused.code == "RequestBodyRead"
    assert refused.json["error"]["message"].startswith(
        "The property 'favouriteColour' does not exist on type 'microsoft.graph.contact'."
    )


def test_annotations_and_server_fields_sent_back_are_passed_over(client: Client) -> None:
    made = client.post(CONTACTS, EVERYTHING).json
    again = client.post(CONTACTS, made)
    assert again.status == 201
    assert again.json["id"] != made["id"]
    typed = {
        "@odata.type": "#microsoft.graph.contact",
        "emailAddresses": [
            {"@odata.type": "#microsoft.graph.emailAddress", "address": "a@x.example"}
        ],
    }
    assert client.post(CONTACTS, typed).json["emailAddresses"] == [
        {"name": "a@x.example", "address": "a@x.example"}
    ]


def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    client.judged = False
    assert client.send("POST", CONTACTS, raw=b"{").code == "UnableToDeserializePostBody"
    assert client.send("POST", CONTACTS, raw=b"[]").code == "UnableToDeserializePostBody"
    wrong = client.send("POST", CONTACTS, raw=b"a: 1", headers={"content-type": "text/yaml"})
    assert wrong.status == 415
    missing = client.send("POST", CONTACTS, raw=b"{}", headers={"content-type": ""})
    assert missing.status == 400
    large = client.send("POST", CONTACTS, raw=b'{"givenName":"' + b"a" * 4_000_000 + b'"}')
    assert large.status == 413


def test_the_time_of_a_birthday_is_cut_unless_the_switch_keeps_it(
    client: Client, switched: Callable[..., Client]
) -> None:
    body = {"givenName": "A", "birthday": "1990-07-01T23:30:00-02:00"}
    assert client.post(CONTACTS, body).json["birthday"] == "1990-07-02T00:00:00Z"
    other = switched(birthday="as-sent")
    assert other.post(CONTACTS, body).json["birthday"] == "1990-07-02T01:30:00Z"


def test_defaults_follow_their_switches(switched: Callable[..., Client]) -> None:
    body = {
        "givenName": "Ada",
        "surname": "King",
        "emailAddresses": [{"address": "a@x.example"}],
    }
    plain = switched().post(CONTACTS, body).json
    assert plain["fileAs"] == ""
    assert plain["emailAddresses"] == [{"name": "a@x.example", "address": "a@x.example"}]
    other = switched(file_as="last-first", email_name="absent").post(CONTACTS, body).json
    assert other["fileAs"] == "King, Ada"
    assert other["emailAddresses"] == [{"address": "a@x.example"}]
    strict = switched(given_name_required=True)
    assert strict.post(CONTACTS, {"surname": "King"}).code == "ErrorInvalidProperty"


def test_if_match_guards_delete_and_by_switch_patch(
    client: Client, switched: Callable[..., Client]
) -> None:
    made = client.post(CONTACTS, {"givenName": "A"}).json
    url = f"{CONTACTS}/{made['id']}"
    old = made["@odata.etag"]
    new = client.patch(url, {"title": "Dr"}, if_match=old).json["@odata.etag"]
    stale = client.patch(url, {"title": "Prof"}, if_match=old)
    assert (stale.status, stale.code) == (412, "ErrorIrresolvableConflict")
    assert client.delete(url, if_match=old).status == 412
    assert client.patch(url, {"title": "Sir"}, if_match="*").status == 200
    assert client.delete(url, if_match=new).status == 412
    assert client.delete(url).status == 204

    other = switched(if_match_on_patch="ignored")
    made = other.post(CONTACTS, {"givenName": "A"}).json
    url = f"{CONTACTS}/{made['id']}"
    other.patch(url, {"title": "Dr"})
    assert other.patch(url, {"title": "Prof"}, if_match=made["@odata.etag"]).status == 200
    assert other.delete(url, if_match=made["@odata.etag"]).status == 412


def test_a_deleted_contact_is_in_the_bin_and_a_purged_one_nowhere(
    client: Client, world: World
) -> None:
    immutable = {"prefer": 'IdType="ImmutableId"'}
    ids = [client.post(CONTACTS, {"givenName": n}, **immutable).json["id"] for n in "ab"]
    assert client.delete(f"{CONTACTS}/{ids[0]}").status == 204
    assert client.post(f"{CONTACTS}/{ids[1]}/permanentDelete").status == 204
    assert client.get(CONTACTS).items == []
    mailbox = mailbox_of(world, ADA)
    assert list(mailbox.bin) == [ids[0]]
    binned = client.get(f"{CONTACTS}/{ids[0]}")
    assert binned.json["parentFolderId"] == mailbox.bin_folder.id
    assert client.get(f"{CONTACTS}/{ids[1]}").code == "ErrorItemNotFound"
    assert client.get(f"/users/{ADA}/contactFolders/contacts/contacts/{ids[0]}").status == 404
    assert client.delete(f"{CONTACTS}/{ids[0]}").status == 204
    assert client.get(f"{CONTACTS}/{ids[0]}").status == 404


def test_the_bin_can_be_out_of_reach(switched: Callable[..., Client]) -> None:
    client = switched(immutable_id_in_bin=False)
    made = client.post(CONTACTS, {"givenName": "a"}, prefer='IdType="ImmutableId"')
    client.delete(f"{CONTACTS}/{made.json['id']}")
    assert client.get(f"{CONTACTS}/{made.json['id']}").code == "ErrorItemNotFound"


def test_a_move_changes_the_regular_id_and_not_the_immutable_one(
    client: Client, world: World
) -> None:
    immutable = {"prefer": 'IdType="ImmutableId"'}
    folder = client.post(f"/users/{ADA}/contactFolders", {"displayName": "Sub"}).json["id"]
    regular = client.post(CONTACTS, {"givenName": "A"}).json["id"]
    answer = client.get(f"{CONTACTS}/{regular}", **immutable)
    assert answer.headers["Preference-Applied"] == 'IdType="ImmutableId"'
    fixed = answer.json["id"]
    assert fixed != regular

    mailbox = mailbox_of(world, ADA)
    moved = mailbox.move_contact(mailbox.contact(regular), mailbox.folder(folder))

    assert client.get(f"{CONTACTS}/{regular}").code == "ErrorItemNotFound"
    assert client.get(f"{CONTACTS}/{fixed}").json["id"] == moved.id != regular
    assert client.get(f"{CONTACTS}/{fixed}", **immutable).json["id"] == fixed
    assert client.get(f"{CONTACTS}/{fixed}").json["parentFolderId"] == folder


def test_ids_have_case_and_nonsense_is_malformed(client: Client) -> None:
    made = client.post(CONTACTS, {"givenName": "A"}).json["id"]
    assert client.get(f"{CONTACTS}/{made.swapcase()}").status in (400, 404)
    assert client.get(f"{CONTACTS}/nonsense").code == "ErrorInvalidIdMalformed"


@pytest.mark.parametrize("keeps", [True, False])
def test_a_users_copy_takes_the_stamp_along_by_switch(
    switched: Callable[..., Client], keeps: bool
) -> None:
    client = switched(copy_keeps_extended_properties=keeps)
    body = {
        "givenName": "A",
        "singleValueExtendedProperties": [{"id": STAMP, "value": "x"}],
    }
    made = client.post(CONTACTS, body).json
    mailbox = mailbox_of(client.service.world, ADA)
    copy = mailbox.copy_contact(mailbox.contact(made["id"]))
    expand = f"?$expand=singleValueExtendedProperties($filter=id eq '{STAMP}')"
    got = client.get(f"{CONTACTS}/{copy.id}{expand}").json
    assert got["id"] != made["id"]
    assert got["givenName"] == "A"
    assert ("singleValueExtendedProperties" in got) is keeps
    client.patch(f"{CONTACTS}/{made['id']}", {"givenName": "B"})
    assert client.get(f"{CONTACTS}/{copy.id}").json["givenName"] == "A"


def test_the_collection_cannot_be_patched(client: Client) -> None:
    refused = client.patch(CONTACTS, {"givenName": "A"})
    assert (refused.status, refused.code) == (405, "ErrorInvalidRequest")
