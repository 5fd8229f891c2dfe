"""The custom resource definitions: structural, complete, and as the models say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cirahub_operator.api import KINDS
from cirahub_operator.api.crd import Schema, definition, openapi
from cirahub_operator.api.generate import files, main
from cirahub_operator.api.meta import Model, Resource, Rule

from .conftest import ROOT

NOT_STRUCTURAL = {
    "$ref",
    "$defs",
    "anyOf",
    "oneOf",
    "allOf",
    "const",
    "discriminator",
    "examples",
    "patternProperties",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "uniqueItems",
    "title",
}

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.definition.plural)


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def models(model: type[Model] | None = None) -> Iterator[type[Model]]:
    for inner in (model or Model).__subclasses__():
        yield inner
        yield from models(inner)


@every_kind
def test_every_node_has_one_type_and_nothing_that_kubernetes_refuses(kind: type[Resource]) -> None:
    for path, node in nodes(openapi(kind)):
        assert isinstance(node["type"], str), path
        assert not NOT_STRUCTURAL & node.keys(), path


@every_kind
def test_every_field_is_described(kind: type[Resource]) -> None:
    for path, node in nodes(openapi(kind)):
        if path and path != ".metadata" and not path.endswith("[]"):
            assert node.get("description"), path


@every_kind
def test_every_text_and_list_that_a_user_writes_is_bounded(kind: type[Resource]) -> None:
    """Else rules on them exceed the API server's cost budget."""
    for path, node in nodes(openapi(kind)["properties"]["spec"]):
        if node["type"] == "string" and "enum" not in node:
            assert "maxLength" in node, path
        if node["type"] == "array":
            assert "maxItems" in node, path


@every_kind
def test_conditions_are_a_list_map_and_a_status_starts_as_not_looked_at(
    kind: type[Resource],
) -> None:
    status = openapi(kind)["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}
    assert status["properties"]["conditions"]["x-kubernetes-list-map-keys"] == ["type"]


@every_kind
def test_columns_show_what_fields_exist(kind: type[Resource]) -> None:
    paths = {path for path, _ in nodes(openapi(kind))}
    columns = definition(kind)["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"] for column in columns[:2]] == ["Ready", "Status"]
    for column in columns:
        path = column["jsonPath"].partition("[?")[0]
        assert path in paths or path.startswith(".metadata."), column


def test_every_rule_that_is_not_about_a_change_is_checked_without_a_cluster_too() -> None:
    rules: list[Rule] = [rule for model in models() for rule in model.rules]
    assert rules
    for rule in rules:
        assert ("oldSelf" in rule.rule) == (rule.holds is None), rule.rule


def test_what_is_committed_is_what_the_models_say() -> None:
    for path, text in files().items():
        assert (ROOT / path).read_text() == text, "run `make generate`"


def test_drift_is_found_and_mended(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(main, ["--root", str(tmp_path), "--check"]).exit_code == 1
    assert run(main, ["--root", str(tmp_path)]).exit_code == 0
    assert run(main, ["--root", str(tmp_path), "--check"]).exit_code == 0
    hubs = tmp_path / "crds/cirahub.io_hubs.yaml"
    hubs.write_text(hubs.read_text().replace("Suspended", "Halted"))
    shutil.copy(hubs, tmp_path / "crds/cirahub.io_leftovers.yaml")
    drifted = run(main, ["--root", str(tmp_path), "--check"])
    assert drifted.exit_code == 1
    assert "cirahub.io_hubs.yaml differs" in drifted.stderr
    assert "cirahub.io_leftovers.yaml is made from no model" in drifted.stderr
