"""What `make e2e` is made of, as far as it can be tried without pods."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import ControlPlane
from cluster.access import EXISTING
from e2e import site, versions
from e2e.__main__ import main
from e2e.errors import EndToEndError
from e2e.image import Image
from e2e.versions import ROOT, Version


@pytest.mark.parametrize(
    ("name", "repository", "tag", "digest"),
    [
        ("registry.example:5000/a/b:1.2", "registry.example:5000/a/b", "1.2", ""),
        ("registry.example:5000/a/b", "registry.example:5000/a/b", "", ""),
        ("a/b@sha256:00", "a/b", "", "sha256:00"),
        ("a/b:1@sha256:00", "a/b", "1", "sha256:00"),
    ],
)
def test_a_name_is_taken_apart_as_the_chart_wants_it(
    name: str, repository: str, tag: str, digest: str
) -> None:
    image = Image.named(name)

    assert (image.repository, image.tag, image.digest) == (repository, tag, digest)
    assert image.name == name
    assert image.policy == "IfNotPresent"


def test_a_cluster_that_somebody_uses_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with ControlPlane.start() as plane:
        plane.kubectl("apply", "--filename", ROOT / "crds")
        monkeypatch.setenv(EXISTING, str(plane.kubeconfig))

        with (
            pytest.raises(EndToEndError, match=r"has definitions of cirahub.io"),
            site.existing(),
        ):
            pytest.fail("it was taken")

        assert "cirahub-e2e" not in plane.kubectl("get", "clusterrolebindings", "-o", "name")


def test_where_there_can_be_no_node_it_can_be_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["e2e", "--if-possible"])

    assert main() == 0
    assert "skipped. A node of our own needs root" in capsys.readouterr().out


def test_a_first_commit_has_none_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "README.md").touch()
    git("add", "README.md")
    git("commit", "--message=first")
    monkeypatch.setattr(versions, "ROOT", tmp_path)

    assert Version.before(tmp_path / "before") is None

    git("commit", "--allow-empty", "--message=without an image or a chart")
    assert Version.before(tmp_path / "before") is None
