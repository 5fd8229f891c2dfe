"""What several of these tests do with a cluster: ask it from outside, and wait for it."""

import json
import ssl
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from cluster import Cluster

WITHIN = 30.0


class Anonymous(Protocol):
    """GET a path or URL without credentials, and return the decoded JSON."""

    def __call__(self, url: str) -> dict[str, object]: ...


@pytest.fixture
def anonymous(control_plane: Cluster) -> Anonymous:
    trust = ssl.create_default_context(cafile=str(control_plane.ca_file))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
    )

    def get(url: str) -> dict[str, object]:
        with opener.open(url, timeout=WITHIN) as response:
            document: dict[str, object] = json.load(response)
        return document

    return get


@pytest.fixture
def controllers(control_plane: Cluster) -> None:
    """Only where the binaries that were named brought kube-controller-manager along."""
    if not control_plane.has_controllers:
        pytest.skip("needs kube-controller-manager")


Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def eventually() -> Eventually:
    """Poll a condition until it holds, and fail when it does not within 30 seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come to hold"
            time.sleep(0.05)

    return wait


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing was built and no binaries were named."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return cache
