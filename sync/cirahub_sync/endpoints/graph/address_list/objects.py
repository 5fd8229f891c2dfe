"""Reading objects of the directory by their ids, and what they are in the address list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.configuration import AddressListTarget, Listed
from cirahub_sync.endpoints.base import Fingerprint, RemoteItem, Unreadable
from cirahub_sync.endpoints.graph.address_list.listing import LISTINGS, Listing
from cirahub_sync.endpoints.graph.answers import Answer, failure
from cirahub_sync.endpoints.graph.permissions import LIST_ROLES_THAT_DO
from cirahub_sync.endpoints.graph.place import DIRECTORY_LANE
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.wire import UNREADABLE
from cirahub_sync.errors import AccessDeniedError

_encode = msgspec.json.Encoder().encode


class ObjectReader:
    """The objects of one address list."""

    def __init__(
        self, session: GraphSession, target: AddressListTarget, fingerprint: Fingerprint
    ) -> None:
        self.session = session
        self.target = target
        self.what = f"connection {session.connection.name}: the global address list"
        self._fingerprint = fingerprint

    async def require_whole(self) -> None:
        """Refuse to read users without what only few applications are shown of them: it would be
        taken for deleted (https://learn.microsoft.com/graph/permissions-reference,
        User.ReadBasic.All). Raises AccessDeniedError."""
        if Listed.USERS not in self.target.include:
            return
        roles = await self.session.roles()
        if roles is not None and LIST_ROLES_THAT_DO[Listed.USERS].isdisjoint(roles):
            raise AccessDeniedError(
                f"{self.what}: the application may read the names of users only; grant it the role "
                f"{LISTINGS[Listed.USERS].role} in this tenant"
            )

    def item(
        self, listing: Listing, object_id: str, body: bytes | msgspec.Raw
    ) -> RemoteItem | Unreadable | None:
        """None for one that is not in the list. Directory objects have no etag: it is made of what
        we read of them."""
        item = listing.item(object_id)
        try:
            content = listing.parse(body, self.target)
        except UNREADABLE:
            return Unreadable(item, f"fields of a kind that {listing.collection} do not have")
        if content is None:
            return None
        return RemoteItem(id=item, etag=self._fingerprint(_encode(content)).hex(), content=content)

    async def bodies(self, listing: Listing, items: Sequence[str]) -> Mapping[str, bytes | None]:
        """Objects by the ids of our items, as they are now; None for those that are gone. One
        request for 20."""
        paths = [listing.object_path(item, self.target) for item in items]
        answers = await self.session.get_each(
            DIRECTORY_LANE, paths, what=self.what, role=listing.role
        )
        return {item: self._body(got, listing) for item, got in zip(items, answers, strict=True)}

    async def items(self, items: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        """What they are in the list; None for those that are not in it, or gone."""
        found: dict[str, RemoteItem | Unreadable | None] = dict.fromkeys(items)
        for kind in self.target.include:
            listing = LISTINGS[kind]
            some = [item for item in items if item.partition("/")[0] == listing.collection]
            if some:
                for item, body in (await self.bodies(listing, some)).items():
                    if body is not None:
                        found[item] = self.item(listing, item.partition("/")[2], body)
        return found

    def _body(self, answer: Answer, listing: Listing) -> bytes | None:
        if answer.status == 404:
            return None
        if not answer.ok:
            raise failure(answer, self.what, role=listing.role)
        return answer.body
