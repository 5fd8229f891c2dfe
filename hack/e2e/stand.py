"""The simulator as a pod."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cirahub_simulator.client import AdminClient
from cluster.access import Cluster
from e2e.background import Background
from e2e.image import Image

MANIFEST = Path(__file__).with_name("simulator.yaml")
NAMESPACE, POD = "cirahub-simulator", "simulator"
ADMIN_PORT = 8081
WITHIN = "120s"


@dataclass(frozen=True, slots=True)
class Stand:
    origins: Mapping[str, str]
    """By Microsoft's own."""
    ca: str
    """PEM."""
    admin: AdminClient

    @classmethod
    @contextmanager
    def set_up(cls, cluster: Cluster, image: Image, background: Background) -> Iterator[Self]:
        manifest = string.Template(MANIFEST.read_text()).substitute(
            image=image.name, policy=image.policy, issuer=cluster.issuer
        )
        cluster.kubectl("apply", "--filename", "-", input=manifest)
        ready = ("--for=condition=Ready", f"pod/{POD}", f"--timeout={WITHIN}")
        cluster.kubectl("wait", "--namespace", NAMESPACE, *ready)

        def read(file: str) -> str:
            return cluster.kubectl("exec", "--namespace", NAMESPACE, POD, "--", "cat", file)

        origins = json.loads(read("/tmp/endpoints.json"))["origins"]  # noqa: S108 - the pod's own
        ca = read("/tmp/ca.pem")  # noqa: S108 - the pod's own
        with background.forwarded(cluster, NAMESPACE, f"pod/{POD}", ADMIN_PORT) as port:
            yield cls(origins, ca, AdminClient(f"http://127.0.0.1:{port}"))
