"""The admin endpoint, for tests and the demo: blocking, and without any dependency."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit


class AdminRefusedError(Exception):
    """The admin endpoint refused; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class AdminClient:
    """Calls of the admin endpoint. `cirahub_simulator.admin` documents routes and bodies."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 80

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        """One request with a JSON body; the answer's JSON. Raises AdminRefusedError."""
        content = None if body is None else json.dumps(body).encode()
        target = path if not query else f"{path}?{urlencode(query)}"
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            connection.request(method, target, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise AdminRefusedError(response.status, _message(answer))
        return json.loads(answer) if answer else None

    # What goes wrong

    def add_rule(self, kind: str, **fields: object) -> str:
        """Add a fault rule (`faults.Rule`); its id."""
        return str(self.call("POST", "/rules", {"kind": kind, **fields})["id"])

    def rules(self) -> list[dict[str, Any]]:
        """The rules in force, with how often each matched and fired."""
        return list(self.call("GET", "/rules"))

    def remove_rule(self, rule_id: str) -> None:
        """Take one rule out."""
        self.call("DELETE", f"/rules/{quote(rule_id)}")

    def clear_rules(self) -> None:
        """Take all rules out."""
        self.call("DELETE", "/rules")

    def switch(self, **switches: object) -> None:
        """Set switches."""
        self.call("PATCH", "/switches", switches)

    def throttle(self, **limits: object) -> None:
        """Set limits (`throttle.Limits`); None switches one off."""
        self.call("PATCH", "/throttle", limits)

    def latency(self, seconds: float) -> None:
        """How long every answer takes after its effect."""
        self.call("PUT", "/latency", {"seconds": seconds})

    def close_connections(self) -> int:
        """Close those that are idle; how many there were."""
        return int(self.call("DELETE", "/connections")["closed"])

    def notifications(self, **terms: object) -> dict[str, Any]:
        """Set terms of delivery (`notification.terms.Terms`), if any are given; those in force, and
        how many are pending, delivered and dropped."""
        return dict(self.call("PATCH", "/notifications", terms))

    def subscriptions(self) -> list[dict[str, Any]]:
        """Subscriptions to change notifications, of all applications."""
        return list(self.call("GET", "/subscriptions"))

    def tell_lifecycle(self, subscription_id: str, event: str) -> None:
        """Send a lifecycle notification; `subscriptionRemoved` removes the subscription."""
        self.call("POST", f"/subscriptions/{quote(subscription_id)}/lifecycle", {"event": event})

    def advance(self, seconds: float) -> None:
        """Move the clock ahead."""
        self.call("POST", "/clock/advance", {"seconds": seconds})

    # What was asked

    def requests(self, **filters: object) -> list[dict[str, Any]]:
        """Log entries; see `admin.log.Log.requests` for the filters."""
        return list(self.call("GET", "/requests", query=filters))

    def templates(self, **filters: object) -> dict[str, int]:
        """How many requests by `method template`."""
        return dict(self.call("GET", "/requests/templates", query=filters))

    def forget_requests(self) -> None:
        """Empty the log and the counters."""
        self.call("DELETE", "/requests")

    def messages(self, **filters: object) -> list[dict[str, Any]]:
        """What mailboxes would have sent about meetings; see `admin.log.Log.messages`."""
        return list(self.call("GET", "/messages", query=filters))

    def forget_messages(self) -> None:
        """Empty what `messages` lists."""
        self.call("DELETE", "/messages")

    # Mailboxes, as their users see them

    def mailboxes(self) -> list[dict[str, Any]]:
        """Every mailbox with the number of its contacts."""
        return list(self.call("GET", "/mailboxes"))

    def contacts(self, mailbox: str) -> list[dict[str, Any]]:
        """Everything in a mailbox: `{"folder": [...], "contact": {...}}`."""
        return list(self.call("GET", f"/mailboxes/{quote(mailbox)}/contacts"))

    def import_contacts(
        self, mailbox: str, contacts: Sequence[Mapping[str, object]], folder: Sequence[str] = ()
    ) -> None:
        """Add contacts, as Graph's JSON."""
        body = {"contacts": list(contacts), "folder": list(folder)}
        self.call("POST", f"/mailboxes/{quote(mailbox)}/contacts", body)

    def create_contact(self, mailbox: str, contact: Mapping[str, object]) -> dict[str, Any]:
        """Create a contact in the default folder, as the user would."""
        return dict(self.call("POST", f"/graph/v1.0/users/{quote(mailbox)}/contacts", contact))

    def update_contact(
        self, mailbox: str, contact_id: str, changes: Mapping[str, object]
    ) -> dict[str, Any]:
        """Change a contact, as the user would."""
        return dict(self.call("PATCH", _contact(mailbox, contact_id), changes))

    def delete_contact(self, mailbox: str, contact_id: str) -> None:
        """Delete a contact (into Deleted Items), as the user would."""
        self.call("DELETE", _contact(mailbox, contact_id))

    def move_contact(self, mailbox: str, contact_id: str, folder: Sequence[str]) -> dict[str, Any]:
        """Move a contact into an existing folder, as the user would."""
        return self._transfer(mailbox, contact_id, "move", {"folder": list(folder)})

    def copy_contact(
        self, mailbox: str, contact_id: str, folder: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Copy a contact, by default beside itself, as the user would."""
        body = {} if folder is None else {"folder": list(folder)}
        return self._transfer(mailbox, contact_id, "copy", body)

    def events(self, mailbox: str) -> list[dict[str, Any]]:
        """Everything in a mailbox's calendars: `{"calendar": "…", "event": {...}}`."""
        return list(self.call("GET", f"/mailboxes/{quote(mailbox)}/events"))

    def add_event(
        self, mailbox: str, event: Mapping[str, object], **more: object
    ) -> dict[str, Any]:
        """Add an event, Graph's JSON, and invite nobody.

        `more`: calendar, uid, organizer, response, cancelled, exceptions; see
        `admin.appointments.Appointments.add`.
        """
        body = {"event": event, **more}
        return dict(self.call("POST", f"/mailboxes/{quote(mailbox)}/events", body))

    def create_event(self, mailbox: str, event: Mapping[str, object]) -> dict[str, Any]:
        """Create an event in the default calendar, as the user would: attendees are invited."""
        return dict(self.call("POST", f"/graph/v1.0/users/{quote(mailbox)}/events", event))

    def update_event(
        self, mailbox: str, event_id: str, changes: Mapping[str, object]
    ) -> dict[str, Any]:
        """Change an event or one instance of a series, as the user would."""
        return dict(self.call("PATCH", _event(mailbox, event_id), changes))

    def delete_event(self, mailbox: str, event_id: str) -> None:
        """Delete an event (into Deleted Items) or one instance, as the user would."""
        self.call("DELETE", _event(mailbox, event_id))

    def move_event(self, mailbox: str, event_id: str, calendar: str) -> dict[str, Any]:
        """Move an event into another calendar, as the user would."""
        return self._transfer_event(mailbox, event_id, "move", {"calendar": calendar})

    def copy_event(
        self, mailbox: str, event_id: str, calendar: str | None = None
    ) -> dict[str, Any]:
        """Copy an event, by default beside itself, as the user would."""
        body = {} if calendar is None else {"calendar": calendar}
        return self._transfer_event(mailbox, event_id, "copy", body)

    def _transfer_event(
        self, mailbox: str, event_id: str, verb: str, body: object
    ) -> dict[str, Any]:
        path = f"/mailboxes/{quote(mailbox)}/events/{quote(event_id, safe='')}/{verb}"
        return dict(self.call("POST", path, body))

    def expire_delta_tokens(self, mailbox: str) -> None:
        """Let every delta token of a mailbox answer 410."""
        self.call("POST", f"/mailboxes/{quote(mailbox)}/expire-delta-tokens")

    def _transfer(self, mailbox: str, contact_id: str, verb: str, body: object) -> dict[str, Any]:
        path = f"/mailboxes/{quote(mailbox)}/contacts/{quote(contact_id, safe='')}/{verb}"
        return dict(self.call("POST", path, body))

    # Tenants

    def seed(self, lines: Sequence[Mapping[str, object]]) -> dict[str, Any]:
        """Add records of the seed format; the endpoints, which a new vault changes."""
        body = "\n".join(json.dumps(line) for line in lines).encode()
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            connection.request("POST", "/seed", body)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise AdminRefusedError(response.status, _message(answer))
        return dict(json.loads(answer))

    def set_members(self, group: str, members: Sequence[str]) -> None:
        """Replace who is in a group: ids or userPrincipalNames of users, ids of groups."""
        self.call("PUT", f"/groups/{group}/members", list(members))

    def remove_group(self, group: str) -> None:
        """Delete a group."""
        self.call("DELETE", f"/groups/{group}")

    def add_secret(self, client_id: str, value: str, name: str = "") -> None:
        """Give an application another client secret."""
        body = {"value": value, "name": name}
        self.call("POST", f"/applications/{client_id}/secrets", body)

    def remove_secrets(self, client_id: str, name: str | None = None) -> None:
        """Take an application's secrets away: all, or those of a name."""
        query = None if name is None else {"name": name}
        self.call("DELETE", f"/applications/{client_id}/secrets", query=query)

    def enable_application(self, client_id: str, enabled: bool) -> None:
        """Enable or disable an application."""
        self.call("PATCH", f"/applications/{client_id}", {"enabled": enabled})

    def block_application(self, client_id: str, blocked: bool) -> None:
        """Have Conditional Access block an application in its home tenant, or not any more."""
        self.call("PATCH", f"/applications/{client_id}", {"blocked": blocked})

    def trust_subject(self, client_id: str, subject: str, issuer: str = "cluster") -> None:
        """Let tokens of a subject sign in as an application; the cluster's, by default."""
        body = {"issuer": issuer, "subject": subject}
        self.call("POST", f"/applications/{client_id}/federated", body)

    def grant(self, client_id: str, tenant: str, roles: Sequence[str]) -> None:
        """Replace the Graph roles of an application in a tenant."""
        self.call("PUT", f"/applications/{client_id}/tenants/{tenant}/roles", list(roles))

    def assign_directory_roles(self, client_id: str, tenant: str, roles: Sequence[str]) -> None:
        """Replace the roles of Entra ID that an application is assigned in a tenant."""
        path = f"/applications/{client_id}/tenants/{tenant}/directory-roles"
        self.call("PUT", path, list(roles))

    def cmdlet(self, tenant: str, name: str, **parameters: object) -> list[dict[str, Any]]:
        """What a cmdlet of Exchange Online answers to an administrator of a tenant."""
        return list(self.call("POST", f"/tenants/{tenant}/cmdlets/{name}", parameters))

    def withdraw_consent(self, client_id: str, tenant: str) -> None:
        """Take the application's service principal out of a tenant."""
        self.call("DELETE", f"/applications/{client_id}/tenants/{tenant}")

    def lock_account(self, user: str, *, locked: bool) -> None:
        """Lock an account of an Exchange Server, or unlock it."""
        self.call("PATCH", f"/accounts/{quote(user)}", {"locked": locked})

    def set_password(self, user: str, password: str) -> None:
        """Give an account of an Exchange Server another password."""
        self.call("PATCH", f"/accounts/{quote(user)}", {"password": password})

    def enable_partner(self, server: str, enabled: bool) -> None:
        """Have an Exchange Server take the tokens of its tenant's applications, or refuse them."""
        self.call("PATCH", f"/exchange-servers/{quote(server)}", {"partnerEnabled": enabled})

    def set_full_access(self, user: str, others: Sequence[str]) -> None:
        """Say who else may open a mailbox on an Exchange Server."""
        self.call("PUT", f"/accounts/{quote(user)}/full-access", list(others))

    def add_certificate(self, client_id: str, pem: str) -> str:
        """Register a certificate's public part with an application; its SHA-256 thumbprint."""
        body = {"pem": pem}
        return str(self.call("POST", f"/applications/{client_id}/certificates", body)["thumbprint"])

    def remove_certificates(self, client_id: str, thumbprint: str | None = None) -> None:
        """Take an application's certificates away: all, or one."""
        query = None if thumbprint is None else {"thumbprint": thumbprint}
        self.call("DELETE", f"/applications/{client_id}/certificates", query=query)

    def distrust(self, client_id: str) -> None:
        """Take all federated credentials of an application away."""
        self.call("DELETE", f"/applications/{client_id}/federated")

    def put_vault_secret(self, vault: str, name: str, value: str, **attributes: object) -> None:
        """Add a version to a vault's secret; `enabled`, `not_before`, `expires` (POSIX seconds)
        and `content_type` besides."""
        self.call("PUT", f"/vaults/{vault}/secrets/{name}", {"value": value, **attributes})

    def enable_vault_secret(self, vault: str, name: str, enabled: bool) -> None:
        """Enable or disable the current version of a vault's secret."""
        self.call("PATCH", f"/vaults/{vault}/secrets/{name}", {"enabled": enabled})

    def put_vault_certificate(self, vault: str, name: str, value: str) -> None:
        """Add a version to a vault's certificate: PEM with the key, or PFX in base64."""
        self.call("PUT", f"/vaults/{vault}/certificates/{name}", {"value": value})

    def set_vault_access(self, vault: str, client_id: str, permissions: Sequence[str]) -> None:
        """Say what a client may do with a vault's secrets."""
        self.call("PUT", f"/vaults/{vault}/access/{client_id}", list(permissions))

    def set_cluster(
        self, issuer: str, *, ca_pem: str | None = None, jwks: Mapping[str, object] | None = None
    ) -> None:
        """Declare the Kubernetes cluster whose service account tokens are trusted."""
        self.call("PUT", "/cluster", {"issuer": issuer, "ca_pem": ca_pem, "jwks": jwks})


def _contact(mailbox: str, contact_id: str) -> str:
    return f"/graph/v1.0/users/{quote(mailbox)}/contacts/{quote(contact_id, safe='')}"


def _event(mailbox: str, event_id: str) -> str:
    return f"/graph/v1.0/users/{quote(mailbox)}/events/{quote(event_id, safe='')}"


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):
        return answer.decode("utf-8", "replace")
