"""The Graph service: one request in, one answer out, all in memory.

The server verifies tokens, applies faults to whole requests and keeps time in flight; what is in
here starts from a verified caller.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeAlias

from cirahub_simulator.calendar.errors import CalendarError
from cirahub_simulator.directory import User
from cirahub_simulator.graph import (
    calendar_requests,
    contact_requests,
    delta_requests,
    errors,
    event_requests,
    extension_requests,
    folder_requests,
    group_requests,
    mailbox_settings_requests,
    meeting_requests,
    org_contact_requests,
    organization_requests,
    photo_requests,
    subscription_requests,
    user_photo_requests,
    user_requests,
    view_delta,
)
from cirahub_simulator.graph.batch import parts_of, serve_batch
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.group_delta import GroupDelta
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.object_delta import ObjectDelta
from cirahub_simulator.graph.roles import (
    require_calendars,
    require_contacts,
    require_photos,
    require_settings,
)
from cirahub_simulator.graph.routing import Noun, resolve
from cirahub_simulator.odata import graph_error
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

_InMailbox: TypeAlias = Callable[[Call, Mailbox], Response]

_MAILBOX: dict[tuple[Noun, str], _InMailbox] = {
    ("folders", "GET"): folder_requests.list_folders,
    ("folders", "POST"): folder_requests.create_folder,
    ("folders-count", "GET"): folder_requests.count_folders,
    ("folder", "GET"): folder_requests.get_folder,
    ("folder", "PATCH"): folder_requests.update_folder,
    ("folder", "DELETE"): folder_requests.delete_folder,
    ("contacts", "GET"): contact_requests.list_contacts,
    ("contacts", "POST"): contact_requests.create_contact,
    ("contacts-count", "GET"): contact_requests.count_contacts,
    ("contact", "GET"): contact_requests.get_contact,
    ("contact", "PATCH"): contact_requests.update_contact,
    ("contact", "DELETE"): contact_requests.delete_contact,
    ("contact-purge", "POST"): contact_requests.purge_contact,
    ("photo", "GET"): photo_requests.get_photo,
    ("photo-value", "GET"): photo_requests.get_picture,
    ("photo-value", "PUT"): photo_requests.put_picture,
    ("photo-value", "PATCH"): photo_requests.put_picture,
    ("photo-value", "DELETE"): photo_requests.delete_picture,
}

_PHOTOS: dict[tuple[Noun, str], _InMailbox] = {
    ("user-photo", "GET"): user_photo_requests.get_photo,
    ("user-photo", "DELETE"): user_photo_requests.delete_photo,
    ("user-photo-value", "GET"): user_photo_requests.get_picture,
    ("user-photo-value", "PUT"): user_photo_requests.put_picture,
    ("user-photo-value", "PATCH"): user_photo_requests.put_picture,
    ("user-photo-value", "DELETE"): user_photo_requests.delete_photo,
    ("user-photos", "GET"): user_photo_requests.list_photos,
}

_SETTINGS: dict[tuple[Noun, str], _InMailbox] = {
    ("user-settings", "GET"): mailbox_settings_requests.get_settings,
    ("user-settings", "PATCH"): mailbox_settings_requests.update_settings,
}

_EXTENSIONS: dict[tuple[Noun, str], _InMailbox] = {
    ("extensions", "GET"): extension_requests.list_extensions,
    ("extensions", "POST"): extension_requests.create_extension,
    ("extension", "GET"): extension_requests.get_extension,
    ("extension", "PATCH"): extension_requests.update_extension,
    ("extension", "DELETE"): extension_requests.delete_extension,
}
"""Of contacts and of events."""

_CALENDARS: dict[tuple[Noun, str], _InMailbox] = {
    ("calendars", "GET"): calendar_requests.list_calendars,
    ("calendars", "POST"): calendar_requests.create_calendar,
    ("calendar", "GET"): calendar_requests.get_calendar,
    ("calendar", "PATCH"): calendar_requests.update_calendar,
    ("calendar", "DELETE"): calendar_requests.delete_calendar,
    ("events", "GET"): event_requests.list_events,
    ("events", "POST"): event_requests.create_event,
    ("events-count", "GET"): event_requests.count_events,
    ("event", "GET"): event_requests.get_event,
    ("event", "PATCH"): event_requests.update_event,
    ("event", "DELETE"): event_requests.delete_event,
    ("event-accept", "POST"): meeting_requests.accept,
    ("event-cancel", "POST"): meeting_requests.cancel,
    ("event-decline", "POST"): meeting_requests.decline,
    ("event-forward", "POST"): meeting_requests.forward,
    ("event-instances", "GET"): event_requests.list_instances,
    ("event-purge", "POST"): event_requests.purge_event,
    ("event-tentative", "POST"): meeting_requests.tentatively_accept,
    ("view", "GET"): event_requests.list_view,
}


class GraphService:
    """Answers Graph requests over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.user_delta = ObjectDelta(user_requests.TRACKED)
        self.group_delta = GroupDelta()
        self.org_contact_delta = ObjectDelta(org_contact_requests.TRACKED)
        world_id = uuid.uuid4().hex[:8]
        self._calendars: dict[tuple[Noun, str], _InMailbox] = _CALENDARS | {
            ("view-delta", "GET"): lambda call, mailbox: view_delta.view_delta(
                call, mailbox, world_id
            ),
        }
        self._of_events = self._calendars | _EXTENSIONS
        self._mailbox: dict[tuple[Noun, str], _InMailbox] = (
            _MAILBOX
            | _EXTENSIONS
            | {
                ("contacts-delta", "GET"): lambda call, mailbox: delta_requests.contacts_delta(
                    call, mailbox, world_id
                ),
                ("folders-delta", "GET"): lambda call, mailbox: delta_requests.folders_delta(
                    call, mailbox, world_id
                ),
            }
        )
        self._directory: dict[tuple[Noun, str], Callable[[Call], Response]] = {
            ("users", "GET"): user_requests.list_users,
            ("users-count", "GET"): user_requests.count_users,
            ("users-delta", "GET"): self.user_delta.answer,
            ("org-contact", "GET"): org_contact_requests.get_org_contact,
            ("org-contacts", "GET"): org_contact_requests.list_org_contacts,
            ("org-contacts-count", "GET"): org_contact_requests.count_org_contacts,
            ("org-contacts-delta", "GET"): self.org_contact_delta.answer,
            ("user", "GET"): user_requests.get_user,
            ("user-groups", "GET"): group_requests.list_groups_of_user,
            ("user-manager", "GET"): user_requests.get_manager,
            ("organizations", "GET"): organization_requests.list_organizations,
            ("organization", "GET"): organization_requests.get_organization,
            ("groups", "GET"): group_requests.list_groups,
            ("groups-count", "GET"): group_requests.count_groups,
            ("groups-delta", "GET"): self.group_delta.answer,
            ("group", "GET"): group_requests.get_group,
            ("group-members", "GET"): group_requests.list_members,
            ("group-members-count", "GET"): group_requests.count_members,
            ("subscriptions", "GET"): subscription_requests.list_subscriptions,
            ("subscriptions", "POST"): lambda call: subscription_requests.create_subscription(
                call, self._mailbox_named
            ),
            ("subscription", "GET"): subscription_requests.get_subscription,
            ("subscription", "PATCH"): subscription_requests.renew_subscription,
            ("subscription", "DELETE"): subscription_requests.delete_subscription,
            ("subscription-reauthorize", "POST"): subscription_requests.reauthorize_subscription,
        }

    def handle(self, request: Request) -> Response:
        """Answer a request; whatever is wrong with it becomes an answer as well."""
        try:
            return self._serve(request)
        except errors.GraphError as error:
            return graph_error(
                request,
                self.world.clock.now(),
                error.status,
                error.code,
                error.message,
                headers=error.headers,
            )
        except CalendarError as error:
            return graph_error(request, self.world.clock.now(), 400, error.code, error.message)

    def mailbox(self, user: User) -> Mailbox:
        """A user's mailbox, made when it is first asked for. Raises GraphError without one."""
        if not user.has_mailbox:
            raise errors.no_mailbox()
        mailbox = self.world.mailboxes.get(user.id)
        if mailbox is None:
            mailbox = self.world.mailboxes[user.id] = Mailbox(user.id, self.world)
        return mailbox

    def destinations(self, request: Request) -> dict[bytes, tuple[str, ...]]:
        """The endpoints of notifications that have to be asked before a request is served.

        By the body of what asks for them: the request's own, or that of a request in a batch.
        """
        found: dict[bytes, tuple[str, ...]] = {}
        parts = parts_of(request) if request.path.lower().startswith("/$batch") else [request]
        for one in parts:
            path = one.path.lower()
            if one.method not in ("POST", "PATCH") or not path.startswith("/subscriptions"):
                continue
            call = Call(self.world, one, resolve(one.path))
            if call.route.noun in ("subscriptions", "subscription"):
                urls = subscription_requests.destinations(call, self._mailbox_named)
                if urls:
                    found[one.body] = urls
        return found

    def _mailbox_named(self, call: Call, name: str) -> Mailbox:
        client = call.request.client
        user = self.world.directory.user(client.tenant_id, name) if client is not None else None
        if user is None:
            raise errors.invalid_user(name)
        return self.mailbox(user)

    def _serve(self, request: Request) -> Response:
        route = resolve(request.path)
        if route.noun == "batch":
            return self._batch(request)
        call = Call(self.world, request, route)
        key = (route.noun, request.method)
        in_directory = self._directory.get(key)
        if in_directory is not None:
            return in_directory(call)
        in_mailbox = self._admit(call, key)
        user = user_requests.find_user(call)
        if user is None:
            raise errors.invalid_user(route.user)
        mailbox = self.mailbox(user)
        refusal = self.world.throttle.admit(call.switches, request, user.id)
        return refusal if refusal is not None else in_mailbox(call, mailbox)

    def _admit(self, call: Call, key: tuple[Noun, str]) -> _InMailbox:
        """What answers a request in a mailbox, if the caller may ask for it. Raises GraphError."""
        client, write = call.request.client, call.request.method != "GET"
        found = self._of_events.get(key) if call.route.event else self._calendars.get(key)
        if found is not None:
            require_calendars(client, write=write)
            event_requests.check_preferences(call)
        elif (found := _PHOTOS.get(key)) is not None:
            require_photos(client, write=write)
        elif (found := _SETTINGS.get(key)) is not None:
            require_settings(client, write=write)
        elif (found := self._mailbox.get(key)) is not None:
            require_contacts(client, write=write)
        else:
            raise errors.method_not_allowed()
        return found

    def _batch(self, request: Request) -> Response:
        if request.batch is not None:
            raise errors.bad_request("A batch can't contain a batch.")
        if request.method != "POST":
            raise errors.method_not_allowed()
        return serve_batch(self.world, request, self.handle)
