"""The settings of what Microsoft leaves open: every value of each switch that a mailbox shows, and
combinations by chance."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from cirahub_simulator.switches import Switches

Setting = dict[str, object]
"""Switches by name; those that are not named are as is likeliest."""

NOT_OF_A_MAILBOX = frozenset(
    {
        "federation_error",
        "federation_audience_code",
        "cross_cloud_code",
        "other_clouds",
        "blocked_error",
        "assertion_jti",
        "vault_expiry",
    }
)
"""Of Entra and Key Vault: nothing that a mailbox shows."""

OF_OTHER_STORIES = frozenset(
    {
        "absent_photo",
        "photo_changes_contact",
        "duplicate_transaction",
        "events_list",
        "events_list_exceptions",
        "zone_names",
        "event_body",
        "declined_event",
        "purge_cancels",
        "view_delta_masters",
        "view_delta_occurrences",
        "view_delta_series",
        "view_delta_outside",
        "view_delta_select",
    }
)
"""Of calendars and photos, which these stories don't play with."""

OF_NOTIFICATIONS = frozenset(
    {
        "subscription_minutes",
        "subscribed_folders",
        "subscription_role",
        "validation_code",
        "renewal_validates",
        "notifications_authorized",
        "notification_order",
        "notifications_repeated",
        "deletions_notified",
    }
)
"""Which are hints: `tests/engine/test_subscriptions.py` plays with them."""


def choices(among: Collection[str] | None = None) -> dict[str, tuple[object, ...]]:
    """The values of each of these switches, or of each that a mailbox shows without being asked;
    the likeliest one first."""
    hints = get_type_hints(Switches)
    default = Switches()
    found: dict[str, tuple[object, ...]] = {}
    for field in dataclasses.fields(Switches):
        if among is None and field.name in NOT_OF_A_MAILBOX | OF_OTHER_STORIES | OF_NOTIFICATIONS:
            continue
        if among is not None and field.name not in among:
            continue
        hint = hints[field.name]
        values = get_args(hint) if get_origin(hint) is Literal else (True, False)
        likeliest = getattr(default, field.name)
        found[field.name] = (likeliest, *(value for value in values if value != likeliest))
    return found


def single(among: Collection[str] | None = None) -> list[Setting]:
    """The likeliest behaviour, and every single departure from it."""
    found = choices(among).items()
    return [{}, *({name: value} for name, (_, *others) in found for value in others)]


def combined(number: int, seed: int) -> list[Setting]:
    """So many settings in which every switch has a value by chance."""
    chance = random.Random(f"settings {seed}")
    return [
        {name: chance.choice(values) for name, values in choices().items()} for _ in range(number)
    ]


def switches(setting: Setting) -> Switches:
    return Switches(**setting)  # type: ignore[arg-type]


def told(setting: Setting) -> str:
    """As `--switches` takes it."""
    return msgspec.json.encode(setting).decode()
