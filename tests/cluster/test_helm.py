"""Helm is named, found or built once, and sees no cluster but the one that it is given."""

import os
from pathlib import Path

import pytest

from cluster import BinariesMissingError, Helm, HelmFailedError
from cluster.helm import find, version
from cluster.progress import Progress

from .test_binaries import executable

HELM = "#!/bin/sh\necho v{version}\n"
GO = """#!/bin/sh
case "$1" in
version) echo go version go99.0 linux/amd64 ;;
list) echo fmt ;;
build)
    echo "$@" >> "{calls}"
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho v4.3.1\\n' > "$2/helm"; chmod +x "$2/helm" ;;
esac
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is of programs but those of the system."""
    monkeypatch.delenv("HELM", raising=False)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path / "bin"), "/usr/bin", "/bin")))
    return tmp_path / "bin"


def test_the_one_that_is_named_is_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(path / "helm", HELM.format(version="4.3.1"))
    named = executable(path.parent / "other" / "helm", HELM.format(version="3.14.0"))
    monkeypatch.setenv("HELM", str(named))

    assert find() == named


@pytest.mark.parametrize("answer", [HELM.format(version="3.13.9"), "#!/bin/sh\nexit 1\n"])
def test_one_that_is_named_and_too_old_or_none_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setenv("HELM", str(executable(path.parent / "other" / "helm", answer)))

    with pytest.raises(BinariesMissingError, match=r"HELM names .*no Helm of 3\.14 or newer"):
        find()


def test_that_of_the_machine_is_used_if_it_is_recent(path: Path) -> None:
    found = executable(path / "helm", HELM.format(version="3.14.2+g1234567"))

    assert find() == found
    assert version(found) == (3, 14, 2)


@pytest.mark.usefixtures("empty_cache")
def test_an_old_one_is_passed_over_for_one_that_is_built_once(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    executable(path / "helm", HELM.format(version="2.17.0"))
    calls = tmp_path / "calls"
    executable(path / "go", GO.format(calls=calls))

    built = find(Progress())

    assert version(built) == (4, 3, 1)
    assert find() == built
    (call,) = calls.read_text().splitlines()
    assert "-X helm.sh/helm/v4/internal/version.version=v4.3.1" in call
    assert "building Helm v4.3.1 (helm), once" in capsys.readouterr().err


def test_it_sees_neither_the_cluster_nor_the_plugins_of_who_runs_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/someone/production")
    monkeypatch.setenv("HELM_NAMESPACE", "production")
    monkeypatch.setenv("HELM_PLUGINS", "/home/someone/plugins")
    shown = '#!/bin/sh\n[ "$1" = version ] && echo v4.3.1 || env\n'
    executable(path / "helm", shown)

    told = Helm.of(tmp_path / "home").run("env")

    assert "production" not in told
    assert "/home/someone" not in told
    assert f"HELM_CONFIG_HOME={tmp_path}/home/CONFIG" in told
    mine = Helm.of(tmp_path / "home", tmp_path / "mine").run("env")
    assert f"KUBECONFIG={tmp_path}/mine" in mine


def test_what_it_complains_of_is_told(path: Path, tmp_path: Path) -> None:
    complaining = (
        '#!/bin/sh\n[ "$1" = version ] && echo v4.3.1 && exit\necho no chart >&2\nexit 1\n'
    )
    executable(path / "helm", complaining)

    with pytest.raises(HelmFailedError, match="helm lint x ended with 1: no chart") as error:
        Helm.of(tmp_path).run("lint", "x")
    assert error.value.stderr == "no chart\n"
