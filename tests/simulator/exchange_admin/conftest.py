"""A caller of the service behind Exchange Online's cmdlets, over HTTP, as its module calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import requests

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB

OUTLOOK = "https://outlook.office365.com"
SCOPE = f"{OUTLOOK}/.default"
TENANT = "contoso.example"
RECIPIENTS = "Exchange Recipient Administrator"


class Caller:
    """Signed in as an application."""

    def __init__(self, simulator: EmbeddedSimulator, token: str) -> None:
        self.origin = simulator.endpoints.origins[OUTLOOK]
        self.tenant = simulator.world.directory.tenant(TENANT)
        self._ca_file = simulator.endpoints.ca_file
        self._token = token

    @property
    def url(self) -> str:
        assert self.tenant is not None
        return f"{self.origin}/adminapi/beta/{self.tenant.id}/InvokeCommand"

    def post(self, url: str, body: Any, **headers: str) -> requests.Response:
        return requests.post(
            url,
            json=body,
            headers={"Authorization": f"Bearer {self._token}", **headers},
            verify=self._ca_file,
            timeout=60,
        )

    def invoke(self, cmdlet: str, **parameters: object) -> requests.Response:
        return self.post(self.url, command(cmdlet, parameters))

    def values(self, cmdlet: str, **parameters: object) -> list[dict[str, Any]]:
        answer = self.invoke(cmdlet, **parameters)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    def refusal(self, cmdlet: str, **parameters: object) -> tuple[int, str]:
        """The status, and the text that the module's callers show."""
        answer = self.invoke(cmdlet, **parameters)
        return answer.status_code, str(answer.json()["error"]["details"][0]["message"])

    def batch(self, commands: Sequence[object]) -> requests.Response:
        parts = [
            {
                "id": str(at),
                "method": "POST",
                "url": self.url,
                "headers": {"Content-Type": "application/json"},
                "body": each,
            }
            for at, each in enumerate(commands)
        ]
        return self.post(self.url.replace("InvokeCommand", "$batch"), {"requests": parts})


def command(cmdlet: str, parameters: Mapping[str, object]) -> dict[str, object]:
    return {"CmdletInput": {"CmdletName": cmdlet, "Parameters": dict(parameters)}}


@pytest.fixture
def admitted(admin: AdminClient) -> None:
    admin.grant(CIRAHUB, TENANT, ["Exchange.ManageAsApp"])
    admin.assign_directory_roles(CIRAHUB, TENANT, [RECIPIENTS])


@pytest.fixture
def caller(simulator: EmbeddedSimulator, admitted: None, sign_in: Any) -> Caller:
    return Caller(simulator, sign_in.token(scope=SCOPE))
