"""The Kubernetes API, as far as we use it: reads, server-side applies, tokens, events.

One `Cluster` belongs to one event loop. Requests go through `kubernetes.aio`'s ApiClient (its
authentication and connection pool), by path: the generated classes would add a model for every
kind there is. Answers become our own models here; no raw JSON leaves, but for objects that don't
parse.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from kubernetes.aio import client
from pydantic import ValidationError

from cirahub_operator.api import Resource, Status
from cirahub_operator.api.meta import API_VERSION, FINALIZER, GROUP, VERSION, Metadata
from cirahub_operator.errors import (
    ClusterRefusedError,
    NamespaceTerminatingError,
    NotInstalledError,
    PermissionMissingError,
    StatusRefusedError,
)
from cirahub_operator.kubeconfig import configuration
from cirahub_operator.outage import NoAnswerError, Outage
from cirahub_operator.permissions import Action
from cirahub_operator.refusals import refusal, replaced

FIELD_MANAGER = "cirahub-operator"
FINALIZER_MANAGER = "cirahub-operator-finalizer"
"""A manager of its own: an apply without the finalizer takes away just that."""
APPLY = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Source: Kubernetes, "API concepts", on alternate representations of resources."""
PAGE = "500"
MERGE = "application/merge-patch+json"
TIMEOUT = aiohttp.ClientTimeout(total=30)

Object = TypeVar("Object", bound=Resource)
Json = dict[str, Any]
"""JSON of an object that is not ours, or of a request."""


@dataclass(frozen=True)
class Unparsable:
    """An object whose spec does not fit our models, though the API server has let it pass: the
    installed definitions are of another version than we are."""

    kind: type[Resource]
    metadata: Metadata
    status: Status
    why: str
    references: Mapping[str, str]
    """Names in its spec by field: `hubRef`, `connectionRef`."""


@dataclass(frozen=True)
class Listing(Generic[Object]):
    items: Sequence[Object]
    unparsable: Sequence[Unparsable]


class SecretValues(msgspec.Struct, frozen=True):
    values: Sequence[bytes]
    """Still in base64."""
    annotations: Mapping[str, str]

    def __repr__(self) -> str:
        return "SecretValues(…)"


class Identified(msgspec.Struct, frozen=True, rename="camel"):
    """An object by its name, and how new it is."""

    name: str
    namespace: str = "default"
    uid: str = ""
    resource_version: str = ""


class Known(msgspec.Struct, frozen=True):
    """What there was of a kind at a `resource_version`."""

    resource_version: str
    items: Sequence[Identified]


class _PartialObject(msgspec.Struct):
    metadata: Identified


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _PartialPage(msgspec.Struct):
    metadata: _ListMetadata
    items: list[_PartialObject] | None
    """None on a page without any."""


class Answers(Protocol):
    """Who is told what the API server answers to our writes of statuses and finalizers."""

    def answered(self, kind: type[Resource], body: Json) -> None: ...

    def missed(self, kind: type[Resource], metadata: Metadata) -> None:
        """The object is gone."""


class Cluster:
    def __init__(
        self, api: client.ApiClient, answers: Answers | None = None, outage: Outage | None = None
    ) -> None:
        """`outage` is told what becomes of requests."""
        self._api = api
        self._answers = answers
        self._outage = outage or Outage()
        self._on_the_way: Counter[client.ApiClient] = Counter()
        """Requests, by the client that they were sent with."""

    @classmethod
    async def connect(cls, answers: Answers | None = None, outage: Outage | None = None) -> Cluster:
        """Raises ClusterRefusedError when there is nothing to connect to. Sends nothing yet."""
        return cls(client.ApiClient(await configuration()), answers, outage)

    async def close(self) -> None:
        await self._api.close()  # type: ignore[no-untyped-call]

    async def check_installed(self, kinds: Sequence[type[Resource]]) -> None:
        """Raises NotInstalledError unless the API server serves all of these kinds."""
        answer = await self.request("GET", f"/apis/{GROUP}/{VERSION}", missing_ok=True)
        served = {one["name"] for one in (answer or {}).get("resources", ())}
        missing = [kind.definition.plural for kind in kinds if kind.definition.plural not in served]
        if missing:
            raise NotInstalledError(
                f"the API server does not know {', '.join(missing)} of {GROUP}/{VERSION}; install "
                "the custom resource definitions: kubectl apply --server-side -f crds/"
            )

    async def may(self, action: Action, namespace: str) -> bool:
        """Whether we ourselves may do that in a namespace; blank: in all of them."""
        resource, _, subresource = action.resource.partition("/")
        attributes = {
            "namespace": namespace,
            "verb": action.verb,
            "group": action.group,
            "resource": resource,
            "subresource": subresource,
            "name": action.name,
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self.request("POST", path, body=body) or {}
        return bool(answer["status"]["allowed"])

    async def namespace_uid(self, name: str) -> str:
        answer = await self.request("GET", f"/api/v1/namespaces/{_part(name)}")
        return str((answer or {})["metadata"]["uid"])

    async def namespace_terminating(self, name: str) -> bool:
        """Whether a namespace is being deleted, or gone already.

        Asked by an Event that is not kept (a dry run): what may be created in a namespace is what
        matters to us, and no right is needed that we haven't got. Source: Kubernetes, admission
        plugin NamespaceLifecycle."""
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": "cirahub-operator-probe", "namespace": name},
            "eventTime": "2026-01-01T00:00:00.000000Z",
            "reportingController": FIELD_MANAGER,
            "reportingInstance": FIELD_MANAGER,
            "action": "Probe",
            "reason": "Probe",
            "type": "Normal",
            "regarding": {"kind": "Namespace", "name": name, "namespace": name},
        }
        try:
            answer = await self.request(
                "POST", _events(name), query={"dryRun": "All"}, body=body, missing_ok=True
            )
        except NamespaceTerminatingError:
            return True
        return answer is None

    async def get(
        self, kind: type[Object], namespace: str, name: str
    ) -> Object | Unparsable | None:
        """None if there is no such object."""
        answer = await self.fetch(kind, namespace, name)
        return None if answer is None else parsed(kind, answer)

    async def fetch(self, kind: type[Resource], namespace: str, name: str) -> Json | None:
        """An object as it is now. None if there is no such object."""
        return await self.request("GET", _path(kind, namespace, name), missing_ok=True)

    async def known(self, kind: type[Resource], namespace: str | None) -> Known:
        """Names and versions of all objects, of a namespace or (None) everywhere, as they were at
        one moment."""
        path = f"/apis/{GROUP}/{VERSION}/{kind.definition.plural}"
        if namespace is not None:
            path = _path(kind, namespace)
        found: list[Identified] = []
        token = ""
        while True:
            query = {"limit": PAGE} | ({"continue": token} if token else {})
            data = await self._answer("GET", path, query=query, accept=METADATA_ONLY)
            page = msgspec.json.decode(data or b"{}", type=_PartialPage)
            found.extend(one.metadata for one in page.items or ())
            token = page.metadata.continue_
            if not token:
                return Known(page.metadata.resource_version, found)

    async def listing(self, kind: type[Object], namespace: str) -> Listing[Object]:
        """All objects of a namespace, as they are now."""
        items: list[Object] = []
        unparsable: list[Unparsable] = []
        token = ""
        while True:
            query = {"limit": PAGE} | ({"continue": token} if token else {})
            answer = await self.request("GET", _path(kind, namespace), query=query) or {}
            for raw in answer.get("items", ()):
                one = parsed(kind, raw)
                if isinstance(one, Unparsable):
                    unparsable.append(one)
                else:
                    items.append(one)
            token = answer.get("metadata", {}).get("continue", "")
            if not token:
                return Listing(items, unparsable)

    async def apply_status(self, kind: type[Resource], metadata: Metadata, status: Status) -> bool:
        """Server-side apply of the whole status. False if the object is gone. Raises
        StatusRefusedError when the schema does not admit it.

        The API server does not compare uids here: a successor of the same name gets this status,
        until it is looked at itself."""
        body = {
            **_identity(kind, metadata),
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        path = f"{_path(kind, metadata.namespace, metadata.name)}/status"
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        try:
            answer = await self.request(
                "PATCH", path, query=query, body=body, content_type=APPLY, missing_ok=True
            )
        except PermissionMissingError:
            raise
        except ClusterRefusedError as error:
            raise StatusRefusedError(
                f"the status of {kind.definition.kind} {metadata.key} was refused: {error}. "
                "Apply the custom resource definitions of this operator's version"
            ) from error
        return self._tell(kind, metadata, answer)

    async def hold(self, kind: type[Resource], metadata: Metadata) -> bool:
        """Put our finalizer on the object. False if it is gone."""
        return metadata.held or await self._finalizers(kind, metadata, [FINALIZER])

    async def release(self, kind: type[Resource], metadata: Metadata) -> None:
        """Take our finalizer off the object, if it is there."""
        if metadata.held:
            await self._finalizers(kind, metadata, [])

    async def _finalizers(
        self, kind: type[Resource], metadata: Metadata, finalizers: list[str]
    ) -> bool:
        body = _identity(kind, metadata)
        body["metadata"]["finalizers"] = finalizers
        answer = await self.request(
            "PATCH",
            _path(kind, metadata.namespace, metadata.name),
            query={"fieldManager": FINALIZER_MANAGER, "force": "true"},
            body=body,
            content_type=APPLY,
            missing_ok=True,
        )
        return self._tell(kind, metadata, answer)

    def _tell(self, kind: type[Resource], metadata: Metadata, answer: Json | None) -> bool:
        """Whether the object is still there."""
        if self._answers is not None and answer is None:
            self._answers.missed(kind, metadata)
        elif self._answers is not None and answer is not None:
            self._answers.answered(kind, answer)
        return answer is not None

    async def secret(self, namespace: str, name: str, keys: Sequence[str]) -> SecretValues | None:
        """None if there is no such Secret or key."""
        path = f"/api/v1/namespaces/{_part(namespace)}/secrets/{_part(name)}"
        answer = await self.request("GET", path, missing_ok=True)
        data = (answer or {}).get("data") or {}
        if answer is None or any(key not in data for key in keys):
            return None
        annotations = answer["metadata"].get("annotations") or {}
        return SecretValues([str(data[key]).encode() for key in keys], annotations)

    async def service_account(self, namespace: str, name: str) -> Metadata | None:
        path = f"/api/v1/namespaces/{_part(namespace)}/serviceaccounts/{_part(name)}"
        answer = await self.request("GET", path, missing_ok=True)
        return None if answer is None else Metadata.model_validate(answer["metadata"])

    async def request_token(
        self, namespace: str, name: str, *, audience: str, seconds: int
    ) -> tuple[str, str]:
        """A token of a ServiceAccount (TokenRequest), and when it expires (RFC 3339)."""
        path = f"/api/v1/namespaces/{_part(namespace)}/serviceaccounts/{_part(name)}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience], "expirationSeconds": seconds},
        }
        answer = await self.request("POST", path, body=body) or {}
        return str(answer["status"]["token"]), str(answer["status"]["expirationTimestamp"])

    async def create_event(self, namespace: str, body: Json) -> None:
        await self.request("POST", _events(namespace), body=body)

    async def patch_event(self, namespace: str, name: str, body: Json) -> bool:
        """False if the event has expired."""
        path = f"{_events(namespace)}/{_part(name)}"
        answer = await self.request("PATCH", path, body=body, content_type=MERGE, missing_ok=True)
        return answer is not None

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
        missing_ok: bool = False,
    ) -> Json | None:
        """The answer's JSON; None for 404 or 410 with `missing_ok`, and for an apply to an object
        that was replaced by another of the same name. Raises ClusterUnreachableError or
        ClusterRefusedError."""
        data = await self._answer(
            method, path, query=query, body=body, content_type=content_type, missing_ok=missing_ok
        )
        return None if data is None else _decoded(data)

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        missing_ok: bool = False,
    ) -> bytes | None:
        """The answer's bytes; None and errors as of `request`."""
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = content_type
        api = self._api
        status, data = await self._send(api, method, path, query=query, body=body, headers=headers)
        if status == 401:
            # A kubeconfig's token that has expired; its helper hands out another.
            await self._sign_in_anew(api)
            status, data = await self._send(
                self._api, method, path, query=query, body=body, headers=headers
            )
        if 200 <= status < 300:
            return data
        if missing_ok and (status in {404, 410} or replaced(status, data)):
            return None
        raise refusal(method, path, status, data)

    async def _sign_in_anew(self, refused: client.ApiClient) -> None:
        """Unless another one who was refused has. Who is still on the way with the old client ends
        before that is closed: aiohttp takes connections away from whoever uses them."""
        made = client.ApiClient(await configuration())
        if self._api is refused:
            self._api = made
        else:
            await made.close()  # type: ignore[no-untyped-call]
        await self._close_if_left(refused)

    async def _close_if_left(self, api: client.ApiClient) -> None:
        if api is not self._api and not self._on_the_way[api]:
            del self._on_the_way[api]
            await api.close()  # type: ignore[no-untyped-call]

    async def _send(
        self,
        api: client.ApiClient,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        body: Json | None,
        headers: dict[str, str],
    ) -> tuple[int, bytes]:
        self._on_the_way[api] += 1
        try:
            prepared = await api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = await api.call_api(*prepared, _request_timeout=TIMEOUT)
            data = await answer.response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            why = type(error).__name__
            self._outage.failed(why, surely=isinstance(error, aiohttp.ClientConnectorError))
            raise NoAnswerError(
                f"{method} {path}: no answer from the API server ({why})", self._outage
            ) from error
        finally:
            self._on_the_way[api] -= 1
            await self._close_if_left(api)
        self._outage.answered(answer.status)
        return answer.status, data


def parsed(kind: type[Object], raw: Json) -> Object | Unparsable:
    """From the API server's JSON."""
    status = raw.get("status") or {}
    try:
        return kind.model_validate({**raw, "status": status}, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        spec = raw.get("spec") or {}
        return Unparsable(
            kind=kind,
            metadata=Metadata.model_validate(raw["metadata"]),
            status=Status.model_validate(status),
            why=f"{where}: {first['msg']}",
            references={
                field: str(spec[field].get("name", ""))
                for field in ("hubRef", "connectionRef")
                if isinstance(spec.get(field), dict)
            },
        )


def _identity(kind: type[Resource], metadata: Metadata) -> Json:
    """With the uid, so that an apply does not create an object, nor change its successor."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind.definition.kind,
        "metadata": {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
    }


def _path(kind: type[Resource], namespace: str, name: str | None = None) -> str:
    base = f"/apis/{GROUP}/{VERSION}/namespaces/{_part(namespace)}/{kind.definition.plural}"
    return base if name is None else f"{base}/{_part(name)}"


def _events(namespace: str) -> str:
    return f"/apis/events.k8s.io/v1/namespaces/{_part(namespace)}/events"


def _part(text: str) -> str:
    return quote(text, safe="")


def _decoded(data: bytes) -> Json:
    decoded = json.loads(data) if data else {}
    return decoded if isinstance(decoded, dict) else {}
