"""Requests for a user's photo, which the mailbox keeps.

https://learn.microsoft.com/graph/api/profilephoto-get, profilephoto-update and
profilephoto-delete. Graph makes smaller sizes of it; here it has the one that it was given.
"""

from __future__ import annotations

import msgspec

from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.errors import GraphError
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.photo import Photo
from cirahub_simulator.graph.photo_requests import given_photo, picture, shown, written
from cirahub_simulator.wire import Response


def get_photo(call: Call, mailbox: Mailbox) -> Response:
    """A photo's metadata."""
    where = f"photos('{call.route.size}')" if call.route.size else "photo"
    context = f"users('{mailbox.user_id}')/{where}/$entity"
    return call.entity(200, context, shown(call, _photo(call, mailbox)))


def list_photos(call: Call, mailbox: Mailbox) -> Response:
    """The metadata of every size."""
    found = [] if mailbox.photo is None else [mailbox.photo]
    return call.page(
        f"users('{mailbox.user_id}')/photos",
        [msgspec.json.encode(shown(call, photo)) for photo in found],
    )


def get_picture(call: Call, mailbox: Mailbox) -> Response:
    """The picture itself."""
    return picture(call, _photo(call, mailbox))


def put_picture(call: Call, mailbox: Mailbox) -> Response:
    """Another picture."""
    mailbox.photo = given_photo(call)
    return written(call)


def delete_photo(call: Call, mailbox: Mailbox) -> Response:
    """No picture any more."""
    _photo(call, mailbox)
    mailbox.photo = None
    return call.nothing()


def _photo(call: Call, mailbox: Mailbox) -> Photo:
    """Where none is: github.com/Azure-Samples/ms-identity-dotnetcore-b2c-account-management, 23."""
    photo = mailbox.photo
    if photo is None or call.route.size not in ("", photo.id):
        raise GraphError(
            404,
            "ImageNotFound",
            "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was "
            "thrown.",
        )
    return photo
