"""Files that are made from our own data: commands that write them, or compare (`--check`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import click

Files = Mapping[Path, str]
"""What should be there, by path below the repository's root."""


def command(
    about: str, files: Callable[[], Files], *, shared: Collection[Path] = ()
) -> click.Command:
    """`shared`: folders that hold other files, too; all others hold nothing else."""

    @click.command(help=about)
    @click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something differs.")
    @click.option(
        "--root",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        default=Path(),
        help="The repository's root. Default: the current folder.",
    )
    def main(*, check: bool, root: Path) -> None:
        wanted = files()
        if not check:
            for path, text in wanted.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        differences = _drift(wanted, root, shared)
        for line in differences:
            click.echo(line, err=True)
        if differences:
            click.echo("Run `make generate` and commit what it writes.", err=True)
            sys.exit(1)

    return main


def _drift(wanted: Files, root: Path, shared: Collection[Path]) -> list[str]:
    """What differs from what should be there, a line each."""
    found = []
    for path, text in wanted.items():
        if not (root / path).is_file():
            found.append(f"{path} is missing")
        elif (root / path).read_text() != text:
            found.append(f"{path} differs from the models")
    for folder in sorted({path.parent for path in wanted} - set(shared)):
        found += [
            f"{path.relative_to(root)} is made from no model"
            for path in sorted((root / folder).glob("*"))
            if path.relative_to(root) not in wanted
        ]
    return found
