"""Requests for a contact's photo (its size, the picture, another one, none), and what those for a
user's share with them.

https://learn.microsoft.com/graph/api/profilephoto-get and
https://learn.microsoft.com/graph/api/profilephoto-update; the contract declares DELETE besides.
"""

from __future__ import annotations

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.contact_requests import find_contact
from cirahub_simulator.graph.etag import check_if_match
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.photo import MAX_BYTES, Photo, read_photo
from cirahub_simulator.graph.query import MAX_TOP
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.profilePhoto"
PROPERTIES = frozenset(("id", "width", "height"))


def get_photo(call: Call, mailbox: Mailbox) -> Response:
    """A photo's metadata."""
    contact = find_contact(call, mailbox)
    if contact.photo is None and call.switches.absent_photo == "not-found":
        raise _no_photo()
    context = f"users('{mailbox.user_id}')/contacts('{call.route.contact}')/photo/$entity"
    return call.entity(200, context, shown(call, contact.photo))


def shown(call: Call, photo: Photo | None) -> dict[str, object]:
    """A photo's metadata; of none, that of a single pixel."""
    query = call.query(TYPE, PROPERTIES, MAX_TOP)
    values: dict[str, object] = (
        {"id": "1x1", "width": 1, "height": 1}
        if photo is None
        else {"id": photo.id, "width": photo.width, "height": photo.height}
    )
    if query.select:
        values = {name: values[name] for name in query.select}
    head = {
        "@odata.mediaContentType": "image/gif" if photo is None else "image/jpeg",
        "@odata.mediaEtag": "" if photo is None else photo.etag,
    }
    return head | values


def get_picture(call: Call, mailbox: Mailbox) -> Response:
    """The picture itself."""
    return picture(call, _photo(find_contact(call, mailbox)))


def picture(call: Call, photo: Photo) -> Response:
    """A photo's bytes."""
    answer = call.answer(200, photo.data)
    answer.headers |= {"Content-Type": "image/jpeg", "ETag": photo.etag}
    return answer


def put_picture(call: Call, mailbox: Mailbox) -> Response:
    """Another picture; PATCH does the same."""
    mailbox.set_photo(find_contact(call, mailbox), given_photo(call))
    return written(call)


def given_photo(call: Call) -> Photo:
    """The photo of a request's body. Raises GraphError."""
    request = call.request
    if len(request.body) >= MAX_BYTES:
        raise errors.GraphError(
            413, "RequestEntityTooLarge", "The request size exceeds the maximum limit."
        )
    content_type = request.headers.get("content-type", "").lower()
    if not content_type.startswith(("image/jpeg", "image/jpg", "application/octet-stream")):
        raise errors.GraphError(
            415, "UnsupportedMediaType", f"The media type '{content_type}' is not supported."
        )
    photo = read_photo(request.body)
    if photo is None:
        raise errors.bad_request("The photo is no JPEG picture.", "ErrorInvalidPhoto")
    return photo


def written(call: Call) -> Response:
    """What a request that wrote a photo is answered."""
    answer = call.nothing()
    answer.status = 200
    return answer


def delete_picture(call: Call, mailbox: Mailbox) -> Response:
    """No picture any more; the metadata declares If-Match."""
    contact = find_contact(call, mailbox)
    check_if_match(call, _photo(contact).etag)
    mailbox.set_photo(contact, None)
    return call.nothing()


def _photo(contact: Contact) -> Photo:
    if contact.photo is None:
        raise _no_photo()
    return contact.photo


def _no_photo() -> errors.GraphError:
    """https://learn.microsoft.com/graph/api/profilephoto-get: 404 where no photo exists."""
    return errors.GraphError(
        404, "ErrorItemNotFound", "The specified object was not found in the store."
    )
