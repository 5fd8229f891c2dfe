"""Running the image's programs as a cluster under the restricted Pod Security Standard does.

As its user, on a root file system that is read-only but for /tmp and /var/lib/cirahub, in mount,
IPC and process namespaces of its own that end with it. No container engine is involved.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from image.archive import Archive

ENTER = """
set -e
root=$1 user=$2
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o "mode=0700,uid=${user%:*},gid=${user#*:}" tmpfs "$root/var/lib/cirahub"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for device in null zero random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
exec chroot --userspec="$user" --groups= "$root" "$@"
"""


@dataclass(frozen=True, slots=True)
class Sandbox:
    root: Path
    """The image's files, unpacked by root."""
    archive: Archive

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Of the command; without one, the image's own. Needs root."""
        user: str = self.archive.config["User"]
        enter = ["sh", "-c", ENTER, "sh", str(self.root.resolve()), user]
        own = [*self.archive.config["Entrypoint"], *self.archive.config["Cmd"]]
        namespaces = ["--mount", "--ipc", "--pid", "--fork", "--kill-child"]
        return subprocess.run(
            ["unshare", *namespaces, *enter, *(command or own)],
            env={"PATH": os.defpath, **self.archive.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
