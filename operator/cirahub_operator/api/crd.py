"""Custom resource definitions, made from the models.

Kubernetes wants a *structural* schema: no references, no unions but a few, one type a node.
Pydantic writes JSON Schema; the difference is taken out here. Source of the rules:
kubernetes.io/docs, "Extend the Kubernetes API with CustomResourceDefinitions", "Specifying a
structural schema".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from cirahub_operator.api.meta import CATEGORY, GROUP, VERSION, Column, Model, Resource, Rule
from cirahub_operator.api.text import RULES

Schema = dict[str, Any]
"""JSON of a schema: its shape is the standard's, not ours."""

_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "required",
)


class UnsupportedSchemaError(Exception):
    """A model uses something that Kubernetes' structural schemas can't express."""


class _Generator(GenerateJsonSchema):
    """Knows, at each object, which model it came from, for that model's CEL rules."""

    def model_schema(self, schema: Any) -> Schema:
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        if issubclass(model, Model):
            made[RULES] = _rules(model.rules)
            for name, rules in model.field_rules.items():
                field = made["properties"][name]
                field[RULES] = [*field.get(RULES, ()), *_rules(rules)]
        return made


def definition(resource: type[Resource]) -> Schema:
    """The CustomResourceDefinition of a kind."""
    kind = resource.definition
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": list(kind.short),
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(column) for column in kind.columns],
                    "schema": {"openAPIV3Schema": openapi(resource)},
                }
            ],
        },
    }


def openapi(resource: type[Resource]) -> Schema:
    """The structural schema of a kind."""
    spec = structural(resource.model_fields["spec"].annotation)
    status = structural(resource.model_fields["status"].annotation)
    for name, field in status["properties"].items():
        if name != "observedGeneration":
            _without_defaults(field)
    status["default"] = {"observedGeneration": -1}
    return {
        "description": _paragraph(resource.__doc__ or ""),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {
                "description": "The version of the schema: cirahub.io/v1alpha1.",
                "type": "string",
            },
            "kind": {"description": f"{resource.definition.kind}.", "type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }


def structural(model: Any) -> Schema:
    """A model's schema without references. Raises UnsupportedSchemaError."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise UnsupportedSchemaError(f"{model!r} is not a model")
    raw = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _node(raw, raw.get("$defs", {}), model.__name__)


def _node(raw: Schema, definitions: Mapping[str, Schema], path: str) -> Schema:
    raw = _resolved(raw, definitions, path)
    made: Schema = {key: raw[key] for key in _KEPT if key in raw}
    if "const" in raw:
        made["enum"] = [raw["const"]]
    if "type" not in made:
        raise UnsupportedSchemaError(f"{path}: no single type in {sorted(raw)}")
    if "description" in made:
        made["description"] = _paragraph(made["description"])
    if "enum" in made:
        made["enum"] = list(made["enum"])
    if made.get("default", ...) in (None, (), []):
        del made["default"]
    if "items" in raw:
        made["items"] = _node(raw["items"], definitions, f"{path}[]")
    if "properties" in raw:
        made["properties"] = {
            name: _node(one, definitions, f"{path}.{name}")
            for name, one in raw["properties"].items()
        }
        if "default" in made:
            # Nested defaults fill it in, so that a half-filled object gets them too.
            made["default"] = {}
    made.update({key: value for key, value in raw.items() if key.startswith("x-") and value})
    return made


def _resolved(raw: Schema, definitions: Mapping[str, Schema], path: str) -> Schema:
    """With references inlined and `X | None` taken for an optional X; what stands beside a
    reference (the field's own description, its default) goes before what it refers to."""
    while True:
        if "$ref" in raw:
            target = definitions[raw["$ref"].removeprefix("#/$defs/")]
            beside = {key: value for key, value in raw.items() if key != "$ref"}
            own = beside.pop(RULES, [])
            raw = {**target, **beside}
            if own:
                raw[RULES] = [*target.get(RULES, ()), *own]
        elif "anyOf" in raw:
            choices = [one for one in raw["anyOf"] if one.get("type") != "null"]
            if len(choices) != 1:
                raise UnsupportedSchemaError(f"{path}: a union of {len(choices)} types")
            raw = {**choices[0], **{key: value for key, value in raw.items() if key != "anyOf"}}
        else:
            return raw


def _without_defaults(node: Schema) -> None:
    """Of a status only what we write is to be there."""
    node.pop("default", None)
    for inner in (*node.get("properties", {}).values(), *filter(None, [node.get("items")])):
        _without_defaults(inner)


def _rules(rules: tuple[Rule, ...]) -> list[dict[str, str]]:
    return [{"rule": rule.rule, "message": rule.message} for rule in rules]


def _column(column: Column) -> Schema:
    made: Schema = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.description:
        made["description"] = column.description
    if column.wide:
        made["priority"] = 1
    return made


def _paragraph(text: str) -> str:
    return " ".join(text.split())
