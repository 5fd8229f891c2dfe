"""`--database`: a URL whose password nobody else sees."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cirahub_operator.cli.operator import command as operator
from cirahub_operator.cli.plan import command as plan

SECRET = "sesame-open-7"
URL = f"postgresql://cirahub:{SECRET}@127.0.0.1:1/cirahub"


@pytest.mark.parametrize("command", [operator, plan], ids=["operator", "plan"])
def test_a_password_on_the_command_line_is_refused(command: click.Command) -> None:
    done = CliRunner().invoke(command, [f"--database={URL}"])
    assert done.exit_code == 2
    assert "give the URL by the variable CIRAHUB_DATABASE" in " ".join(done.output.split())
    assert SECRET not in done.output


@pytest.mark.parametrize("url", [URL.replace(":1/", ":1x/"), f"cirahub:{SECRET}"])
def test_a_url_that_is_none_is_told_without_what_may_be_secret(url: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    done = CliRunner().invoke(
        operator, ["--dev", f"--key-file={key}"], env={"CIRAHUB_DATABASE": url}
    )
    assert done.exit_code == 2
    assert "--database is no URL; write it like" in done.output
    assert SECRET not in done.output
