"""`examples/exchange-hybrid`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

from tests.demo.contacts import shown
from tests.demo.played import Played

from demo.stage import Stage

ANNA = "anna.bergstrom@contoso.example"
PAUL = "paul.lefevre@adatum.example"


def test_a_server_that_takes_its_tenant_s_tokens_needs_no_password(stage: Stage) -> None:
    example = Played(stage, "exchange-hybrid")
    example.apply()
    source = shown(example.simulator, ANNA, "")
    example.until(lambda: shown(example.simulator, PAUL, "Everybody") == source)
    example.wait_ready()
    assert not example.kubectl("get", "secrets", "--output=name").strip()
