"""What is taken out of the node, and of what plays on it."""

from __future__ import annotations

from prove.breakage import Breakage

NODE = "Node"
_TESTS = "tests/node/test_node.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=NODE,
        what="the kubelet answers everybody",
        file="hack/cluster/node/configuration.py",
        old='"anonymous": {"enabled": False}',
        new='"anonymous": {"enabled": True}',
        tests=f"{_TESTS}::test_the_kubelet_answers_the_api_server_alone",
    ),
    Breakage(
        guards=NODE,
        what="pods ask for names where nobody tells them",
        file="hack/cluster/node/configuration.py",
        old='"clusterDNS": [self.link.dns]',
        new='"clusterDNS": [self.link.host]',
        tests=f"{_TESTS}::test_a_pod_reaches_a_service_by_its_name_and_a_job_completes",
    ),
    Breakage(
        guards=NODE,
        what="it is tried without root",
        file="hack/cluster/node/node.py",
        old="if os.geteuid() != 0:",
        new="if os.geteuid() < 0:",
        tests=f"{_TESTS}::test_who_is_not_root_is_told_so",
    ),
    Breakage(
        guards=NODE,
        what="the story is played where somebody has our definitions",
        file="hack/e2e/site.py",
        old='if any(one["spec"]["group"] == "cirahub.io" for one in names):',
        new="if not names:",
        tests="tests/e2e/test_parts.py::test_a_cluster_that_somebody_uses_is_left_alone",
    ),
    Breakage(
        guards=NODE,
        what="the story does not see that somebody is there twice",
        file="hack/e2e/expectation.py",
        old="most = 1 if _are_one(told) else len(told)",
        new="most = 1 + len(told)",
        tests="tests/e2e/test_expectation.py",
    ),
    Breakage(
        guards=NODE,
        what="what a pod said is lost with it",
        file="hack/e2e/soak/said.py",
        old="os.link(log, kept)",
        new="kept.write_bytes(log.read_bytes())",
        tests="tests/e2e/test_soak.py::test_what_a_pod_said_outlives_it",
    ),
    Breakage(
        guards=NODE,
        what="a PostgreSQL that is reached from outside loses what it confirmed",
        file="hack/postgres/server.py",
        old="synchronous_commit = on\n",
        new="synchronous_commit = off\nwal_writer_delay = 10s\n",
        tests="tests/postgres/test_server.py::"
        "test_one_that_listens_lets_in_who_has_a_password_and_keeps_what_it_confirmed",
    ),
)
