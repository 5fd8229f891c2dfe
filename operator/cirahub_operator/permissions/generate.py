"""Writes the RBAC manifests, the chart's templates of them and `docs/permissions.md` from the
rules, or checks that they are as the rules say (`--check`). Run by `make generate`, from the
repository's root:

    python -m cirahub_operator.permissions.generate [--check]
"""

from __future__ import annotations

from pathlib import Path

from cirahub_operator import generated
from cirahub_operator.permissions import manifests
from cirahub_operator.permissions.page import page
from cirahub_operator.permissions.template import template

DOCS = Path("docs")
RBAC = Path("charts/cirahub-operator/generated/rbac")
TEMPLATES = Path("charts/cirahub-operator/templates")


def files() -> dict[Path, str]:
    made = {RBAC / name: text for name, text in manifests.files().items()}
    return made | {DOCS / "permissions.md": page(), TEMPLATES / "_rules.tpl": template()}


main = generated.command(__doc__, files, shared=[DOCS, TEMPLATES])

if __name__ == "__main__":
    main()
