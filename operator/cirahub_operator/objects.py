"""What the cluster holds of our kinds, as the watches hand it over: reconcilers read here.

An object is kept as JSON without what nobody reads, about a kilobyte, and parsed when it is asked
for. What we write ourselves goes in with the API server's answer, so that nobody acts on a status
older than the one it wrote. Newer is what has the greater resourceVersion; these compare as
numbers within a kind (Kubernetes, KEP-5504 "Comparable Resource Version").

Nothing is handed out before everything is known: a hub without half of its spokes would look as
if they had left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from cirahub_operator.api import KINDS, Connection, Hub, Metadata, Resource, Spoke
from cirahub_operator.cluster import Known, Listing, Unparsable, parsed
from cirahub_operator.errors import ClusterUnreachableError
from cirahub_operator.workqueue import Key

Object = TypeVar("Object", bound=Resource)

SLICE = 20
"""Objects parsed in one go; then the event loop may do something else. A few milliseconds."""
UNREAD = frozenset({"managedFields", "selfLink"})
GONE = 4096
"""Objects that are remembered as deleted, by their uids, for answers that come late."""
UNREAD_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


class NotListedError(ClusterUnreachableError):
    """Not all objects are known yet. Comes right by itself."""


class _Entry(msgspec.Struct, gc=False):
    uid: str
    version: int
    hub: Key | None
    """Of a Spoke: what it names."""
    connection: Key | None
    body: bytes


class Objects:
    def __init__(self) -> None:
        self._entries: dict[type[Resource], dict[Key, _Entry]] = {kind: {} for kind in KINDS}
        self._by_hub: dict[Key, set[Key]] = {}
        self._by_connection: dict[Key, set[Key]] = {}
        self._gone: dict[str, None] = {}
        self.whole = False
        """Whether everything that the API server lists has been handed over once."""
        self.unlisted: set[str] = set()
        """Namespaces that it has refused to list so far: of these, nothing is handed out."""

    def get(self, kind: type[Object], key: Key) -> Object | Unparsable | None:
        """None if there is no such object."""
        self._check(key.namespace)
        entry = self._entries[kind].get(key)
        return None if entry is None else _parsed(kind, entry)

    async def listing(self, kind: type[Object], namespace: str) -> Listing[Object]:
        """All objects of a namespace."""
        self._check(namespace)
        keys = [key for key in self._entries[kind] if key.namespace == namespace]
        return await self._listing(kind, keys)

    async def spokes_of(self, hub: Key) -> Listing[Spoke]:
        """All Spokes that name the hub, whether there is one or not; but for those of namespaces
        that could not be listed, of which a watch may have told already."""
        self._check(hub.namespace)
        named = self._by_hub.get(hub, ())
        return await self._listing(Spoke, [key for key in named if self._listed(key.namespace)])

    async def spokes_through(self, connection: Key) -> Listing[Spoke]:
        """All Spokes that name the connection, whether there is one or not."""
        self._check(connection.namespace)
        return await self._listing(Spoke, self._by_connection.get(connection, ()))

    def hubs_through(self, connection: Key) -> Iterable[Key]:
        """The hubs that are named by the Spokes that name the connection."""
        self._check(connection.namespace)
        spokes = self._entries[Spoke]
        named = {spokes[key].hub for key in self._by_connection.get(connection, ())}
        return sorted(key for key in named if key is not None)

    def hubs(self) -> Iterable[Key]:
        """Every hub that there is or that a Spoke names."""
        return self._entries[Hub].keys() | self._by_hub.keys()

    def connections(self) -> Iterable[Key]:
        return self._entries[Connection].keys()

    def put(self, kind: type[Resource], body: Mapping[str, Any]) -> bool:
        """An object as the API server handed it over. False if as new a one was known already."""
        metadata = body["metadata"]
        key = Key(metadata.get("namespace") or "default", metadata["name"])
        version = _version(metadata)
        uid = metadata.get("uid", "")
        known = self._entries[kind].get(key)
        if uid in self._gone or (known is not None and version <= known.version):
            return False
        self._drop(kind, key)
        entry = _Entry(
            uid=uid,
            version=version,
            hub=hub_of(body) if kind is Spoke else None,
            connection=_named(body, "connectionRef") if kind is Spoke else None,
            body=_compact(body),
        )
        self._entries[kind][key] = entry
        if entry.hub is not None:
            self._by_hub.setdefault(entry.hub, set()).add(key)
        if entry.connection is not None:
            self._by_connection.setdefault(entry.connection, set()).add(key)
        return True

    def remove(self, kind: type[Resource], key: Key, uid: str) -> None:
        """The object of this uid is gone. A successor of the same name stays: the two are told of
        in any order."""
        self._gone[uid] = None
        if len(self._gone) > GONE:
            del self._gone[next(iter(self._gone))]
        known = self._entries[kind].get(key)
        if known is not None and known.uid == uid:
            self._drop(kind, key)

    def answered(self, kind: type[Resource], body: Mapping[str, Any]) -> None:
        """What the API server answered to a write of ours."""
        self.put(kind, body)

    def missed(self, kind: type[Resource], metadata: Metadata) -> None:
        """The API server answered that there is no such object any more."""
        self.remove(kind, Key(metadata.namespace, metadata.name), metadata.uid)

    def compare(self, kind: type[Resource], known: Known, scope: str | None) -> Comparison:
        """Hold what is here to what the API server lists: of a namespace, or everywhere."""
        here = self._entries[kind]
        there = {Key(one.namespace, one.name): one for one in known.items}
        behind = []
        for key, one in there.items():
            entry = here.get(key)
            if entry is None or entry.version < _number(one.resource_version):
                behind.append(key)
        last = _number(known.resource_version)
        vanished = [
            key
            for key, entry in here.items()
            if key not in there and entry.version <= last and scope in {None, key.namespace}
        ]
        return Comparison(behind=behind, vanished=vanished)

    def body(self, kind: type[Resource], key: Key) -> Mapping[str, Any] | None:
        """The JSON of an object, whether everything is known or not."""
        entry = self._entries[kind].get(key)
        return None if entry is None else _decoded(entry)

    async def _listing(self, kind: type[Object], keys: Iterable[Key]) -> Listing[Object]:
        items: list[Object] = []
        unparsable: list[Unparsable] = []
        for count, key in enumerate(sorted(keys), 1):
            entry = self._entries[kind].get(key)
            if entry is None:
                continue
            one = _parsed(kind, entry)
            if isinstance(one, Unparsable):
                unparsable.append(one)
            else:
                items.append(one)
            if count % SLICE == 0:
                await asyncio.sleep(0)
        return Listing(items, unparsable)

    def _check(self, namespace: str) -> None:
        if not self.whole:
            raise NotListedError("not all objects are listed yet")
        if not self._listed(namespace):
            raise NotListedError(f"the objects of namespace {namespace} could not be listed yet")

    def _listed(self, namespace: str) -> bool:
        return namespace not in self.unlisted

    def _drop(self, kind: type[Resource], key: Key) -> None:
        entry = self._entries[kind].pop(key, None)
        if entry is None:
            return
        for index, name in ((self._by_hub, entry.hub), (self._by_connection, entry.connection)):
            if name is not None and (keys := index.get(name)) is not None:
                keys.discard(key)
                if not keys:
                    del index[name]


class Comparison(msgspec.Struct, frozen=True):
    """What the API server lists, held against what we know."""

    behind: list[Key]
    """Listed, and not known, or as older ones only."""
    vanished: list[Key]
    """Known, and not listed any more."""


def _parsed(kind: type[Object], entry: _Entry) -> Object | Unparsable:
    return parsed(kind, _decoded(entry))


def _decoded(entry: _Entry) -> dict[str, Any]:
    return msgspec.json.decode(entry.body, type=dict[str, Any])


def _compact(body: Mapping[str, Any]) -> bytes:
    metadata = {name: value for name, value in body["metadata"].items() if name not in UNREAD}
    if UNREAD_ANNOTATION in (metadata.get("annotations") or {}):
        metadata["annotations"] = {
            name: value
            for name, value in metadata["annotations"].items()
            if name != UNREAD_ANNOTATION
        }
    return msgspec.json.encode({**body, "metadata": metadata})


def hub_of(spoke: Mapping[str, Any]) -> Key | None:
    """What the JSON of a Spoke names as its hub; None where the installed definitions admit Spokes
    that name none."""
    return _named(spoke, "hubRef")


def _named(body: Mapping[str, Any], field: str) -> Key | None:
    reference = (body.get("spec") or {}).get(field)
    name = reference.get("name") if isinstance(reference, Mapping) else None
    if not isinstance(reference, Mapping) or not isinstance(name, str):
        return None
    own = body["metadata"].get("namespace") or "default"
    return Key(str(reference.get("namespace") or own), name)


def _version(metadata: Mapping[str, Any]) -> int:
    return _number(metadata.get("resourceVersion", ""))


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0
