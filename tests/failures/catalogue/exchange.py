"""What goes wrong with an Exchange Server, and what Exchange Web Services say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import trustme
from msgspec import structs
from tests.failures.catalogue.mending import (
    NEXT_PASS,
    PAUSES,
    SENT_AGAIN,
    answers,
    half_an_hour,
    own,
    room,
)
from tests.failures.catalogue.outcome import (
    ANN,
    BOB,
    BOTH,
    CONTOSO,
    STAFF,
    ann,
    contoso,
    credentials,
    failing,
    staff,
)
from tests.failures.running import Start
from tests.failures.server import ACCOUNT, SECRET, Server
from tests.failures.situation import RECONCILING, STALLED, Sample, Seen, Situation
from tests.failures.town import PEOPLE, Records, Town

FOLDER = "connection [^ ]+/contoso: folder [^ ]+: Exchange answered "
SERVER = r"connection [^ ]+/contoso: Exchange at https://[^ ]+"
CHECKED = "At the next sign-in check."


def _server(town: Town) -> Records:
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


async def _no_mailbox(town: Town) -> None:
    server = Server(town)
    town.admin.call("DELETE", f"/users/{server.users['ann']}")
    await server.apply()


async def _made(town: Town) -> None:
    server = Server(town)
    town.admin.seed([server.account("ann"), *server.contacts("ann")])


async def _disabled(town: Town) -> None:
    server = Server(town)
    await server.well()
    town.admin.call("PATCH", f"/users/{server.users['ann']}", {"enabled": False})


async def _enabled(town: Town) -> None:
    town.admin.call("PATCH", f"/users/{Server(town).users['ann']}", {"enabled": True})


def _impersonating(town: Town, *, may: bool) -> None:
    account = Server(town).users[ACCOUNT]
    town.admin.call("PATCH", f"/accounts/{account}", {"impersonates": may})


async def _role_withdrawn(town: Town) -> None:
    await Server(town).well()
    _impersonating(town, may=False)


async def _role_assigned(town: Town) -> None:
    _impersonating(town, may=True)


def _full_access(town: Town, *names: str) -> None:
    server = Server(town)
    for name in names:
        town.admin.set_full_access(server.users[name], [server.address(ACCOUNT)])


async def _access_withdrawn(town: Town) -> None:
    server = Server(town)
    _full_access(town, *BOTH)
    await server.well(server.connection(mailboxAccess="Delegate"))
    town.admin.set_full_access(server.users["ann"], [])


async def _access_given(town: Town) -> None:
    _full_access(town, "ann")


async def _public_denied(town: Town) -> None:
    server = Server(town)
    await server.well(server.public())
    server.fault("status", ACCOUNT, status=200, code="ErrorAccessDenied")


async def _public_missing(town: Town) -> None:
    server = Server(town)
    await server.apply(server.public("Customers/Gold"))


async def _public_made(town: Town) -> None:
    customer = {"server": Server(town).id, "folder": ["Customers", "Gold"]}
    town.admin.seed([{"kind": "publiccontact", **customer, "contact": town.person(0)}])


TEAM = "Team"


async def _folder_deleted(town: Town) -> None:
    server = Server(town)
    await _team(town)
    await server.well(server.ann(mailbox={"address": server.address("ann"), "folder": TEAM}))
    server.delete_folder("ann", TEAM)


async def _team(town: Town) -> None:
    people = [town.person(number) for number in range(PEOPLE)]
    town.admin.import_contacts(Server(town).users["ann"], people, [TEAM])


async def _full(town: Town) -> None:
    server = Server(town)
    await server.well()
    server.fault("status", "bob", operation="CreateItem", status=200, code="ErrorQuotaExceeded")
    town.admin.import_contacts(server.users["ann"], [town.person(71)])


SITUATIONS = (
    Situation(
        id="exchange-token-refused",
        happens="An Exchange Server that took the tokens of its tenant's application refuses them.",
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
        besides=_server,
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
    Situation(
        id="exchange-mailbox-missing",
        happens="The server has no mailbox of the address that the Spoke names.",
        besides=_server,
        cause=_no_mailbox,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: folder contacts: Exchange answered",
        remedy="create or enable it, or delete the spoke and create one for another mailbox",
        also=(staff("SpokesNotReady"),),
        do="Create or restore the mailbox, or delete the Spoke and create one for another mailbox.",
        mend=_made,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="exchange-mailbox-disabled",
        happens="A mailbox that was in sync is disabled. What came from it stays in the others.",
        besides=_server,
        cause=_disabled,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: folder [^ ]+: Exchange answered",
        remedy="create or enable it",
        also=(staff("SpokesNotReady"),),
        untouched=("bob",),
        do="Enable it; or delete the Spoke, if it was meant.",
        mend=_enabled,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-folder-deleted",
        happens="The folder of a Spoke that contributes is deleted for good, or emptied out of "
        "Deleted Items. What came from it stays in the other mailboxes.",
        besides=_server,
        cause=_folder_deleted,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: (folder [^ ]+: Exchange answered|there is no folder)",
        remedy="restore it|make it there",
        also=(staff("SpokesNotReady"),),
        untouched=("bob",),
        do="Have the user restore it; or delete the Spoke, if it was meant.",
        mend=_team,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="exchange-impersonation-denied",
        happens="The account may not impersonate the mailbox (any more).",
        besides=_server,
        cause=_role_withdrawn,
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names=FOLDER,
        remedy="ApplicationImpersonation with a scope that has the mailbox in it",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Give the account the role, with a scope that has the mailbox in it: `cirahub "
        "permissions` prints how.",
        mend=_role_assigned,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="exchange-full-access-missing",
        happens="With `mailboxAccess: Delegate`, the account has no Full Access to the mailbox "
        "(any more).",
        besides=_server,
        cause=_access_withdrawn,
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: folder contacts: Exchange answered",
        remedy="give the account Full Access to this mailbox",
        also=(staff("SpokesNotReady"),),
        untouched=BOTH,
        do="Give it: `cirahub permissions` prints how.",
        mend=_access_given,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="public-folder-denied",
        happens="The account may not read a public folder, or not write there.",
        besides=_server,
        cause=_public_denied,
        seen=ann("AccessDenied"),
        goes_with=STALLED,
        names=FOLDER,
        remedy="give the account a role on this public folder",
        also=(staff("SpokesNotReady"),),
        untouched=("bob",),
        do="Give the account a role on the folder: `cirahub permissions` prints how.",
        mend=answers,
        recovers=NEXT_PASS,
        after=ANN,
        equal=BOTH,
    ),
    Situation(
        id="public-folder-missing",
        happens="There is no public folder of that path, or the account can't see it.",
        besides=_server,
        cause=_public_missing,
        seen=ann("TargetNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: there is no folder at level 2",
        remedy="make it there, or delete the spoke and create one for another folder",
        also=(staff("SpokesNotReady"),),
        do="Make it, or give the account the right to see it and each folder above.",
        mend=_public_made,
        recovers=NEXT_PASS,
        after=ANN,
    ),
    Situation(
        id="exchange-mailbox-full",
        happens="A mailbox that receives is full (`ErrorQuotaExceeded`).",
        besides=_server,
        start=own,
        cause=_full,
        seen=failing("bob", "ItemsUndelivered"),
        names="1 item could not be delivered \\(item [0-9a-f]{32}: ErrorQuotaExceeded\\)",
        remedy="the mailbox is full: make room in it, or raise its quota",
        also=(BOB, STAFF),
        untouched=("bob",),
        do="Make room in the mailbox, or raise its quota.",
        mend=room,
        recovers=SENT_AGAIN,
        after=BOB,
        equal=BOTH,
    ),
)
