"""Requests for subscriptions to change notifications.

https://learn.microsoft.com/graph/api/resources/subscription and the pages of its methods. An
application sees its own subscriptions only (subscription-list). What is refused, and how, is taken
from the documents where they say it; else each error names where it was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import get_args
from urllib.parse import urlsplit

import msgspec

from cirahub_simulator.directory import Principal
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.errors import GraphError
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.roles import require_subscribed
from cirahub_simulator.graph.routing import Route, resolve
from cirahub_simulator.notification.subscription import (
    AUTHORIZED,
    MOST_PER_MAILBOX,
    ChangeType,
    Subscription,
    moment,
)
from cirahub_simulator.wire import Response

SHORTEST = 45 * 60.0
"""What is shorter is set to this: https://learn.microsoft.com/graph/api/resources/subscription"""
LONGEST_CLIENT_STATE = 128
_CHANGE_TYPES: frozenset[ChangeType] = frozenset(get_args(ChangeType))

FindMailbox = Callable[[Call, str], Mailbox]
"""The mailbox of a user, by id or name, of the caller's tenant. Raises GraphError."""


class _Body(msgspec.Struct, rename="camel"):
    change_type: str | None = None
    notification_url: str | None = None
    lifecycle_notification_url: str | None = None
    resource: str | None = None
    expiration_date_time: datetime | None = None
    client_state: str | None = None
    include_resource_data: bool | None = None
    encryption_certificate: str | None = None
    notification_query_options: str | None = None


_decoder = msgspec.json.Decoder(_Body)


def list_subscriptions(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-list"""
    client = _client(call)
    mine = [one for one in call.world.graph_subscriptions if _owns(client, one)]
    return call.page("subscriptions", [msgspec.json.encode(_shown(one)) for one in mine])


def get_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-get"""
    return call.entity(200, "subscriptions/$entity", _shown(_own(call)))


def create_subscription(call: Call, find_mailbox: FindMailbox) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-post-subscriptions"""
    made = draft(call, find_mailbox)
    _check_handshake(call)
    call.world.graph_subscriptions.add(made)
    shown = _shown(made) | {"clientState": made.client_state}
    return call.entity(201, "subscriptions/$entity", shown)


def renew_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-update"""
    found, expires = _renewal(call)
    if call.switches.renewal_validates:
        _check_handshake(call)
    found.expires = expires
    _authorize(call, found)
    return call.entity(200, "subscriptions/$entity", _shown(found))


def delete_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-delete"""
    call.world.graph_subscriptions.remove(_own(call))
    return call.nothing()


def reauthorize_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-reauthorize: 204, and nothing extended."""
    found = _own(call)
    require_subscribed(_client(call), found.kind, call.switches)
    _authorize(call, found)
    return call.nothing()


def destinations(call: Call, find_mailbox: FindMailbox) -> tuple[str, ...]:
    """The URLs that have to answer before a request takes effect; none if it is refused anyway.

    https://learn.microsoft.com/graph/change-notifications-delivery-webhooks: the request is
    verified first, then notificationUrl and lifecycleNotificationUrl are validated.
    """
    try:
        if call.request.method == "POST":
            found = draft(call, find_mailbox)
        elif call.switches.renewal_validates:
            found, _ = _renewal(call)
        else:
            return ()
    except GraphError:
        # Refused for this again when it is served, and told to the caller then.
        return ()
    return tuple(dict.fromkeys(url for url in (found.notification_url, found.lifecycle_url) if url))


def draft(call: Call, find_mailbox: FindMailbox) -> Subscription:
    """What a create asks for, checked. Raises GraphError."""
    client, body = _client(call), _read(call)
    for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
        if getattr(body, _ATTRIBUTES[name]) is None:
            raise _invalid(f"{name} is a required property for subscription creation")
    resource, given = body.resource or "", body.change_type or ""
    change_types = frozenset(part.strip() for part in given.split(","))
    if not _CHANGE_TYPES.issuperset(change_types):
        raise _invalid(f"Invalid 'changeType' attribute: '{given}'.")
    for url in (body.notification_url, body.lifecycle_notification_url):
        if url is not None and not _is_https(url):
            raise _invalid(f"Notification URL '{url}' is not an HTTPS URL.")
    if len(body.client_state or "") > LONGEST_CLIENT_STATE:
        raise _invalid(f"clientState is longer than {LONGEST_CLIENT_STATE} characters.")
    if body.include_resource_data or body.encryption_certificate:
        raise errors.not_simulated("notifications with resource data")
    if body.notification_query_options is not None or "?" in resource:
        raise errors.not_simulated("query options of a subscription")
    route = _route(resource)
    kind = "Contact" if route.noun == "contacts" else "Event"
    require_subscribed(client, kind, call.switches)
    expires = _expiry(call, body)
    mailbox = _mailbox(call, find_mailbox, route)
    folder = _folder(call, mailbox, route)
    if call.world.graph_subscriptions.of_mailbox(mailbox.user_id) >= MOST_PER_MAILBOX:
        raise _too_many()
    return Subscription(
        client_id=client.client_id,
        tenant_id=client.tenant_id,
        resource=resource,
        mailbox=mailbox,
        kind="Contact" if kind == "Contact" else "Event",
        folder=folder,
        change_types=_CHANGE_TYPES & change_types,
        notification_url=body.notification_url or "",
        lifecycle_url=body.lifecycle_notification_url or "",
        client_state=body.client_state,
        expires=expires,
        position=mailbox.sequence,
        immutable_ids=call.preferences.immutable_ids,
        authorized_until=call.world.clock.time() + AUTHORIZED,
    )


_ATTRIBUTES = {
    name: attribute
    for attribute, name in zip(_Body.__struct_fields__, _Body.__struct_encode_fields__, strict=True)
}


def _read(call: Call) -> _Body:
    check_content(call.request.body, call.request.headers.get("content-type", ""))
    try:
        body = _decoder.decode(call.request.body)
    except msgspec.DecodeError as error:
        raise _unreadable() from error
    if body.expiration_date_time is not None and body.expiration_date_time.tzinfo is None:
        raise _unreadable()
    return body


def _route(resource: str) -> Route:
    """What of a mailbox a resource names. Raises GraphError for everything else."""
    route = resolve("/" + resource.strip("/"))
    if route.noun not in ("contacts", "events"):
        raise errors.not_simulated("subscriptions to anything but contacts and events")
    return route


def _mailbox(call: Call, find_mailbox: FindMailbox, route: Route) -> Mailbox:
    try:
        return find_mailbox(call, route.user)
    except GraphError as error:
        # Seen in microsoftgraph/nodejs-webhooks-sample, issue 21.
        raise _extension_error(404, "NotFound", "Not Found") from error


def _folder(call: Call, mailbox: Mailbox, route: Route) -> str:
    """The id of the one folder or calendar that a resource names; blank without one.

    https://learn.microsoft.com/graph/outlook-change-notifications-overview: `/contacts` and
    `/events` are all of a mailbox.
    """
    if not route.in_folder or (route.noun == "contacts" and not route.folders):
        return ""
    if call.switches.subscribed_folders == "whole-mailbox-only" or (
        route.noun == "events" and call.switches.subscribed_folders == "contact-folders"
    ):
        raise _invalid("The resource of the subscription is not supported.")
    if route.noun == "contacts":
        return mailbox.folder(route.folders[-1]).id
    calendars = mailbox.calendars
    return (calendars.calendar(route.calendar) if route.calendar else calendars.default).id


def _expiry(call: Call, body: _Body) -> float:
    now, longest = call.world.clock.time(), call.switches.subscription_minutes
    wanted = body.expiration_date_time
    if wanted is None:
        raise _invalid("expirationDateTime is a required property")
    expires = wanted.astimezone(UTC).timestamp()
    if expires > now + longest * 60:
        raise _too_long(longest)
    return max(expires, now + SHORTEST)


def _renewal(call: Call) -> tuple[Subscription, float]:
    found, body = _own(call), _read(call)
    require_subscribed(_client(call), found.kind, call.switches)
    if body.notification_url not in (None, found.notification_url):
        raise errors.not_simulated("another notificationUrl of a subscription")
    return found, _expiry(call, body)


def _authorize(call: Call, subscription: Subscription) -> None:
    """Renewing does, too: https://learn.microsoft.com/graph/change-notifications-lifecycle-events"""
    subscription.authorized_until = call.world.clock.time() + AUTHORIZED
    subscription.challenged = False


def _client(call: Call) -> Principal:
    if call.request.client is None:
        raise errors.not_simulated("subscriptions of the admin endpoint")
    return call.request.client


def _owns(client: Principal, subscription: Subscription) -> bool:
    return (client.client_id, client.tenant_id) == (subscription.client_id, subscription.tenant_id)


def _own(call: Call) -> Subscription:
    found = call.world.graph_subscriptions.find(call.route.subscription)
    if found is None or not _owns(_client(call), found):
        raise _not_found()
    return found


def _check_handshake(call: Call) -> None:
    failed = call.request.handshakes.get(call.request.body)
    if failed is None:
        raise errors.not_simulated("a subscription whose endpoint nobody has asked")
    if failed:
        raise GraphError(400, call.switches.validation_code, failed)


def _shown(subscription: Subscription) -> dict[str, object]:
    """Without clientState: https://learn.microsoft.com/graph/api/subscription-list ("not returned
    for security purposes"); only a create answers it."""
    return {
        "id": subscription.id,
        "resource": subscription.resource,
        "applicationId": subscription.client_id,
        "changeType": _written(subscription.change_types),
        "clientState": None,
        "notificationUrl": subscription.notification_url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": subscription.lifecycle_url or None,
        "expirationDateTime": moment(subscription.expires),
        "creatorId": subscription.client_id,
        "includeResourceData": None,
        "latestSupportedTlsVersion": "v1_2",
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "notificationUrlAppId": None,
    }


def _written(change_types: Iterable[str]) -> str:
    held = frozenset(change_types)
    return ",".join(one for one in get_args(ChangeType) if one in held)


def _is_https(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and bool(parts.hostname)


# Errors


def _invalid(message: str) -> GraphError:
    """microsoftgraph/microsoft-graph-docs, issue 4092 (a missing property)."""
    return errors.bad_request(message, "InvalidRequest")


def _unreadable() -> GraphError:
    """microsoftgraph/microsoft-graph-docs, issue 2231 (a time without a zone)."""
    return _invalid(
        "Could not process subscription creation payload. Are all property names spelled and "
        "camelCased properly?"
    )


def _too_long(minutes: int) -> GraphError:
    """microsoftgraph/microsoft-graph-docs, issue 2988."""
    return GraphError(
        400,
        "ExtensionError",
        f"Subscription expiration can only be {minutes} minutes in the future.",
    )


def _extension_error(status: int, name: str, reason: str) -> GraphError:
    """What the service behind the resource said."""
    return GraphError(
        status,
        "ExtensionError",
        f"Operation: Create; Exception: [Status Code: {name}; Reason: {reason}]",
    )


def _too_many() -> GraphError:
    """https://learn.microsoft.com/graph/change-notifications-overview (supported resources): 403
    with the limit in its message, of which no wording is shown."""
    return _extension_error(
        403, "Forbidden", f"More than {MOST_PER_MAILBOX} active subscriptions for the mailbox"
    )


def _not_found() -> GraphError:
    """microsoftgraph/msgraph-sdk-php, issue 221; microsoft-graph-docs, issue 5725."""
    return GraphError(404, "ResourceNotFound", "The object was not found.")
