"""What there is about a user and the organisation besides mailboxes: photo, settings, manager."""

from __future__ import annotations

import pytest
from tests.simulator.graph.cloud import ADA, BOB, CONTOSO, FABRIKAM, GUEST, Client
from tests.simulator.graph.test_photos import JPEG, picture

PHOTO = f"/users/{ADA}/photo"
SETTINGS = f"/users/{ADA}/mailboxSettings"


@pytest.fixture
def writer(client: Client) -> Client:
    """An application that may write all of it."""
    client.roles = frozenset(
        (
            "MailboxSettings.ReadWrite",
            "Organization.Read.All",
            "ProfilePhoto.ReadWrite.All",
            "User.Read.All",
        )
    )
    return client


def test_a_user_s_photo_is_kept_as_it_is(writer: Client) -> None:
    assert writer.get(f"/users/{ADA}/photos").items == []
    for path in (PHOTO, f"{PHOTO}/$value", f"/users/{ADA}/photos/48x48/$value"):
        answer = writer.get(path)
        assert (answer.status, answer.code) == (404, "ImageNotFound")
    put = writer.send("PUT", f"{PHOTO}/$value", raw=picture(), headers=JPEG)
    assert (put.status, put.content) == (200, b"")
    for path in (PHOTO, f"/users/{ADA}/photos/48x64"):
        shown = writer.get(path).json
        assert (shown["id"], shown["width"], shown["height"]) == ("48x64", 48, 64)
        assert writer.get(f"{path}/$value").content == picture()
    assert [one["id"] for one in writer.get(f"/users/{ADA}/photos").items] == ["48x64"]
    assert writer.get(f"/users/{ADA}/photos/360x360/$value").code == "ImageNotFound"
    assert writer.get(f"/users/{BOB}/photo").code == "ImageNotFound"
    assert writer.delete(PHOTO).status == 204
    assert writer.get(PHOTO).code == "ImageNotFound"


def test_what_is_no_photo_is_refused(writer: Client) -> None:
    answer = writer.send("PUT", f"{PHOTO}/$value", raw=b"no picture", headers=JPEG)
    assert (answer.status, answer.code) == (400, "ErrorInvalidPhoto")


def test_a_mailbox_has_settings(writer: Client) -> None:
    given = writer.get(SETTINGS).json
    assert (given["timeZone"], given["userPurpose"]) == ("UTC", "user")
    assert given["language"]["locale"] == "en-US"
    chosen = writer.get(f"{SETTINGS}?$select=timeZone").json
    assert set(chosen) == {"@odata.context", "timeZone"}
    changed = writer.patch(SETTINGS, {"timeZone": "W. Europe Standard Time"}).json
    assert changed["timeZone"] == "W. Europe Standard Time"
    assert writer.get(SETTINGS).json["timeZone"] == "W. Europe Standard Time"
    assert writer.get(f"/users/{BOB}/mailboxSettings").json["timeZone"] == "UTC"
    assert writer.get(f"/users/{GUEST}/mailboxSettings").code == "MailboxNotEnabledForRESTAPI"


@pytest.mark.parametrize(
    ("body", "status"),
    [({"timeZone": 1}, 400), ({"nothing": "x"}, 400), ({"language": {"locale": "de-DE"}}, 501)],
)
def test_settings_that_are_none_are_refused(
    writer: Client, body: dict[str, object], status: int
) -> None:
    writer.judged = False
    assert writer.patch(SETTINGS, body).status == status
    assert writer.get(SETTINGS).json["language"]["locale"] == "en-US"


def test_nobody_has_a_manager(writer: Client) -> None:
    answer = writer.get(f"/users/{ADA}/manager")
    assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")
    assert "'manager'" in answer.json["error"]["message"]


def test_the_organisation_is_the_caller_s(writer: Client) -> None:
    [own] = writer.get("/organization").items
    assert (own["id"], own["displayName"]) == (CONTOSO, "Contoso")
    assert [domain["name"] for domain in own["verifiedDomains"]] == ["contoso.example"]
    assert writer.get(f"/organization/{CONTOSO}?$select=displayName").json["displayName"] == (
        "Contoso"
    )
    assert writer.get(f"/organization/{FABRIKAM}").code == "Request_ResourceNotFound"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/organization", "Authorization_RequestDenied"),
        (PHOTO, "ErrorAccessDenied"),
        (SETTINGS, "ErrorAccessDenied"),
    ],
)
def test_each_has_a_role_of_its_own(client: Client, path: str, code: str) -> None:
    client.roles = frozenset(("Contacts.ReadWrite", "Calendars.ReadWrite"))
    answer = client.get(path)
    assert (answer.status, answer.code) == (403, code)
