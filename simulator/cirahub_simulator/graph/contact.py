"""A contact: its fields as Graph writes them, and the item that a mailbox keeps.

https://learn.microsoft.com/graph/api/resources/contact; the order and the empty values ("" for
notes, {} for addresses, [] for collections, null for the rest) are those of the example in
https://learn.microsoft.com/graph/api/contact-get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cirahub_simulator.graph.identifiers import etag
from cirahub_simulator.graph.open_extension import Extensions
from cirahub_simulator.graph.photo import Photo

if TYPE_CHECKING:
    from cirahub_simulator.graph.folder import Folder


class EmailAddress(msgspec.Struct, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """https://learn.microsoft.com/graph/api/resources/emailaddress"""

    name: str | None = None
    address: str | None = None


class PhysicalAddress(
    msgspec.Struct, rename="camel", omit_defaults=True, forbid_unknown_fields=True
):
    """https://learn.microsoft.com/graph/api/resources/physicaladdress"""

    street: str | None = None
    city: str | None = None
    state: str | None = None
    country_or_region: str | None = None
    postal_code: str | None = None


class ExtendedValue(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """https://learn.microsoft.com/graph/api/resources/singlevaluelegacyextendedproperty"""

    id: str
    value: str | None = None


class ContactFields(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Everything about a contact that a client may write."""

    categories: list[str] = []
    birthday: str | None = None
    file_as: str | None = None
    display_name: str | None = None
    given_name: str | None = None
    initials: str | None = None
    middle_name: str | None = None
    nick_name: str | None = None
    surname: str | None = None
    title: str | None = None
    yomi_given_name: str | None = None
    yomi_surname: str | None = None
    yomi_company_name: str | None = None
    generation: str | None = None
    im_addresses: list[str] = []
    job_title: str | None = None
    company_name: str | None = None
    department: str | None = None
    office_location: str | None = None
    profession: str | None = None
    business_home_page: str | None = None
    assistant_name: str | None = None
    manager: str | None = None
    home_phones: list[str] = []
    mobile_phone: str | None = None
    business_phones: list[str] = []
    spouse_name: str | None = None
    personal_notes: str | None = None
    children: list[str] = []
    email_addresses: list[EmailAddress] = []
    home_address: PhysicalAddress = msgspec.field(default_factory=PhysicalAddress)
    business_address: PhysicalAddress = msgspec.field(default_factory=PhysicalAddress)
    other_address: PhysicalAddress = msgspec.field(default_factory=PhysicalAddress)
    single_value_extended_properties: list[ExtendedValue] | msgspec.UnsetType = msgspec.UNSET
    """In requests only: answers carry them when they are expanded, never otherwise."""
    odata_type: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="@odata.type")
    """In requests only."""


FIELDS: dict[str, str] = {
    name: attribute
    for name, attribute in zip(
        ContactFields.__struct_encode_fields__, ContactFields.__struct_fields__, strict=True
    )
    if name not in ("singleValueExtendedProperties", "@odata.type")
}
"""Graph's names and ours."""

SERVER_FIELDS = ("id", "createdDateTime", "lastModifiedDateTime", "changeKey", "parentFolderId")
"""What only the server sets. A client that sends them back is not refused, and not obeyed."""

PROPERTIES = frozenset((*SERVER_FIELDS, *FIELDS))
"""What `$select`, `$filter` and `$orderby` may name."""

_encoder = msgspec.json.Encoder()


class Contact:
    """A contact in a mailbox."""

    __slots__ = (
        "_tail",
        "change_key",
        "created",
        "extended",
        "extensions",
        "fields",
        "folder",
        "id",
        "immutable_id",
        "modified",
        "multiple",
        "photo",
        "places",
        "sequence",
    )

    def __init__(
        self,
        *,
        item_id: str,
        immutable_id: str,
        folder: Folder,
        fields: ContactFields,
        extended: dict[str, str],
        created: str,
    ) -> None:
        self.id = item_id
        self.immutable_id = immutable_id
        self.folder = folder
        self.fields = fields
        self.extended = extended
        """Single-value extended properties by their canonical id."""
        self.places: dict[str, tuple[int, ...]] = {}
        """For a list whose values have numbers in Exchange: each value's. Graph shows the order
        alone, and what it writes is numbered anew."""
        self.multiple: dict[str, list[str]] = {}
        """Multi-value extended properties by their canonical id."""
        self.extensions: Extensions = {}
        self.photo: Photo | None = None
        self.created = created
        self.modified = created
        self.change_key = ""
        self.sequence = 0
        self._tail = b""

    def touch(self, *, sequence: int, change_key: str, modified: str) -> None:
        """Note a write."""
        self.sequence = sequence
        self.change_key = change_key
        self.modified = modified
        self._tail = b""

    @property
    def etag(self) -> str:
        """The etag that goes with the change key."""
        return etag(self.change_key)

    def encode(self, item_id: str, annotations: str = "") -> bytes:
        """The JSON of the whole contact; `annotations` are members that go first."""
        if not self._tail:
            self._tail = _encoder.encode(self.fields)
        key = self.change_key
        head = (
            f'{{{annotations}"@odata.etag":"W/\\"{key}\\"","id":"{item_id}",'
            f'"createdDateTime":"{self.created}","lastModifiedDateTime":"{self.modified}",'
            f'"changeKey":"{key}","parentFolderId":"{self.folder.id}",'
        )
        return head.encode() + self._tail[1:]

    def to_dict(self, item_id: str) -> dict[str, object]:
        """All properties under Graph's names."""
        values: dict[str, object] = {
            "id": item_id,
            "createdDateTime": self.created,
            "lastModifiedDateTime": self.modified,
            "changeKey": self.change_key,
            "parentFolderId": self.folder.id,
        }
        values.update(msgspec.to_builtins(self.fields))
        return values
