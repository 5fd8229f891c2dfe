"""Requests as a whole: envelopes, versions, headers, and the faults of those that are wrong."""

from __future__ import annotations

import pytest

from .conftest import NS, Soap, envelope

GET_CONTACTS = (
    "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
    '<m:FolderIds><t:DistinguishedFolderId Id="contacts"/></m:FolderIds></m:GetFolder>'
)


def test_every_answer_names_the_server_s_version(soap: Soap) -> None:
    answer = soap.call(GET_CONTACTS)
    version = answer.find("/s:Envelope/s:Header/t:ServerVersionInfo")
    assert (version.get("MajorVersion"), version.get("MinorVersion")) == ("15", "1")
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<s:Envelope", "ErrorSchemaValidation"),
        ("<nothing/>", "ErrorSchemaValidation"),
        (envelope(""), "ErrorSchemaValidation"),
        (envelope(GET_CONTACTS + GET_CONTACTS), "ErrorSchemaValidation"),
        (envelope("<m:GetFolder/>"), "ErrorSchemaValidation"),
        (envelope("<m:FindItem/>"), "ErrorSchemaValidation"),
        (envelope('<m:FindItem Traversal="Sideways"/>'), "ErrorSchemaValidation"),
        (envelope("<m:Juggle/>"), "ErrorInvalidRequest"),
        (envelope("<t:GetFolder/>"), "ErrorInvalidRequest"),
        (
            envelope(GET_CONTACTS, header="<t:TimeZoneContext/>"),
            "ErrorSchemaValidation",
        ),
    ],
)
def test_what_is_no_request_gets_a_fault(soap: Soap, content: str, code: str) -> None:
    answer = soap.post(content)
    assert answer.status == 500
    assert answer.codes == [code]
    assert answer.text("//faultcode") == f"a:{code}"
    assert answer.find("//detail/e:Message") is not None


def test_a_version_that_is_none_gets_a_fault(soap: Soap) -> None:
    answer = soap.call(GET_CONTACTS, version="Exchange1999")
    assert (answer.status, answer.codes) == (500, ["ErrorInvalidServerVersion"])


def test_a_document_type_is_refused(soap: Soap) -> None:
    hostile = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'
        f'<s:Envelope xmlns:s="{NS["s"]}"><s:Body>&a;</s:Body></s:Envelope>'
    )
    assert soap.post(hostile).codes == ["ErrorSchemaValidation"]


def test_what_is_no_soap_at_all_is_the_web_server_s_to_refuse(soap: Soap) -> None:
    assert soap.session.get(soap.url, timeout=30).status_code == 405
    assert soap.post("{}", headers={"Content-Type": "application/json"}).status == 415
    wrong = soap.url.replace("Exchange.asmx", "Other.asmx")
    assert soap.session.post(wrong, data="", timeout=30).status_code == 404


def test_the_path_is_found_in_any_case(soap: Soap) -> None:
    soap.url = soap.url.replace("/EWS/Exchange.asmx", "/ews/exchange.ASMX")
    assert soap.done(GET_CONTACTS).folder_id


OOF = (
    "<m:GetUserOofSettingsRequest><t:Mailbox><t:Address>olga.nowak@adatum.example</t:Address>"
    "</t:Mailbox></m:GetUserOofSettingsRequest>"
)


@pytest.mark.parametrize(
    ("operation", "code"), [(OOF, "ErrorInvalidOperation"), ("<m:Nothing/>", "ErrorInvalidRequest")]
)
def test_what_exchange_has_and_the_simulator_lacks_is_told_apart(
    soap: Soap, operation: str, code: str
) -> None:
    """exchangelib takes ErrorInvalidRequest for one of the version's, and tries all of them."""
    answer = soap.call(operation)
    assert (answer.status, answer.codes) == (500, [code])
