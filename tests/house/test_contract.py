"""Who may import whom, as pyproject.toml states it."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from .conftest import House

LINT_IMPORTS = Path(sysconfig.get_path("scripts"), "lint-imports")


def lint_imports(root: Path, config: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINT_IMPORTS), "--config", str(config), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_import_contract_holds(house: House) -> None:
    told = lint_imports(house.root, house.root / "pyproject.toml")

    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("who", ["cirahub_sync", "cirahub_simulator"])
def test_the_contract_is_one_that_can_be_broken(house: House, tmp_path: Path, who: str) -> None:
    """Both import msgspec: forbidding that must fail, or the check looks at nothing."""
    config = tmp_path / "contract.toml"
    config.write_text(
        '[tool.importlinter]\nroot_packages = ["cirahub_sync", "cirahub_simulator"]\n'
        "include_external_packages = true\n\n[[tool.importlinter.contracts]]\n"
        f'name = "No msgspec"\ntype = "forbidden"\nsource_modules = ["{who}"]\n'
        'forbidden_modules = ["msgspec"]\n'
    )

    assert lint_imports(house.root, config).returncode == 1
