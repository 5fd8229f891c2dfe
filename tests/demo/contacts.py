"""What folders of contacts show, asked as their users would."""

from __future__ import annotations

from typing import Any

from tests.simulator.ews.conftest import HOST, NS, PATH, SERVICE, Soap, shape_of

from cirahub_simulator.process import SimulatorProcess
from cirahub_simulator.seed.generate import SERVICE_PASSWORD

Shown = list[tuple[str, ...]]


def shown(simulator: SimulatorProcess, mailbox: str, folder: str) -> Shown:
    """What a folder of a mailbox shows, as its user sees it; the default one has no name."""
    path = [folder] if folder else []
    return sorted(
        _told(one["contact"]) for one in simulator.admin.contacts(mailbox) if one["folder"] == path
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

    def __init__(self, simulator: SimulatorProcess) -> None:
        endpoints = simulator.endpoints
        sign_in = (SERVICE, SERVICE_PASSWORD)
        self._soap = Soap(endpoints.exchange(HOST) + PATH, endpoints.ca_file, sign_in)

    def names(self, *path: str) -> list[str]:
        """Display names of the contacts in a folder; none where there is no folder."""
        return sorted(one[0] for one in self.shown(*path))

    def shown(self, *path: str) -> Shown:
        """As of a mailbox."""
        parent = '<t:DistinguishedFolderId Id="publicfoldersroot"/>'
        for name in path:
            below = self._soap.done(
                f'<m:FindFolder Traversal="Shallow"><m:FolderShape><t:BaseShape>Default'
                f"</t:BaseShape></m:FolderShape><m:ParentFolderIds>{parent}</m:ParentFolderIds>"
                "</m:FindFolder>"
            )
            named = below.all(f"//*[t:DisplayName='{name}']/t:FolderId")
            if not named:
                return []
            parent = f'<t:FolderId Id="{named[0].get("Id")}"/>'
        found = self._soap.done(
            f'<m:FindItem Traversal="Shallow">{shape_of("IdOnly")}'
            f"<m:ParentFolderIds>{parent}</m:ParentFolderIds></m:FindItem>"
        )
        ids = "".join(f'<t:ItemId Id="{one.get("Id")}"/>' for one in found.all("//t:ItemId"))
        if not ids:
            return []
        items = self._soap.done(
            "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape><t:BodyType>Text"
            f"</t:BodyType></m:ItemShape><m:ItemIds>{ids}</m:ItemIds></m:GetItem>"
        )
        return sorted(_said(one) for one in items.all("//t:Contact"))


def _said(contact: Any) -> tuple[str, ...]:
    def text(path: str) -> str:
        return " ".join(part or "" for part in contact.xpath(f"{path}/text()", namespaces=NS))

    phones = "t:PhoneNumbers/t:Entry"
    business = f"{phones}[@Key='BusinessPhone' or @Key='BusinessPhone2']"
    return (
        text("t:DisplayName"),
        text("t:Surname"),
        text("t:CompanyName"),
        text("t:JobTitle"),
        text(f"{phones}[@Key='MobilePhone']"),
        text(business),
        text("t:EmailAddresses/t:Entry"),
        text("t:Body"),
    )
