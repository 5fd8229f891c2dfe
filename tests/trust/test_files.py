"""A token file as `file`: no manifest can name a file of the machine that reads it, and what a
wrong file holds is told to nobody."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.operator import stage as words
from tests.operator.conftest import definitions, stage
from tests.operator.stage import CLIENT, Manifest, Stage

from cirahub_operator.api import KINDS
from cirahub_operator.api.crd import openapi
from cirahub_operator.cli import cirahub, manifests
from cirahub_operator.cli.files import FileCredentials
from cirahub_operator.origin import SecretOrigin
from cirahub_sync.configuration import SecretFile
from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import Material
from cluster import KubectlFailedError

__all__ = ["definitions", "stage"]

TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
CANARY = "eyJhbGciOiJSUzI1NiJ9.Pimpernell.Zimtstern"


def _secret(**reference: object) -> Manifest:
    return words.connection(auth={"clientSecret": {"clientID": CLIENT, **reference}})


def _identity(**more: object) -> Manifest:
    return words.connection(auth={"workloadIdentity": {"clientID": CLIENT, **more}})


FILES: dict[str, Manifest] = {
    "a file for the secret": _secret(file=TOKEN_FILE),
    "a path for the secret": _secret(secretRef={"path": TOKEN_FILE}),
    "a file beside the Secret": _secret(secretRef={"name": "a", "key": "b", "file": TOKEN_FILE}),
    "a path as the Secret's name": _secret(secretRef={"name": TOKEN_FILE, "key": "token"}),
    "a path as the key": _secret(secretRef={"name": "a", "key": TOKEN_FILE}),
    "a key that climbs": _secret(secretRef={"name": "a", "key": "../../proc/self/environ"}),
    "a name that climbs": _secret(secretRef={"name": "../kube-system/a", "key": "token"}),
    "a Secret of another namespace": _secret(
        secretRef={"name": "a", "key": "token", "namespace": "kube-system"}
    ),
    "another namespace in the name": _secret(secretRef={"name": "kube-system/a", "key": "token"}),
    "an assertion's file": _identity(tokenFile=TOKEN_FILE),
    "a federated token's file": _identity(federatedTokenFile="/proc/self/environ"),
    "a ServiceAccount of another namespace": _identity(serviceAccountName="kube-system/default"),
    "a ServiceAccount that climbs": _identity(serviceAccountName="../../kube-system/x"),
    "a ServiceAccount with its namespace": _identity(
        serviceAccountName="sync", serviceAccountNamespace="kube-system"
    ),
    "a vault that is a file": _secret(
        keyVault={"vaultURL": f"file://{TOKEN_FILE}", "name": "a"},
        workloadIdentity={"clientID": CLIENT},
    ),
    "a connection that is files": words.connection(files={"path": "/etc"}),
}


@pytest.mark.parametrize("manifest", FILES.values(), ids=FILES)
def test_the_models_know_no_file_and_no_other_namespace(manifest: Manifest) -> None:
    made = manifests.Manifests()
    mistakes: list[str] = []
    manifests.take(manifest, "manifest.yaml", made, mistakes)
    assert mistakes
    assert made.connections == []


async def test_the_api_server_knows_none_either(stage: Stage) -> None:
    for manifest in FILES.values():
        with pytest.raises(KubectlFailedError):
            await stage.apply(manifest)


def test_no_field_of_any_kind_is_a_path() -> None:
    """But the folder of a mailbox, a public folder on a server, and an address book's path there,
    which is asked for on the Connection's origin with its password. Who adds one has to say here
    why it can't be used to read what the operator may read and the manifest's author may not."""
    found = {
        f"{kind.definition.kind}.{name}"
        for kind in KINDS
        for name in _fields(openapi(kind)["properties"]["spec"])
        if any(word in name.lower() for word in ("file", "path", "mount", "volume", "folder"))
    }
    assert found == {
        "Spoke.mailbox.folder",
        "SpokeSet.template.mailbox.folder",
        "Spoke.publicFolder",
        "Spoke.publicFolder.path",
        "Spoke.publicFolder.contentMailbox",
        "Spoke.addressBook.path",
    }


def _fields(schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, field in (schema.get("properties") or {}).items():
        yield f"{prefix}{name}"
        yield from _fields(field, f"{prefix}{name}.")
    if "items" in schema:
        yield from _fields(schema["items"], prefix)


@pytest.mark.parametrize(
    "origin",
    [
        f"Secret demo/graph, key {TOKEN_FILE}",
        "Secret demo/.., key token",
        "Secret ../.., key ../../../../proc/self/environ",
    ],
)
async def test_secrets_from_files_are_those_of_manifests_only(origin: str) -> None:
    there = FileCredentials({SecretOrigin("demo", "graph", "value"): Material(value="s3cret")})
    found = await there.secret(SecretFile("Secret demo/graph, key value"))
    assert found.value == "s3cret"
    with pytest.raises((CredentialError, ValueError)) as refused:
        await there.secret(SecretFile(origin))
    if isinstance(refused.value, CredentialError):
        assert refused.value.reason == "SecretNotFound"


CONTENTS: dict[str, bytes] = {
    "a token": CANARY.encode(),
    "a token that YAML stumbles over": f"a: b: {CANARY}".encode(),
    "a token in quotes that don't end": f'stringData: {{value: "{CANARY}'.encode(),
    "a token that looks like an alias": f"value: *{CANARY}".encode(),
    "a token that looks like a tag": f"value: !{CANARY} x".encode(),
    "a token that looks like a directive": f"%{CANARY}\n---\na".encode(),
    "an environment": f"PATH=/bin\0SECRET={CANARY}\0".encode(),
    "a Secret with a mistake in it": (
        f'apiVersion: v1\nkind: Secret\nmetadata: {{name: graph}}\ndata:\n  value: "{CANARY}"\n'
    ).encode(),
    "a Secret with a wrong indent": (
        f"apiVersion: v1\nkind: Secret\nstringData:\n  a: '{CANARY}'\n b: {CANARY}\n"
    ).encode(),
    "bytes": b"\xff\xfe" + CANARY.encode(),
    "base64": base64.b64encode(CANARY.encode()) + b": [",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("way", ["named", "through a link"])
def test_what_a_wrong_file_holds_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, way: str
) -> None:
    """A pipeline's log is read by more people than its files are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    outside = tmp_path / "outside"
    outside.write_bytes(content)
    folder = tmp_path / "manifests"
    folder.mkdir()
    if way == "named":
        done = _pass(outside)
    else:
        (folder / "innocent.yaml").symlink_to(outside)
        done = _pass(folder)
    assert done.exit_code != 0
    for hidden in ("Pimpernell", "Zimtstern", base64.b64encode(CANARY.encode()).decode()[:20]):
        assert hidden not in done.output
    assert "innocent.yaml" in done.output or "outside" in done.output


def _pass(path: Path) -> Result:
    return CliRunner().invoke(cirahub, ["plan", "-f", str(path)])
