"""Reading items: by id, by stamp, and where they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.base import RemoteItem, Unreadable, Whereabouts
from cirahub_sync.endpoints.graph import codec, properties, wire
from cirahub_sync.endpoints.graph.answers import Answer, failure, read
from cirahub_sync.endpoints.graph.place import ROLES, Place, expand, query, segment
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.wire import WireContact
from cirahub_sync.errors import ProtocolError
from cirahub_sync.model.contact import Contact

_FIND_TOP = 50
_LIST_TOP = 250


class ItemReader:
    """The items of one place."""

    def __init__(self, session: GraphSession, place: Place, custom_names: tuple[str, ...]) -> None:
        self._session = session
        self._place = place
        self._custom_names = custom_names
        self._expand = expand(custom_names)
        self._what = f"connection {session.connection.name}: {place}"

    def item(self, contact: WireContact, extended: Mapping[str, str]) -> RemoteItem:
        """`extended` by canonical id."""
        return RemoteItem(
            id=contact.id,
            etag=etag(contact),
            content=codec.decode(contact, extended, self._custom_names),
            stamp=extended.get(properties.STAMP, ""),
            created=codec.seconds(contact.created_date_time),
            modified=codec.seconds(contact.last_modified_date_time),
        )

    def complete(self, contact: WireContact) -> RemoteItem:
        """An item that came with its extended properties."""
        return self.item(contact, codec.values(contact.single_value_extended_properties))

    async def contacts(self, ids: Sequence[str]) -> Mapping[str, WireContact | Unreadable | None]:
        """Items by id with their extended properties, wherever they are; None if gone."""
        paths = [f"{self._place.item_path(each)}?{self._expand}" for each in ids]
        answers = await self._session.get_each(
            self._place.mailbox, paths, what=self._what, role=ROLES
        )
        return {each: _contact(each, got) for each, got in zip(ids, answers, strict=True)}

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        return {
            each: self.complete(got) if isinstance(got, WireContact) else got
            for each, got in (await self.contacts(ids)).items()
        }

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        """One request a key, 20 in a batch."""
        paths = [
            f"{self._place.folder_path}/contacts?"
            f"{query(filter=properties.stamp_equals(key), top=_FIND_TOP)}&{self._expand}"
            for key in keys
        ]
        answers = await self._session.get_each(
            self._place.mailbox, paths, what=self._what, role=ROLES
        )
        found: dict[str, list[RemoteItem]] = {}
        for key, answer in zip(keys, answers, strict=True):
            if not answer.ok:
                raise failure(answer, self._what, role=ROLES)
            items, following = self._page(answer)
            while following is not None:
                items += (more := await self._following(following))[0]
                following = more[1]
            found[key] = [each for each in items if each.stamp == key]
        return found

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        """One request for 250 stamped items, and none for others."""
        path: str | None = (
            f"/v1.0{self._place.folder_path}/contacts?"
            f"{query(filter=properties.stamp_exists(), top=_LIST_TOP)}&{self._expand}"
        )
        while path is not None:
            items, path = await self._following(path)
            for each in items:
                if each.stamp:
                    yield each

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        """One request an id, 20 in a batch, and a few for folders that are not this one.

        Deleted Items is no contact folder, and to ask for it as a mail folder would take a role
        that reads mail. So an item whose folder is a contact folder was moved, unless that folder
        itself lies below something that is none; every other item is in the bin.
        """
        paths = [
            f"{self._place.item_path(each)}?{query(select='id,parentFolderId')}" for each in ids
        ]
        answers = await self._session.get_each(
            self._place.mailbox, paths, what=self._what, role=ROLES
        )
        known: dict[str, Whereabouts] = {self._place.folder: Whereabouts.HERE}
        found: dict[str, Whereabouts] = {}
        for each, answer in zip(ids, answers, strict=True):
            if _is_gone(answer):
                found[each] = Whereabouts.GONE
                continue
            if not answer.ok:
                raise failure(answer, self._what, role=ROLES)
            folder = read(wire.ITEM_PLACE, answer, self._what).parent_folder_id or ""
            if folder not in known:
                known[folder] = await self._kind(folder)
            found[each] = known[folder]
        return found

    async def _kind(self, folder: str) -> Whereabouts:
        """MOVED for a contact folder in the tree of the mailbox's own, else BIN."""
        user = f"/v1.0{self._place.mailbox_path}/contactFolders"
        root = await self._folder(f"{user}/contacts")
        here = await self._folder(f"{user}/{segment(folder)}")
        while here is not None:
            parent = here.parent_folder_id
            if root is None or not parent or here.id == root.id:
                return Whereabouts.MOVED
            if parent == root.parent_folder_id:
                return Whereabouts.MOVED
            here = await self._folder(f"{user}/{segment(parent)}")
        return Whereabouts.BIN

    async def _folder(self, path: str) -> wire.Folder | None:
        answer = await self._session.ask(self._place.mailbox, path, what=self._what, role=ROLES)
        if answer.status in (400, 404):
            return None
        if not answer.ok:
            raise failure(answer, self._what, role=ROLES)
        return read(wire.FOLDER, answer, self._what)

    async def _following(self, path: str) -> tuple[list[RemoteItem], str | None]:
        answer = await self._session.get(self._place.mailbox, path, what=self._what, role=ROLES)
        return self._page(answer)

    def _page(self, answer: Answer) -> tuple[list[RemoteItem], str | None]:
        """A page of stamped items. One whose fields can't be read comes without content: that it
        exists is what counts here, lest it be created once more."""
        contacts, links = read_page(answer, self._what)
        items: list[RemoteItem] = []
        for each in contacts:
            if isinstance(each, WireContact):
                items.append(self.complete(each))
            else:
                stub = _stub(each, answer, self._what)
                extended = codec.values(stub.single_value_extended_properties)
                stamp = extended.get(properties.STAMP, "")
                items.append(RemoteItem(id=stub.id, etag=stub.etag, content=Contact(), stamp=stamp))
        return items, self._session.path(links.next) if links.next else None


def etag(contact: WireContact) -> str:
    """The etag; made of the change key where the annotation is missing."""
    return contact.etag or (f'W/"{contact.change_key}"' if contact.change_key else "")


def read_page(
    answer: Answer, what: str
) -> tuple[Sequence[WireContact | msgspec.Raw], wire.ContactPage | wire.RawPage]:
    """A page's items, and the page for its links. An item that can't be read stays raw."""
    try:
        page = wire.CONTACT_PAGE.decode(answer.body)
    except wire.UNREADABLE:
        raw = read(wire.RAW_PAGE, answer, what)
        items: list[WireContact | msgspec.Raw] = []
        for each in raw.value:
            try:
                items.append(wire.CONTACT.decode(each))
            except wire.UNREADABLE:
                items.append(each)
        return items, raw
    return page.value, page


def _stub(raw: msgspec.Raw, answer: Answer, what: str) -> wire.ItemStub:
    try:
        return wire.ITEM_STUB.decode(raw)
    except wire.UNREADABLE as error:
        raise ProtocolError(f"{what}: an item without an id ({answer.summary})") from error


def _is_gone(answer: Answer) -> bool:
    return answer.status in (404, 410)


def _contact(item: str, answer: Answer) -> WireContact | Unreadable | None:
    if _is_gone(answer):
        return None
    if not answer.ok:
        return Unreadable(item, f"Graph answered {answer.summary}")
    try:
        return wire.CONTACT.decode(answer.body)
    except wire.UNREADABLE:
        return Unreadable(item, f"fields of a kind that a contact does not have: {answer.summary}")
