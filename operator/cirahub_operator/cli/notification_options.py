"""Options about where services tell of changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import click

from cirahub_operator.cli.engine_options import FILE, duration
from cirahub_operator.settings import Notifications

Command = TypeVar("Command", bound=Callable[..., object])


def _url(_: click.Context, __: click.Parameter, text: str) -> str:
    """A callback."""
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname:
        raise click.BadParameter(
            f"{text!r} is no https URL: services tell of changes over HTTPS only"
        )
    if parts.query or parts.fragment or parts.username is not None:
        raise click.BadParameter(f"{text!r}: write it without user, query and fragment")
    return text


def notification_options(command: Command) -> Command:
    """Adds `notifications_url` and those that go with it; see `notifications`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def notifications(
    *,
    url: str,
    port: int,
    certificate: Path | None,
    private_key: Path | None,
    plain: bool,
    pause: float,
) -> Notifications | None:
    """None without a URL. Raises UsageError for options that don't go together."""
    if not url:
        if certificate or private_key or plain:
            raise click.UsageError(
                "services are told of no place without --notifications-url: add it, or leave out "
                "the certificate, its key and --notifications-plain"
            )
        return None
    if plain and (certificate or private_key):
        raise click.UsageError(
            "--notifications-plain is for TLS that ends in front of the operator, and "
            "--notifications-certificate for TLS that ends here: leave one of them out"
        )
    if not plain and not (certificate and private_key):
        raise click.UsageError(
            "services want HTTPS: give --notifications-certificate and --notifications-key, or "
            "--notifications-plain where TLS ends at an Ingress in front of the operator"
        )
    return Notifications(
        url=url, port=port, certificate=certificate, private_key=private_key, pause=pause
    )


_OPTIONS = (
    click.option(
        "--notifications-url",
        default="",
        show_default=False,
        callback=_url,
        envvar="CIRAHUB_NOTIFICATIONS_URL",
        show_envvar=True,
        metavar="URL",
        help="Public HTTPS URL at which Microsoft Graph reaches this operator, to tell of changes "
        "as they happen; its path is the one that is served. Without it, changes are found by the "
        "Hubs' intervals alone.",
    ),
    click.option(
        "--notifications-port",
        type=click.IntRange(0, 65535),
        default=8443,
        envvar="CIRAHUB_NOTIFICATIONS_PORT",
        show_envvar=True,
        help="Port that notifications are taken at; 0 picks a free one.",
    ),
    click.option(
        "--notifications-certificate",
        type=FILE,
        envvar="CIRAHUB_NOTIFICATIONS_CERTIFICATE",
        show_envvar=True,
        help="Certificate for that port, with its chain (PEM). It is read again when it changes.",
    ),
    click.option(
        "--notifications-key",
        type=FILE,
        envvar="CIRAHUB_NOTIFICATIONS_KEY",
        show_envvar=True,
        help="The certificate's private key (PEM).",
    ),
    click.option(
        "--notifications-plain",
        is_flag=True,
        envvar="CIRAHUB_NOTIFICATIONS_PLAIN",
        show_envvar=True,
        help="Take notifications without TLS: it ends at an Ingress in front of the operator.",
    ),
    click.option(
        "--notifications-pause",
        default="2s",
        callback=duration,
        envvar="CIRAHUB_NOTIFICATIONS_PAUSE",
        show_envvar=True,
        help="Time between two passes over a Hub that notifications asked for.",
    ),
)
