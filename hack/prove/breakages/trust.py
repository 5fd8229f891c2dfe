"""What is taken out of the code behind the design's section on trust."""

from __future__ import annotations

from prove.breakage import Breakage

TRUST = "Trust"
_SYNC = "sync/cirahub_sync"
_NETWORK = f"{_SYNC}/network.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        invariant=12,
        what="the token endpoint may be of another origin",
        file=f"{_SYNC}/identity/entra.py",
        old="if (asked.scheme, asked.netloc.lower()) == (named.scheme, named.netloc.lower()):",
        new="if asked.scheme == named.scheme:",
        tests="tests/trust/test_links.py::test_a_secret_goes_to_no_other_token_endpoint",
    ),
    Breakage(
        invariant=12,
        what="a vault's challenge decides which token it gets",
        file=f"{_SYNC}/identity/vault.py",
        old="        if scopes != (self._scope,) or (",
        new="        if False and (",
        tests="tests/trust/test_vaults.py::"
        "test_a_vault_gets_no_token_but_that_for_vaults_of_our_tenant",
    ),
    Breakage(
        invariant=12,
        what="a manifest's host is taken for a vault",
        file=f"{_SYNC}/identity/vault.py",
        old="        if named is None:",
        new="        if named is None and reference.vault_url == '':",
        tests="tests/trust/test_vaults.py::test_the_engine_takes_no_other_host_for_a_vault",
    ),
    Breakage(
        invariant=12,
        what="a redirect is an answer like others",
        file=_NETWORK,
        old="        if 300 <= status < 400:",
        new="        if status == 399:",
        tests="tests/trust/test_redirects.py::test_nor_one_to_the_same_origin",
    ),
    Breakage(
        invariant=TRUST,
        what="names are not judged once they are resolved",
        file=_NETWORK,
        old='        self._guard.check(host, [one["host"] for one in found])',
        new="        self._guard.check(host, [])",
        tests="tests/trust/test_addresses.py::"
        "test_a_name_that_leads_to_this_machine_is_not_connected_to",
    ),
    Breakage(
        invariant=TRUST,
        what="the way to Entra is not judged",
        file=_NETWORK,
        old="        self.judge.check(self.host, [str(info[4][0]) for info in found])",
        new="        self.judge.check(self.host, [])",
        tests="tests/trust/test_addresses.py::"
        "test_a_name_that_leads_to_this_machine_is_not_connected_to",
    ),
    Breakage(
        invariant=TRUST,
        what="numbers in a name's place are not judged",
        file=_NETWORK,
        old="        self.check(str(address[0]), [str(address[0])])",
        new="        self.check(str(address[0]), [])",
        tests="tests/trust/test_addresses.py::test_numbers_in_a_names_place_are_refused_too",
    ),
    Breakage(
        invariant=TRUST,
        what="IPv4 inside IPv6 goes unseen",
        file=_NETWORK,
        old="        yield address.ipv4_mapped",
        new="        yield address",
        tests="tests/trust/test_addresses.py::"
        "test_an_address_of_the_inside_is_recognised_in_every_form",
    ),
    Breakage(
        invariant=TRUST,
        what="the operator's identity serves every namespace",
        file="operator/cirahub_operator/resolver.py",
        old="            grant.namespace == namespace\n",
        new="            bool(namespace)\n",
        tests="tests/trust/test_identities.py::test_nobody_else_does",
    ),
    Breakage(
        invariant=TRUST,
        what="the operator's identity opens every vault",
        file="operator/cirahub_operator/resolver.py",
        old="            and (vault is None or vault in grant.vaults)",
        new="            and (vault is None or bool(vault))",
        tests="tests/trust/test_identities.py::test_nobody_else_does",
    ),
    Breakage(
        invariant=TRUST,
        what="a target may have two spokes",
        file=f"{_SYNC}/engine/context.py",
        old="            if owner not in (None, self.uid):",
        new="            if owner == '':",
        tests="tests/trust/test_targets.py::test_from_another_hub",
    ),
    Breakage(
        invariant=TRUST,
        what="one tenant in two spellings is two",
        file=f"{_SYNC}/endpoints/graph/endpoint.py",
        old="tenant = self._session.connection.tenant_id.lower()",
        new="tenant = self._session.connection.tenant_id",
        tests="tests/trust/test_targets.py::"
        "test_through_a_connection_that_writes_the_tenant_in_capitals",
    ),
    Breakage(
        invariant=TRUST,
        what="answers that are none reach MSAL, which logs them",
        file=f"{_SYNC}/identity/token_request.py",
        old='            response._content = b"{}"',
        new="            pass",
        tests="tests/trust/test_remote_text.py",
    ),
    Breakage(
        invariant=TRUST,
        what="a mistake in a file is told with the text around it",
        file="operator/cirahub_operator/cli/manifests.py",
        old='        problem = re.sub(r"\'.*\'|\\".*\\"", "…", problem)',
        new="        problem = str(error)",
        tests="tests/trust/test_files.py::test_what_a_wrong_file_holds_is_not_told",
    ),
)
