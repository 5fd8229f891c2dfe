"""What goes wrong with certificates, with the end of what one signs in with, and with clocks."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from functools import cache

from tests.failures.catalogue.mending import CHECKED
from tests.failures.catalogue.outcome import CONTOSO, contoso, credentials
from tests.failures.process import OperatorProcess
from tests.failures.running import Start
from tests.failures.situation import RECONCILING, STALLED, Sample, Seen, Situation
from tests.failures.town import ACCOUNT, SECRET, Town
from tests.identity.authority import KeyPair
from tests.operator.stage import Manifest, connection

CERTIFICATE = "signing"
DAY = 86_400
BEHIND = 7200
EXPIRING = Seen(
    kind="Connection",
    name="contoso",
    type="CredentialsExpiring",
    status="True",
    reason="ExpiresSoon",
)


def expiry(at: float) -> Sample:
    return Sample(
        metric="cirahub_connection_credential_expiry_timestamp_seconds",
        labels={"connection": "contoso"},
        value=int(at),
    )


def certified(town: Town, place: dict[str, object]) -> Manifest:
    """A Connection that signs in with a certificate."""
    auth = {"clientCertificate": {"clientID": town.client, **place}}
    return connection(microsoft365={"tenantID": town.tenant}, auth=auth)


def in_vault(town: Town) -> dict[str, object]:
    return {
        "keyVault": {
            "vaultURL": f"https://{town.vault}.vault.azure.net",
            "name": CERTIFICATE,
        },
        "workloadIdentity": {"clientID": town.reader, "serviceAccountName": ACCOUNT},
    }


def tls(town: Town, pair: KeyPair) -> Manifest:
    """As cert-manager makes them."""
    data = {"tls.crt": pair.public, "tls.key": pair.private()}
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}
    metadata = {"name": "tls", "namespace": town.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": metadata,
        "data": encoded,
    }


@cache
def _pair(number: int = 0) -> KeyPair:
    """The same one each time."""
    return KeyPair(number)


def _apply(town: Town, pair: KeyPair) -> list[Manifest]:
    reference = certified(town, {"secretRef": {"name": "tls"}})
    return [tls(town, pair), reference, town.hub(), town.ann(), town.bob()]


async def _expired(town: Town) -> None:
    pair = KeyPair(starts=-10, ends=-1)
    town.admin.add_certificate(town.client, pair.public)
    await town.stage.apply(*_apply(town, pair))


async def _renewed(town: Town) -> None:
    pair = _pair(1)
    town.admin.add_certificate(town.client, pair.public)
    await town.stage.apply(tls(town, pair))


async def _unregistered(town: Town) -> None:
    await town.stage.apply(*_apply(town, _pair()))


async def _registered(town: Town) -> None:
    town.admin.add_certificate(town.client, _pair().public)


async def _no_certificate(town: Town) -> None:
    broken = tls(town, _pair())
    broken["data"]["tls.key"] = base64.b64encode(b"no key").decode()
    await town.stage.apply(broken, *_apply(town, _pair())[1:])


async def _whole(town: Town) -> None:
    await _registered(town)
    await town.stage.apply(tls(town, _pair()))


async def _ends_soon(town: Town) -> None:
    ends = int(time.time()) + 10 * DAY
    town.admin.put_vault_secret(town.vault, SECRET, town.secret, expires=ends)
    await town.stage.apply(town.vaulted(), town.hub(), town.ann())


async def _new_version(town: Town) -> None:
    town.admin.put_vault_secret(town.vault, SECRET, town.secret)


async def _clock_behind(town: Town) -> Start:
    return town.start.but(process=True, clock=-float(BEHIND))


async def _signing_by_the_clock(town: Town) -> None:
    await _registered(town)
    await town.stage.apply(*_apply(town, _pair()))


async def _clock_right(town: Town) -> None:
    assert isinstance(town.operator, OperatorProcess)
    town.operator.set_clock(0.0)


SITUATIONS = (
    Situation(
        id="credentials-expiring",
        happens="A client secret or a certificate ends within `--expiry-warning`, 30 days by "
        "default. Signing in works.",
        cause=_ends_soon,
        seen=EXPIRING,
        names="the client secret or certificate expires at 20",
        remedy="store it as a new version",
        also=(CONTOSO,),
        event=("Warning", "CredentialsExpiring"),
        sample=replace(expiry(1), at_least=True),
        do="Make a new one, and store it as a new version. Alert on the metric, which is the time "
        "of the end.",
        mend=_new_version,
        recovers="At the next sign-in check: after `--check-interval`, an hour by default, at "
        "most.",
        after=CONTOSO,
    ),
    Situation(
        id="certificate-expired",
        happens="The certificate to sign in with has ended.",
        cause=_expired,
        seen=contoso("CertificateExpired"),
        goes_with=STALLED,
        names="Secret [^ ]+/tls",
        remedy="store a new version, and register its public part",
        also=(credentials("CertificateExpired"),),
        do="Register a new one with the application, and store it where the Connection says.",
        mend=_renewed,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="certificate-unregistered",
        happens="The application does not know the certificate.",
        cause=_unregistered,
        seen=contoso("CertificateRejected"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso ",
        remedy="register the certificate's public part with the application",
        also=(credentials("CertificateRejected"),),
        do="Register its public part, or store the one that is registered. Stalled if it stays so "
        "for ten minutes: a new one takes minutes to count.",
        mend=_registered,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="certificate-invalid",
        happens="What is stored is no certificate with its key.",
        cause=_no_certificate,
        seen=contoso("CertificateInvalid"),
        goes_with=STALLED,
        names="Secret [^ ]+/tls",
        remedy="is no certificate to sign in with",
        also=(credentials("CertificateInvalid"),),
        do="Store the certificate and its RSA key: PEM or PFX.",
        mend=_whole,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="clock-wrong",
        happens="The clock of the operator's machine is wrong, and Entra does not accept what it "
        "signs.",
        start=_clock_behind,
        cause=_signing_by_the_clock,
        seen=contoso("ClockSkew"),
        goes_with=STALLED,
        names="this machine's clock is 7[12]\\d\\d s behind Entra's",
        remedy="set it right, and keep it so with NTP",
        also=(credentials("ClockSkew"),),
        do="Set the node's clock right. The message says how far it is off, and whose it is: the "
        "node's, or the API server's, which dates tokens.",
        mend=_clock_right,
        recovers=CHECKED,
        after=CONTOSO,
    ),
)
