"""Tenants of Microsoft's other clouds: https://learn.microsoft.com/entra/identity-platform/
authentication-national-cloud and https://learn.microsoft.com/graph/deployments."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
import requests

from cirahub_simulator.client import AdminClient
from cirahub_simulator.clouds import CLOUDS, Cloud
from cirahub_simulator.process import EmbeddedSimulator

TENANT = "5e71e000-0000-4000-8000-000000000001"
CLIENT = "5e71e000-0000-4000-8000-000000000002"
SECRET = "the-secret-of-that-cloud"

elsewhere = pytest.mark.parametrize(
    "cloud",
    [cloud for cloud in CLOUDS.values() if cloud.name != "Global"],
    ids=lambda cloud: cloud.name,
)


class Abroad:
    def __init__(self, simulator: EmbeddedSimulator, admin: AdminClient, cloud: Cloud) -> None:
        self.cloud = cloud
        tenant = {"kind": "tenant", "id": TENANT, "domain": "abroad.example"}
        application = {"kind": "application", "clientId": CLIENT, "displayName": "sync"}
        self.origins = admin.seed(
            [
                tenant | {"displayName": "Abroad", "cloud": cloud.name},
                application
                | {
                    "homeTenant": TENANT,
                    "secrets": [{"value": SECRET}],
                    "granted": {TENANT: ["User.Read.All"]},
                },
                {"kind": "vault", "name": "abroad", "tenant": TENANT, "access": {CLIENT: ["get"]}},
                {"kind": "secret", "vault": "abroad", "name": "one", "value": "1"},
            ]
        )["origins"]
        self.ca = simulator.endpoints.ca_file

    def token(self, authority: str, resource: str) -> dict[str, Any]:
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": f"{resource}/.default",
        }
        url = f"{self.origins[authority]}/{TENANT}/oauth2/v2.0/token"
        answer = requests.post(url, data=form, verify=self.ca, timeout=30)
        return dict(answer.json())

    def get(self, origin: str, path: str, token: str) -> requests.Response:
        url = f"{self.origins[origin]}{path}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(url, headers=headers, verify=self.ca, timeout=30)


@elsewhere
def test_a_cloud_has_hosts_resources_and_an_issuer_of_its_own(
    simulator: EmbeddedSimulator, admin: AdminClient, cloud: Cloud
) -> None:
    abroad = Abroad(simulator, admin, cloud)
    found = abroad.get(
        cloud.authority, f"/{TENANT}/v2.0/.well-known/openid-configuration", ""
    ).json()
    assert found["issuer"] == f"{cloud.authority}/{TENANT}/v2.0"
    assert found["msgraph_host"] == cloud.graph.removeprefix("https://")

    graph = abroad.token(cloud.authority, cloud.graph)["access_token"]
    claims = jwt.decode(graph, options={"verify_signature": False})
    assert (claims["aud"], claims["iss"]) == (cloud.graph, f"{cloud.issuer}{TENANT}/")
    assert claims["roles"] == ["User.Read.All"]
    assert abroad.get(cloud.graph, "/v1.0/users/nobody", graph).status_code == 404

    vault = abroad.token(cloud.authority, cloud.vault)["access_token"]
    origin = f"https://abroad{cloud.vault_suffix}"
    path = "/secrets/one?api-version=7.6"
    assert abroad.get(origin, path, vault).json()["value"] == "1"
    challenge = abroad.get(origin, path, "").headers["WWW-Authenticate"]
    assert f'authorization="{cloud.authority}/{TENANT}"' in challenge
    assert f'resource="{cloud.vault}"' in challenge


@elsewhere
def test_a_token_of_another_cloud_is_refused(
    simulator: EmbeddedSimulator, admin: AdminClient, cloud: Cloud
) -> None:
    abroad = Abroad(simulator, admin, cloud)
    token = abroad.token(cloud.authority, cloud.graph)["access_token"]
    assert abroad.get(CLOUDS["Global"].graph, "/v1.0/users/nobody", token).status_code == 401
    foreign = abroad.token(cloud.authority, CLOUDS["Global"].graph)
    assert foreign["error_codes"] == [500011]


@elsewhere
@pytest.mark.parametrize("code", [900382, 900432, 900439, 90038])
def test_the_global_cloud_refuses_a_tenant_of_another(
    simulator: EmbeddedSimulator, admin: AdminClient, cloud: Cloud, code: int
) -> None:
    admin.switch(cross_cloud_code=code)
    abroad = Abroad(simulator, admin, cloud)
    everywhere = CLOUDS["Global"]
    assert abroad.token(everywhere.authority, everywhere.graph)["error_codes"] == [code]


@elsewhere
def test_the_global_cloud_may_not_know_it_or_name_its_cloud(
    simulator: EmbeddedSimulator, admin: AdminClient, cloud: Cloud
) -> None:
    abroad = Abroad(simulator, admin, cloud)
    everywhere = CLOUDS["Global"]
    configuration = f"/{TENANT}/v2.0/.well-known/openid-configuration"
    admin.switch(other_clouds="unknown")
    assert abroad.token(everywhere.authority, everywhere.graph)["error_codes"] == [90002]
    assert abroad.get(everywhere.authority, configuration, "").status_code == 400
    admin.switch(other_clouds="named")
    found = abroad.get(everywhere.authority, configuration, "").json()
    assert found["token_endpoint"].startswith(f"{cloud.authority}/")


def test_another_cloud_does_not_know_global_tenants(
    simulator: EmbeddedSimulator, admin: AdminClient
) -> None:
    abroad = Abroad(simulator, admin, CLOUDS["China"])
    url = f"{abroad.origins[CLOUDS['China'].authority]}/contoso.example/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "scope": "x/.default"}
    answer = requests.post(url, data=form, verify=abroad.ca, timeout=30)
    assert answer.json()["error_codes"] == [90002]
