"""Whether requests and answers of Exchange Web Services are what their published schemas say.

The contract is `contracts/ews/` of the project's shared folder (services.wsdl, messages.xsd,
types.xsd): beside the repository, or where CIRAHUB_SHARED says. In tests: `Contract.find()` and
`problems(exchange)`. On a recording of the simulator (`cirahub simulate` writes JSON Lines):
`python tests/contract/ews.py FILE ...`.

What the contract doesn't cover is in `EXCEPTIONS`, each with its reason; nothing else is let pass.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lxml import etree

EXCEPTIONS: Final = {
    "refused requests": (
        "A request that breaks the schema is answered with a SOAP fault: what it breaks is not a "
        "problem when the answer says so, by ErrorSchemaValidation, ErrorInvalidRequest or, for "
        "its version, ErrorInvalidServerVersion. A request that was answered otherwise must be "
        "right."
    ),
    "no SOAP": (
        "An answer of 401, 404, 405 or 415 comes from the web server before any SOAP, and so does "
        "one that a fault rule made without a response code."
    ),
    "time zones everywhere": (
        "exchangelib sends TimeZoneContext with every operation on items; the WSDL declares it for "
        "some. A server passes over headers that it doesn't know (SOAP 1.1, section 4.2.3)."
    ),
    "fault": "A truncated or dropped answer has no body to judge.",
    "FindPeople": (
        "exchangelib sends an attribute Traversal, and some of QueryString, that the schema "
        "lacks; it is tested against Exchange Online."
    ),
    "Notification": (
        "In an answer to GetStreamingEvents it is among the messages, as the documentation's "
        "example and the EWS Managed API have it; the schema has it among the types. Both pass: "
        "the simulator's switch `stream_notification` has both."
    ),
    "streams": ("An answer to GetStreamingEvents is a row of envelopes, each of which is judged."),
    "later versions": (
        "RequestServerVersion may name a version later than the schema, as Exchange 2016 knows it."
    ),
}

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
_PROLOGUE = "<?xml "
_REFUSALS = ("ErrorSchemaValidation", "ErrorInvalidRequest", "ErrorInvalidServerVersion")
_LATER = ("V2017_01_07", "V2017_04_14", "V2017_07_11")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer."""

    status: int
    request_body: str
    body: str
    path: str = "/EWS/Exchange.asmx"
    fault: str | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Exchange:
        """A line of a recording."""
        return cls(
            status=record["status"],
            request_body=record.get("request_body") or "",
            body=record.get("body") or "",
            path=record["path"],
            fault=record.get("fault"),
        )


@dataclass(frozen=True)
class _Operation:
    request: str
    """The qualified name of the element in the body."""
    answer: str
    headers: frozenset[str]


class Contract:
    """The published contract, compiled."""

    def __init__(self, folder: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(folder / "messages.xsd"))
        codes = etree.parse(folder / "messages.xsd").iterfind(
            f"{{{XSD}}}simpleType[@name='ResponseCodeType']//{{{XSD}}}enumeration"
        )
        self._codes = {code.get("value") for code in codes}
        self._operations = {
            operation.request: operation for operation in _operations(folder / "services.wsdl")
        }
        self.checked: Counter[str] = Counter()
        """Requests and answers that were judged, by operation."""

    @property
    def operations(self) -> frozenset[str]:
        """The names of the elements of requests."""
        return frozenset(etree.QName(name).localname for name in self._operations)

    @staticmethod
    def folder() -> Path | None:
        """Where the shared folder has the contract; None where there is none."""
        root = Path(__file__).resolve().parents[2]
        shared = Path(os.environ.get("CIRAHUB_SHARED") or root.parent / "shared")
        folder = shared / "contracts" / "ews"
        return folder if (folder / "messages.xsd").is_file() else None

    @classmethod
    def find(cls) -> Contract | None:
        """The contract of the shared folder; None where there is none."""
        folder = cls.folder()
        return None if folder is None else cls(folder)

    def problems(self, exchange: Exchange) -> list[str]:
        """What is wrong with an exchange, in words; empty when it is right."""
        envelopes = exchange.body.split(_PROLOGUE)
        if len(envelopes) > 2 and not envelopes[0].strip():
            parts = (replace(exchange, body=_PROLOGUE + one) for one in envelopes[1:])
            return [problem for part in parts for problem in self._problems(part)]
        return self._problems(exchange)

    def _problems(self, exchange: Exchange) -> list[str]:
        if exchange.status in (0, 401, 404, 405, 415):
            return []
        if exchange.fault is not None and not exchange.body.lstrip().startswith("<?xml"):
            return []
        try:
            answer = _parts(exchange.body)
        except ValueError as error:
            return [f"{exchange.status}: the answer is no envelope: {error}"]
        fault = answer.body.find(f"{{{SOAP}}}Fault")
        if fault is not None:
            found = self._fault_problems(fault)
            if exchange.status != 500 and exchange.fault is None:
                found.append(f"a SOAP fault with the status {exchange.status}")
            code = fault.findtext(f"detail/{{{ERRORS}}}ResponseCode")
            if code in _REFUSALS:
                return [f"fault {code}: {problem}" for problem in found]
        else:
            found = []
        try:
            request = _parts(exchange.request_body)
        except ValueError as error:
            return [*found, f"the request is no envelope and was not refused: {error}"]
        name, problems = self._request_problems(request)
        found += problems
        if fault is None:
            found += self._answer_problems(name, answer)
            if exchange.status != 200:
                found.append(f"an answer with the status {exchange.status}")
        return [f"{etree.QName(name).localname}: {problem}" for problem in found]

    def check(self, exchange: Exchange) -> None:
        """Raises AssertionError with everything that is wrong."""
        found = self.problems(exchange)
        if found:
            raise AssertionError("\n".join(found))

    def _request_problems(self, request: _Envelope) -> tuple[str, list[str]]:
        elements = [child for child in request.body if isinstance(child.tag, str)]
        if len(elements) != 1:
            return "{}", ["the request's body has not exactly one element"]
        name = str(elements[0].tag)
        operation = self._operations.get(name)
        if operation is None:
            return name, ["the contract has no such operation"]
        self.checked[f"{etree.QName(name).localname} request"] += 1
        if name == f"{{{MESSAGES}}}FindPeople":
            elements[0].attrib.pop("Traversal", None)
            for query in elements[0].iterfind(f"{{{MESSAGES}}}QueryString"):
                query.attrib.clear()
        found = [f"request: {problem}" for problem in self._invalid(elements[0])]
        for header in request.headers:
            tag = str(header.tag)
            if etree.QName(tag).namespace not in (TYPES, MESSAGES):
                continue
            if tag == f"{{{TYPES}}}TimeZoneContext":
                found += [f"request header: {problem}" for problem in self._invalid(header)]
            elif tag not in operation.headers:
                found.append(f"request: the header {etree.QName(tag).localname} is not declared")
            elif header.get("Version") not in _LATER:
                found += [f"request header: {problem}" for problem in self._invalid(header)]
        return name, found

    def _answer_problems(self, name: str, answer: _Envelope) -> list[str]:
        operation = self._operations.get(name)
        elements = [child for child in answer.body if isinstance(child.tag, str)]
        if operation is None or len(elements) != 1:
            return ["answer: the body has not exactly one element"]
        found = []
        if elements[0].tag != operation.answer:
            found.append(f"answer: {elements[0].tag!s} where {operation.answer} belongs")
        self.checked[f"{etree.QName(name).localname} answer"] += 1
        if name == f"{{{MESSAGES}}}GetStreamingEvents":
            for node in elements[0].iter(f"{{{MESSAGES}}}Notification"):
                node.tag = f"{{{TYPES}}}Notification"
        found += [f"answer: {problem}" for problem in self._invalid(elements[0])]
        versions = [h for h in answer.headers if h.tag == f"{{{TYPES}}}ServerVersionInfo"]
        if len(versions) != 1:
            found.append("answer: there is not exactly one ServerVersionInfo")
        for header in answer.headers:
            found += [f"answer header: {problem}" for problem in self._invalid(header)]
        return found

    def _fault_problems(self, fault: etree._Element) -> list[str]:
        """SOAP 1.1, section 4.4, and the detail that Exchange puts into it."""
        self.checked["Fault answer"] += 1
        found = []
        tags = [child.tag for child in fault]
        if tags != ["faultcode", "faultstring", "detail"]:
            found.append(f"a fault with {tags}")
        code = fault.findtext(f"detail/{{{ERRORS}}}ResponseCode")
        if code not in self._codes:
            found.append(f"a fault with the unknown code {code}")
        if fault.findtext(f"detail/{{{ERRORS}}}Message") is None:
            found.append("a fault without a message")
        if not (fault.findtext("faultcode") or "").endswith(f":{code}"):
            found.append("a faultcode that is not the response code")
        return found

    def _invalid(self, element: etree._Element) -> list[str]:
        # By way of text: a copy may lose a prefix that only an xsi:type uses.
        if self._schema.validate(etree.fromstring(etree.tostring(element, with_tail=False))):
            return []
        return [
            f"{error.path}: {error.message[:300]}" for error in list(self._schema.error_log)[:5]
        ]


@dataclass(frozen=True)
class _Envelope:
    headers: list[etree._Element]
    body: etree._Element


def _parts(text: str) -> _Envelope:
    """The parts of an envelope. Raises ValueError."""
    try:
        root = etree.fromstring(text.encode())
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    body = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or body is None:
        raise ValueError(f"it begins with {root.tag!s}")
    header = root.find(f"{{{SOAP}}}Header")
    headers = [] if header is None else [child for child in header if isinstance(child.tag, str)]
    return _Envelope(headers, body)


def _operations(path: Path) -> Iterator[_Operation]:
    """The operations of a WSDL, by its messages."""
    root = etree.parse(path).getroot()
    parts: dict[str, dict[str, str]] = {}
    for message in root.iterfind(f"{{{WSDL}}}message"):
        parts[message.get("name", "")] = {
            part.get("name", ""): _qualified(part) for part in message.iterfind(f"{{{WSDL}}}part")
        }
    for operation in root.iterfind(f"{{{WSDL}}}portType/{{{WSDL}}}operation"):
        asked, answered = (
            parts[_local(operation.find(f"{{{WSDL}}}{name}"))] for name in ("input", "output")
        )
        bodies = [
            [name for name in message.values() if name.startswith(f"{{{MESSAGES}}}")]
            for message in (asked, answered)
        ]
        if all(bodies):
            request, answer = bodies[0][0], bodies[1][0]
            yield _Operation(request, answer, frozenset(asked.values()) - {request})


def _qualified(part: etree._Element) -> str:
    prefix, _, local = part.get("element", "").rpartition(":")
    return f"{{{part.nsmap[prefix or None]}}}{local}"


def _local(reference: etree._Element | None) -> str:
    assert reference is not None
    return reference.get("message", "").rpartition(":")[2]


def read_recording(path: Path) -> Iterator[Exchange]:
    """The exchanges over EWS of a file of JSON Lines."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record.get("service") == "ews":
                yield Exchange.from_record(record)


def main(arguments: list[str]) -> int:
    """Judge recordings, or folders of them; 1 when something is wrong, 2 when there is nothing to
    judge by."""
    contract = Contract.find()
    if contract is None:
        sys.stderr.write("The contract was not found: set CIRAHUB_SHARED to the shared folder.\n")
        return 2
    count = 0
    found: list[str] = []
    named = [Path(argument) for argument in arguments]
    recordings = [
        path for one in named for path in (sorted(one.glob("*.jsonl")) if one.is_dir() else [one])
    ]
    for recording in recordings:
        for exchange in read_recording(recording):
            count += 1
            found += contract.problems(exchange)
    sys.stdout.writelines(f"{problem}\n" for problem in found[:100])
    for name, times in sorted(contract.checked.items()):
        sys.stdout.write(f"  {name}: {times}\n")
    sys.stdout.write(f"{count} exchanges over EWS, {len(found)} problems\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
