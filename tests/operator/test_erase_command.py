"""`cirahub erase`, on a real store, with a simulated tenant behind it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import Cluster

from .laptop import SECRET, Laptop, opened
from .stage import spoke

ENTRA = "https://login.microsoftonline.com"


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    with opened(tmp_path) as made:
        made.declare()
        made.add("ann", "Ada")
        made.add("bob", "Ben")
        made.sync()
        yield made


def _leave(laptop: Laptop) -> str:
    """Bob leaves, and for want of a role nothing of it gets through; the job's id."""
    rule = laptop.simulator.admin.add_rule("status", service="graph", status=403)
    ran = laptop.run("erase", "--spoke", "bob", "--yes", files=True)
    assert ran.exit_code == 1, ran.output
    laptop.simulator.admin.remove_rule(rule)
    (job,) = json.loads(laptop.run("erase", "--list", "-o", "json").stdout)
    return str(job["id"])


def test_a_spoke_is_erased_from_a_laptop(laptop: Laptop) -> None:
    ran = laptop.run("erase", "--spoke", "bob", "--yes", files=True)
    assert ran.exit_code == 0, ran.output
    assert ran.stdout == (
        "Spoke default/bob: erased; 2 copies deleted, 1 items erased, 0 items changed, "
        "0 copies remain\n"
    )
    assert laptop.names("cy") == ["Ada"]
    assert laptop.names("bob") == ["Ben"], "its own"
    assert laptop.run("erase").stdout == "Nothing leaves.\n"


def test_a_hub_is_erased_from_a_laptop(laptop: Laptop) -> None:
    ran = laptop.run("erase", "--hub", "staff", "--yes", files=True)
    assert ran.exit_code == 0, ran.output
    assert "Hub default/staff: erased; 3 copies deleted, 2 items erased" in ran.stdout
    assert laptop.names("cy") == []


def test_what_remains_is_listed_with_the_reason_and_resumed(laptop: Laptop) -> None:
    _leave(laptop)
    ran = laptop.run("erase", "--list")
    assert ran.exit_code == 0
    heading, row = ran.stdout.splitlines()
    assert heading.split()[:3] == ["NAME", "KIND", "SINCE"]
    assert row.split()[:2] == ["default/bob", "Spoke"]
    assert "AccessDenied" in row
    assert laptop.names("cy") == ["Ada", "Ben"]
    ran = laptop.run("erase", "--resume", "default/bob", files=True)
    assert ran.exit_code == 0, ran.output
    assert laptop.names("cy") == ["Ada"]


def test_an_attempt_that_does_not_get_through_ends_with_1(laptop: Laptop) -> None:
    job = _leave(laptop)
    laptop.simulator.admin.add_rule("status", service="graph", status=403)
    ran = laptop.run("erase", "--resume", job, files=True)
    assert ran.exit_code == 1
    assert "not erased yet" in ran.stdout
    assert "AccessDenied: " in ran.stdout


def test_who_is_in_its_grace_period_is_left_alone_unless_it_is_meant(laptop: Laptop) -> None:
    job = _leave(laptop)
    laptop.wait(job, 3600.0)
    ran = laptop.run("erase", "--resume", files=True)
    assert ran.exit_code == 0
    assert ran.stdout == "Nothing is to be erased.\n"
    assert "in its grace period until 20" in ran.stderr
    ran = laptop.run("erase", "--resume", "bob", files=True)
    assert ran.exit_code == 2
    assert "add --now" in ran.stderr
    assert laptop.run("erase", "--now", "bob", files=True).exit_code == 2
    assert laptop.names("bob") == ["Ada", "Ben"]
    ran = laptop.run("erase", "--now", "bob", "--yes", files=True)
    assert ran.exit_code == 0, ran.output
    assert laptop.names("bob") == ["Ben"]


def test_what_can_not_be_reached_can_be_given_up(laptop: Laptop) -> None:
    _leave(laptop)
    assert laptop.run("erase", "--abandon", "bob").exit_code == 2
    ran = laptop.run("erase", "--abandon", "bob", "--yes")
    assert ran.exit_code == 0, ran.output
    assert "Spoke default/bob: given up" in ran.stdout
    assert laptop.run("erase", "--list").stdout == "Nothing leaves.\n"


def test_a_pass_that_is_under_way_is_waited_for(laptop: Laptop) -> None:
    job = _leave(laptop)
    store = laptop.store()
    with store.database.read() as connection:
        (uid,) = connection.exec_driver_sql("SELECT uid FROM hubs").scalars()
    under_way = store.hub(uid)
    under_way.acquire()
    ran = laptop.run("erase", "--resume", job, "--wait", "1ms", files=True)
    assert ran.exit_code == 1
    assert "PassUnderWay" in ran.stdout
    ending = threading.Timer(1.0, under_way.release)
    ending.start()
    ran = laptop.run("erase", "--resume", job, files=True)
    ending.join()
    assert ran.exit_code == 0, ran.output
    assert "a pass is under way, waiting for its end" in ran.stderr
    store.close()


def test_without_manifests_the_cluster_hands_over_the_secret(
    laptop: Laptop,
    control_plane: Cluster,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    laptop.namespace = namespace
    laptop.run("erase", "--hub", "staff", "--yes", files=True)
    laptop.declare()
    laptop.sync()
    job = _leave(laptop)
    ran = laptop.run("erase", "--resume", job)
    assert ran.exit_code == 1, "there is no such Secret"
    assert "SecretNotFound" in ran.stdout
    create = ("create", "secret", "generic", "graph", f"--from-literal=value={SECRET}")
    control_plane.kubectl("-n", namespace, *create)
    ran = laptop.run("erase", "--resume", job)
    assert ran.exit_code == 0, ran.output
    assert laptop.names("bob") == ["Ben"]


def _leaves_in_cluster(
    laptop: Laptop, plane: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """As `_leave`, of a Hub in a namespace of that cluster, with its Secret."""
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    create = ("create", "secret", "generic", "graph", f"--from-literal=value={SECRET}")
    plane.kubectl("-n", namespace, *create)
    laptop.run("erase", "--hub", "staff", "--yes", files=True)
    laptop.namespace = namespace
    laptop.declare()
    laptop.sync()
    return _leave(laptop)


def _lead_entra_to(address: str, laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name, and the endpoints file has no other place for it any more."""
    path = laptop.folder / "endpoints.json"
    endpoints = json.loads(path.read_text())
    del endpoints["origins"][ENTRA]
    path.write_text(json.dumps(endpoints))
    system = socket.getaddrinfo

    def lying(host: str, *arguments: Any, **options: Any) -> Any:
        return system(address if f"https://{host}" == ENTRA else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lying)


@pytest.mark.parametrize("files", [True, False], ids=["manifests", "stored"])
def test_nothing_is_sent_to_the_clusters_pods(
    laptop: Laptop,
    control_plane: Cluster,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    files: bool,
) -> None:
    job = _leaves_in_cluster(laptop, control_plane, namespace, monkeypatch)
    _lead_entra_to("10.244.7.8", laptop, monkeypatch)
    ran = laptop.run("erase", "--resume", job, "--cluster-range", "10.244.0.0/16", files=files)
    assert ran.exit_code == 1, ran.output
    assert "AddressRefused: " in ran.stdout
    assert "10.244.7.8, which is in a range of the cluster" in ran.stdout


def test_nor_to_its_services_which_are_known_without_an_option(
    laptop: Laptop, control_plane: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _leaves_in_cluster(laptop, control_plane, namespace, monkeypatch)
    asked = ("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")
    service = control_plane.kubectl("-n", "default", *asked)
    _lead_entra_to(service, laptop, monkeypatch)
    ran = laptop.run("erase", "--resume", job)
    assert ran.exit_code == 1, ran.output
    assert f"{service}, which is in a range of the cluster" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--resume", "--cluster-range", "10.0.0.0/99"), "write it like 10.96.0.0/12"),
        (("--resume", "--abandon", "bob", "--yes"), "not both"),
        (("bob",), "say what to do"),
        (("--spoke", "bob", "--yes"), "--filename"),
        (("--abandon", "--yes"), "NAMEs"),
        (("--resume", "nobody"), "no such leaver"),
    ],
)
def test_what_makes_no_sense_does_nothing(
    laptop: Laptop,
    arguments: tuple[str, ...],
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
    control_plane: Cluster,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    ran = laptop.run("erase", *arguments)
    assert ran.exit_code == 2, ran.output
    assert remedy in ran.stderr


@pytest.mark.parametrize("option", ["--spoke", "--hub"])
def test_a_name_that_the_manifests_do_not_have_erases_nobody(laptop: Laptop, option: str) -> None:
    ran = laptop.run("erase", option, "nobody", "--yes", files=True)
    assert ran.exit_code == 2, ran.output
    assert "there is no such" in ran.stderr
    assert laptop.names("cy") == ["Ada", "Ben"]


def test_a_spoke_that_never_synced_has_nothing_to_erase(laptop: Laptop) -> None:
    laptop.declare(spoke("ann"), spoke("bob"), spoke("cy"), spoke("dan"))
    ran = laptop.run("erase", "--spoke", "dan", "--yes", files=True)
    assert ran.exit_code == 0, ran.output
    assert ran.stdout == "Nothing is to be erased.\n"
    assert "knows nothing of it" in ran.stderr
