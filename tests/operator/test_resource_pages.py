"""One page a resource: of fields that the definitions have, and of all that they have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cirahub_operator.api import KINDS
from cirahub_operator.api.crd import Schema, openapi

from .conftest import ROOT

DOCS = ROOT / "docs"
PAGES = {kind.definition.kind: DOCS / f"resources/{kind.definition.singular}.md" for kind in KINDS}
SCHEMAS: Mapping[str, Schema] = {kind.definition.kind: openapi(kind) for kind in KINDS}
PATH = re.compile(r"`((?:spec|status)(?:\.[A-Za-z0-9]+)+)")
"""What is meant as a field: `status.members.worst`."""

every_kind = pytest.mark.parametrize("kind", SCHEMAS)
every_page = pytest.mark.parametrize(
    "page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.relative_to(DOCS).as_posix()
)


def fields(schema: Schema, path: str) -> Iterator[str]:
    """Every field at or below a schema, by its path; elements of lists have that of the list."""
    yield path
    for name, inner in schema.get("properties", {}).items():
        yield from fields(inner, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], path)


FIELDS: Mapping[str, set[str]] = {
    kind: {path for part in ("spec", "status") for path in fields(schema["properties"][part], part)}
    for kind, schema in SCHEMAS.items()
}


@every_kind
def test_a_page_tells_of_each_field_of_the_spec(kind: str) -> None:
    page = PAGES[kind].read_text()
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`|```.*?```", page, re.DOTALL))))
    of_spec = {path.split(".")[1] for path in FIELDS[kind] if path.startswith("spec.")}
    assert of_spec - told == set()


@every_page
def test_fields_that_a_page_names_are_there(page: Path) -> None:
    known = set().union(*FIELDS.values())
    of_page = [kind for kind, path in PAGES.items() if path == page]
    named = set(PATH.findall(page.read_text()))
    assert {path for path in named if path not in known and not _kubernetes(path)} == set()
    for kind in of_page:
        mine = {path for path in named if path.startswith("spec.")}
        assert {path for path in mine if path not in FIELDS[kind]} == set()


def _kubernetes(path: str) -> bool:
    """What other kinds have, and the definitions themselves."""
    return path.split(".")[1] in {"template", "versions", "phase", "conditions", "storedVersions"}


def test_each_resource_has_its_page_and_its_reference() -> None:
    index = (DOCS / "resources/README.md").read_text()
    for kind, page in PAGES.items():
        assert page.exists(), kind
        assert f"({page.name})" in index
        assert f"(reference/{page.name})" in page.read_text(), "a page leads to all the fields"


def manifests(page: Path) -> Iterator[Mapping[str, Any]]:
    """Whole ones of ours, of the YAML that stands there."""
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        for one in yaml.safe_load_all(block):
            if isinstance(one, dict) and "apiVersion" in one and one.get("kind") in SCHEMAS:
                yield one


@every_page
def test_manifests_on_a_page_fit_the_definitions(page: Path) -> None:
    for one in manifests(page):
        schema = SCHEMAS[one["kind"]]
        jsonschema.validate(one, schema)
        assert list(unknown(one["spec"], schema["properties"]["spec"], "spec")) == []


def test_there_are_manifests_on_the_pages_of_all_kinds() -> None:
    shown = {one["kind"] for page in DOCS.rglob("*.md") for one in manifests(page)}
    assert shown == set(SCHEMAS)


def unknown(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """Fields that the API server would refuse, asked to be strict, or else leave out."""
    if isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            if name not in schema["properties"]:
                yield f"{path}.{name}"
            else:
                yield from unknown(inner, schema["properties"][name], f"{path}.{name}")
    if isinstance(value, list):
        for inner in value:
            yield from unknown(inner, schema.get("items", {}), path)


def test_a_field_that_there_is_not_is_found() -> None:
    schema = SCHEMAS["Hub"]["properties"]["spec"]
    assert list(unknown({"deletion": {"grace": "1h"}}, schema, "spec")) == ["spec.deletion.grace"]
