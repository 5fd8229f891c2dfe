"""What goes wrong with an Exchange Server, and what Exchange Web Services say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import trustme
from msgspec import structs
from tests.failures.catalogue.mending import PAUSES, answers, half_an_hour, own
from tests.failures.catalogue.outcome import ANN, BOTH, CONTOSO, ann, contoso, credentials, staff
from tests.failures.running import Start
from tests.failures.server import ACCOUNT, SECRET, Server
from tests.failures.situation import RECONCILING, STALLED, Sample, Seen, Situation
from tests.failures.town import Records, Town

FOLDER = "connection [^ ]+/contoso: folder [^ ]+: Exchange answered "
SERVER = r"connection [^ ]+/contoso: Exchange at https://[^ ]+"
CHECKED = "At the next sign-in check."


def on_server(town: Town) -> Records:
    return Server(town).records()


def _fails(kind: str, **fields: object) -> Callable[[Town], Awaitable[None]]:
    async def act(town: Town) -> None:
        server = Server(town)
        await server.well()
        server.fault(kind, "ann", **fields)

    return act


async def _trusting_another(town: Town) -> Start:
    """An operator that knows nothing of who vouches for the server's certificate."""
    file = town.start.key_file.with_name("authority.pem")
    trustme.CA().cert_pem.write_to_path(file)
    return town.start.but(origins=structs.replace(town.start.origins, ca_file=str(file)))


async def _set_up(town: Town) -> None:
    await Server(town).apply()


async def _trusted(town: Town) -> None:
    authority = await asyncio.to_thread(Path(str(town.origins.ca_file)).read_text)
    await town.stage.apply(Server(town).connection(trustedCertificates=authority))


async def _partner_disabled(town: Town) -> None:
    server = Server(town)
    town.admin.grant(town.client, town.tenant, ["full_access_as_app"])
    await server.well(server.without_a_password())
    town.admin.enable_partner(server.id, enabled=False)


async def _partner_enabled(town: Town) -> None:
    town.admin.enable_partner(Server(town).id, enabled=True)


async def _away(town: Town) -> None:
    server = Server(town)
    await server.well()
    server.fault_everywhere("drop")


async def _other_password(town: Town) -> None:
    server = Server(town)
    await server.well()
    town.admin.set_password(server.users[ACCOUNT], f"{town.secret}-anew")


async def _stored(town: Town) -> None:
    await town.stage.apply(Server(town).password(f"{town.secret}-anew"))


async def _locked(town: Town) -> None:
    server = Server(town)
    await server.well()
    town.admin.lock_account(server.users[ACCOUNT], locked=True)


async def _unlocked(town: Town) -> None:
    town.admin.lock_account(Server(town).users[ACCOUNT], locked=False)


async def _unnamed(town: Town) -> None:
    server = Server(town)
    password = server.password(town.secret)
    password["metadata"] = {"name": SECRET}
    await server.apply(password)


async def _named(town: Town) -> None:
    await town.stage.apply(Server(town).password(town.secret))


SITUATIONS = (
    Situation(
        id="exchange-token-refused",
        happens="An Exchange Server that took the tokens of its tenant's application refuses them.",
        besides=on_server,
        cause=_partner_disabled,
        seen=contoso("TokenRefused"),
        goes_with=STALLED,
        names="was refused by mail[.][^ ]+[.]test, and so was a new one",
        remedy="check exchangeServer.tenantID, .*Get-AuthServer.*Get-PartnerApplication.*clock",
        also=(credentials("TokenRefused"), ann("TokenRefused"), staff("SpokesNotReady")),
        untouched=BOTH,
        do="See what the server knows of the application: "
        "[tokens](exchange-server.md#instead-of-a-password-tokens).",
        mend=_partner_enabled,
        recovers=CHECKED,
        after=CONTOSO,
        equal=BOTH,
    ),
    Situation(
        id="exchange-certificate-not-trusted",
        happens="The certificate of the Exchange Server is of an authority that the operator does "
        "not know: the organisation's own, say.",
        besides=on_server,
        start=_trusting_another,
        cause=_set_up,
        seen=contoso("CertificateNotTrusted"),
        goes_with=RECONCILING,
        names=f"{SERVER}: its certificate is not trusted",
        remedy="put the certificate of its authority into exchangeServer.trustedCertificates",
        also=(ann("CertificateNotTrusted"), staff("SpokesNotReady")),
        do="Put the authority's certificate into `exchangeServer.trustedCertificates`.",
        mend=_trusted,
        recovers="At once, when the Connection is changed.",
        after=CONTOSO,
        equal=BOTH,
    ),
    Situation(
        id="exchange-password-changed",
        happens="The account's password on the Exchange Server is another one now than the one "
        "that is stored, or its password expired.",
        besides=on_server,
        cause=_other_password,
        seen=contoso("CredentialsRejected"),
        goes_with=STALLED,
        names="Secret [^ ]+/exchange, key password,? was refused by mail[.]",
        remedy="store the right one",
        also=(credentials("CredentialsRejected"), staff("SpokesNotReady")),
        untouched=BOTH,
        do="Store the new password where the Connection has it from. The old one is sent at checks "
        "only, so that it locks no account.",
        mend=_stored,
        recovers=CHECKED,
        after=CONTOSO,
        equal=BOTH,
    ),
    Situation(
        id="exchange-account-locked",
        happens="The account is locked or disabled.",
        besides=on_server,
        cause=_locked,
        seen=contoso("CredentialsRejected"),
        goes_with=STALLED,
        names="Secret [^ ]+/exchange, key password,? was refused by mail[.]",
        remedy="that the account is neither locked nor disabled",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Unlock the account.",
        mend=_unlocked,
        recovers=CHECKED,
        after=CONTOSO,
        equal=BOTH,
    ),
    Situation(
        id="exchange-host-not-named",
        happens="The password does not say that it is for this server. It is sent nowhere.",
        besides=on_server,
        cause=_unnamed,
        seen=contoso("HostNotNamed"),
        goes_with=STALLED,
        names="Secret [^ ]+/exchange, key password",
        remedy="the annotation cirahub.io/hosts: mail[.]",
        also=(credentials("HostNotNamed"), staff("SpokesNotReady")),
        do="Have whoever keeps the password say so: an annotation of the Secret, a tag of the "
        "vault's secret.",
        mend=_named,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="exchange-away",
        happens="The Exchange Server can't be reached, or drops connections.",
        besides=on_server,
        cause=_away,
        seen=contoso("EndpointUnavailable"),
        goes_with=RECONCILING,
        names=SERVER,
        remedy="will be tried again",
        also=(ann("EndpointUnavailable"), staff("SpokesNotReady")),
        untouched=BOTH,
        do="Nothing, if the server is away; else look at the network between here and it.",
        mend=answers,
        recovers=PAUSES,
        after=CONTOSO,
        equal=BOTH,
    ),
    Situation(
        id="exchange-failing",
        happens="The Exchange Server answers with server errors for a mailbox.",
        besides=on_server,
        cause=_fails("status", status=503),
        seen=ann("EndpointUnavailable"),
        goes_with=RECONCILING,
        names=f"{FOLDER}503",
        remedy="will be tried again",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Nothing.",
        mend=answers,
        recovers=PAUSES,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-answer-cut-off",
        happens="An answer of the Exchange Server is cut off, or not from Exchange at all.",
        besides=on_server,
        cause=_fails("truncate", keep_bytes=200),
        seen=ann("EndpointUnavailable"),
        goes_with=RECONCILING,
        names=SERVER,
        remedy="will be tried again",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Nothing; if it goes on, look for what stands between here and the server.",
        mend=answers,
        recovers=PAUSES,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-throttled",
        happens="The Exchange Server asks for a slower pace (`ErrorServerBusy`).",
        besides=on_server,
        cause=_fails("status", status=500, code="ErrorServerBusy", retry_after=3, count=1),
        seen=Seen(kind="Spoke", name="ann", type="Throttled", status="True", reason="Throttled"),
        names="the service asked for a slower pace",
        remedy="what is left follows",
        event=("Normal", "Throttled"),
        sample=Sample(
            metric="cirahub_spoke_throttled_seconds_total",
            labels={"hub": "staff", "spoke": "ann"},
            value=2,
            at_least=True,
        ),
        untouched=BOTH,
        do="Nothing. If it goes on, give the account a throttling policy of its own: "
        "[Exchange Server](exchange-server.md#5-how-much-at-a-time).",
        mend=answers,
        recovers="In the same pass, or the next one.",
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-throttled-for-long",
        happens="The Exchange Server asks to be left alone for minutes.",
        besides=on_server,
        start=own,
        cause=_fails("status", status=500, code="ErrorServerBusy", retry_after=1800),
        seen=ann("Throttled"),
        goes_with=RECONCILING,
        names=f"{FOLDER}|the service's limits",
        remedy="comes right by itself",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Nothing. If it comes back, give the account a throttling policy of its own.",
        mend=half_an_hour,
        recovers="When the time that the server asked for is over.",
        after=ANN,
        equal=BOTH,
    ),
)
