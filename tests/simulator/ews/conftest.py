"""Requests to Exchange Web Services over TLS, each judged by the published schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from lxml import etree
from tests.contract.ews import Contract, Exchange
from tests.simulator.conftest import SignIn

from cirahub_simulator.process import EmbeddedSimulator

NS = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "m": "http://schemas.microsoft.com/exchange/services/2006/messages",
    "t": "http://schemas.microsoft.com/exchange/services/2006/types",
    "e": "http://schemas.microsoft.com/exchange/services/2006/errors",
}
HOST = "mail.adatum.example"
OLGA = "olga.nowak@adatum.example"
PAUL = "paul.lefevre@adatum.example"
SERVICE = "svc-cirahub@adatum.example"
PATH = "/EWS/Exchange.asmx"

_contract = Contract.find()


def envelope(body: str, *, header: str = "", version: str = "Exchange2013_SP1") -> str:
    """A SOAP envelope around an operation; the prefixes s, m and t are declared."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:m="{NS["m"]}" xmlns:t="{NS["t"]}">'
        f'<s:Header><t:RequestServerVersion Version="{version}"/>{header}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )


class Answer:
    """What came back."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.content = response.content

    @property
    def root(self) -> Any:
        return etree.fromstring(self.content)

    def find(self, path: str) -> Any:
        """The first element of an XPath."""
        return next(iter(self.all(path)), None)

    def all(self, path: str) -> list[Any]:
        return list(self.root.xpath(path, namespaces=NS))

    def text(self, path: str) -> str | None:
        found = self.find(path)
        return None if found is None else "".join(found.itertext())

    @property
    def codes(self) -> list[str]:
        """The response code of each message, or of the fault."""
        return [node.text for node in self.all("//m:ResponseCode | //e:ResponseCode")]

    @property
    def item_id(self) -> str:
        return str(self.find("//t:ItemId").get("Id"))

    @property
    def change_key(self) -> str:
        return str(self.find("//t:ItemId").get("ChangeKey"))

    @property
    def folder_id(self) -> str:
        return str(self.find("//t:FolderId").get("Id"))


class Soap:
    """A client that knows nothing but HTTP and XML."""

    def __init__(self, url: str, ca_file: str, auth: Any) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.verify = ca_file
        self.session.auth = auth
        self.header = ""

    def post(self, content: str | bytes, **keywords: Any) -> Answer:
        """Any body at all."""
        data = content.encode() if isinstance(content, str) else content
        headers = {"Content-Type": "text/xml; charset=utf-8", **keywords.pop("headers", {})}
        response = self.session.post(self.url, data=data, headers=headers, timeout=30, **keywords)
        if _contract is not None and response.headers.get("Content-Type") != "text/html":
            _contract.check(
                Exchange(
                    status=response.status_code,
                    request_body=data.decode("utf-8", "replace"),
                    body=response.text,
                )
            )
        return Answer(response)

    def call(self, body: str, **keywords: Any) -> Answer:
        """An operation."""
        return self.post(envelope(body, header=self.header, **keywords))

    def done(self, body: str) -> Answer:
        """An operation all of whose messages have to succeed."""
        answer = self.call(body)
        assert answer.codes, answer.content
        assert set(answer.codes) == {"NoError"}, answer.content
        return answer

    # What tests do all the time

    def create(
        self, content: str, folder: str = '<t:DistinguishedFolderId Id="contacts"/>'
    ) -> Answer:
        """A contact, whose elements are given."""
        return self.done(
            f"<m:CreateItem><m:SavedItemFolderId>{folder}</m:SavedItemFolderId>"
            f"<m:Items><t:Contact>{content}</t:Contact></m:Items></m:CreateItem>"
        )

    def get(self, item_id: str, *more: str, shape: str = "AllProperties") -> Answer:
        """An item; more are additional properties."""
        return self.done(
            f"<m:GetItem>{shape_of(shape, *more)}"
            f'<m:ItemIds><t:ItemId Id="{item_id}"/></m:ItemIds></m:GetItem>'
        )

    def update(
        self, answer: Answer, *updates: str, resolution: str = "AutoResolve", key: str | None = None
    ) -> Answer:
        """Change the item that an answer names."""
        change_key = answer.change_key if key is None else key
        attribute = f' ChangeKey="{change_key}"' if change_key else ""
        return self.call(
            f'<m:UpdateItem ConflictResolution="{resolution}"><m:ItemChanges><t:ItemChange>'
            f'<t:ItemId Id="{answer.item_id}"{attribute}/><t:Updates>{"".join(updates)}'
            "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
        )

    def find(
        self,
        *more: str,
        shape: str = "IdOnly",
        view: str = "",
        restriction: str = "",
        order: str = "",
        folder: str = '<t:DistinguishedFolderId Id="contacts"/>',
    ) -> Answer:
        """What a folder has."""
        where = f"<m:Restriction>{restriction}</m:Restriction>" if restriction else ""
        sort = f"<m:SortOrder>{order}</m:SortOrder>" if order else ""
        return self.call(
            f'<m:FindItem Traversal="Shallow">{shape_of(shape, *more)}{view}{where}{sort}'
            f"<m:ParentFolderIds>{folder}</m:ParentFolderIds></m:FindItem>"
        )

    def make_folder(
        self, name: str, parent: str = '<t:DistinguishedFolderId Id="contacts"/>'
    ) -> str:
        """A folder for contacts; its id."""
        return self.done(
            f"<m:CreateFolder><m:ParentFolderId>{parent}</m:ParentFolderId><m:Folders>"
            f"<t:ContactsFolder><t:DisplayName>{name}</t:DisplayName></t:ContactsFolder>"
            "</m:Folders></m:CreateFolder>"
        ).folder_id

    def delete(self, item_id: str, disposal: str = "MoveToDeletedItems") -> Answer:
        return self.call(
            f'<m:DeleteItem DeleteType="{disposal}"><m:ItemIds><t:ItemId Id="{item_id}"/>'
            "</m:ItemIds></m:DeleteItem>"
        )

    def sync(self, state: str = "", most: int = 512, folder: str = "", *more: str) -> Answer:
        """A page of SyncFolderItems."""
        where = folder or '<t:DistinguishedFolderId Id="contacts"/>'
        given = f"<m:SyncState>{state}</m:SyncState>" if state else ""
        return self.call(
            f"<m:SyncFolderItems>{shape_of('IdOnly', *more)}<m:SyncFolderId>{where}"
            f"</m:SyncFolderId>{given}<m:MaxChangesReturned>{most}</m:MaxChangesReturned>"
            "</m:SyncFolderItems>"
        )


def shape_of(base: str, *more: str, kind: str = "ItemShape") -> str:
    """An ItemShape or FolderShape; more are paths, URIs or whole elements."""
    paths = "".join(
        path if path.startswith("<") else f'<t:FieldURI FieldURI="{path}"/>' for path in more
    )
    extra = f"<t:AdditionalProperties>{paths}</t:AdditionalProperties>" if paths else ""
    return f"<m:{kind}><t:BaseShape>{base}</t:BaseShape>{extra}</m:{kind}>"


def field(uri: str) -> str:
    return f'<t:FieldURI FieldURI="{uri}"/>'


def indexed(uri: str, index: str) -> str:
    return f'<t:IndexedFieldURI FieldURI="{uri}" FieldIndex="{index}"/>'


def put(path: str, content: str) -> str:
    """A SetItemField."""
    return f"<t:SetItemField>{path}<t:Contact>{content}</t:Contact></t:SetItemField>"


def drop(path: str) -> str:
    """A DeleteItemField."""
    return f"<t:DeleteItemField>{path}</t:DeleteItemField>"


def changes(answer: Answer) -> list[tuple[str, str]]:
    """Kinds and ids of a SyncFolderItems or SyncFolderHierarchy answer."""
    return [
        (
            etree.QName(node).localname,
            str(node.xpath(".//t:ItemId | .//t:FolderId", namespaces=NS)[0].get("Id")),
        )
        for node in answer.all("//m:Changes/*")
    ]


@pytest.fixture
def soap(simulator: EmbeddedSimulator) -> Iterator[Soap]:
    """Olga, by Basic, at the Exchange Server."""
    endpoints = simulator.endpoints
    url = endpoints.exchange(HOST) + PATH
    client = Soap(url, endpoints.ca_file, ("ADATUM\\olga", "simulated-olga-password"))
    with client.session:
        yield client


class Bearer(requests.auth.AuthBase):
    """A token of Entra."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def impersonate(address: str) -> str:
    return (
        "<t:ExchangeImpersonation><t:ConnectingSID>"
        f"<t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress>"
        "</t:ConnectingSID></t:ExchangeImpersonation>"
    )


@pytest.fixture
def online(simulator: EmbeddedSimulator, sign_in: SignIn) -> Iterator[Soap]:
    """The application `cirahub` at Exchange Online, as nobody yet: set `header`."""
    endpoints = simulator.endpoints
    token = sign_in.token(scope="https://outlook.office365.com/.default")
    client = Soap(endpoints.outlook + PATH, endpoints.ca_file, Bearer(token))
    with client.session:
        yield client
