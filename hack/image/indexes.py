"""What pip needs inside a build to reach the index that this machine is set up for.

It is handed in as secrets, which no layer keeps: an index may have a password in its address, and
an authority of one company is none of others'.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

KEPT = ("index-url", "extra-index-url", "trusted-host", "default-timeout", "timeout", "proxy")
AUTHORITY = "cert"
INSIDE = "/run/secrets/authority"


@contextmanager
def secrets() -> Iterator[dict[str, Path]]:
    """Files by the ids that the Dockerfile mounts them by."""
    settings = _settings()
    lines = ["[global]", *(f"{key} = {settings[key]}" for key in KEPT if key in settings)]
    with TemporaryDirectory(prefix="cirahub-image-") as folder:
        given = {"pip": Path(folder, "pip.conf"), "authority": Path(folder, "authority.pem")}
        authority = Path(settings.get(AUTHORITY, ""))
        if authority.is_file():
            given["authority"].write_bytes(authority.read_bytes())
            lines.append(f"{AUTHORITY} = {INSIDE}")
        else:
            given["authority"].touch()
        given["pip"].write_text("\n".join(lines) + "\n")
        yield given


def _settings() -> dict[str, str]:
    """Lines read ``global.index-url='https://...'``, with ``:env:`` for variables, which count
    more and come last."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    settings = {}
    for line in sorted(told.stdout.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in {"global", "install", ":env:"}:
            settings[key] = " ".join(str(ast.literal_eval(value)).split("\n"))
    return settings
