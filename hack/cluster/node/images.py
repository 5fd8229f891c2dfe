"""Images of one static program: what a node needs of its own, without a registry."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

from cluster.errors import NodeFailedError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Go's names for what `uname -m` says."""
NOBODY = "65534:65534"


def write(into: Path, name: str, program: Path, machine: str) -> None:
    """An archive as `docker save` makes it. Source: Docker Image Specification v1.2, "Combined
    Image JSON + Filesystem Changeset Format"."""
    if machine not in ARCHITECTURES:
        raise NodeFailedError(
            f"Images are made for {' and '.join(ARCHITECTURES)}, and this machine is {machine}."
        )
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        _add(archive, program.name, program.read_bytes(), mode=0o755)
    config = {
        "architecture": ARCHITECTURES[machine],
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": NOBODY},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"],
        },
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(into, mode="w") as archive:
        _add(archive, "layer.tar", layer.getvalue())
        _add(archive, "config.json", json.dumps(config).encode())
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = mode
    archive.addfile(member, io.BytesIO(content))
