"""An Exchange Server beside a town's tenant: Ann's and Bob's mailboxes are there, and public
folders. The town's Connection leads there."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Mapping
from functools import partial

import requests
from tests.operator.stage import Manifest, server_connection

from cirahub_sync.endpoints.exchange.wire import envelope

from .town import ACCOUNT as SERVICE_ACCOUNT
from .town import NAME, PEOPLE, Shown, Town, shown

ACCOUNT = "svc-cirahub"
SECRET = "exchange"
KEY = "password"
FOLDER = "Customers"
"""Of the public folders."""


class Server:
    """Whoever makes one for a town speaks of the same server. Its password is the town's secret."""

    def __init__(self, town: Town) -> None:
        self.town = town
        tag = town.domain.partition(".")[0]
        self.host = f"mail.{tag}.test"
        """No part of the town's domain: messages may name it."""
        self.netbios = tag.upper()
        names = (ACCOUNT, *town.mailboxes)
        self.users = {name: str(uuid.uuid5(uuid.UUID(town.tenant), name)) for name in names}
        """User ids by the Spoke's name."""
        self.id = str(uuid.uuid5(uuid.UUID(town.tenant), "server"))

    def address(self, name: str) -> str:
        return f"mailbox-of-{name}@office.{self.town.domain}"

    def records(self) -> Iterator[Mapping[str, object]]:
        """Ann has the town's people."""
        yield {
            "kind": "exchangeserver",
            "id": self.id,
            "domain": f"office.{self.town.domain}",
            "host": self.host,
            "netbiosDomain": self.netbios,
            "displayName": "A. Datum",
            "hybridTenant": self.town.tenant,
        }
        for name in self.users:
            yield self.account(name)
        yield from self.contacts("ann")
        for number in range(PEOPLE):
            contact = self.town.person(number)
            yield {
                "kind": "publiccontact",
                "server": self.id,
                "folder": [FOLDER],
                "contact": contact,
            }

    def account(self, name: str) -> Mapping[str, object]:
        service = name == ACCOUNT
        return {
            "kind": "account",
            "server": self.id,
            "id": self.users[name],
            "userPrincipalName": self.address(name),
            "displayName": NAME,
            "account": name,
            "password": self.town.secret if service else "of-nobody-s-business",
            "impersonates": service,
        }

    def contacts(self, name: str) -> Iterator[Mapping[str, object]]:
        for number in range(PEOPLE):
            contact = self.town.person(number)
            yield {"kind": "contact", "mailbox": self.users[name], "contact": contact}

    # Manifests

    def password(self, value: str) -> Manifest:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "annotations": {"cirahub.io/hosts": self.host}},
            "data": {KEY: base64.b64encode(value.encode()).decode()},
        }

    def connection(self, **server: object) -> Manifest:
        auth = {
            "basic": {
                "username": f"{self.netbios}\\{ACCOUNT}",
                "secretRef": {"name": SECRET, "key": KEY},
            }
        }
        return server_connection("contoso", exchangeServer={"host": self.host, **server}, auth=auth)

    def without_a_password(self) -> Manifest:
        """The Connection of a server that takes the tokens of the town's tenant."""
        auth = {
            "workloadIdentity": {
                "clientID": self.town.client,
                "serviceAccountName": SERVICE_ACCOUNT,
            }
        }
        server = {"host": self.host, "tenantID": self.town.tenant}
        return server_connection("contoso", exchangeServer=server, auth=auth)

    def ann(self, **spec: object) -> Manifest:
        """She contributes."""
        return self.town.ann(**({"mailbox": {"address": self.address("ann")}} | spec))

    def bob(self, **spec: object) -> Manifest:
        """He receives."""
        return self.town.bob(**({"mailbox": {"address": self.address("bob")}} | spec))

    def public(self, folder: str = FOLDER) -> Manifest:
        """A public folder contributes in Ann's place."""
        where = {"path": folder, "contentMailbox": self.address(ACCOUNT)}
        return self.town.ann(mailbox=None, publicFolder=where)

    async def well(self, *manifests: Manifest) -> None:
        """As `Town.well`, with everything on the server."""
        await self.apply(*manifests)
        await self.town.in_sync()

    async def apply(self, *manifests: Manifest) -> None:
        """`manifests` stand in for the usual ones of the same kind and name."""
        town = self.town
        town.places = {name: partial(self.shown, name) for name in town.mailboxes}
        usual = [
            self.password(town.secret),
            self.connection(),
            town.hub(),
            self.ann(),
            self.bob(),
        ]
        chosen = {(one["kind"], one["metadata"]["name"]): one for one in [*usual, *manifests]}
        await town.stage.apply(*chosen.values())

    # What is there, what its users do, and what goes wrong

    def shown(self, name: str) -> Shown:
        held = self.town.admin.contacts(self.users[name])
        return shown(one["contact"] for one in held)

    def delete_folder(self, name: str, folder: str) -> None:
        """For good, as its owner does."""
        path = f"/graph/v1.0/users/{self.users[name]}/contactFolders"
        found = self.town.admin.call("GET", path)["value"]
        id_ = next(one["id"] for one in found if one["displayName"] == folder)
        as_ews_writes_it = id_.translate(str.maketrans("-_", "/+"))
        body = envelope(
            b'<m:DeleteFolder DeleteType="HardDelete"><m:FolderIds><t:FolderId Id="%b"/>'
            b"</m:FolderIds></m:DeleteFolder>" % as_ews_writes_it.encode(),
            impersonated=self.address(name),
        )
        answer = requests.post(
            f"{self.town.origins.rewrite(f'https://{self.host}')}/EWS/Exchange.asmx",
            data=body,
            headers={"Content-Type": "text/xml"},
            auth=(f"{self.netbios}\\{ACCOUNT}", self.town.secret),
            verify=self.town.origins.ca_file,
            timeout=60,
        )
        assert b"NoError" in answer.content, answer.text

    def fault(self, kind: str, name: str, **fields: object) -> None:
        """Of requests about a mailbox; of those about public folders, about the account's."""
        header = "X-PublicFolderMailbox" if name == ACCOUNT else "X-AnchorMailbox"
        self.fault_everywhere(kind, header=(header, f"^{self.address(name)}$"), **fields)

    def fault_everywhere(self, kind: str, **fields: object) -> None:
        """Of all requests to this server."""
        self.town.admin.add_rule(kind, id=self.town.tenant, service="ews", tenant=self.id, **fields)
