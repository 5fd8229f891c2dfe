"""Manifests from files: read, validated by the models, and every mistake named with its place."""

from __future__ import annotations

import base64
import binascii
import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cirahub_operator.api import KINDS, Connection, Hub, Resource, Spoke, SpokeSet
from cirahub_operator.api.crd import Schema, openapi
from cirahub_operator.api.meta import API_VERSION, GROUP, HOSTS_ANNOTATION
from cirahub_operator.cli.yaml_text import TWICE, documents
from cirahub_operator.origin import SecretOrigin
from cirahub_operator.resolver import lasting_uid
from cirahub_sync.identity.base import Material, hosts_in

SUFFIXES = (".yaml", ".yml", ".json")


Document = dict[str, Any]


class ManifestError(Exception):
    """All the mistakes that were found, a line each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass
class Manifests:
    hubs: list[Hub] = field(default_factory=list)
    spokes: list[Spoke] = field(default_factory=list)
    sets: list[SpokeSet] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    secrets: dict[SecretOrigin, Material] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    """Objects of kinds that a pass has no use for."""
    places: dict[str, str] = field(default_factory=dict)
    """Where an object stands, by `Kind namespace/name`."""


def load(paths: Sequence[str], *, hubs: bool = True) -> Manifests:
    """From files, folders (not their subfolders) and `-` for standard input; `hubs`: at least one
    has to be there. Raises ManifestError with everything that is wrong."""
    made = Manifests()
    mistakes: list[str] = []
    for place, document in _documents(paths, mistakes):
        take(document, place, made, mistakes)
    if hubs and not mistakes and not made.hubs:
        mistakes.append(f"{', '.join(paths)}: no Hub in there; a pass needs one and its Spokes")
    if mistakes:
        raise ManifestError(mistakes)
    return made


def _documents(paths: Sequence[str], mistakes: list[str]) -> Iterator[tuple[str, object]]:
    for path in paths:
        for name, text in _texts(path, mistakes):
            try:
                for number, document in enumerate(documents(text), start=1):
                    if document is not None:
                        yield f"{name}, document {number}", document
            except yaml.YAMLError as error:
                mistakes.append(f"{name}: not YAML{_explained_yaml(error)}")


def _texts(path: str, mistakes: list[str]) -> Iterator[tuple[str, str]]:
    if path == "-":
        yield "standard input", sys.stdin.read()
        return
    given = Path(path)
    files = [given]
    if given.is_dir():
        files = sorted(one for one in given.iterdir() if one.suffix in SUFFIXES)
        if not files:
            mistakes.append(f"{path}: no file in this folder ends in {', '.join(SUFFIXES)}")
    for file in files:
        try:
            yield str(file), file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            mistakes.append(f"{file}: cannot be read: {error}")


def take(document: object, place: str, made: Manifests, mistakes: list[str]) -> None:
    if not isinstance(document, dict):
        mistakes.append(f"{place}: not an object; write apiVersion, kind, metadata and spec")
        return
    kind, version = str(document.get("kind")), str(document.get("apiVersion"))
    if kind == "List" or kind.endswith("List"):
        for number, item in enumerate(document.get("items") or (), start=1):
            take(item, f"{place}, item {number}", made, mistakes)
        return
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        if kind in {"Kustomization", "Component"}:
            return
        mistakes.append(f"{place} ({kind}): metadata.name is missing")
        return
    name = f"{metadata.get('namespace') or 'default'}/{metadata['name']}"
    model = next((one for one in KINDS if one.definition.kind == kind), None)
    if model is not None and version.startswith(f"{GROUP}/"):
        _take_resource(model, document, f"{place} ({kind} {name})", made, mistakes)
    elif (version, kind) == ("v1", "Secret"):
        _take_secret(document, name, f"{place} (Secret {name})", made, mistakes)
    elif version.startswith(f"{GROUP}/"):
        known = ", ".join(one.definition.kind for one in KINDS)
        mistakes.append(f"{place}: {GROUP} has no kind {kind}; there are {known}")
    elif (version, kind) != ("v1", "Namespace"):
        made.ignored.append(f"{kind} {name}")


def _take_resource(
    model: type[Resource], document: Document, place: str, made: Manifests, mistakes: list[str]
) -> None:
    given = document["metadata"]
    metadata = {"namespace": "default", "generation": 1, **given}
    kind = model.definition.kind
    key = f"{metadata['namespace']}/{metadata['name']}"
    name = f"{kind} {key}"
    metadata.setdefault("uid", lasting_uid(kind, key))
    if document.get("apiVersion") != API_VERSION:
        mistakes.append(f"{place}: apiVersion: write {API_VERSION}")
        return
    body = {**document, "metadata": metadata, "status": {}}
    try:
        resource = model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        mistakes += [f"{place}: {line}" for line in _explained(error, openapi(model))]
        return
    if name in made.places:
        mistakes.append(f"{place}: the same object stands in {made.places[name]}; remove one")
        return
    made.places[name] = place
    if isinstance(resource, Hub):
        made.hubs.append(resource)
    elif isinstance(resource, Spoke):
        made.spokes.append(resource)
    elif isinstance(resource, SpokeSet):
        made.sets.append(resource)
    elif isinstance(resource, Connection):
        made.connections.append(resource)


def _take_secret(
    document: Document, name: str, place: str, made: Manifests, mistakes: list[str]
) -> None:
    namespace, _, short = name.partition("/")
    annotations = document["metadata"].get("annotations") or {}
    hosts = hosts_in(str(annotations.get(HOSTS_ANNOTATION) or ""))
    for key, value in (document.get("data") or {}).items():
        try:
            text = base64.b64decode(str(value), validate=True).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            mistakes.append(f"{place}: data.{key}: not text in base64; or use stringData")
            continue
        made.secrets[SecretOrigin(namespace, short, str(key))] = Material(value=text, hosts=hosts)
    for key, value in (document.get("stringData") or {}).items():
        kept = Material(value=str(value).strip(), hosts=hosts)
        made.secrets[SecretOrigin(namespace, short, str(key))] = kept


def _explained_yaml(error: yaml.YAMLError) -> str:
    """Place and kind of a mistake. The text around it stays out: it may be a Secret's."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return ", or with characters that YAML does not have"
    mark = error.problem_mark
    problem = " ".join((error.problem or "").split())
    if not problem.startswith(TWICE):
        problem = re.sub(r"'.*'|\".*\"", "…", problem)
    return f" at line {mark.line + 1}, column {mark.column + 1}: {problem}"


def _explained(error: ValidationError, schema: Schema) -> Iterator[str]:
    found = error.errors(include_url=False, include_input=False)
    for one in found:
        path = _path(one["loc"])
        if any(
            len(o["loc"]) > len(one["loc"]) and o["loc"][: len(one["loc"])] == one["loc"]
            for o in found
        ):
            continue  # a list that counts as too short because of a mistake in it
        match one["type"]:
            case "extra_forbidden":
                name = str(one["loc"][-1])
                yield f"{path}: there is no such field{_instead(name, one['loc'][:-1], schema)}"
            case "missing":
                yield f"{path}: is required{_described(one['loc'], schema)}"
            case "value_error":
                yield f"{path}: {one['msg'].removeprefix('Value error, ')}"
            case _:
                yield f"{path}: {one['msg'][:1].lower()}{one['msg'][1:]}"


def _inside(location: Sequence[int | str], outer: Sequence[int | str]) -> bool:
    return len(location) > len(outer) and location[: len(outer)] == outer


def _path(location: Sequence[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the object"


def _instead(name: str, parent: Sequence[int | str], schema: Schema) -> str:
    fields: Mapping[str, object] = (_node(parent, schema) or {}).get("properties", {})
    close = difflib.get_close_matches(name, fields, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(fields)}" if fields else ""


def _described(location: Sequence[int | str], schema: Schema) -> str:
    found = _node(location, schema)
    return f": {found['description']}" if found and "description" in found else ""


def _node(location: Sequence[int | str], schema: Schema) -> Schema | None:
    node: Schema | None = schema
    for part in location:
        if node is None:
            return None
        node = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
    return node
