"""The `cirahub` command: its group, its options, passes and plans from files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from cirahub_operator import cli
from cirahub_operator.cli import cirahub
from cirahub_sync.configuration import HubConfig, SecretFile, SpokeConfig
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.identity.base import CredentialSource
from cirahub_sync.planned import PlannedAction, PlanReport
from cirahub_sync.spoke_set import SpokeSetConfig
from cirahub_sync.worker import Progress, Worker, WorkerSettings

from .scripted import ScriptedEngine
from .stage import CLIENT, Manifest, connection, hub, spoke

SECRET_AUTH = {"clientSecret": {"clientID": CLIENT, "secretRef": {"name": "graph", "key": "value"}}}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "graph"},
    "stringData": {"value": "s3cret"},
}


class PlanningEngine(ScriptedEngine):
    actions: Sequence[PlannedAction] = ()
    opened: tuple[WorkerSettings, CredentialSource] | None = None

    async def plan(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        sets: Sequence[SpokeSetConfig] = (),
        progress: Progress | None = None,
    ) -> PlanReport:
        return PlanReport(report=await self.run_pass(hub, spokes, sets=sets), actions=self.actions)


Command = Callable[..., Result]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> PlanningEngine:
    made = PlanningEngine()

    def opening(settings: WorkerSettings, credentials: CredentialSource) -> PlanningEngine:
        made.opened = (settings, credentials)
        return made

    monkeypatch.setattr(Worker, "open", opening)
    return made


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command with a state folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("CIRAHUB_DATABASE", "CIRAHUB_KEY_FILE", "CIRAHUB_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cirahub, [str(one) for one in arguments], input=stdin)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(*manifests: Manifest, name: str = "demo.yaml") -> Path:
        path = tmp_path / name
        path.write_text(yaml.safe_dump_all(manifests))
        return path

    return to_file


Write = Callable[..., Path]


def everything() -> list[Manifest]:
    return [connection(auth=SECRET_AUTH), hub(), spoke("ann"), spoke("bob"), SECRET]


def test_a_subcommand_that_can_not_be_loaded_says_so_and_breaks_no_other(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "no_such_module:command", cli.COMMANDS)
    found = cli._found()
    monkeypatch.setattr(cli, "_found", lambda: {**found, "broken": broken})
    listed = command("--help")
    assert listed.exit_code == 0
    assert "Cannot be loaded" in listed.stdout
    assert "operator" in listed.stdout
    called = command("broken", "--whatever")
    assert called.exit_code == 1
    assert "cannot be loaded from no_such_module:command" in called.stderr


@pytest.mark.parametrize("name", ["erase", "operator", "pass", "plan"])
def test_every_option_of_a_command_is_explained(command: Command, name: str) -> None:
    loaded = cli._found()[name].load()
    assert all(one.help for one in loaded.params if isinstance(one, click.Option))
    help_text = command(name, "--help")
    assert help_text.exit_code == 0
    assert "Exit codes" in help_text.stdout


def test_the_version_is_told(command: Command) -> None:
    assert "cirahub, version " in command("--version").stdout


def test_a_pass_prints_progress_and_a_table(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    ran = command("pass", "--init-key", "-f", write(*everything()))
    assert ran.exit_code == 0, ran.output
    assert "pulled 100 changes" in ran.stderr
    assert "Hub default/staff: 7 items" in ran.stdout
    assert [line.split()[0] for line in ran.stdout.splitlines()[1:]] == ["SPOKE", "ann", "bob"]
    assert engine.passes[0].names == ["ann", "bob"]


def test_a_pass_gives_its_report_as_json(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    ran = command("pass", "--init-key", "-q", "-o", "json", "-f", write(*everything()))
    report = json.loads(ran.stdout)
    assert report[0]["hub"] == "default/staff"
    assert len(report[0]["spokes"]) == 2


async def test_a_pass_hands_over_the_secret_from_the_files(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    path = write(*everything())
    import asyncio

    await asyncio.to_thread(command, "pass", "--init-key", "-f", path)
    assert engine.opened is not None
    reference = engine.passes[0].spokes[0].connection.auth.secret  # type: ignore[union-attr]
    found = await engine.opened[1].secret(reference or SecretFile(""))
    assert found.value == "s3cret"


def test_uids_and_the_installation_stay_from_run_to_run(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    path = write(*everything())
    seen = []
    for arguments in (["--init-key"], []):
        command("pass", *arguments, "-f", path)
        assert engine.opened is not None
        seen.append((engine.passes[-1].hub.uid, engine.opened[0].installation))
    assert seen[0] == seen[1]
    assert 1 <= len(seen[0][1]) <= 36


def test_a_failed_spoke_is_exit_code_1(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    def fail(report: PassReport) -> None:
        next(iter(report.spokes.values())).problem = Problem("TargetNotFound", "no such mailbox")

    engine.shape = fail
    ran = command("pass", "--init-key", "-f", write(*everything()))
    assert ran.exit_code == 1
    assert "default/ann: TargetNotFound: no such mailbox" in ran.stdout


def test_guarded_deletions_are_exit_code_3_until_they_are_approved(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    def guard(report: PassReport) -> None:
        if "abc" not in engine.passes[-1].approved:
            report.approval = "abc"
            next(iter(report.spokes.values())).guarded = 60

    engine.shape = guard
    path = write(*everything())
    ran = command("pass", "--init-key", "-f", path)
    assert ran.exit_code == 3
    assert "--approve abc" in ran.stdout
    assert command("pass", "-f", path, "--approve", "abc").exit_code == 0


def test_bad_input_is_exit_code_2_and_nothing_is_opened(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    path = write(
        hub(intervall="5m"),
        spoke("ann", mailbox={}),
        spoke("bob", connectionRef={"name": "elsewhere"}),
    )
    ran = command("pass", "--init-key", "-f", path)
    assert ran.exit_code == 2
    assert engine.opened is None
    assert (
        f"{path}, document 1 (Hub default/staff): spec.intervall: there is no such field; "
        "did you mean interval?" in ran.stderr
    )
    assert "document 2 (Spoke default/ann): spec.mailbox.address: is required" in ran.stderr


@pytest.mark.parametrize(
    ("manifests", "message"),
    [
        ([hub(), spoke()], "there is no Connection 'contoso' in namespace default"),
        ([connection(), hub("other"), spoke()], "there is no Hub 'staff' in namespace default"),
        ([connection()], "no Hub in there"),
        ([hub(), hub()], "the same object stands in"),
        ([hub() | {"apiVersion": "cirahub.io/v1"}], "apiVersion: write cirahub.io/v1alpha1"),
        ([hub() | {"kind": "Wheel"}], "cirahub.io has no kind Wheel"),
        ([hub() | {"metadata": {}}], "metadata.name is missing"),
    ],
)
def test_objects_that_do_not_fit_together_are_bad_input(
    command: Command, write: Write, engine: PlanningEngine, manifests: list[Manifest], message: str
) -> None:
    ran = command("pass", "--init-key", "-f", write(*manifests))
    assert ran.exit_code == 2
    assert message in ran.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("kind: Hub\nkind: Spoke\n", "the key 'kind' occurs twice"),
        ("- a\n", "not an object"),
    ],
)
def test_text_that_is_no_manifest_is_bad_input(
    command: Command, engine: PlanningEngine, text: str, message: str
) -> None:
    ran = command("pass", "--init-key", "-f", "-", stdin=text)
    assert ran.exit_code == 2
    assert "standard input" in ran.stderr
    assert message in ran.stderr


def test_yes_and_no_are_text_as_in_kubernetes(
    command: Command, engine: PlanningEngine, write: Write
) -> None:
    text = yaml.safe_dump_all([connection(auth=SECRET_AUTH), spoke()]) + (
        "---\napiVersion: cirahub.io/v1alpha1\nkind: Hub\nmetadata: {name: staff, "
        "annotations: {note: no, day: 2026-01-01}}\nspec: {suspend: true}\n"
    )
    ran = command("pass", "--init-key", "-f", "-", stdin=text)
    assert ran.exit_code == 0, ran.output


def test_one_of_several_hubs_is_chosen_by_name(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    path = write(*everything(), hub("other"))
    assert command("pass", "--init-key", "-q", "-f", path, "--hub", "other").exit_code == 0
    assert [one.hub.name for one in engine.passes] == ["default/other"]
    unknown = command("pass", "-f", path, "--hub", "third")
    assert unknown.exit_code == 2
    assert "there are default/staff, default/other" in unknown.stderr


def test_a_key_is_made_on_request_only_and_never_beside_a_store(
    command: Command, write: Write, engine: PlanningEngine, tmp_path: Path
) -> None:
    path = write(*everything())
    key = tmp_path / "state/cirahub/key"
    missing = command("pass", "-f", path)
    assert missing.exit_code == 2
    assert "--init-key" in missing.stderr
    assert command("pass", "--init-key", "-f", path).exit_code == 0
    assert len(base64.b64decode(key.read_bytes())) == 32
    assert key.stat().st_mode & 0o777 == 0o600
    text = key.read_bytes()
    assert command("pass", "--init-key", "-f", path).exit_code == 0
    assert key.read_bytes() == text
    key.unlink()
    (tmp_path / "state/cirahub/store.sqlite3").touch()
    lost = command("pass", "--init-key", "-f", path)
    assert lost.exit_code == 2
    assert "a new key would not open it" in " ".join(lost.stderr.split())


def test_a_plan_lists_what_it_would_do(
    command: Command, write: Write, engine: PlanningEngine
) -> None:
    engine.actions = [
        PlannedAction(spoke="default/ann", action="create", item="i1"),
        PlannedAction(spoke="default/ann", action="delete", item="i2", held="Guarded"),
    ]
    path = write(*everything())
    ran = command("plan", "--init-key", "-f", path)
    assert ran.exit_code == 0, ran.output
    assert "1 to create, 0 to update, 0 to delete, 1 held back" in ran.stdout
    assert command("plan", "-f", path, "--detailed-exitcode").exit_code == 4
    engine.actions = ()
    assert command("plan", "-f", path, "--detailed-exitcode").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--own-identity", "namespace=demo"], "write namespace=NAME,tenant=GUID"),
        (["--erase-timeout", "soon"], "write it like 30s, 5m or 1h30m"),
        (["--endpoints", "/nowhere.json"], "cannot be read"),
        (["--health-port", "99999"], "health-port"),
    ],
)
def test_the_operator_refuses_wrong_options(
    command: Command, arguments: list[str], message: str
) -> None:
    ran = command("operator", *arguments)
    assert ran.exit_code == 2
    assert message in ran.stderr
