"""Photos of contacts: pictures in, pictures out, and what there is where none is."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable

import pytest
from tests.simulator.graph.cloud import ADA, Client

CONTACTS = f"/users/{ADA}/contacts"
JPEG = {"content-type": "image/jpeg"}


def picture(width: int = 48, height: int = 64, size: int = 200) -> bytes:
    """The beginning of a JPEG, and so many bytes of nothing."""
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(9) + frame + bytes(size)


def make(client: Client, path: str = CONTACTS) -> str:
    """A contact; the path of its photo."""
    return f"{path}/{client.post(path, {'givenName': 'A'}).json['id']}/photo"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("folder", ["", "/contactFolders/contacts"])
def test_a_picture_is_kept_as_it_is(client: Client, method: str, folder: str) -> None:
    path = make(client, f"/users/{ADA}{folder}/contacts")
    put = client.send(method, f"{path}/$value", raw=picture(), headers=JPEG)
    assert (put.status, put.content) == (200, b"")
    got = client.get(f"{path}/$value")
    assert (got.content, got.headers["Content-Type"]) == (picture(), "image/jpeg")
    shown = client.get(path).json
    assert (shown["id"], shown["width"], shown["height"]) == ("48x64", 48, 64)
    assert shown["@odata.mediaEtag"] == got.headers["ETag"]
    assert client.delete(f"{path}/$value").status == 204
    assert client.get(f"{path}/$value").code == "ErrorItemNotFound"


def test_msgraph_sdk_sends_bytes(client: Client) -> None:
    path = make(client)
    raw = {"content-type": "application/octet-stream"}
    assert client.send("PUT", f"{path}/$value", raw=picture(), headers=raw).status == 200


@pytest.mark.parametrize(("setting", "status"), [("not-found", 404), ("one-pixel", 200)])
def test_without_a_picture_there_may_be_a_pixel(
    switched: Callable[..., Client], setting: str, status: int
) -> None:
    client = switched(absent_photo=setting)
    path = make(client)
    answer = client.get(path)
    assert answer.status == status
    if status == 200:
        assert (answer.json["id"], answer.json["@odata.mediaEtag"]) == ("1x1", "")
    assert client.get(f"{path}/$value").status == 404
    assert client.delete(f"{path}/$value").status == 404


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (picture(), "image/png", 415),
        (picture(), "application/json", 415),
        (b"GIF89a", "image/jpeg", 400),
        (b"\xff\xd8\xff\xd9", "image/jpeg", 400),
        (picture(0), "image/jpeg", 400),
        (picture(size=4 * 1024 * 1024), "image/jpeg", 413),
    ],
)
def test_what_is_no_photo_is_refused(client: Client, raw: bytes, kind: str, status: int) -> None:
    path = make(client)
    refused = client.send("PUT", f"{path}/$value", raw=raw, headers={"content-type": kind})
    assert refused.status == status
    assert client.get(path).status == 404


@pytest.mark.parametrize("changes", [True, False])
def test_a_picture_may_be_a_change_of_its_contact(
    switched: Callable[..., Client], changes: bool
) -> None:
    client = switched(photo_changes_contact=changes)
    path = make(client)
    contact = path.removesuffix("/photo")
    before = client.get(contact).json["changeKey"]
    _, link = client.round(f"{CONTACTS}/delta")
    client.send("PUT", f"{path}/$value", raw=picture(), headers=JPEG)
    assert (client.get(contact).json["changeKey"] != before) is changes
    assert len(client.round(link)[0]) == changes


def test_pictures_go_through_a_batch_as_base64(client: Client) -> None:
    path = make(client)
    sent: dict[str, object] = {
        "id": "1",
        "method": "PUT",
        "url": f"{path}/$value",
        "headers": {"Content-Type": "image/jpeg"},
        "body": b64encode(picture()).decode(),
    }
    asked = {"id": "2", "method": "GET", "url": f"{path}/$value", "dependsOn": ["1"]}
    put, got = client.post("/$batch", {"requests": [sent, asked]}).json["responses"]
    assert (put["status"], got["status"]) == (200, 200)
    assert got["body"] == b64encode(picture()).decode()
    assert client.post("/$batch", {"requests": [sent | {"body": "a"}]}).status == 400


def test_the_metadata_declare_if_match_on_delete(client: Client) -> None:
    path = make(client)
    client.send("PUT", f"{path}/$value", raw=picture(), headers=JPEG)
    assert client.delete(f"{path}/$value", if_match='"other"').status == 412
    assert client.get(f"{path}?$select=width").json["width"] == 48
    assert json.loads(client.get(path).content)["@odata.mediaContentType"] == "image/jpeg"
