"""What goes wrong between a Connection and Entra ID."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Awaitable, Callable, Iterable

import aiohttp
from tests.failures.catalogue.mending import CHECKED, PAUSES, answers
from tests.failures.situation import RECONCILING, STALLED, Situation
from tests.failures.town import KEY, SECRET, Town
from tests.operator.conftest import connections_closed
from tests.operator.stage import Manifest

from .outcome import ANN, CONTOSO, ann, consented, contoso, credentials

LIFE = 6
"""Seconds that tokens live where a situation waits for the end of one."""


def applied(manifests: Callable[[Town], Iterable[Manifest]]) -> Callable[[Town], Awaitable[None]]:
    async def act(town: Town) -> None:
        await town.stage.apply(*manifests(town))

    return act


def _federated(town: Town) -> Iterable[Manifest]:
    yield from (town.federated(), town.hub(), town.ann())


def _with_secret(town: Town) -> Iterable[Manifest]:
    yield from (town.with_secret(), town.hub(), town.ann())


async def _wrong_tenant(town: Town) -> None:
    wrong = town.federated()
    wrong["spec"]["microsoft365"]["tenantID"] = "99999999-9999-4999-8999-999999999999"
    await town.stage.apply(wrong, town.hub(), town.ann())


async def _right_tenant(town: Town) -> None:
    await town.stage.delete("connection", "contoso")
    await town.stage.goes("connection", "contoso")
    await town.stage.apply(town.federated())


async def _no_consent(town: Town) -> None:
    town.admin.withdraw_consent(town.client, town.tenant)
    await town.stage.apply(*_federated(town))


async def _consent(town: Town) -> None:
    """As an administrator of the tenant does it who follows the link of the status."""
    link = (await town.objects())[("Connection", "contoso")]["status"]["consentLink"]
    tls = ssl.create_default_context(cafile=town.operator.start.origins.ca_file)
    async with aiohttp.ClientSession() as browser:
        async with browser.get(link, ssl=tls) as page:
            assert page.status == 200, await page.text()
            assert "Contacts.ReadWrite" in await page.text()
        async with browser.post(link, data={"answer": "accept"}, ssl=tls) as done:
            assert "Consent given" in await done.text()
    await connections_closed()


async def _consent_withdrawn(town: Town) -> None:
    town.admin.call("PUT", "/token-lifetime", {"seconds": LIFE})
    try:
        await town.well()
    finally:
        town.admin.call("PUT", "/token-lifetime", {"seconds": 3600})
    town.admin.withdraw_consent(town.client, town.tenant)


async def _no_roles(town: Town) -> None:
    town.admin.grant(town.client, town.tenant, [])
    await town.stage.apply(*_federated(town))


async def _disabled(town: Town) -> None:
    town.admin.enable_application(town.client, False)
    await town.stage.apply(*_federated(town))


async def _enabled(town: Town) -> None:
    town.admin.enable_application(town.client, True)


async def _wrong_secret(town: Town) -> None:
    await town.stage.apply(town.kubernetes_secret("not-the-secret"), *_with_secret(town))


async def _right_secret(town: Town) -> None:
    await town.stage.apply(town.kubernetes_secret(town.secret))


async def _expired_secret(town: Town) -> None:
    town.admin.remove_secrets(town.client)
    body = {"value": town.secret, "name": "old", "expires": "2020-01-01T00:00:00Z"}
    town.admin.call("POST", f"/applications/{town.client}/secrets", body)
    await town.stage.apply(*_with_secret(town))


async def _new_secret(town: Town) -> None:
    town.admin.add_secret(town.client, f"{town.secret}-new", "new")
    await town.stage.apply(town.kubernetes_secret(f"{town.secret}-new"))


async def _no_kubernetes_secret(town: Town) -> None:
    await town.stage.delete("secret", SECRET)
    await town.stage.apply(*_with_secret(town))


async def _no_key(town: Town) -> None:
    other = town.kubernetes_secret(town.secret)
    other["data"] = {"other-key": other["data"][KEY]}
    await town.stage.delete("secret", SECRET)
    await town.stage.apply(other, *_with_secret(town))


async def _no_text(town: Town) -> None:
    await town.stage.apply(town.kubernetes_secret(b"\xff\xfe\x00"), *_with_secret(town))


async def _no_account(town: Town) -> None:
    await town.stage.delete("serviceaccount", "sync")
    await town.stage.apply(*_federated(town))


async def _account(town: Town) -> None:
    await town.stage.apply(town.account())


async def _no_opt_in(town: Town) -> None:
    await town.stage.apply(town.account(unrelated="true"), *_federated(town))


async def _own_identity(town: Town) -> None:
    own = town.federated()
    del own["spec"]["auth"]["workloadIdentity"]["serviceAccountName"]
    await town.stage.apply(own, town.hub(), town.ann())


async def _not_federated(town: Town) -> None:
    town.admin.call("DELETE", f"/applications/{town.client}")
    application = next(dict(one) for one in town.records() if one.get("clientId") == town.client)
    town.admin.seed([application | {"federated": []}])
    await town.stage.apply(*_federated(town))


async def _trusted(town: Town) -> None:
    town.admin.trust_subject(town.client, town.subject)


def _entra_fails(kind: str, **fields: object) -> Callable[[Town], Awaitable[None]]:
    async def act(town: Town) -> None:
        path = f"/{town.tenant}/"
        town.admin.add_rule(kind, id=town.tenant, service="entra", path=path, **fields)
        await town.stage.apply(*_federated(town))

    return act


async def _in_another_cloud(town: Town) -> None:
    """A tenant of the US government, in a Connection of the cloud Global."""
    tenant = next(dict(one) for one in town.records() if one["kind"] == "tenant")
    elsewhere = str(uuid.uuid4())
    moved = {"id": elsewhere, "domain": f"gov.{town.domain}", "cloud": "USGov"}
    town.admin.seed([tenant | moved])
    wrong = town.federated()
    wrong["spec"]["microsoft365"]["tenantID"] = elsewhere
    await town.stage.apply(wrong, town.hub(), town.ann())


async def _blocked(town: Town) -> None:
    """Of the tenant's own: to others, its policies don't apply."""
    application = next(dict(one) for one in town.records() if one.get("clientId") == town.client)
    town.admin.seed([application | {"homeTenant": town.tenant}])
    town.admin.block_application(town.client, True)
    await town.stage.apply(*_federated(town))


async def _excluded(town: Town) -> None:
    town.admin.block_application(town.client, False)


SITUATIONS = (
    Situation(
        id="tenant-unknown",
        happens="`tenantID` is that of no tenant, or of one in another cloud.",
        cause=_wrong_tenant,
        seen=contoso("TenantNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso .*tenant 99999999-",
        remedy="correct tenantI[dD]",
        also=(credentials("TenantNotFound"), ann("TenantNotFound")),
        do="A tenant can't be changed: delete the Connection and create it with the right one.",
        mend=_right_tenant,
        recovers="At once, when the Connection is there again.",
        after=CONTOSO,
    ),
    Situation(
        id="cloud-wrong",
        happens="The tenant lives in another of Microsoft's clouds than `cloud` says.",
        cause=_in_another_cloud,
        seen=contoso("WrongCloud"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso \\(tenant ",
        remedy="create a Connection with its cloud",
        also=(credentials("WrongCloud"),),
        do="A cloud can't be changed: delete the Connection and create it with the right one.",
        mend=_right_tenant,
        recovers="At once, when the Connection is there again.",
        after=CONTOSO,
    ),
    Situation(
        id="conditional-access",
        happens="A Conditional Access policy of the tenant keeps the application out.",
        cause=_blocked,
        seen=contoso("ConditionalAccess"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso .*AADSTS53003",
        remedy="exclude the application from the policy that blocks it, or its place",
        also=(credentials("ConditionalAccess"),),
        do="Exclude the application from the policy, or the addresses by which the cluster reaches "
        "the internet. The sign-in log of service principals says which policy it is.",
        mend=_excluded,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="client-unknown",
        happens="The application does not exist, or nobody consented to it in the tenant.",
        cause=_no_consent,
        seen=contoso("ClientNotFound"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso .*client ",
        remedy="correct clientI[dD], or have an administrator consent",
        also=(credentials("ClientNotFound"),),
        do="Correct `clientID`, or have an administrator of the tenant consent "
        "(`status.consentLink`). Stalled if it stays so for ten minutes: a new application, or a "
        "new consent, takes minutes to count.",
        mend=_consent,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="consent-revoked",
        happens="The consent is taken back while all is in sync.",
        cause=_consent_withdrawn,
        seen=contoso("ClientNotFound"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso .*client ",
        remedy="have an administrator consent",
        also=(credentials("ClientNotFound"), ann("ClientNotFound")),
        do="Have an administrator consent again, or delete what should not be synced any more.",
        mend=_consent,
        recovers="Noticed when the current token ends (an hour at most); after the consent, at the "
        "next sign-in check: every five minutes at most.",
        after=ANN,
    ),
    Situation(
        id="client-disabled",
        happens="The application is disabled in the tenant.",
        cause=_disabled,
        seen=contoso("ClientDisabled"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso .*client ",
        remedy="enable the application",
        also=(credentials("ClientDisabled"),),
        do="Enable it in Entra, under Enterprise applications.",
        mend=_enabled,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="client-secret-wrong",
        happens="Entra does not know the client secret (its id was stored, or it was deleted).",
        cause=_wrong_secret,
        seen=contoso("SecretInvalid"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso ",
        remedy="store the client secret's value",
        also=(credentials("SecretInvalid"),),
        do="Store the secret's value where the Connection says.",
        mend=_right_secret,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="client-secret-expired",
        happens="The client secret's time in Entra is over.",
        cause=_expired_secret,
        seen=contoso("SecretExpired"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso ",
        remedy="make a new client secret and store it",
        also=(credentials("SecretExpired"),),
        do="Make a new client secret in Entra and store it where the Connection says.",
        mend=_new_secret,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="secret-missing",
        happens="The Kubernetes Secret that `secretRef` names does not exist.",
        cause=_no_kubernetes_secret,
        seen=contoso("SecretNotFound"),
        goes_with=STALLED,
        names="Secret [^ ]+/graph, key client-secret",
        remedy="create the Secret",
        also=(credentials("SecretNotFound"),),
        do="Create it, or correct `secretRef`.",
        mend=_right_secret,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="secret-key-missing",
        happens="The Kubernetes Secret has no such key.",
        cause=_no_key,
        seen=contoso("SecretNotFound"),
        goes_with=STALLED,
        names="Secret [^ ]+/graph, key client-secret",
        remedy="create the Secret with that key",
        also=(credentials("SecretNotFound"),),
        do="Add the key, or correct `secretRef`.",
        mend=_right_secret,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="secret-not-text",
        happens="The value in the Kubernetes Secret is no text.",
        cause=_no_text,
        seen=contoso("SecretInvalid"),
        goes_with=STALLED,
        names="Secret [^ ]+/graph, key client-secret",
        remedy="put the value of the client secret or password there, as it is",
        also=(credentials("SecretInvalid"),),
        do="Store the value as it is: `kubectl create secret generic … --from-literal`.",
        mend=_right_secret,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="service-account-missing",
        happens="The ServiceAccount that `serviceAccountName` names does not exist.",
        cause=_no_account,
        seen=contoso("ServiceAccountNotFound"),
        goes_with=STALLED,
        names="ServiceAccount [^ ]+/sync does not exist",
        remedy="create it",
        also=(credentials("ServiceAccountNotFound"),),
        do="Create it in the Connection's namespace, with the annotation "
        '`cirahub.io/allow-token-requests: "true"`.',
        mend=_account,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="service-account-not-opted-in",
        happens="The ServiceAccount does not say that Connections may sign in with it.",
        cause=_no_opt_in,
        seen=contoso("ServiceAccountNotAllowed"),
        goes_with=STALLED,
        names="ServiceAccount [^ ]+/sync ",
        remedy="kubectl annotate serviceaccount sync -n [^ ]+ cirahub.io/allow-token-requests=true",
        also=(credentials("ServiceAccountNotAllowed"),),
        do="Annotate it, if they may: the message has the command.",
        mend=_account,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="own-identity-not-allowed",
        happens="A Connection without `serviceAccountName` wants the operator's own identity, "
        "which its namespace was not granted.",
        cause=_own_identity,
        seen=contoso("OwnIdentityNotAllowed"),
        goes_with=STALLED,
        names="namespace own-identity-not-allowed-",
        remedy="set serviceAccountName, or have the operator started with --own-identity",
        also=(credentials("OwnIdentityNotAllowed"), ann("OwnIdentityNotAllowed")),
        do="Name a ServiceAccount of the namespace, or have the operator's administrator grant it.",
        mend=applied(lambda town: [town.federated()]),
        recovers="At once, when the Connection is changed.",
        after=ANN,
    ),
    Situation(
        id="assertion-rejected",
        happens="The application has no federated credential for this ServiceAccount of this "
        "cluster (issuer, subject or audience differ).",
        cause=_not_federated,
        seen=contoso("AssertionRejected"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso .*client ",
        remedy="compare issuer, subject and audience",
        also=(credentials("AssertionRejected"),),
        do="Add it: issuer of the cluster, subject `system:serviceaccount:NAMESPACE:NAME`, "
        "audience `api://AzureADTokenExchange`. Stalled if it stays so for ten minutes: a new one "
        "takes minutes to count.",
        mend=_trusted,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="permission-missing",
        happens="Signing in works, and the application lacks a Graph permission.",
        cause=_no_roles,
        seen=contoso("PermissionMissing"),
        goes_with=RECONCILING,
        names="the application has not got Contacts.Read, User.ReadBasic.All",
        remedy="consent: https://.*/adminconsent",
        also=(consented("PermissionMissing"), ann("AccessDenied")),
        do="Grant it what `status.permissionsMissing` lists in the tenant, and consent; "
        "`status.consentLink` leads there. Stalled once it is missing for ten minutes.",
        mend=_consent,
        recovers=CHECKED,
        after=ANN,
    ),
    Situation(
        id="entra-unreachable",
        happens="Entra ID can't be reached from the cluster.",
        cause=_entra_fails("drop"),
        seen=contoso("EndpointUnavailable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso .*Entra at ",
        remedy="check name resolution, proxies, firewalls",
        also=(credentials("EndpointUnavailable"),),
        do="Nothing, if Entra is away; else look at the network between here and it.",
        mend=answers,
        recovers=PAUSES,
        after=CONTOSO,
    ),
    Situation(
        id="entra-failing",
        happens="Entra ID answers with server errors.",
        cause=_entra_fails("status", status=503),
        seen=contoso("EndpointUnavailable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso ",
        remedy="will be tried again",
        also=(credentials("EndpointUnavailable"),),
        do="Nothing.",
        mend=answers,
        recovers=PAUSES,
        after=CONTOSO,
    ),
    Situation(
        id="entra-throttling",
        happens="Entra ID answers that there are too many requests.",
        cause=_entra_fails("status", method="POST", status=429, retry_after=1),
        seen=contoso("EndpointUnavailable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso ",
        remedy="will be tried again",
        also=(credentials("EndpointUnavailable"),),
        do="Nothing.",
        mend=answers,
        recovers=PAUSES,
        after=CONTOSO,
    ),
)
