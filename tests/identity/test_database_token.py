"""A database is logged in to by a token of Entra, which the pod's own projected token is given for.

The server is a real one that takes a password; its role's password is made the token.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
import traceback
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from tests.keeps import Keep, PostgreSQLKeep

from cirahub_simulator.clouds import CLOUDS
from cirahub_simulator.directory import FederatedCredential
from cirahub_sync.configuration import Cloud
from cirahub_sync.errors import (
    CirahubError,
    ConfigurationError,
    CredentialError,
    EndpointUnavailableError,
    StoreError,
)
from cirahub_sync.identity.database_token import DatabaseToken
from cirahub_sync.origins import HOSTS
from cirahub_sync.store.opening import Store
from cirahub_sync.worker import Worker, WorkerSettings

from .conftest import CLIENT, ISSUER, SUBJECT, TENANT, SignIn
from .test_clouds import moved

AUDIENCE = "api://AzureADTokenExchange"


class Pod:
    """What the webhook injects, and the token that the kubelet keeps fresh."""

    def __init__(self, sign_in: SignIn, folder: Path) -> None:
        self.sign_in = sign_in
        self.file = folder / "azure-identity-token"
        self.environment = {
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_FEDERATED_TOKEN_FILE": str(self.file),
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
        }
        self.token = DatabaseToken(
            sign_in.origins(),
            "postgresql:///d?login=entra",
            environment=self.environment,
            clock=sign_in.world.clock.time,
        )

    async def project(self, account: str = "team/sync") -> None:
        self.sign_in.cluster.clock = self.sign_in.world.clock.time
        projected = await self.sign_in.cluster.service_account_token(account, AUDIENCE)
        self.file.write_text(projected.token)

    async def ask(self) -> str:
        return await asyncio.to_thread(self.token)


@pytest.fixture
async def pod(sign_in: SignIn, tmp_path: Path) -> Pod:
    made = Pod(sign_in, tmp_path)
    await made.project()
    return made


@pytest.fixture
def role(keep: Keep) -> PostgreSQLKeep:
    """As docs/database.md has it made on Azure, where pgaadauth_create_principal makes the role."""
    assert isinstance(keep, PostgreSQLKeep)
    keep.lose()
    keep.server.run(f"CREATE ROLE {keep.name} LOGIN")
    keep.server.run(f"CREATE DATABASE {keep.name} ENCODING 'UTF8' TEMPLATE template0")
    keep.server.run(f"GRANT CREATE ON SCHEMA public TO {keep.name}", keep.name)
    return keep


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(base64.b64encode(os.urandom(32)))
    return path


def url(role: PostgreSQLKeep) -> str:
    return f"postgresql://{role.name}@/{role.name}?host={role.server.home}&login=entra"


def let_in(role: PostgreSQLKeep, token: str) -> None:
    role.server.run(f"ALTER ROLE {role.name} PASSWORD '{token}'")


def cut(role: PostgreSQLKeep) -> None:
    role.server.run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role.name}'"
    )


@pytest.mark.only_database("postgresql")
async def test_new_connections_have_a_fresh_token_and_old_ones_go_on(
    pod: Pod, role: PostgreSQLKeep, key_file: Path
) -> None:
    first = await pod.ask()
    claims = jwt.decode(first, options={"verify_signature": False})
    assert claims["aud"] == "https://ossrdbms-aad.database.windows.net"
    assert (claims["tid"], claims["appid"]) == (TENANT, CLIENT)
    let_in(role, first)

    store = await asyncio.to_thread(Store.open, url(role), key_file, time.time, token=pod.token)
    await asyncio.to_thread(store.hub, "hub-1")
    await asyncio.to_thread(store.database.rewrite)
    assert pod.sign_in.asked("entra") == 1, "one token serves several connections"

    pod.sign_in.world.clock.advance(timedelta(seconds=1900))
    await pod.project()
    second = await pod.ask()
    assert second != first
    let_in(role, second)
    assert await asyncio.to_thread(store.hubs) == ["hub-1"]
    cut(role)
    assert await asyncio.to_thread(store.hubs) == ["hub-1"]

    let_in(role, "of nobody")
    cut(role)
    with pytest.raises(StoreError, match=r"refuses the user.*pgaadauth_create_principal") as caught:
        await asyncio.to_thread(store.hubs)
    assert second not in "".join(traceback.format_exception(caught.value))
    await asyncio.to_thread(store.close)


@pytest.mark.only_database("postgresql")
async def test_a_worker_logs_in_as_the_pod_that_it_runs_in(
    pod: Pod, role: PostgreSQLKeep, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in pod.environment.items():
        monkeypatch.setenv(name, value)
    settings = WorkerSettings(
        database=url(role), key_file=key_file, installation="i", origins=pod.sign_in.origins()
    )
    with pytest.raises(StoreError, match="refuses the user or the password"):
        await asyncio.to_thread(Worker.open, settings, pod.sign_in.cluster)
    assert pod.sign_in.asked("entra") == 1


async def test_while_entra_is_away_a_token_serves_to_its_end(pod: Pod) -> None:
    first = await pod.ask()
    pod.sign_in.fault(kind="status", service="entra", status=503)
    pod.sign_in.world.clock.advance(timedelta(seconds=1900))
    assert await pod.ask() == first
    asked = pod.sign_in.asked("entra")
    assert await pod.ask() == first
    assert pod.sign_in.asked("entra") == asked, "it is not asked for at each connection"
    pod.sign_in.world.clock.advance(timedelta(seconds=1800))
    with pytest.raises(EndpointUnavailableError, match="the database's login"):
        await pod.ask()


@pytest.mark.parametrize("database", ["postgresql", "mssql"])
@pytest.mark.parametrize("cloud", list(Cloud))
async def test_each_cloud_has_scopes_of_its_own(pod: Pod, cloud: Cloud, database: str) -> None:
    await moved(pod.sign_in, cloud.value)
    pod.sign_in.application.federated = [FederatedCredential(ISSUER, SUBJECT)]
    pod.environment["AZURE_AUTHORITY_HOST"] = f"{HOSTS[cloud].authority}/"
    again = DatabaseToken(
        pod.sign_in.origins(), f"{database}://h/d?login=entra", environment=pod.environment
    )
    claims = jwt.decode(await asyncio.to_thread(again), options={"verify_signature": False})
    there = CLOUDS[cloud.value]
    assert claims["aud"] == (there.sql if database == "mssql" else there.databases)


async def refused(pod: Pod) -> CirahubError:
    with pytest.raises(CirahubError) as caught:
        await pod.ask()
    assert "eyJ" not in "".join(traceback.format_exception(caught.value))
    return caught.value


async def test_a_pod_without_an_identity_is_told_what_it_lacks(pod: Pod) -> None:
    del pod.environment["AZURE_CLIENT_ID"], pod.environment["AZURE_FEDERATED_TOKEN_FILE"]
    error = await refused(pod)
    assert isinstance(error, ConfigurationError)
    assert "AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE is not set; label the pod" in str(error)


async def test_an_authority_that_is_none_is_told(pod: Pod) -> None:
    pod.environment["AZURE_AUTHORITY_HOST"] = "https://login.example"
    assert "the authority of none of Microsoft's clouds" in str(await refused(pod))


async def test_without_an_authority_it_is_the_global_cloud_s(pod: Pod) -> None:
    del pod.environment["AZURE_AUTHORITY_HOST"]
    assert await pod.ask()


async def test_a_projected_token_that_is_not_there_is_told(pod: Pod) -> None:
    pod.file.unlink()
    error = await refused(pod)
    assert isinstance(error, CredentialError)
    assert f"the projected token {pod.file}" in str(error)
    assert "FileNotFoundError" in str(error)


async def test_an_identity_that_is_not_federated_is_told_with_its_ids(pod: Pod) -> None:
    await pod.project("team/other")
    error = await refused(pod)
    assert error.stalled
    assert f"the database's login (tenant {TENANT}, client {CLIENT})" in str(error)
    assert "compare issuer, subject and audience" in str(error)
