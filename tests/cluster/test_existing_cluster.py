"""A cluster that we are handed is used as it is, or refused with a reason."""

from pathlib import Path

import pytest

from cluster import ClusterUnusableError, ControlPlane
from cluster.access import existing_cluster

NAMED = "CIRAHUB_TEST_KUBECONFIG"


def test_none_is_used_unless_named_for_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAMED, raising=False)
    monkeypatch.setenv("KUBECONFIG", "/home/someone/production")

    with existing_cluster() as existing:
        assert existing is None


def test_the_named_one_is_used_in_its_current_context(
    own_control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAMED, str(own_control_plane.kubeconfig))

    with existing_cluster() as existing:
        assert existing is not None
        assert existing.url == own_control_plane.url
        assert existing.issuer == own_control_plane.issuer
        assert existing.ca_file.read_text() == own_control_plane.ca_file.read_text()
        assert existing.kubectl("get", "--raw", "/readyz") == "ok"


def test_one_that_is_named_and_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAMED, str(tmp_path / "nothing"))

    with pytest.raises(ClusterUnusableError, match="is no file"), existing_cluster():
        pytest.fail("it was accepted")


def test_one_that_does_not_answer_is_an_error(
    own_control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "kubeconfig"
    silent.write_text(
        own_control_plane.kubeconfig.read_text().replace(
            own_control_plane.url, "https://127.0.0.1:1"
        )
    )
    monkeypatch.setenv(NAMED, str(silent))

    with pytest.raises(ClusterUnusableError, match="does not answer"), existing_cluster():
        pytest.fail("it was accepted")
