"""What comes from elsewhere: pinned by hash, from whichever index the machine is set up for."""

from __future__ import annotations

import re
import tomllib

import pytest

from .conftest import House

# In halves, so that this file does not name them either.
REGISTRIES = tuple(
    "".join(halves)
    for halves in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("proxy.", "golang.org"),
        ("sum.", "golang.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("crates", ".io"),
        ("maven", ".org"),
        ("deb.", "debian.org"),
        ("archive.", "ubuntu.com"),
    )
)
MACHINE = re.compile("(?<![\\w.])/" + "(work|root|opt/wheels)(/|\\b)")
TEXT_LIMIT = 2_000_000


LOCKS = ("requirements.lock", "requirements-runtime.lock", "requirements-build.lock")
SQL_SERVER = "requirements-sqlserver.lock"
"""The whole, and the parts of it that the image has and is made with."""


def locked(house: House, lock: str = LOCKS[0]) -> dict[str, str]:
    """Each requirement of a lock with its lines."""
    blocks = re.split(r"\n(?=\S)", house.text(lock).strip())
    return {_name(block): block for block in blocks}


def _pin(block: str) -> tuple[str, frozenset[str]]:
    """The version, and the hashes."""
    version = re.search(r"==([^\s;\\]+)", block)
    assert version, block
    return version[1], frozenset(re.findall(r"--hash=(\S+)", block))


def _name(requirement: str) -> str:
    """Source: Python packaging specifications, "Names and normalization"."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


@pytest.mark.parametrize("lock", [*LOCKS, SQL_SERVER])
def test_every_locked_requirement_has_a_version_and_hashes(house: House, lock: str) -> None:
    loose = [
        name
        for name, block in locked(house, lock).items()
        if not re.match(r"\S+==\S+", block) or "--hash=sha256:" not in block
    ]

    assert loose == []


@pytest.mark.parametrize("lock", [*LOCKS, SQL_SERVER])
def test_the_lock_names_no_index_and_no_host(house: House, lock: str) -> None:
    text = house.text(lock)

    assert "://" not in text
    assert not re.search(r"--(extra-)?index|--find-links|--trusted-host", text)


def test_the_lock_covers_what_the_project_asks_for(house: House) -> None:
    project = tomllib.loads(house.text("pyproject.toml"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]

    assert {_name(requirement) for requirement in asked} <= set(locked(house))


@pytest.mark.parametrize("part", LOCKS[1:])
def test_what_is_in_the_image_is_what_is_tested(house: House, part: str) -> None:
    whole, pinned = locked(house), locked(house, part)

    assert {name: _pin(block) for name, block in pinned.items()} == {
        name: _pin(whole[name]) for name in pinned
    }


def test_the_image_has_what_the_project_asks_for_and_nothing_of_its_development(
    house: House,
) -> None:
    project = tomllib.loads(house.text("pyproject.toml"))
    asked = {_name(requirement) for requirement in project["project"]["dependencies"]}
    tools = {_name(requirement) for requirement in project["dependency-groups"]["dev"]}
    runtime = set(locked(house, "requirements-runtime.lock"))

    assert asked <= runtime
    assert tools & runtime == set()


def test_an_image_for_sql_server_has_its_driver_besides(house: House) -> None:
    runtime, whole = locked(house, "requirements-runtime.lock"), locked(house, SQL_SERVER)

    assert {name: whole[name] for name in runtime} == runtime
    more = set(whole) - set(runtime)
    assert more == {"mssql-python", "mssql-python-odbc", "mssql-python-rs"}


def test_no_file_names_a_package_registry_or_a_path_of_one_machine(house: House) -> None:
    naming = []
    for path in house.files():
        if (house.root / path).stat().st_size > TEXT_LIMIT:
            continue
        content = (house.root / path).read_bytes().decode("utf-8", "replace")
        found = [host for host in REGISTRIES if host in content]
        found += [match[0] for match in MACHINE.finditer(content)]
        if found:
            naming.append(f"{path}: {sorted(set(found))}")

    assert naming == []
