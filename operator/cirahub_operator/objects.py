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
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from cirahub_operator.api import KINDS, Connection, Hub, Metadata, Resource, Spoke, SpokeSet
from cirahub_operator.cluster import Known, Unparsable, parsed
from cirahub_operator.errors import ClusterUnreachableError
from cirahub_operator.workqueue import Key

Object = TypeVar("Object", bound=Resource)

SLICE = 20
"""Objects parsed in one go; then the event loop may do something else. A few milliseconds."""
UNREAD = frozenset({"managedFields", "selfLink"})
GONE = 4096
"""Objects that are remembered as deleted, by their uids, for answers that come late."""
UNREAD_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_Index = dict[Key, set[Key]]


class NotListedError(ClusterUnreachableError):
    """Not all objects are known yet. Comes right by itself."""


class _Entry(msgspec.Struct, gc=False):
    uid: str
    version: int
    hub: Key | None
    """Of a Spoke or a SpokeSet: what it names."""
    connections: tuple[Key, ...]
    """Its own, and those in whose directories its filters look for groups."""
    body: bytes


class Member(msgspec.Struct, frozen=True, gc=False):
    """A Spoke as its Hub keeps it in mind while a pass runs: there may be thousands, and the whole
    of one takes thirty times as much."""

    entry: _Entry
    namespace: str
    name: str
    label: str
    """What its Hub calls it."""
    hub_namespace: str
    connections: tuple[Key, ...]
    """The one that it leads through first, then those in whose directories its filters look."""
    deleting: bool
    held: bool
    """Whether our finalizer is on it."""
    synced: bool
    """Whether its status tells of a pass that it took part in."""
    requested_at: str | None

    @property
    def uid(self) -> str:
        return self.entry.uid

    def spoke(self) -> Spoke:
        """The whole of it, as it was when it was listed."""
        spoke = _parsed(Spoke, self.entry)
        assert isinstance(spoke, Spoke)
        return spoke


class Roster(msgspec.Struct, frozen=True):
    """The Spokes and SpokeSets that name a hub."""

    members: list[Member]
    unparsable: list[Unparsable]
    sets: list[SpokeSet]
    unparsable_sets: list[Unparsable]


class Objects:
    def __init__(self) -> None:
        self._entries: dict[type[Resource], dict[Key, _Entry]] = {kind: {} for kind in KINDS}
        self._by_hub: dict[type[Resource], _Index] = {Spoke: {}, SpokeSet: {}}
        self._by_connection: dict[type[Resource], _Index] = {Spoke: {}, SpokeSet: {}}
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

    async def roster(self, hub: Key) -> Roster:
        """All Spokes and SpokeSets that name the hub, whether there is one or not; but for those of
        namespaces that could not be listed, of which a watch may have told already."""
        self._check(hub.namespace)
        found = Roster([], [], [], [])
        async for entry, spoke in self._each(Spoke, self._naming(Spoke, hub)):
            if isinstance(spoke, Unparsable):
                found.unparsable.append(spoke)
            else:
                found.members.append(_member(entry, spoke))
        async for _, one in self._each(SpokeSet, self._naming(SpokeSet, hub)):
            if isinstance(one, Unparsable):
                found.unparsable_sets.append(one)
            else:
                found.sets.append(one)
        return found

    def _naming(self, kind: type[Resource], hub: Key) -> list[Key]:
        named = self._by_hub[kind].get(hub, ())
        return [key for key in named if self._listed(key.namespace)]

    async def spokes_through(self, connection: Key) -> AsyncIterator[Spoke]:
        """All Spokes that name the connection, for themselves or for a filter's groups, whether
        there is one or not, one by one; those that can't be parsed are left out."""
        async for spoke in self._through(Spoke, connection):
            yield spoke

    async def sets_through(self, connection: Key) -> AsyncIterator[SpokeSet]:
        """The same of SpokeSets."""
        async for one in self._through(SpokeSet, connection):
            yield one

    async def _through(self, kind: type[Object], connection: Key) -> AsyncIterator[Object]:
        self._check(connection.namespace)
        async for _, one in self._each(kind, self._by_connection[kind].get(connection, ())):
            if not isinstance(one, Unparsable):
                yield one

    def hubs_through(self, connection: Key) -> Iterable[Key]:
        """The hubs that are named by the Spokes and SpokeSets that name the connection."""
        self._check(connection.namespace)
        named = {
            self._entries[kind][key].hub
            for kind, index in self._by_connection.items()
            for key in index.get(connection, ())
        }
        return sorted(key for key in named if key is not None)

    def hubs(self) -> Iterable[Key]:
        """Every hub that there is or that a Spoke or a SpokeSet names."""
        return set(self._entries[Hub]).union(*self._by_hub.values())

    def connections_of(self, kind: type[Resource], key: Key) -> tuple[Key, ...]:
        """What a Spoke or a SpokeSet leads through, and where its filters look for groups; none if
        there is no such object."""
        entry = self._entries[kind].get(key)
        return () if entry is None else entry.connections

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
            hub=hub_of(body) if kind in self._by_hub else None,
            connections=_connections(body, within="template" if kind is SpokeSet else "")
            if kind in self._by_hub
            else (),
            body=_compact(body),
        )
        self._entries[kind][key] = entry
        if entry.hub is not None:
            self._by_hub[kind].setdefault(entry.hub, set()).add(key)
        for connection in entry.connections:
            self._by_connection[kind].setdefault(connection, set()).add(key)
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

    async def _each(
        self, kind: type[Object], keys: Iterable[Key]
    ) -> AsyncIterator[tuple[_Entry, Object | Unparsable]]:
        """In order; the event loop gets its turn in between."""
        for count, key in enumerate(sorted(keys), 1):
            entry = self._entries[kind].get(key)
            if entry is not None:
                yield entry, _parsed(kind, entry)
            if count % SLICE == 0:
                await asyncio.sleep(0)

    def _check(self, namespace: str) -> None:
        if not self.whole:
            raise NotListedError("not all objects are listed yet")
        if not self._listed(namespace):
            raise NotListedError(f"the objects of namespace {namespace} could not be listed yet")

    def _listed(self, namespace: str) -> bool:
        return namespace not in self.unlisted

    def _drop(self, kind: type[Resource], key: Key) -> None:
        entry = self._entries[kind].pop(key, None)
        if entry is None or kind not in self._by_hub:
            return
        named = [(self._by_connection[kind], connection) for connection in entry.connections]
        for index, name in ((self._by_hub[kind], entry.hub), *named):
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


def _member(entry: _Entry, spoke: Spoke) -> Member:
    metadata = spoke.metadata
    return Member(
        entry=entry,
        namespace=metadata.namespace,
        name=metadata.name,
        label=spoke.label,
        hub_namespace=spoke.hub_namespace,
        connections=entry.connections,
        deleting=metadata.deleting,
        held=metadata.held,
        synced=spoke.synced,
        requested_at=metadata.requested_at,
    )


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
    """What the JSON of a Spoke or a SpokeSet names as its hub; None where the installed definitions
    admit such that name none."""
    return _named(spoke, "hubRef")


def _connections(spoke: Mapping[str, Any], within: str) -> tuple[Key, ...]:
    """`within`: the field of the spec that has the flows; blank: the spec itself."""
    found = [_named(spoke, "connectionRef")]
    flows = _within(spoke.get("spec"), within) if within else spoke.get("spec")
    for side in ("contributes", "receives"):
        chosen = _within(_within(flows, side), "filter")
        for part in ("all", "any", "none"):
            conditions = chosen.get(part)
            found += [
                _named({**spoke, "spec": condition}, "connectionRef")
                for condition in (conditions if isinstance(conditions, list) else ())
            ]
    return tuple(dict.fromkeys(key for key in found if key is not None))


def _within(part: object, name: str) -> Mapping[str, Any]:
    inner = part.get(name) if isinstance(part, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _named(body: Mapping[str, Any], field: str) -> Key | None:
    reference = _within(body.get("spec"), field)
    name = reference.get("name")
    if not isinstance(name, str):
        return None
    own = body["metadata"].get("namespace") or "default"
    return Key(str(reference.get("namespace") or own), name)


def _version(metadata: Mapping[str, Any]) -> int:
    return _number(metadata.get("resourceVersion", ""))


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0
