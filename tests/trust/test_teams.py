"""Another team's vault secret, on a real API server, by whatever identity a manifest can name."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.failures.running import Running, Start
from tests.failures.situation import Seen
from tests.failures.town import ACCOUNT, SECRET, Town
from tests.operator.conftest import definitions
from tests.operator.stage import Manifest, connection

from cirahub_operator.settings import OwnIdentity
from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.origins import Origins
from cluster import Cluster

__all__ = ["definitions"]

AUDIENCE = "api://AzureADTokenExchange"


@dataclass
class Teams:
    """Two, each with a tenant, a vault and a namespace. The operator's own identity may open the
    first one's vault, and it is granted to that team alone."""

    ours: Town
    theirs: Town
    start: Start

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[None]:
        running = Running(self.start)
        await asyncio.to_thread(running.__enter__)
        try:
            yield
        finally:
            await asyncio.to_thread(running.__exit__)

    def wanting(self, *, tenant: str, reader: str, **identity: str) -> Manifest:
        """A Connection whose secret is the one in the first team's vault."""
        auth = {
            "clientSecret": {
                "clientID": self.ours.client,
                "keyVault": {
                    "vaultURL": f"https://{self.ours.vault}.vault.azure.net",
                    "name": SECRET,
                },
                "workloadIdentity": {"clientID": reader, **identity},
            }
        }
        return connection(microsoft365={"tenantID": tenant}, auth=auth)

    def handed_out(self) -> int:
        """How often the vault gave its secret away."""
        journal: list[dict[str, Any]] = self.ours.admin.requests(service="keyvault")
        return sum(entry["status"] == 200 for entry in journal)


@pytest.fixture
def teams(
    control_plane: Cluster,
    definitions: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Teams]:
    with SimulatorProcess(
        "--empty",
        f"--cluster-issuer={control_plane.issuer}",
        f"--cluster-ca={control_plane.ca_file}",
    ) as simulator:
        towns = [Town(control_plane, name, simulator.admin) for name in ("ours", "theirs")]
        endpoints = simulator.admin.seed([line for town in towns for line in town.records()])
        manifests = [one for town in towns for one in town.surroundings()]
        control_plane.kubectl(
            "apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(manifests)
        )
        ours, theirs = towns
        token = tmp_path / "token"
        create = ("create", "token", ACCOUNT, "-n", ours.namespace, f"--audience={AUDIENCE}")
        token.write_text(control_plane.kubectl(*create))
        monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
        key = tmp_path / "key"
        key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        vault = f"{ours.vault}.vault.azure.net"
        yield Teams(
            ours,
            theirs,
            Start(
                kubeconfig=control_plane.kubeconfig,
                namespaces=(ours.namespace, theirs.namespace),
                database=f"sqlite:///{tmp_path / 'store.sqlite3'}",
                key_file=key,
                origins=Origins(origins=endpoints["origins"], ca_file=endpoints["ca_file"]),
                own_identity=(
                    OwnIdentity(
                        namespace=ours.namespace, tenant=ours.tenant, vaults=frozenset({vault})
                    ),
                ),
            ),
        )
        for town in towns:
            town.stage.end()


def refused(reason: str) -> Seen:
    return Seen(kind="Connection", name="contoso", status="False", reason=reason)


SIGNED_IN = Seen(kind="Connection", name="contoso", status="True", reason="SignedIn")


async def test_the_operators_own_identity_opens_no_vault_for_another_team(teams: Teams) -> None:
    ours, theirs = teams.ours, teams.theirs
    manifest = teams.wanting(tenant=ours.tenant, reader=ours.reader)
    async with teams.operator():
        await theirs.stage.apply(manifest)
        told = await theirs.comes(refused("OwnIdentityNotAllowed"))
        assert theirs.namespace in told["message"]
        assert teams.handed_out() == 0
        await ours.stage.apply(manifest)
        await ours.comes(SIGNED_IN)
        assert teams.handed_out() >= 1
        await theirs.comes(refused("OwnIdentityNotAllowed"))


async def test_nor_does_an_identity_of_their_own(teams: Teams) -> None:
    """Of their own tenant, with the application that opens their own vault; and with ours, which
    trusts our ServiceAccount."""
    ours, theirs = teams.ours, teams.theirs
    account = {"serviceAccountName": ACCOUNT}
    async with teams.operator():
        own = teams.wanting(tenant=theirs.tenant, reader=theirs.reader, **account)
        await theirs.stage.apply(own)
        told = await theirs.comes(refused("AuthorityMismatch"))
        assert f"the vault has to be in tenant {theirs.tenant}" in told["message"]
        await theirs.stage.delete("connection", "contoso")
        await theirs.stage.goes("connection", "contoso")
        await theirs.stage.apply(teams.wanting(tenant=ours.tenant, reader=ours.reader, **account))
        await theirs.comes(refused("AssertionRejected"))
        assert teams.handed_out() == 0
        await ours.stage.apply(teams.wanting(tenant=ours.tenant, reader=ours.reader, **account))
        await ours.comes(SIGNED_IN)
        assert teams.handed_out() >= 1
