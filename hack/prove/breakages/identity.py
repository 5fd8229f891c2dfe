"""What is taken out of signing in: whose token is used, what is kept and for how long."""

from __future__ import annotations

from prove.breakage import Breakage

IDENTITY = "Identity"
_IDENTITY = "sync/cirahub_sync/identity"
_TESTS = "tests/identity"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=IDENTITY,
        what="one connection's token serves another",
        file="sync/cirahub_sync/sessions.py",
        old="        opened = self._sessions.get(connection.uid)\n"
        "        if opened is not None and opened.connection == connection:",
        new="        opened = next(iter(self._sessions.values()), None)\n"
        "        if opened is not None:",
        tests="tests/engine/test_connections.py::test_each_connection_signs_in_for_itself",
    ),
    Breakage(
        guards=IDENTITY,
        what="a connection that changes keeps its old token",
        file="sync/cirahub_sync/sessions.py",
        old="        if opened is not None and opened.connection == connection:",
        new="        if opened is not None:",
        tests="tests/engine/test_connections.py::test_a_connection_that_changes_signs_in_anew",
    ),
    Breakage(
        guards=IDENTITY,
        what="permissions are told that include more than spokes need",
        file="sync/cirahub_sync/endpoints/graph/permissions.py",
        old="[(bool(writing), spokes)]",
        new="[(True, spokes)]",
        tests="tests/operator/test_permissions_command.py::"
        "test_consent_is_asked_for_what_spokes_do_and_no_more",
    ),
    Breakage(
        guards=IDENTITY,
        what="Exchange is told to let into mailboxes that are only read, to write",
        file="sync/cirahub_sync/endpoints/graph/permissions.py",
        old="    apart = access is MailboxAccess.EXCHANGE",
        new="    apart = False",
        tests="tests/operator/test_permissions_command.py::"
        "test_exchange_lets_the_application_into_just_these_mailboxes",
    ),
    Breakage(
        guards=IDENTITY,
        what="a token for one resource is given for another",
        file=f"{_IDENTITY}/tokens.py",
        old="        cached = self._cached.get(scope)",
        new="        cached = next(iter(self._cached.values()), None)",
        tests=f"{_TESTS}/test_provider.py::test_a_token_for_one_resource_is_none_for_another",
    ),
    Breakage(
        guards=IDENTITY,
        what="a token that was refused is given again",
        file=f"{_IDENTITY}/tokens.py",
        old="        self._cached.clear()\n        self._asking.clear()",
        new="        self._asking.clear()",
        tests=f"{_TESTS}/test_provider.py::test_an_invalidated_token_is_not_given_again",
    ),
    Breakage(
        guards=IDENTITY,
        what="each of many signs in by itself",
        file=f"{_IDENTITY}/tokens.py",
        old="        asking = self._asking.get(scope)\n        if asking is None:",
        new="        asking = None\n        if asking is None:",
        tests=f"{_TESTS}/test_provider.py::test_however_many_wait_one_token_is_asked_for",
    ),
    Breakage(
        guards=IDENTITY,
        what="a token is renewed when it has ended",
        file=f"{_IDENTITY}/tokens.py",
        old="            ahead = granted.expires_in * (0.5 + 0.4 * self._jitter())",
        new="            ahead = granted.expires_in",
        tests=f"{_TESTS}/test_provider.py::test_a_token_is_renewed_ahead_of_its_expiry",
    ),
    Breakage(
        guards=IDENTITY,
        what="a token is given after its end",
        file=f"{_IDENTITY}/tokens.py",
        old=" or self._clock() >= cached.token.expires_on - _TOO_SHORT:",
        new=":",
        tests=f"{_TESTS}/test_provider.py::"
        "test_while_the_renewal_fails_the_old_token_serves_to_its_end",
    ),
    Breakage(
        guards=IDENTITY,
        what="a vault of another tenant gets a token",
        file=f"{_IDENTITY}/vault.py",
        old="            tenant_id is not None and tenant_id.lower() != self._tenant_id.lower()",
        new="            tenant_id is not None and not self._tenant_id",
        tests="tests/trust/test_vaults.py::"
        "test_a_vault_gets_no_token_but_that_for_vaults_of_our_tenant",
    ),
    Breakage(
        guards=IDENTITY,
        what="what the vault says of its reader is taken for the application's",
        file=f"{_IDENTITY}/vault.py",
        old="            if error.reason not in _OF_THE_READER:",
        new="            if error.reason:",
        tests=f"{_TESTS}/test_settling.py::test_the_vaults_reader_is_not_taken_for_the_application",
    ),
    Breakage(
        guards=IDENTITY,
        what="a tenant that does not exist is not told as that",
        file=f"{_IDENTITY}/aadsts.py",
        old="    90002: _TENANT,\n",
        new="",
        tests=f"{_TESTS}/test_provider.py::test_an_unknown_tenant",
    ),
    Breakage(
        guards=IDENTITY,
        what="what a vault holds is read once only",
        file=f"{_IDENTITY}/grants.py",
        old="        known = self._known\n        try:",
        new="        known = self._known\n"
        "        if known is not None:\n"
        "            return [known]\n"
        "        try:",
        tests=f"{_TESTS}/test_rotation.py::test_a_new_secret_is_taken_up_before_the_old_one_ends",
    ),
    Breakage(
        guards=IDENTITY,
        what="a secret that worked is forgotten when its vault is away",
        file=f"{_IDENTITY}/grants.py",
        old="            if known is None or not comes_later:",
        new="            if known is None or comes_later:",
        tests=f"{_TESTS}/test_rotation.py::test_while_the_vault_is_away_the_secret_that_worked_serves",
    ),
    Breakage(
        guards=IDENTITY,
        what="a secret that was disabled is used on",
        file=f"{_IDENTITY}/grants.py",
        old="            if known is None or not comes_later:",
        new="            if known is None:",
        tests=f"{_TESTS}/test_rotation.py::test_a_secret_that_was_disabled_is_not_used_any_more",
    ),
    Breakage(
        guards=IDENTITY,
        what="a version that starts later is tried first",
        file=f"{_IDENTITY}/grants.py",
        old="        return [known, fresh] if early else [fresh, known]",
        new="        return [fresh, known]",
        tests=f"{_TESTS}/test_rotation.py::test_a_version_that_starts_later_is_not_tried_before",
    ),
    Breakage(
        guards=IDENTITY,
        what="a certificate ends when its vault says so, though it has ended before",
        file=f"{_IDENTITY}/grants.py",
        old="        min(one for one in ends if one is not None),",
        new="        max(one for one in ends if one is not None),",
        tests=f"{_TESTS}/test_rotation.py::test_the_end_of_a_certificate_is_whatever_comes_first",
    ),
    Breakage(
        guards=IDENTITY,
        what="nobody is warned before a secret ends",
        file="operator/cirahub_operator/summary.py",
        old="    if expiry is not None and (expiry - now).total_seconds() <= expiry_warning:",
        new="    if expiry is not None and expiry <= now:",
        tests="tests/operator/test_summary.py::"
        "test_a_secret_that_ends_soon_is_told_of_and_still_ready",
    ),
    Breakage(
        guards=IDENTITY,
        what="what was granted just now is not waited for",
        file=f"{_IDENTITY}/settling.py",
        old="WITHIN = 600.0",
        new="WITHIN = 0.0",
        tests=f"{_TESTS}/test_settling.py::test_a_refusal_is_final_only_after_ten_minutes",
    ),
    Breakage(
        guards=IDENTITY,
        what="a wrong clock is not blamed",
        file=f"{_IDENTITY}/entra.py",
        old='        if answer.result.reason == "AssertionExpired" and answer.date is not None:',
        new='        if answer.result.reason == "" and answer.date is not None:',
        tests=f"{_TESTS}/test_clocks.py",
    ),
    Breakage(
        guards=IDENTITY,
        what="a ServiceAccount need not opt in",
        file="operator/cirahub_operator/credentials.py",
        old='            if account.annotations.get(TOKEN_OPT_IN) != "true":',
        new='            if account.annotations.get(TOKEN_OPT_IN) == "false":',
        tests="tests/operator/test_cluster.py::test_a_service_account_s_token_needs_its_consent",
    ),
    Breakage(
        guards=IDENTITY,
        what="what the environment presets overrides the authority that is trusted",
        file=f"{_IDENTITY}/token_request.py",
        old="        self.trust_env = False",
        new="        self.trust_env = True",
        tests=f"{_TESTS}/test_provider.py::test_a_preset_ca_bundle_does_not_override_ours",
    ),
)
