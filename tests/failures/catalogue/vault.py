"""What goes wrong between a Connection and its Azure Key Vault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from tests.failures.catalogue.mending import CHECKED, PAUSES
from tests.failures.catalogue.outcome import CONTOSO, ann, contoso, credentials
from tests.failures.situation import RECONCILING, STALLED, Situation
from tests.failures.town import SECRET, Town


async def _applied(town: Town) -> None:
    await town.stage.apply(town.vaulted(), town.hub(), town.ann())


def _stored(**fields: object) -> Callable[[Town], Awaitable[None]]:
    """A new version of the secret, which is in the way."""

    async def act(town: Town) -> None:
        body = {"value": town.secret, **fields}
        town.admin.call("PUT", f"/vaults/{town.vault}/secrets/{SECRET}", body)
        await _applied(town)

    return act


async def _expired(town: Town) -> None:
    town.admin.switch(vault_expiry="enforced")
    await _stored(expires=1_577_836_800)(town)


async def _new_version(town: Town) -> None:
    town.admin.put_vault_secret(town.vault, SECRET, town.secret)


async def _nothing_there(town: Town) -> None:
    town.admin.call("DELETE", f"/vaults/{town.vault}/secrets/{SECRET}")
    await _applied(town)


async def _locked_out(town: Town) -> None:
    town.admin.set_vault_access(town.vault, town.reader, [])
    await _applied(town)


async def _let_in(town: Town) -> None:
    town.admin.set_vault_access(town.vault, town.reader, ["get"])


def _fails(kind: str, **fields: object) -> Callable[[Town], Awaitable[None]]:
    async def act(town: Town) -> None:
        origin = town.operator.start.origins.rewrite(f"https://{town.vault}.vault.azure.net")
        host = ["Host", f"^{urlsplit(origin).netloc}$"]
        town.admin.add_rule(kind, id=town.vault, service="keyvault", header=host, **fields)
        await _applied(town)

    return act


async def _answers(town: Town) -> None:
    town.admin.remove_rule(town.vault)


async def _foreign(town: Town) -> None:
    await town.stage.apply(town.vaulted(vault=town.foreign_vault), town.hub(), town.ann())


SITUATIONS = (
    Situation(
        id="vault-secret-missing",
        happens="The vault has no secret of that name.",
        cause=_nothing_there,
        seen=contoso("SecretNotFound"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: secret graph in kv-[0-9a-f]+.vault.azure.net",
        remedy="correct keyVault.name or keyVault.version, or store the secret",
        also=(credentials("SecretNotFound"), ann("SecretNotFound")),
        do="Store it, or correct `keyVault`.",
        mend=_new_version,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="vault-secret-disabled",
        happens="The secret's current version in the vault is disabled.",
        cause=_stored(enabled=False),
        seen=contoso("SecretDisabled"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: secret graph in kv-[0-9a-f]+.vault.azure.net",
        remedy="enable the secret, or name another version",
        also=(credentials("SecretDisabled"),),
        do="Enable it, store a new version, or name another.",
        mend=_new_version,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="vault-secret-expired",
        happens="The secret's own expiry date in the vault has passed.",
        cause=_expired,
        seen=contoso("SecretExpired"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: secret graph in kv-[0-9a-f]+.vault.azure.net",
        remedy="store a new version of it",
        also=(credentials("SecretExpired"),),
        do="Store a new version.",
        mend=_new_version,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="vault-forbidden",
        happens="The identity may not read the vault's secrets, or its firewall keeps it out.",
        cause=_locked_out,
        seen=contoso("VaultForbidden"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso: secret graph in kv-[0-9a-f]+.vault.azure.net",
        remedy="give the identity the role Key Vault Secrets User",
        also=(credentials("VaultForbidden"),),
        do="Give it the role *Key Vault Secrets User* on the vault or the secret. Stalled if it "
        "stays so for ten minutes: a new role takes minutes to count.",
        mend=_let_in,
        recovers=CHECKED,
        after=CONTOSO,
    ),
    Situation(
        id="vault-of-another-tenant",
        happens="The vault is in another tenant than the Connection.",
        cause=_foreign,
        seen=contoso("AuthorityMismatch"),
        goes_with=STALLED,
        names="connection [^ ]+/contoso: secret graph in kv-[0-9a-f]+-foreign.vault.azure.net",
        remedy="the vault has to be in tenant",
        also=(credentials("AuthorityMismatch"),),
        do="Name a vault of the Connection's tenant. No credential was sent to the other one.",
        mend=_applied,
        recovers="At once, when the Connection is changed.",
        after=CONTOSO,
    ),
    Situation(
        id="vault-unreachable",
        happens="The vault can't be reached from the cluster.",
        cause=_fails("drop"),
        seen=contoso("VaultUnreachable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso: secret graph in kv-[0-9a-f]+.vault.azure.net",
        remedy="check the vault's name, its firewall and private endpoint",
        also=(credentials("VaultUnreachable"),),
        do="Look at the vault's name, its firewall and private endpoint, and name resolution.",
        mend=_answers,
        recovers=PAUSES,
        after=CONTOSO,
    ),
    Situation(
        id="vault-failing",
        happens="The vault answers with server errors, or that there are too many requests.",
        cause=_fails("status", status=503),
        seen=contoso("VaultUnreachable"),
        goes_with=RECONCILING,
        names="connection [^ ]+/contoso: secret graph in kv-[0-9a-f]+.vault.azure.net",
        remedy="will be tried again",
        also=(credentials("VaultUnreachable"),),
        do="Nothing.",
        mend=_answers,
        recovers=PAUSES,
        after=CONTOSO,
    ),
)
