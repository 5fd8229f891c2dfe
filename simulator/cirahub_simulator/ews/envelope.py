"""SOAP envelopes: what a request is about, and the answer around its messages.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/soap-header and
[MS-OXWSCDATA] 2.2.3; faults as
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
shows one.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from cirahub_simulator.ews.errors import EwsError, SoapFaultError, invalid_request, schema_violation
from cirahub_simulator.ews.markup import (
    ERRORS,
    MESSAGES,
    NAMESPACES,
    TYPES,
    Element,
    add,
    children,
    element,
    find,
    local_name,
    name,
    text_of,
)
from cirahub_simulator.wire import Response

VERSIONS = (
    "Exchange2007",
    "Exchange2007_SP1",
    "Exchange2009",
    "Exchange2010",
    "Exchange2010_SP1",
    "Exchange2010_SP2",
    "Exchange2012",
    "Exchange2013",
    "Exchange2013_SP1",
    "Exchange2015",
    "Exchange2016",
    "V2015_10_05",
    "V2016_01_06",
    "V2016_04_13",
    "V2016_07_13",
    "V2016_10_10",
    "V2017_01_07",
    "V2017_04_14",
    "V2017_07_11",
)
"""ExchangeVersionType, and the later ones that Exchange 2016 and 2019 answer to."""

SERVER = {
    "MajorVersion": "15",
    "MinorVersion": "1",
    "MajorBuildNumber": "2507",
    "MinorBuildNumber": "6",
    "Version": "V2017_07_11",
}
"""ServerVersionInfo of Exchange Server 2016 CU23.

https://learn.microsoft.com/exchange/new-features/build-numbers-and-release-dates
"""

CONTENT_TYPE = "text/xml; charset=utf-8"


class Envelope(NamedTuple):
    """A request off the wire."""

    operation: str
    body: Element
    """The operation's element."""
    version: str
    impersonated: tuple[str, str] | None
    """The kind of ConnectingSID (`PrimarySmtpAddress`, say) and its value."""
    time_zone: str | None
    """Id of the time zone of dates without one; UTC unless given."""


def read_envelope(content: bytes) -> Envelope:
    """A request. Raises SoapFaultError."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise schema_violation(str(error)) from error
    if root.getroottree().docinfo.doctype:
        raise schema_violation("For security reasons DTD is prohibited in this XML document.")
    if root.tag != name("s:Envelope"):
        raise schema_violation(f"The element '{local_name(root)}' is no SOAP envelope.")
    body = find(root, "s:Body")
    operations = [] if body is None else list(children(body))
    if len(operations) != 1:
        raise schema_violation("The SOAP body has not exactly one element.")
    operation = operations[0]
    if etree.QName(operation).namespace != MESSAGES:
        raise invalid_request("The request is invalid: the operation is not of this service.")
    header = find(root, "s:Header")
    version, impersonated, time_zone = "Exchange2007_SP1", None, None
    for node in () if header is None else children(header):
        match local_name(node):
            case "RequestServerVersion":
                version = node.get("Version", "")
                if version not in VERSIONS:
                    raise SoapFaultError(
                        "ErrorInvalidServerVersion", "The specified server version is invalid."
                    )
            case "ExchangeImpersonation":
                impersonated = _impersonated(node)
            case "TimeZoneContext":
                definition = find(node, "t:TimeZoneDefinition")
                if definition is None or not definition.get("Id"):
                    raise schema_violation("TimeZoneContext has no TimeZoneDefinition with an Id.")
                time_zone = definition.get("Id")
            case _:
                # MailboxCulture, DateTimePrecision, ManagementRole: nothing here depends on them.
                continue
    return Envelope(local_name(operation), operation, version, impersonated, time_zone)


def _impersonated(node: Element) -> tuple[str, str]:
    sid = find(node, "t:ConnectingSID")
    named = [] if sid is None else list(children(sid))
    if len(named) != 1:
        raise schema_violation("ConnectingSID has not exactly one element.")
    return local_name(named[0]), text_of(named[0]).strip()


def write_answer(body: Element) -> bytes:
    """The envelope around an operation's answer."""
    root = etree.Element(name("s:Envelope"), nsmap=NAMESPACES)
    header = add(root, "s:Header")
    add(header, "t:ServerVersionInfo", **SERVER)
    add(root, "s:Body").append(body)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def error_message(message: Element, error: EwsError) -> Element:
    """Turn a response message into one of an error."""
    message.set("ResponseClass", "Error")
    add(message, "m:MessageText", error.message)
    add(message, "m:ResponseCode", error.code)
    add(message, "m:DescriptiveLinkKey", "0")
    if error.values:
        xml = add(message, "m:MessageXml")
        for key, value in error.values.items():
            add(xml, "t:Value", value, Name=key)
    return message


def success(prefixed: str) -> Element:
    """The beginning of a response message of a success."""
    message = element(prefixed, ResponseClass="Success")
    add(message, "m:ResponseCode", "NoError")
    return message


def fault(error: SoapFaultError) -> Response:
    """The whole answer of a request that failed as a whole."""
    root = etree.Element(name("s:Envelope"), nsmap={"s": NAMESPACES["s"]})
    body = add(root, "s:Body")
    node = add(body, "s:Fault")
    code = etree.SubElement(node, "faultcode", nsmap={"a": TYPES})
    code.text = f"a:{error.code}"
    text = etree.SubElement(node, "faultstring")
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "en-US")
    text.text = error.message
    detail = etree.SubElement(node, "detail")
    etree.SubElement(detail, f"{{{ERRORS}}}ResponseCode", nsmap={"e": ERRORS}).text = error.code
    etree.SubElement(detail, f"{{{ERRORS}}}Message", nsmap={"e": ERRORS}).text = (
        "The request failed schema validation." if error.violation else error.message
    )
    if error.values or error.violation:
        xml = etree.SubElement(detail, name("t:MessageXml"), nsmap={"t": TYPES})
        if error.violation:
            add(xml, "t:Violation", error.violation)
        for key, value in error.values.items():
            add(xml, "t:Value", value, Name=key)
    content = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return Response(error.status, {"Content-Type": CONTENT_TYPE}, content)


_ASKED = ("Items", "ItemChanges", "ItemIds", "FolderIds", "ParentFolderIds", "Folders")
"""Where a request has what it gets a message for each of."""
_WITH_ITEMS = frozenset({"CreateItem", "GetItem", "UpdateItem"})
"""Operations whose messages have a list of items even if they are of an error."""


def refused_each(content: bytes, error: EwsError) -> Response:
    """The whole answer to a request each part of which meets the same error."""
    envelope = read_envelope(content)
    lists = [find(envelope.body, f"m:{each}") for each in _ASKED]
    count = next((len(list(children(one))) for one in lists if one is not None), 1)
    root = element(f"m:{envelope.operation}Response")
    messages = add(root, "m:ResponseMessages")
    for _ in range(count):
        made = error_message(element(f"m:{envelope.operation}ResponseMessage"), error)
        if envelope.operation in _WITH_ITEMS:
            add(made, "m:Items")
        messages.append(made)
    return Response(200, {"Content-Type": CONTENT_TYPE}, write_answer(root))
