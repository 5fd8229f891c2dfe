"""Attachments as EWS has them: [MS-OXWSATT] 2.2.4.

A contact's photo is an attachment with IsContactPhoto
(https://learn.microsoft.com/exchange/client-developer/web-service-reference/iscontactphoto); the
mailbox keeps a JPEG among them where Graph looks for it, and it has one at most.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from cirahub_simulator.calendar.event import Instance
from cirahub_simulator.ews import errors
from cirahub_simulator.ews.markup import Element, add, boolean, element, find, is_true, text_of
from cirahub_simulator.ews.property import Item
from cirahub_simulator.graph.attachment import Attachment
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.photo import read_photo

PHOTO = 0
"""The number of a contact's photo."""
PHOTO_NAME = "ContactPicture.jpg"


def attachments_of(mailbox: Mailbox, item: Item) -> list[Attachment]:
    """What an item has, its photo first."""
    found = list(mailbox.attachments.get(item.immutable_id, {}).values())
    if isinstance(item, Contact) and item.photo is not None:
        photo = Attachment(
            number=PHOTO,
            name=PHOTO_NAME,
            content=item.photo.data,
            modified=item.modified,
            content_type="image/jpeg",
        )
        return [photo, *found]
    return found


def has_photo(mailbox: Mailbox, item: Item) -> bool:
    """Whether a contact has a photo."""
    return any(one.number == PHOTO or one.is_photo for one in attachments_of(mailbox, item))


def attach(mailbox: Mailbox, item: Item, node: Element) -> Attachment:
    """Give an item the file of a FileAttachment. Raises EwsError."""
    if isinstance(item, Instance):
        raise errors.not_supported("an attachment of one occurrence alone")
    content = find(node, "t:Content")
    data = b"" if content is None else b64decode(text_of(content))
    is_photo = is_true(_text(node, "IsContactPhoto"))
    held = mailbox.attachments.setdefault(item.immutable_id, {})
    if is_photo and isinstance(item, Contact):
        for number in [one.number for one in held.values() if one.is_photo]:
            del held[number]
        photo = read_photo(data)
        mailbox.set_photo(item, photo)
        if photo is not None:
            return attachments_of(mailbox, item)[0]
    made = Attachment(
        number=max(held, default=PHOTO) + 1,
        name=_text(node, "Name") or "",
        content=data,
        modified=item.modified,
        content_type=_text(node, "ContentType"),
        content_id=_text(node, "ContentId"),
        content_location=_text(node, "ContentLocation"),
        is_inline=is_true(_text(node, "IsInline")),
        is_photo=is_photo,
    )
    held[made.number] = made
    _touch(mailbox, item)
    return made


def detach(mailbox: Mailbox, item: Item, attachment: Attachment) -> None:
    """Take one of its attachments from an item."""
    if attachment.number == PHOTO and isinstance(item, Contact):
        mailbox.set_photo(item, None)
    else:
        del mailbox.attachments[item.immutable_id][attachment.number]
        _touch(mailbox, item)


def copy_attachments(source: Mailbox, item: Item, target: Mailbox, copy: Item) -> None:
    """Give a copy what an item has."""
    held = source.attachments.get(item.immutable_id)
    if held:
        target.attachments[copy.immutable_id] = dict(held)
    if isinstance(item, Contact) and isinstance(copy, Contact):
        copy.photo = item.photo


def _touch(mailbox: Mailbox, item: Item) -> None:
    if isinstance(item, Contact):
        mailbox.touch_contact(item)
    elif not isinstance(item, Instance):
        mailbox.calendars.touch_event(item)


def write_id(item: Item, attachment: Attachment) -> str:
    """The opaque id of an attachment."""
    return b64encode(f"{item.immutable_id}\n{attachment.number}".encode()).decode()


def read_id(text: str) -> tuple[str, int]:
    """The immutable id of the item and the number. Raises EwsError."""
    try:
        owner, _, number = b64decode(text, validate=True).decode().partition("\n")
        return owner, int(number)
    except (ValueError, Base64Error) as error:
        raise errors.EwsError(
            "ErrorInvalidAttachmentId", "The attachment Id is invalid."
        ) from error


def identifier(item: Item, attachment: Attachment, *root: str) -> Element:
    """An AttachmentId; `root` are the id and the change key of its item."""
    made = element("t:AttachmentId", Id=write_id(item, attachment))
    if root:
        made.set("RootItemId", root[0])
        made.set("RootItemChangeKey", root[1])
    return made


def render(item: Item, attachment: Attachment, *, whole: bool = False) -> Element:
    """A FileAttachment; `whole` with its content."""
    made = element("t:FileAttachment")
    made.append(identifier(item, attachment))
    for name, value in (
        ("Name", attachment.name),
        ("ContentType", attachment.content_type),
        ("ContentId", attachment.content_id),
        ("ContentLocation", attachment.content_location),
    ):
        if value:
            add(made, f"t:{name}", value)
    if not whole:
        add(made, "t:Size", str(len(attachment.content)))
        add(made, "t:LastModifiedTime", attachment.modified)
        add(made, "t:IsInline", boolean(attachment.is_inline))
    if isinstance(item, Contact):
        photo = attachment.number == PHOTO or attachment.is_photo
        add(made, "t:IsContactPhoto", boolean(photo))
    if whole:
        add(made, "t:Content", b64encode(attachment.content).decode())
    return made


def _text(node: Element, name: str) -> str | None:
    found = find(node, f"t:{name}")
    return None if found is None else text_of(found)
