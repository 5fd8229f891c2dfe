"""The first process of a node: it makes room for the others, and ends with them.

It is a program of its own, run by `isolation` as process 1 of new mount, network, PID, UTS, IPC and
cgroup namespaces, so it imports the standard library only. What it prepares is seen in these
namespaces alone, and the kernel takes it back when the last process of them is gone, which is when
this one is: by SIGKILL, too.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets for the whole machine. It finds files that say so already, and the machine
stays as it was."""
IMAGES = "containerd"
IDLE = 3600.0


def main(state: Path, groups: list[tuple[str, str]]) -> None:
    """`groups`: what of the cgroups is ours, and where it is to be seen."""
    # The old /proc still has the number that others know this process by.
    known_as = Path("/proc/self").readlink()
    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", "/proc")
    for ours, seen in groups:
        mount("--bind", ours, seen)
    descend(Path("/sys/fs/cgroup"))
    pretend(state / "settings")
    images = state / IMAGES
    images.mkdir()
    # Images in memory are there, and gone, many times faster than on a disk.
    for folder in ("/run", "/var/log", str(images)):
        mount("-t", "tmpfs", "tmpfs", folder)
    # What plugins remember of networks has a fixed place there; the rest is needed as it is.
    over(Path("/var/lib"), state / "lib")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    print(known_as, flush=True)
    reap()


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def descend(group: Path) -> None:
    """Of the second version of cgroups: see `cgroups.LEAF`."""
    if (group / "cgroup.procs").exists():
        (group / "node").mkdir()
        (group / "node" / "cgroup.procs").write_text("0")


def pretend(files: Path) -> None:
    for name, value in SETTINGS.items():
        file = files / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
        mount("--bind", str(file), f"/proc/sys/{name}")


def over(folder: Path, ours: Path) -> None:
    """Whatever is changed in `folder` from now on is kept in memory, and is seen only here."""
    ours.mkdir()
    mount("-t", "tmpfs", "tmpfs", str(ours))
    upper, work = ours / "upper", ours / "work"
    upper.mkdir()
    work.mkdir()
    layers = f"lowerdir={folder},upperdir={upper},workdir={work}"
    mount("-t", "overlay", "-o", layers, "none", str(folder))


def reap() -> None:
    """Who loses its parent becomes a child of process 1. There may be none for a while."""
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(IDLE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), list(zip(sys.argv[2::2], sys.argv[3::2], strict=True)))
