"""Whether answers are what Microsoft Graph's published contract says, request by request.

The contract is `contracts/graph-v1.0.yaml` of the project's shared folder: beside the repository,
or where CIRAHUB_SHARED says. In tests: `Contract.find()` and `problems(exchange)`. On a recording
of the simulator (`cirahub simulate` writes JSON Lines): `python tests/contract/graph.py FILE ...`.

What the contract doesn't cover is in `EXCEPTIONS`, each with its reason; nothing else is let pass.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import jsonschema
import yaml

EXCEPTIONS: Final = {
    "no such operation": (
        "A path or method that the contract doesn't have may be answered with an error only, and "
        "the error must validate."
    ),
    "deeper folders": (
        "The contract ends at one level of childFolders; the documents nest them without end "
        "(contact-get, user-list-contacts). A deeper path is judged as one of one level."
    ),
    "delta without parentheses": (
        "The contract spells delta(), the documents delta; both are the same function."
    ),
    "default calendar": (
        "The contract ends at /calendar/events, the documents go on (event-get, event-update). "
        "What is below is judged as in a calendar that is named by its id."
    ),
    "forward": (
        "event-forward is documented and not in the contract; it is judged as cancel, which takes "
        "and answers alike."
    ),
    "casts": (
        "The contract spells graph.user, the documents microsoft.graph.user; of the types to cast "
        "to it lacks the group, which group-list-transitivemembers shows. A cast to it, and a "
        "count below a cast, is judged as without."
    ),
    "pictures": (
        "The contract says application/octet-stream of a photo's content, the documents image/jpeg "
        "(profilephoto-update); and that PUT answers content, the documents 200 alone. What is "
        "binary is not looked into. In a batch it is a text, base64 (json-batching)."
    ),
    "patch of a photo": "PATCH does what PUT does (profilephoto-update); it is judged as PUT.",
    "keys in parentheses": "OData's users('id') is the contract's users/id.",
    "state tokens": (
        "$deltatoken and $skiptoken are documented (contact-delta, paging) and not declared."
    ),
    "custom options": "Options without a leading $ are no part of the contract.",
    "fault": (
        "What a fault rule made is the rule's doing: a truncated or dropped answer has no body to "
        "judge. A status that a rule gave still has Graph's error body. Of an answer in which a "
        "rule replaced something, the recording has what it was before."
    ),
}

_STATE_TOKENS = frozenset(("$deltatoken", "$skiptoken"))
_DATE_TIME = re.compile(
    r"\d{4}-(?:0\d|1[0-2])-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
)
_CAST = re.compile(
    r"(/(?:transitive)?member(?:s|Of))/(?:microsoft\.)?graph\.(user|group|orgContact)(/\$count)?$",
    re.IGNORECASE,
)
_BINARY = "application/octet-stream"
_KEY = re.compile(r"\('([^']*)'\)")
_DEEP_FOLDERS = re.compile(r"(/childFolders/[^/]+)(?:/childFolders/[^/]+)+(?=/|$)", re.IGNORECASE)
_DEEP_COLLECTION = re.compile(
    r"/childFolders/[^/]+(?=/childFolders(?:/(?:delta(?:\(\))?|\$count))?$)", re.IGNORECASE
)
_DEFAULT_CALENDAR = re.compile(r"/calendar(?=/events/)", re.IGNORECASE)
_FORWARD = re.compile(r"(/events/[^/]+)/forward$", re.IGNORECASE)

_formats = jsonschema.FormatChecker(formats=())


@_formats.checks("date-time")
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or _DATE_TIME.fullmatch(value) is not None


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer."""

    method: str
    path: str
    """With or without `/v1.0`."""
    status: int
    query: str = ""
    request_body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    fault: str | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Exchange:
        """A line of a recording. Bodies may be text or JSON already."""
        return cls(
            method=record["method"],
            path=record["path"],
            status=record["status"],
            query=record.get("query") or "",
            request_body=_text(record.get("request_body")),
            headers=record.get("headers") or {},
            body=_text(record.get("body")),
            fault=record.get("fault"),
        )


@dataclass(frozen=True)
class _Operation:
    name: str
    pattern: re.Pattern[str]
    method: str
    options: frozenset[str]
    request: Mapping[str, Any] | None
    binary: bool
    """Whether the request's body is one of bytes."""
    responses: Mapping[str, Any]


class Contract:
    """The published contract, compiled."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        components = document["components"]
        self._definitions = {
            name: _convert(schema) for name, schema in components["schemas"].items()
        }
        self._responses: Mapping[str, Any] = components["responses"]
        self._operations: dict[tuple[str, int], list[_Operation]] = {}
        for template, item in document["paths"].items():
            for operation in self._read(template, item):
                key = (operation.method, template.count("/"))
                self._operations.setdefault(key, []).append(operation)
        self._words = frozenset(_enumerated(document))
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}
        self._passed: set[tuple[str, object]] = set()
        self.checked: Counter[str] = Counter()
        """Exchanges, parts of batches among them, by the operation that they were held against."""

    @classmethod
    def find(cls) -> Contract | None:
        """The contract of the shared folder; None where there is none."""
        root = Path(__file__).resolve().parents[2]
        shared = Path(os.environ.get("CIRAHUB_SHARED") or root.parent / "shared")
        path = shared / "contracts" / "graph-v1.0.yaml"
        if not path.is_file():
            return None
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return cls(yaml.load(path.read_text(encoding="utf-8"), Loader=loader))

    def problems(self, exchange: Exchange) -> list[str]:
        """What is wrong with an exchange, in words; empty when it is right."""
        if exchange.status == 0:
            return []
        path, method = _plain_path(exchange.path), exchange.method
        if method == "PATCH" and path.endswith("/photo/$value"):
            method = "PUT"
        operation = next(
            (
                operation
                for operation in self._operations.get((method, path.count("/")), ())
                if operation.pattern.fullmatch(path)
            ),
            None,
        )
        where = f"{exchange.method} {exchange.path} {exchange.status}"
        found: list[str] = []
        if operation is None:
            if exchange.status < 400:
                found.append("the contract has no such operation")
            found += self._error_problems(exchange)
        else:
            self.checked[operation.name] += 1
            found += self._answer_problems(operation, exchange)
            if exchange.status < 400:
                found += self._request_problems(operation, exchange)
                found += self._option_problems(operation, exchange)
                if operation.name == "post:/$batch":
                    found += self._batch_problems(exchange)
        return [f"{where}: {problem}" for problem in found]

    def check(self, exchange: Exchange) -> None:
        """Raises AssertionError with everything that is wrong."""
        found = self.problems(exchange)
        if found:
            raise AssertionError("\n".join(found))

    def _answer_problems(self, operation: _Operation, exchange: Exchange) -> list[str]:
        if exchange.status >= 400:
            return self._error_problems(exchange)
        responses = operation.responses
        response = responses.get(str(exchange.status)) or responses.get(
            f"{exchange.status // 100}XX"
        )
        if response is None:
            return ["the operation has no such status"]
        content = response.get("content")
        if content is None:
            return [] if not exchange.body else ["the operation answers without content"]
        declared, media = next(iter(content.items()))
        if declared == _BINARY:
            pictured = _header(exchange, "content-type").startswith(("image/", _BINARY))
            return [] if pictured or not exchange.body else ["the content is no picture"]
        if not _header(exchange, "content-type").startswith(declared):
            return [f"Content-Type is not {declared}"]
        if exchange.fault is not None and not _is_json(exchange.body):
            return []
        return self._validate(f"{operation.name} answer", media["schema"], exchange.body)

    def _error_problems(self, exchange: Exchange) -> list[str]:
        if exchange.fault is not None and not _is_json(exchange.body):
            return []
        schema = self._responses["error"]["content"]["application/json"]["schema"]
        return self._validate("error", schema, exchange.body)

    def _request_problems(self, operation: _Operation, exchange: Exchange) -> list[str]:
        if operation.request is None and operation.binary:
            return []
        if operation.request is None:
            return ["the operation takes no body"] if exchange.request_body else []
        if not exchange.request_body:
            return []
        found = self._validate(
            f"{operation.name} request", operation.request, exchange.request_body
        )
        return [f"request: {problem}" for problem in found]

    @staticmethod
    def _option_problems(operation: _Operation, exchange: Exchange) -> list[str]:
        names = {name for name, _ in parse_qsl(exchange.query, keep_blank_values=True)}
        declared = operation.options | _STATE_TOKENS
        undeclared = sorted(n for n in names if n.startswith("$") and n.lower() not in declared)
        return [f"the option {name} is not declared" for name in undeclared]

    def _batch_problems(self, exchange: Exchange) -> list[str]:
        """Each answer of a batch, judged by the request that it answers."""
        if not exchange.request_body or not _is_json(exchange.body):
            return []
        parts = {part["id"]: part for part in json.loads(exchange.request_body)["requests"]}
        found: list[str] = []
        for answer in json.loads(exchange.body)["responses"]:
            part = parts.get(answer["id"])
            if part is None:
                found.append(f"an answer to no request: {answer['id']}")
                continue
            path, _, query = part["url"].partition("?")
            found += self.problems(
                Exchange(
                    method=part["method"].upper(),
                    path=path if path.startswith("/") else f"/{path}",
                    status=answer["status"],
                    query=query,
                    request_body=_text(part.get("body")),
                    headers=answer.get("headers") or {},
                    body=_text(answer.get("body")),
                )
            )
        return found

    def _validate(self, name: str, schema: Mapping[str, Any], text: str) -> list[str]:
        if not text:
            return ["there is no body"]
        try:
            value = json.loads(text)
        except ValueError as error:
            return [f"the body is no JSON: {error}"]
        key = (name, _shape(value, self._words))
        if key in self._passed:
            return []
        found = [
            f"{error.json_path}: {error.message[:300]}"
            for error in self._validator(name, schema).iter_errors(value)
        ]
        if not found:
            self._passed.add(key)
        return found

    def _validator(self, name: str, schema: Mapping[str, Any]) -> jsonschema.Draft202012Validator:
        compiled = self._validators.get(name)
        if compiled is None:
            reached = self._reach(schema)
            whole = {**_convert(schema), "$defs": {n: self._definitions[n] for n in reached}}
            compiled = jsonschema.Draft202012Validator(whole, format_checker=_formats)
            self._validators[name] = compiled
        return compiled

    def _reach(self, schema: Mapping[str, Any]) -> set[str]:
        reached: set[str] = set()
        waiting = list(_references(schema))
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += _references(self._definitions[name])
        return reached

    def _read(self, template: str, item: Mapping[str, Any]) -> Iterator[_Operation]:
        pattern = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", template)
        )
        pattern = pattern.replace(
            re.escape("delta()"), r"(?:(?:microsoft\.)?graph\.)?delta(?:\(\))?"
        )
        for method in ("get", "post", "put", "patch", "delete"):
            operation = item.get(method)
            if operation is None:
                continue
            parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
            bodies = operation.get("requestBody", {}).get("content", {})
            body = bodies.get("application/json")
            yield _Operation(
                name=operation["operationId"],
                pattern=re.compile(pattern, re.IGNORECASE),
                method=method.upper(),
                options=frozenset(p["name"].lower() for p in parameters if p["in"] == "query"),
                request=body["schema"] if body else None,
                binary=_BINARY in bodies,
                responses=operation["responses"],
            )


def _plain_path(path: str) -> str:
    path = path.removeprefix("/v1.0")
    path = _KEY.sub(r"/\1", path) if "('" in path else path
    path = _FORWARD.sub(r"\1/cancel", _DEFAULT_CALENDAR.sub("/calendars/default", path))
    path = _DEEP_FOLDERS.sub(r"\1", path)
    path = _CAST.sub(_contracted, path)
    while (shorter := _DEEP_COLLECTION.sub("", path)) != path:
        path = shorter
    return path


def _contracted(cast: re.Match[str]) -> str:
    collection, kind, count = cast.groups()
    if count:
        return f"{collection}{count}"
    known = kind != "group" and collection.lower().endswith("members")
    return f"{collection}/graph.{kind}" if known else collection


def _text(body: object) -> str:
    if body is None:
        return ""
    return body if isinstance(body, str) else json.dumps(body)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _header(exchange: Exchange, name: str) -> str:
    return next((v for n, v in exchange.headers.items() if n.lower() == name), "").lower()


def _convert(schema: Any) -> Any:
    """OpenAPI 3.0's dialect as JSON Schema 2020-12: `nullable`, and where references point."""
    if isinstance(schema, list):
        return [_convert(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    converted = {
        key: _convert(value)
        for key, value in schema.items()
        if key != "nullable" and not key.startswith("x-")
    }
    if "properties" in schema:
        # A property may be named like a keyword.
        converted["properties"] = {n: _convert(s) for n, s in schema["properties"].items()}
    reference = converted.get("$ref")
    if isinstance(reference, str):
        converted["$ref"] = reference.replace("#/components/schemas/", "#/$defs/")
    if schema.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, converted]}
    return converted


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _enumerated(schema: Any) -> Iterator[str]:
    """Every word that an enumeration has."""
    if isinstance(schema, Mapping):
        words = schema.get("enum")
        if isinstance(words, list):
            yield from (word for word in words if isinstance(word, str))
        for value in schema.values():
            yield from _enumerated(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _enumerated(value)


def _shape(value: Any, words: frozenset[str]) -> object:
    """All that a schema can see of a value: of a text, which of the enumerated `words` it is."""
    if isinstance(value, dict):
        return tuple((name, _shape(member, words)) for name, member in value.items())
    if isinstance(value, list):
        members = dict.fromkeys(_shape(member, words) for member in value)
        return ("list", *members, min(len(value), 21))
    if isinstance(value, str):
        if value in words:
            return ("word", value)
        return "date-time" if _DATE_TIME.fullmatch(value) else "string"
    return type(value).__name__


def read_recording(path: Path) -> Iterator[Exchange]:
    """The exchanges of a file of JSON Lines."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record.get("service", "graph") == "graph":
                yield Exchange.from_record(record)


@dataclass
class Judgement:
    exchanges: int = 0
    problems: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    """See `Contract.checked`."""


_contract = cache(Contract.find)


def judge(recording: Path) -> Judgement:
    """In whatever process; where there is a contract."""
    contract = _contract()
    assert contract is not None
    before = contract.checked.copy()
    judgement = Judgement()
    for exchange in read_recording(recording):
        judgement.exchanges += 1
        judgement.problems += contract.problems(exchange)
    judgement.checked = contract.checked - before
    return judgement


def main(arguments: list[str]) -> int:
    """Judge recordings, or folders of them, on all cores; 1 when something is wrong, 2 when there
    is nothing to judge by."""
    if _contract() is None:
        sys.stderr.write("The contract was not found: set CIRAHUB_SHARED to the shared folder.\n")
        return 2
    named = [Path(argument) for argument in arguments]
    recordings = [
        path for one in named for path in (sorted(one.glob("*.jsonl")) if one.is_dir() else [one])
    ]
    recordings.sort(key=lambda path: path.stat().st_size, reverse=True)
    total = Judgement()
    with ProcessPoolExecutor() as pool:
        for one in pool.map(judge, recordings):
            total.exchanges += one.exchanges
            total.problems += one.problems
            total.checked += one.checked
    sys.stdout.writelines(f"{problem}\n" for problem in total.problems[:100])
    sys.stdout.write(
        f"  held against {len(total.checked)} operations, parts of batches one by one: "
        f"{total.checked.total()}\n"
    )
    sys.stdout.write(f"{total.exchanges} exchanges over Graph, {len(total.problems)} problems\n")
    return 1 if total.problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
