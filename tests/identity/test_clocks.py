"""A clock that is wrong is named, by how much, and whose it is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from cirahub_sync.errors import CredentialError

from . import test_certificate as certificates
from .authority import KeyPair
from .conftest import SCOPE, SignIn, workload


async def refusal(sign_in: SignIn, auth: object) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(auth).token(SCOPE)  # type: ignore[arg-type]
    return caught.value


async def test_our_clock_that_is_behind(sign_in: SignIn) -> None:
    """MSAL dates the assertion by this machine's clock, ten minutes ahead."""
    pair = certificates.registered(sign_in, KeyPair())
    sign_in.cluster.secrets["secret tls"] = pair.pem
    sign_in.world.clock.advance(timedelta(hours=2))
    error = await refusal(sign_in, certificates.handed())
    assert error.reason == "ClockSkew"
    seconds = re.search(r"this machine's clock is (\d+) s behind Entra's", str(error))
    assert seconds is not None, str(error)
    assert int(seconds[1]) == pytest.approx(7200, abs=60)
    assert "NTP" in str(error)


async def test_the_clusters_clock_that_is_ahead(sign_in: SignIn) -> None:
    """The API server dates its tokens, not we."""
    sign_in.cluster.age = -3600
    error = await refusal(sign_in, workload())
    assert error.reason == "ClockSkew"
    assert "the clock of the cluster's API server is 3" in str(error)
    assert "s ahead of Entra's" in str(error)


async def test_an_assertion_that_is_merely_old_blames_no_clock(sign_in: SignIn) -> None:
    sign_in.cluster.age = 90_000
    assert (await refusal(sign_in, workload())).reason == "AssertionExpired"


async def test_an_entra_that_tells_no_time_blames_no_clock(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = certificates.registered(sign_in, KeyPair())
    sign_in.cluster.secrets["secret tls"] = pair.pem
    sign_in.world.clock.advance(timedelta(hours=2))
    written = "cirahub_simulator.entra.service.format_datetime"
    monkeypatch.setattr(written, lambda *_, **__: "no date")
    assert (await refusal(sign_in, certificates.handed())).reason == "AssertionExpired"
