"""Graph's JSON, as far as we read it (https://learn.microsoft.com/graph/api/resources/contact).

Unknown members are skipped. Everything is optional that the contract makes nullable, which is
nearly everything.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class WireEmail(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    address: str | None = None
    name: str | None = None


class WireAddress(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    street: str | None = None
    city: str | None = None
    state: str | None = None
    country_or_region: str | None = None
    postal_code: str | None = None


class WireProperty(msgspec.Struct, gc=False):
    id: str
    value: str | None = None


class Removal(msgspec.Struct, gc=False):
    """https://learn.microsoft.com/graph/delta-query-overview: `changed` or `deleted`, which does
    not tell a move from a deletion."""

    reason: str | None = None


class WireContact(msgspec.Struct, gc=False, rename="camel", kw_only=True):
    id: str
    etag: str = msgspec.field(default="", name="@odata.etag")
    removed: Removal | None = msgspec.field(default=None, name="@removed")
    change_key: str | None = None
    created_date_time: str | None = None
    last_modified_date_time: str | None = None
    parent_folder_id: str | None = None
    display_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    surname: str | None = None
    title: str | None = None
    generation: str | None = None
    nick_name: str | None = None
    initials: str | None = None
    file_as: str | None = None
    yomi_given_name: str | None = None
    yomi_surname: str | None = None
    yomi_company_name: str | None = None
    company_name: str | None = None
    department: str | None = None
    job_title: str | None = None
    profession: str | None = None
    manager: str | None = None
    assistant_name: str | None = None
    office_location: str | None = None
    business_home_page: str | None = None
    spouse_name: str | None = None
    birthday: str | None = None
    personal_notes: str | None = None
    email_addresses: list[WireEmail] | None = None
    business_phones: list[str] | None = None
    home_phones: list[str] | None = None
    mobile_phone: str | None = None
    business_address: WireAddress | None = None
    home_address: WireAddress | None = None
    other_address: WireAddress | None = None
    im_addresses: list[str] | None = None
    categories: list[str] | None = None
    children: list[str] | None = None
    single_value_extended_properties: list[WireProperty] | None = None


class ItemKey(msgspec.Struct):
    """What is left to read of an item that can't be read."""

    id: str
    removed: Removal | None = msgspec.field(default=None, name="@removed")


class ItemStub(msgspec.Struct, rename="camel"):
    """An item's id and properties only, of a listing with `$select=id`."""

    id: str
    etag: str = msgspec.field(default="", name="@odata.etag")
    single_value_extended_properties: list[WireProperty] | None = None


class ItemPlace(msgspec.Struct, rename="camel"):
    id: str
    parent_folder_id: str | None = None


class Folder(msgspec.Struct, rename="camel"):
    id: str
    display_name: str | None = None
    parent_folder_id: str | None = None


class User(msgspec.Struct):
    id: str


class _Links(msgspec.Struct, kw_only=True):
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta: str | None = msgspec.field(default=None, name="@odata.deltaLink")


class ContactPage(_Links):
    value: list[WireContact]


class RawPage(_Links):
    """A page with an item that can't be read: each item apart."""

    value: list[msgspec.Raw]


class StubPage(_Links):
    value: list[ItemStub]


class PlacePage(_Links):
    value: list[ItemPlace]


class FolderPage(_Links):
    value: list[Folder]


class UserPage(_Links):
    value: list[User]


class Photo(msgspec.Struct):
    """https://learn.microsoft.com/graph/api/resources/profilephoto"""

    id: str = ""
    """Its size, as `48x48`."""
    etag: str | None = msgspec.field(default=None, name="@odata.mediaEtag")


class ErrorDetail(msgspec.Struct, frozen=True):
    code: str = ""


class ErrorBody(msgspec.Struct):
    """https://learn.microsoft.com/graph/errors: the message is never read, it may name people."""

    error: ErrorDetail = ErrorDetail()


class BatchPart(msgspec.Struct, gc=False):
    """One answer of a `$batch` (https://learn.microsoft.com/graph/json-batching)."""

    id: str
    status: int
    headers: Mapping[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class BatchAnswer(msgspec.Struct):
    responses: list[BatchPart]


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: for JSON that is none or does not fit, for bytes that are no UTF-8, and for
lists in lists without end."""
CONTACT = msgspec.json.Decoder(WireContact)
CONTACT_PAGE = msgspec.json.Decoder(ContactPage)
RAW_PAGE = msgspec.json.Decoder(RawPage)
STUB_PAGE = msgspec.json.Decoder(StubPage)
ITEM_KEY = msgspec.json.Decoder(ItemKey)
ITEM_PLACE = msgspec.json.Decoder(ItemPlace)
PLACE_PAGE = msgspec.json.Decoder(PlacePage)
FOLDER = msgspec.json.Decoder(Folder)
ITEM_STUB = msgspec.json.Decoder(ItemStub)
FOLDER_PAGE = msgspec.json.Decoder(FolderPage)
USER = msgspec.json.Decoder(User)
USER_PAGE = msgspec.json.Decoder(UserPage)
PHOTO = msgspec.json.Decoder(Photo)
ERROR = msgspec.json.Decoder(ErrorBody)
BATCH = msgspec.json.Decoder(BatchAnswer)
