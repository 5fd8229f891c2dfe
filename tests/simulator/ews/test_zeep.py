"""A client that nobody wrote: what zeep makes of the published WSDL.

It builds each request and reads each answer by the schemas, strictly: what is misnamed, out of
order or of the wrong type fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from tests.contract.ews import Contract
from zeep import Client
from zeep.transports import Transport

from cirahub_simulator.process import EmbeddedSimulator

from .conftest import HOST, PATH, PAUL

BINDING = "{http://schemas.microsoft.com/exchange/services/2006/messages}ExchangeServiceBinding"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
STAMP = {
    "PropertySetId": "c11ff724-aa03-4555-9952-8fa248a11c3e",
    "PropertyName": "Stamp",
    "PropertyType": "String",
}


make_client = cast("Any", Client)
make_transport = cast("Any", Transport)
"""Their parameters have no types."""


@pytest.fixture(scope="module")
def wsdl() -> Any:
    folder = Contract.folder()
    if folder is None:
        pytest.skip("contracts/ews of the shared folder is not here")
    return make_client(str(folder / "services.wsdl"), transport=cast("Any", _Files)())


class _Files(Transport):
    """Reads the schemas from disk alone."""

    def load(self, url: str) -> bytes:
        return Path(url).read_bytes()


class Service:
    """The operations of the binding; versions go along as the WSDL asks."""

    def __init__(self, client: Any, url: str) -> None:
        self._service = client.create_service(BINDING, url)
        self._version = {"Version": "Exchange2016"}

    def __call__(self, operation: str, **arguments: Any) -> Any:
        answer = getattr(self._service, operation)(
            **arguments, _soapheaders={"RequestVersion": self._version}
        )
        return answer.body if hasattr(answer, "body") else answer


@pytest.fixture
def service(wsdl: Any, simulator: EmbeddedSimulator) -> Iterator[Service]:
    endpoints = simulator.endpoints
    with requests.Session() as session:
        session.verify = endpoints.ca_file
        session.auth = ("ADATUM\\olga", "simulated-olga-password")
        wsdl.transport = wsdl.wsdl.transport = make_transport(session=session)
        yield Service(wsdl, endpoints.exchange(HOST) + PATH)


def message(answer: Any, name: str) -> Any:
    """The one response message, which has to be a success."""
    parts = answer.ResponseMessages if hasattr(answer, "ResponseMessages") else answer
    (found,) = [one for choice in parts["_value_1"] for one in choice.values() if one is not None]
    assert found.ResponseCode == "NoError", (name, found)
    return found


def test_the_published_wsdl_reads_a_contact_s_life(service: Service) -> None:
    made = service(
        "CreateItem",
        SavedItemFolderId={"DistinguishedFolderId": {"Id": "contacts"}},
        Items={
            "_value_1": [
                {
                    "Contact": {
                        "Categories": {"String": ["Red"]},
                        "GivenName": "Zoë",
                        "Surname": "Ångström",
                    }
                }
            ]
        },
    )
    created = message(made, "CreateItem").Items["_value_1"][0]["Contact"].ItemId
    got = service(
        "GetItem",
        ItemShape={"BaseShape": "AllProperties"},
        ItemIds={"_value_1": [{"ItemId": {"Id": created.Id}}]},
    )
    contact = message(got, "GetItem").Items["_value_1"][0]["Contact"]
    assert (contact.GivenName, contact.Surname) == ("Zoë", "Ångström")
    assert contact.Categories.String == ["Red"]
    assert contact.HasPicture is False


def test_the_published_wsdl_reads_names_and_changes(service: Service) -> None:
    found = service("ResolveNames", UnresolvedEntry="paul", ReturnFullContactData=True)
    resolution = message(found, "ResolveNames").ResolutionSet.Resolution[0]
    assert resolution.Mailbox.EmailAddress == PAUL
    page = service(
        "SyncFolderItems",
        ItemShape={"BaseShape": "IdOnly"},
        SyncFolderId={"DistinguishedFolderId": {"Id": "contacts"}},
        MaxChangesReturned=3,
    )
    told = message(page, "SyncFolderItems")
    assert len(told.Changes["_value_1"]) == 3
    assert told.IncludesLastItemInRange is False
