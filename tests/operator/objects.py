"""Resources as models, without a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cirahub_operator.api import Connection, Hub, Resource, Spoke, SpokeSet

from . import stage


def _metadata(name: str, more: Mapping[str, object]) -> dict[str, object]:
    return {"name": name, "namespace": "demo", "uid": f"uid-{name}", "generation": 3, **more}


def _made(kind: type[Any], manifest: stage.Manifest, metadata: Mapping[str, object]) -> Any:
    name = manifest["metadata"]["name"]
    resource: Resource = kind.model_validate({**manifest, "metadata": _metadata(name, metadata)})
    return resource


def hub(
    name: str = "staff", *, metadata: Mapping[str, object] | None = None, **spec: object
) -> Hub:
    made: Hub = _made(Hub, stage.hub(name, **spec), metadata or {})
    return made


def spoke(
    name: str = "ann", *, metadata: Mapping[str, object] | None = None, **spec: object
) -> Spoke:
    made: Spoke = _made(Spoke, stage.spoke(name, **spec), metadata or {})
    return made


def server_connection(name: str = "adatum", **spec: object) -> Connection:
    made: Connection = _made(Connection, stage.server_connection(name, **spec), {})
    return made


def books_connection(name: str = "books", **spec: object) -> Connection:
    made: Connection = _made(Connection, stage.books_connection(name, **spec), {})
    return made


def connection(
    name: str = "contoso", *, metadata: Mapping[str, object] | None = None, **spec: object
) -> Connection:
    made: Connection = _made(Connection, stage.connection(name, **spec), metadata or {})
    return made


def spoke_set(
    name: str = "everybody", *, metadata: Mapping[str, object] | None = None, **spec: object
) -> SpokeSet:
    made: SpokeSet = _made(SpokeSet, stage.spoke_set(name, **spec), metadata or {})
    return made
