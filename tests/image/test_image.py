"""What is in the image, what is not, and that it runs as a hardened cluster runs it."""

from __future__ import annotations

import json
import re
import stat
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.markers import Marker

from image import Image, Sandbox, materials

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("cirahub_operator", "cirahub_simulator", "cirahub_sync")
USER = 65532
TOOLS = {"cc", "gcc", "c99", "g++", "ld", "as", "make", "go", "git", "curl", "wget", "pip", "pip3"}
"""What an intruder would like to find."""
IMPORT_ALL = """
import importlib, pkgutil
for room in {rooms}:
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        # Alembic runs these; they are no modules to import.
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


def version() -> str:
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return found


def everything(root: Path) -> Iterator[tuple[str, Path]]:
    for path in root.rglob("*"):
        yield f"/{path.relative_to(root)}", path


def normal(name: str) -> str:
    """Source: Python packaging specifications, "Names and normalization"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(root: Path) -> dict[str, str]:
    (packages,) = root.glob("opt/cirahub/lib/python3.*/site-packages")
    return {normal(one.name): one.version for one in distributions(path=[str(packages)])}


def locked(python: str) -> dict[str, str]:
    """What the image's lock asks for on Linux with that Python."""
    environment = {"python_full_version": f"{python}.0", "python_version": python}
    found = {}
    for line in (ROOT / "requirements-runtime.lock").read_text().splitlines():
        match = re.match(r"([\w.-]+)==([^\s;]+)\s*(?:;\s*(.+?))?\s*\\?$", line)
        if match and (match[3] is None or Marker(match[3]).evaluate(environment)):
            found[normal(match[1])] = match[2]
    return found


def test_it_runs_as_a_user_of_its_own_without_groups_of_others(sandbox: Sandbox) -> None:
    told = sandbox.run("python", "-c", "import os; print(os.getuid(), os.getgid(), os.getgroups())")

    assert told.stdout.split() in (
        [str(USER), str(USER), "[]"],
        [str(USER), str(USER), f"[{USER}]"],
    )


def test_it_writes_to_two_places_and_nowhere_else(sandbox: Sandbox) -> None:
    script = """
import os
for place in ("/", "/opt/cirahub/lib", "/etc", "/var", "/tmp", "/var/lib/cirahub"):
    try:
        open(os.path.join(place, "trial"), "w").close()
    except OSError as error:
        print(place, error.errno in (13, 30))
    else:
        print(place, "written")
"""
    told = sandbox.run("python", "-c", script)

    assert told.stdout.splitlines() == [
        *("/ True", "/opt/cirahub/lib True", "/etc True", "/var True"),
        *("/tmp written", "/var/lib/cirahub written"),
    ]


def test_the_command_says_the_version_of_the_project(sandbox: Sandbox) -> None:
    assert sandbox.run("cirahub", "--version").stdout == f"cirahub, version {version()}\n"


def test_without_a_command_it_is_the_operator(sandbox: Sandbox) -> None:
    told = sandbox.run()

    assert told.returncode == 1
    assert "no cluster to talk to" in told.stderr


def test_the_simulator_is_there_to_try_it_with(sandbox: Sandbox) -> None:
    assert "Simulate Entra ID" in sandbox.run("cirahub", "simulate", "--help").stdout


def test_all_of_ours_loads_without_what_tests_have_besides(sandbox: Sandbox) -> None:
    told = sandbox.run("python", "-W", "error", "-c", IMPORT_ALL.format(rooms=OURS))

    assert (told.returncode, told.stderr) == (0, "")


def test_its_packages_are_those_of_the_lock_and_no_others(unpacked: Path) -> None:
    (library,) = unpacked.glob("opt/cirahub/lib/python3.*")
    here = installed(unpacked)

    assert here == locked(library.name.removeprefix("python")) | {"cirahub-operator": version()}
    assert not {"pip", "pytest", "mypy", "hatchling", "setuptools", "msgraph-sdk"} & set(here)


def test_it_has_no_compiler_and_no_pip(unpacked: Path) -> None:
    tools = {
        where
        for where, path in everything(unpacked)
        if path.name in TOOLS and path.parent.name in {"bin", "sbin"}
    }

    assert tools == set()
    assert not list(unpacked.glob("usr/lib/python3*/ensurepip"))


def test_nothing_in_it_runs_with_the_rights_of_its_owner(unpacked: Path) -> None:
    raising = {
        where
        for where, path in everything(unpacked)
        if stat.S_ISREG(mode := path.lstat().st_mode) and mode & (stat.S_ISUID | stat.S_ISGID)
    }

    assert raising == set()


def test_its_user_owns_one_folder_and_can_change_nothing_else(unpacked: Path) -> None:
    owned, changeable = set(), set()
    for where, path in everything(unpacked):
        told = path.lstat()
        if USER in {told.st_uid, told.st_gid}:
            owned.add(where)
        elif told.st_mode & stat.S_IWOTH and not stat.S_ISLNK(told.st_mode):
            changeable.add(where)

    assert owned == {"/var/lib/cirahub"}
    assert changeable <= {"/tmp", "/var/tmp", "/run/lock"}


def test_nothing_has_to_be_compiled_when_it_starts(unpacked: Path) -> None:
    (library,) = unpacked.glob("opt/cirahub/lib/python3.*/site-packages")
    sources = [path for path in library.rglob("*.py") if path.parts[-2] != "__pycache__"]
    bare = [
        str(path.relative_to(library))
        for path in sources
        if not list((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc"))
    ]

    assert len(sources) > 1000
    assert bare == []


def test_its_labels_say_what_it_is_and_of_which_commit(built: Image) -> None:
    labels = built.archive.config["Labels"]
    prefix = "org.opencontainers.image"

    assert labels[f"{prefix}.title"] == "cirahub-operator"
    assert labels[f"{prefix}.version"] == version()
    assert labels[f"{prefix}.licenses"] == "Apache-2.0"
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", labels[f"{prefix}.revision"])
    assert re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z", labels[f"{prefix}.created"])


def test_its_configuration_is_what_the_chart_counts_on(built: Image) -> None:
    config = built.archive.config

    assert config["User"] == f"{USER}:{USER}"
    assert (config["Entrypoint"], config["Cmd"]) == (["cirahub"], ["operator"])
    assert built.archive.environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert set(config["ExposedPorts"]) == {"8080/tcp", "9090/tcp"}


def test_the_list_of_parts_names_each_package_once_and_is_the_same_each_time(
    built: Image, unpacked: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    materials.write(built.archive, ROOT, first)
    materials.write(built.archive, ROOT, second)
    told = json.loads(first.read_text())
    whole = told["metadata"]["component"]
    parts = [(normal(part["name"]), part["version"]) for part in told["components"]]

    assert told["bomFormat"] == "CycloneDX"
    assert (whole["name"], whole["version"]) == ("cirahub-operator", version())
    expected = installed(unpacked)
    expected.pop("cirahub-operator")
    assert sorted(parts) == sorted(expected.items())
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="the image is one of Linux")
def test_what_a_program_writes_in_the_sandbox_is_gone_with_it(
    sandbox: Sandbox, unpacked: Path
) -> None:
    sandbox.run("python", "-c", "open('/var/lib/cirahub/trial', 'w').write('x')")

    assert list((unpacked / "var/lib/cirahub").iterdir()) == []
