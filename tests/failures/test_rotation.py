"""Secrets and certificates that change while all is in sync: the real operator, over TLS, on a real
API server. Nothing is restarted, and nothing is told to the operator."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.identity.authority import KeyPair

from cirahub_operator.settings import Timing
from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.origins import Origins
from cluster import Cluster

from .catalogue.certificates import CERTIFICATE, EXPIRING, certified, expiry, in_vault, tls
from .catalogue.outcome import CONTOSO, ann, consented, contoso
from .running import QUICK, Running, Start
from .town import SECRET, Town

DAY = 86_400

SELDOM = replace(QUICK, check_interval=3600.0)
"""Checks come only because of something."""

MakeTown = Callable[..., Town]


@pytest.fixture
def make_town(
    control_plane: Cluster, definitions: None, simulator: SimulatorProcess, tmp_path: Path
) -> Iterator[MakeTown]:
    """`make_town(name, timing)`: a town with an operator of its own."""
    with ExitStack() as stack:

        def made(name: str, timing: Timing = QUICK) -> Town:
            town = Town(control_plane, name, simulator.admin)
            endpoints = simulator.admin.seed(list(town.records()))
            around = yaml.safe_dump_all(list(town.surroundings()))
            control_plane.kubectl("apply", "--server-side", "-f", "-", input=around)
            key = tmp_path / "key"
            key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
            start = Start(
                kubeconfig=control_plane.kubeconfig,
                namespaces=(town.namespace,),
                database=f"sqlite:///{tmp_path / 'store.sqlite3'}",
                key_file=key,
                origins=Origins(origins=endpoints["origins"], ca_file=endpoints["ca_file"]),
                timing=timing,
            )
            stack.callback(town.stage.end)
            town.operator = stack.enter_context(Running(start, town.clock))
            return town

        yield made


async def checks_pass(town: Town, count: int = 2) -> None:
    """Wait for sign-in checks that begin from now on, through all of which all is well."""
    begun = time.time()
    seen: set[str] = set()

    async def passed() -> bool:
        found = (await town.objects())[("Connection", "contoso")]
        ready = next(one for one in found["status"]["conditions"] if one["type"] == "Ready")
        assert ready["status"] == "True", ready
        checked = found["status"]["lastCheckTime"]
        if _posix(checked) > begun:
            seen.add(checked)
        return len(seen) >= count

    await town.until(passed, lambda: f"only {len(seen)} checks")


def _posix(text: str) -> float:
    return float(yaml.safe_load(f"!!timestamp '{text}'").timestamp())


def refusals(town: Town) -> int:
    """Token requests for the town's tenant that Entra refused."""
    asked = town.admin.requests(service="entra", method="POST")
    return sum(one["status"] >= 400 and town.tenant in one["path"] for one in asked)


async def a_change_arrives(town: Town, number: int) -> None:
    """Passes go on: what ann adds comes to bob."""
    before = len(town.held("bob"))
    town.admin.create_contact(town.mailboxes["ann"], dict(town.person(number)))
    await town.until(lambda: len(town.held("bob")) > before, lambda: "nothing came to bob")


async def test_a_client_secret_is_rotated_under_running_passes(make_town: MakeTown) -> None:
    town = make_town("rotate-secret")
    await town.well(town.vaulted())

    new = f"{town.secret}-new"
    town.admin.add_secret(town.client, new, "new")
    town.admin.put_vault_secret(town.vault, SECRET, new)
    await checks_pass(town)
    town.admin.remove_secrets(town.client, "current")
    await checks_pass(town)
    await a_change_arrives(town, 100)

    assert refusals(town) == 0, "with overlap, no request fails"


async def test_a_client_secret_that_was_revoked_is_replaced_by_itself(
    make_town: MakeTown,
) -> None:
    town = make_town("revoke-secret")
    await town.well(town.vaulted())
    new = f"{town.secret}-new"
    town.admin.remove_secrets(town.client)
    await town.comes(contoso("SecretInvalid"))
    town.admin.add_secret(town.client, new, "new")
    town.admin.put_vault_secret(town.vault, SECRET, new)
    await town.comes(CONTOSO)
    await a_change_arrives(town, 100)


@pytest.mark.parametrize("form", ["pfx", "pem"])
async def test_a_certificate_is_rotated_under_running_passes(
    make_town: MakeTown, form: str
) -> None:
    town = make_town(f"rotate-{form}")
    old, new = KeyPair(ends=60), KeyPair(1, ends=400)

    def store(pair: KeyPair) -> None:
        value = pair.pfx() if form == "pfx" else pair.pem
        town.admin.put_vault_certificate(town.vault, CERTIFICATE, value)

    thumbprint = town.admin.add_certificate(town.client, old.public)
    store(old)
    await town.well(certified(town, in_vault(town)))
    ends = old.certificate.not_valid_after_utc.timestamp()
    await town.measured(expiry(ends))

    town.admin.add_certificate(town.client, new.public)
    store(new)
    ends = new.certificate.not_valid_after_utc.timestamp()
    await town.measured(expiry(ends))
    town.admin.remove_certificates(town.client, thumbprint)
    await checks_pass(town)
    await a_change_arrives(town, 100)

    assert refusals(town) == 0


async def test_a_certificate_in_a_kubernetes_secret_is_rotated(make_town: MakeTown) -> None:
    town = make_town("rotate-tls")
    old, new = KeyPair(), KeyPair(1)
    town.admin.add_certificate(town.client, old.public)
    await town.stage.apply(tls(town, old))
    await town.well(certified(town, {"secretRef": {"name": "tls"}}))

    town.admin.remove_certificates(town.client)
    town.admin.add_certificate(town.client, new.public)
    await town.comes(contoso("CertificateRejected"))
    await town.stage.apply(tls(town, new))
    await town.comes(CONTOSO)
    await a_change_arrives(town, 100)


async def test_what_ends_soon_is_told_of_ahead_and_a_new_version_ends_that(
    make_town: MakeTown,
) -> None:
    town = make_town("expiring")
    ends = int(time.time()) + 10 * DAY
    town.admin.put_vault_secret(town.vault, SECRET, town.secret, expires=ends)
    await town.well(town.vaulted())

    condition = await town.comes(EXPIRING)
    assert "store it as a new version" in condition["message"]
    event = await town.told("Connection", "contoso", "Warning", "CredentialsExpiring")
    assert event.note == condition["message"]
    await town.comes(CONTOSO)
    status = (await town.objects())[("Connection", "contoso")]["status"]
    assert _posix(status["credentialExpiryTime"]) == ends
    await town.measured(expiry(ends))

    town.admin.put_vault_secret(town.vault, SECRET, town.secret)
    sample = expiry(0)
    await town.until(lambda: town.value(sample) is None, lambda: "the series stays")

    async def gone() -> bool:
        status: dict[str, Any] = (await town.objects())[("Connection", "contoso")]["status"]
        kinds = {one["type"] for one in status["conditions"]}
        return EXPIRING.type not in kinds and "credentialExpiryTime" not in status

    await town.until(gone, lambda: "the condition stays")


async def test_a_permission_that_is_taken_away_shows_at_once_on_connection_and_spoke(
    make_town: MakeTown,
) -> None:
    """The check of the Connection comes because a pass was refused, not when its hour is over."""
    town = make_town("withdrawn", SELDOM)
    town.admin.call("PUT", "/token-lifetime", {"seconds": 4})
    try:
        await town.well()
        town.admin.grant(town.client, town.tenant, [])
        await town.comes(ann("AccessDenied"))
        await town.comes(contoso("PermissionMissing"))
        await town.comes(consented("PermissionMissing"))
        status = (await town.objects())[("Connection", "contoso")]["status"]
        assert status["permissionsMissing"] == ["Contacts.ReadWrite", "User.ReadBasic.All"]
        assert status["consentLink"].endswith(
            f"/{town.tenant}/adminconsent?client_id={town.client}"
        )
        granted = ["Contacts.ReadWrite", "User.Read.All", "Mail.Read"]
        town.admin.grant(town.client, town.tenant, granted)
        await town.comes(CONTOSO)
        await a_change_arrives(town, 100)
        status = (await town.objects())[("Connection", "contoso")]["status"]
        assert status["permissionsInExcess"] == ["Mail.Read"]
        assert "consentLink" not in status
    finally:
        town.admin.call("PUT", "/token-lifetime", {"seconds": 3600})


async def test_what_stays_refused_is_stalled_after_ten_minutes(make_town: MakeTown) -> None:
    town = make_town("settled")
    town.admin.distrust(town.client)
    await town.stage.apply(town.federated(), town.hub(), town.ann())
    rejected = contoso("AssertionRejected")
    await town.comes(rejected)
    await town.comes(replace(rejected, type="Reconciling", status="True", reason="Retrying"))
    town.clock.ahead += 601
    await town.comes(replace(rejected, type="Stalled", status="True"))
    town.admin.trust_subject(town.client, town.subject)
    await town.comes(CONTOSO)
