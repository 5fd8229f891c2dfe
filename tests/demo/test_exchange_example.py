"""`examples/exchange-server`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree

from cirahub_simulator.seed.generate import SERVICE_PASSWORD
from demo.narration import Narration
from demo.stage import Stage

ROOT = Path(__file__).resolve().parent.parent.parent
NAMESPACE = "cirahub-demo"
WITHIN = 240.0
ANNA = "anna.bergstrom@contoso.example"
BJORN = "bjorn.eriksson@contoso.example"
OLGA = "olga.nowak@adatum.example"
PAUL = "paul.lefevre@adatum.example"
HOST = "mail.adatum.example"
FOLDER = "Everybody"

Shown = list[tuple[str, ...]]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(Narration()) as stage:
        yield stage


def shown(stage: Stage, mailbox: str, folder: str) -> Shown:
    """What a folder of a mailbox shows, as its user sees it."""
    path = [folder] if folder else []
    return sorted(
        _told(one["contact"])
        for one in stage.simulator.admin.contacts(mailbox)
        if one["folder"] == path
    )


def _told(contact: dict[str, Any]) -> tuple[str, ...]:
    return (
        contact.get("displayName") or "",
        contact.get("surname") or "",
        contact.get("companyName") or "",
        contact.get("jobTitle") or "",
        contact.get("mobilePhone") or "",
        " ".join(contact.get("businessPhones") or ()),
        " ".join(one["address"] for one in contact.get("emailAddresses") or ()),
        contact.get("personalNotes") or "",
    )


class PublicFolders:
    """Read by the account itself, over Exchange Web Services."""

    def __init__(self, stage: Stage) -> None:
        endpoints = stage.simulator.endpoints
        self._url = f"{endpoints.exchange(HOST)}/EWS/Exchange.asmx"
        self._session = requests.Session()
        self._session.verify = endpoints.ca_file
        self._session.auth = ("svc-cirahub", SERVICE_PASSWORD)

    def names(self, *path: str) -> list[str]:
        """Display names of the contacts in a folder; none where there is no folder."""
        parent = '<t:DistinguishedFolderId Id="publicfoldersroot"/>'
        for name in path:
            folders = self._ask(
                '<m:FindFolder Traversal="Shallow"><m:FolderShape><t:BaseShape>Default'
                f"</t:BaseShape></m:FolderShape><m:ParentFolderIds>{parent}</m:ParentFolderIds>"
                "</m:FindFolder>"
            ).xpath(f"//*[*[local-name()='DisplayName']='{name}']/*[local-name()='FolderId']/@Id")
            if not folders:
                return []
            parent = f'<t:FolderId Id="{folders[0]}"/>'
        answer = self._ask(
            '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>Default</t:BaseShape>'
            f"</m:ItemShape><m:ParentFolderIds>{parent}</m:ParentFolderIds></m:FindItem>"
        )
        return sorted(answer.xpath("//*[local-name()='DisplayName']/text()"))

    def _ask(self, operation: str) -> Any:
        body = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
            'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>'
            '<t:RequestServerVersion Version="Exchange2013_SP1"/></s:Header>'
            f"<s:Body>{operation}</s:Body></s:Envelope>"
        )
        answer = self._session.post(self._url, body.encode(), headers={"Content-Type": "text/xml"})
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content)


def until(what: Callable[[], object], told: Callable[[], object]) -> None:
    end = time.monotonic() + WITHIN
    while not what():
        assert time.monotonic() < end, told()
        time.sleep(0.5)


def everything(stage: Stage) -> str:
    objects = stage.plane.kubectl("-n", NAMESPACE, "get", "hubs,spokes,connections", "-o", "wide")
    return f"{objects}\n{stage.log_tail()}"


def test_a_mailbox_a_server_s_mailbox_and_a_public_folder_are_one_hub(stage: Stage) -> None:
    apply = ("apply", "--server-side", "--kustomize", str(ROOT / "examples/exchange-server"))
    stage.plane.kubectl(*apply)
    public = PublicFolders(stage)

    def equal() -> bool:
        copies = shown(stage, BJORN, FOLDER)
        names = sorted(one[0] for one in copies)
        return (
            len(copies) > len(shown(stage, OLGA, ""))
            and copies == shown(stage, PAUL, FOLDER)
            and names == public.names("Company Contacts", FOLDER)
        )

    until(equal, lambda: everything(stage))
    wait = ("wait", "--for=condition=Ready", "hubs,spokes,connections", "--all", "--timeout=60s")
    stage.plane.kubectl("-n", NAMESPACE, *wait)
    copies = shown(stage, BJORN, FOLDER)
    sources = [shown(stage, ANNA, ""), shown(stage, OLGA, "")]
    surnames = {one[1] for one in copies}
    for source in sources:
        assert {one[1] for one in source} <= surnames
    # Of somebody who is in several places, one display name is shown.
    assert set(public.names("Company Contacts")) & {one[0] for one in copies}

    # Paul edits a copy; it goes to the others, and to no place that only contributes.
    held = [
        one["contact"] for one in stage.simulator.admin.contacts(PAUL) if one["folder"] == [FOLDER]
    ]
    stage.simulator.admin.update_contact(PAUL, held[0]["id"], {"displayName": "Nobody Else 人"})
    until(
        lambda: (
            any(one[0] == "Nobody Else 人" for one in shown(stage, BJORN, FOLDER))
            and "Nobody Else 人" in public.names("Company Contacts", FOLDER)
        ),
        lambda: everything(stage),
    )
    assert sources == [shown(stage, ANNA, ""), shown(stage, OLGA, "")]

    # Who leaves takes the copies along, for good.
    stage.plane.kubectl(
        "-n", NAMESPACE, "annotate", "hub", "everybody", "cirahub.io/erase=now", "--overwrite"
    )
    stage.plane.kubectl("-n", NAMESPACE, "delete", "hub", "everybody", "--timeout=180s")
    until(
        lambda: (
            not shown(stage, BJORN, FOLDER)
            and not shown(stage, PAUL, FOLDER)
            and not public.names("Company Contacts", FOLDER)
        ),
        lambda: everything(stage),
    )
    assert sources == [shown(stage, ANNA, ""), shown(stage, OLGA, "")]
    assert public.names("Company Contacts")
