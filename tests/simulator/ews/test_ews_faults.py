"""What goes wrong on Exchange Web Services when a rule says so, and what the log says of it."""

from __future__ import annotations

import pytest
import requests

from cirahub_simulator.client import AdminClient

from .conftest import Soap
from .test_envelope import GET_CONTACTS


def test_a_busy_server_says_for_how_long(soap: Soap, admin: AdminClient) -> None:
    admin.add_rule(
        kind="status",
        service="ews",
        operation="GetFolder",
        status=500,
        code="ErrorServerBusy",
        retry_after=7,
        count=1,
    )
    assert soap.create("<t:GivenName>a</t:GivenName>").codes == ["NoError"]
    answer = soap.call(GET_CONTACTS)
    assert (answer.status, answer.codes) == (500, ["ErrorServerBusy"])
    value = answer.find("//detail//t:Value")
    assert (value.get("Name"), value.text) == ("BackOffMilliseconds", "7000")
    assert soap.call(GET_CONTACTS).codes == ["NoError"]


def test_a_status_without_a_code_is_the_web_server_s(soap: Soap, admin: AdminClient) -> None:
    admin.add_rule(kind="status", service="ews", status=503, count=1)
    answer = soap.call(GET_CONTACTS)
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "text/html"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_operation_takes_effect_or_not_though_it_failed(
    soap: Soap, admin: AdminClient, moment: str
) -> None:
    before = len(soap.find().all("//t:ItemId"))
    admin.add_rule(
        kind="status", service="ews", operation="CreateItem", status=500, moment=moment, count=1
    )
    answer = soap.call("<m:CreateItem><m:Items><t:Contact/></m:Items></m:CreateItem>")
    assert answer.codes == ["ErrorInternalServerError"]
    assert len(soap.find().all("//t:ItemId")) == before + (moment == "after")


def test_a_connection_is_dropped(soap: Soap, admin: AdminClient) -> None:
    admin.add_rule(kind="drop", service="ews", count=1)
    with pytest.raises(requests.ConnectionError):
        soap.call(GET_CONTACTS)


def test_the_log_names_the_operation_and_the_account(soap: Soap, admin: AdminClient) -> None:
    soap.call(GET_CONTACTS)
    (entry,) = admin.requests(service="ews", operation="GetFolder")
    assert (entry["status"], entry["path"]) == (200, "/EWS/Exchange.asmx")
    assert entry["client_id"]


def test_each_part_of_a_request_is_refused_by_itself(soap: Soap, admin: AdminClient) -> None:
    admin.add_rule(
        kind="status",
        service="ews",
        operation="CreateItem",
        status=200,
        code="ErrorQuotaExceeded",
        count=1,
    )
    two = "<m:CreateItem><m:Items><t:Contact/><t:Contact/></m:Items></m:CreateItem>"
    answer = soap.call(two)
    assert (answer.status, answer.codes) == (200, ["ErrorQuotaExceeded"] * 2)
    assert soap.call(two).codes == ["NoError"] * 2
