"""The judge itself: it passes what the schemas have, and sees what breaks them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.ews import ERRORS, MESSAGES, SOAP, TYPES, Contract, Exchange, main

NAMES = f'xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"'
REQUEST = (
    f'<s:Envelope {NAMES}><s:Header><t:RequestServerVersion Version="Exchange2016"/></s:Header>'
    '<s:Body><m:DeleteItem DeleteType="HardDelete"><m:ItemIds><t:ItemId Id="AAA="/></m:ItemIds>'
    "</m:DeleteItem></s:Body></s:Envelope>"
)
ANSWER = (
    f'<?xml version="1.0"?><s:Envelope {NAMES}><s:Header>'
    '<t:ServerVersionInfo MajorVersion="15"/></s:Header><s:Body><m:DeleteItemResponse>'
    '<m:ResponseMessages><m:DeleteItemResponseMessage ResponseClass="Success">'
    "<m:ResponseCode>NoError</m:ResponseCode></m:DeleteItemResponseMessage>"
    "</m:ResponseMessages></m:DeleteItemResponse></s:Body></s:Envelope>"
)
FAULT = (
    f'<?xml version="1.0"?><s:Envelope {NAMES}><s:Body><s:Fault>'
    "<faultcode>t:ErrorSchemaValidation</faultcode><faultstring>No.</faultstring><detail>"
    f'<e:ResponseCode xmlns:e="{ERRORS}">ErrorSchemaValidation</e:ResponseCode>'
    f'<e:Message xmlns:e="{ERRORS}">No.</e:Message></detail></s:Fault></s:Body></s:Envelope>'
)
RIGHT = Exchange(status=200, request_body=REQUEST, body=ANSWER)
REFUSED = Exchange(status=500, request_body="<wrong", body=FAULT)


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The published contract."""
    found = Contract.find()
    if found is None:
        pytest.skip("contracts/ews of the shared folder is not here")
    return found


@pytest.mark.parametrize(
    "right",
    [
        RIGHT,
        REFUSED,
        replace(RIGHT, status=401, body=""),
        replace(RIGHT, status=0, body="", fault="1"),
        replace(RIGHT, status=503, body="<html/>", fault="1"),
        replace(RIGHT, request_body=REQUEST.replace("Exchange2016", "V2017_07_11")),
    ],
)
def test_right_exchanges_pass(contract: Contract, right: Exchange) -> None:
    assert contract.problems(right) == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RIGHT, request_body=REQUEST.replace("HardDelete", "Shred")),
        replace(RIGHT, request_body=REQUEST.replace(' Id="AAA="', "")),
        replace(RIGHT, request_body=REQUEST.replace("m:DeleteItem", "m:Juggle")),
        replace(RIGHT, request_body=REQUEST.replace("Exchange2016", "Exchange1999")),
        replace(RIGHT, request_body="<wrong"),
        replace(RIGHT, body=ANSWER.replace("NoError", "AllWell")),
        replace(RIGHT, body=ANSWER.replace('"Success"', '"Fine"')),
        replace(RIGHT, body=ANSWER.replace("DeleteItemResponse>", "GetItemResponse>")),
        replace(RIGHT, body=ANSWER.replace("ServerVersionInfo", "ServerVersion")),
        replace(RIGHT, body="<html/>"),
        replace(RIGHT, status=202),
        replace(REFUSED, status=200),
        replace(REFUSED, body=FAULT.replace("ErrorSchemaValidation", "ErrorOfSomeKind")),
        replace(REFUSED, body=FAULT.replace("t:ErrorSchema", "t:ErrorOther")),
        replace(REFUSED, body=FAULT.replace("ErrorSchemaValidation", "ErrorServerBusy")),
    ],
)
def test_wrong_ones_do_not(contract: Contract, wrong: Exchange) -> None:
    assert contract.problems(wrong) != []
    with pytest.raises(AssertionError):
        contract.check(wrong)


def test_a_recording_is_judged_line_by_line(
    contract: Contract, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert contract is not None
    recording = tmp_path / "recording.jsonl"
    record = {
        "service": "ews",
        "path": "/EWS/Exchange.asmx",
        "status": 200,
        "request_body": REQUEST,
        "body": ANSWER,
    }
    lines = [record, {"service": "graph", "path": "/users", "status": 200}]
    recording.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main([str(recording)]) == 0
    with recording.open("a") as more:
        more.write(json.dumps(record | {"body": "<html/>"}) + "\n")
    assert main([str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "2 exchanges over EWS, 1 problems" in told
    assert "DeleteItem request: 1" in told
