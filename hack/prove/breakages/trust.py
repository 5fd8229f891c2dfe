"""What is taken out of the code behind the design's section on trust."""

from __future__ import annotations

from prove.breakage import Breakage

TRUST = "Trust"
_SYNC = "sync/cirahub_sync"
_RESOLVER = "operator/cirahub_operator/resolver.py"
_NETWORK = f"{_SYNC}/network.py"
_REQUESTING = "sync/cirahub_sync/requesting.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=12,
        what="the token endpoint may be of another origin",
        file=f"{_SYNC}/identity/entra.py",
        old="if (asked.scheme, asked.netloc.lower()) == (named.scheme, named.netloc.lower()):",
        new="if asked.scheme == named.scheme:",
        tests="tests/trust/test_links.py::test_a_secret_goes_to_no_other_token_endpoint",
    ),
    Breakage(
        guards=12,
        what="a vault's challenge decides which token it gets",
        file=f"{_SYNC}/identity/vault.py",
        old="        if scopes != (self._scope,) or (",
        new="        if False and (",
        tests="tests/trust/test_vaults.py::"
        "test_a_vault_gets_no_token_but_that_for_vaults_of_our_tenant",
    ),
    Breakage(
        guards=12,
        what="a manifest's host is taken for a vault",
        file=f"{_SYNC}/identity/vault.py",
        old="        if named is None:",
        new="        if named is None and reference.vault_url == '':",
        tests="tests/trust/test_vaults.py::test_the_engine_takes_no_other_host_for_a_vault",
    ),
    Breakage(
        guards=12,
        what="a redirect is an answer like others",
        file=_NETWORK,
        old="        if 300 <= status < 400:",
        new="        if status == 399:",
        tests="tests/trust/test_redirects.py::test_nor_one_to_the_same_origin",
    ),
    Breakage(
        guards=TRUST,
        what="names are not judged once they are resolved",
        file=_NETWORK,
        old='        self._guard.check(host, [one["host"] for one in found])',
        new="        self._guard.check(host, [])",
        tests="tests/trust/test_addresses.py::"
        "test_a_name_that_leads_to_this_machine_is_not_connected_to",
    ),
    Breakage(
        guards=TRUST,
        what="the way to Entra is not judged",
        file=_REQUESTING,
        old="        self.judge.check(self.host, [str(info[4][0]) for info in found])",
        new="        self.judge.check(self.host, [])",
        tests="tests/trust/test_addresses.py::"
        "test_a_name_that_leads_to_this_machine_is_not_connected_to",
    ),
    Breakage(
        guards=TRUST,
        what="numbers in a name's place are not judged",
        file=_NETWORK,
        old="        self.check(str(address[0]), [str(address[0])])",
        new="        self.check(str(address[0]), [])",
        tests="tests/trust/test_addresses.py::test_numbers_in_a_names_place_are_refused_too",
    ),
    Breakage(
        guards=TRUST,
        what="IPv4 inside IPv6 goes unseen",
        file=_NETWORK,
        old="        yield address.ipv4_mapped",
        new="        yield address",
        tests="tests/trust/test_addresses.py::"
        "test_an_address_of_the_inside_is_recognised_in_every_form",
    ),
    Breakage(
        guards=TRUST,
        what="the operator's identity serves every namespace",
        file=_RESOLVER,
        old="            grant.namespace == namespace\n",
        new="            bool(namespace)\n",
        tests="tests/trust/test_identities.py::test_nobody_else_does",
    ),
    Breakage(
        guards=TRUST,
        what="the operator's identity opens every vault",
        file=_RESOLVER,
        old="            and (vault is None or vault in grant.vaults)",
        new="            and (vault is None or bool(vault))",
        tests="tests/trust/test_identities.py::test_nobody_else_does",
    ),
    Breakage(
        guards=TRUST,
        what="a target may have two spokes",
        file=f"{_SYNC}/engine/context.py",
        old="            if not waits and owner not in (None, self.uid):",
        new="            if owner == '':",
        tests="tests/trust/test_targets.py::test_from_another_hub",
    ),
    Breakage(
        guards=TRUST,
        what="one tenant in two spellings is two",
        file=f"{_SYNC}/endpoints/graph/endpoint.py",
        old="tenant = self._session.connection.tenant_id.lower()",
        new="tenant = self._session.connection.tenant_id",
        tests="tests/trust/test_targets.py::"
        "test_through_a_connection_that_writes_the_tenant_in_capitals",
    ),
    Breakage(
        guards=TRUST,
        what="answers that are none reach MSAL, which logs them",
        file=f"{_SYNC}/identity/token_request.py",
        old='            response._content = b"{}"',
        new="            pass",
        tests="tests/trust/test_remote_text.py",
    ),
    Breakage(
        guards=TRUST,
        what="a mistake in a file is told with the text around it",
        file="operator/cirahub_operator/cli/manifests.py",
        old='        problem = re.sub(r"\'.*\'|\\".*\\"", "…", problem)',
        new="        problem = str(error)",
        tests="tests/trust/test_files.py::test_what_a_wrong_file_holds_is_not_told",
    ),
    Breakage(
        guards=TRUST,
        what="a spoke may use a connection of its hub's namespace",
        file=_RESOLVER,
        old="spoke.spec.connection_ref.name\n    namespace = spoke.metadata.namespace\n",
        new="spoke.spec.connection_ref.name\n    namespace = spoke.hub_namespace\n",
        tests="tests/operator/test_resolver.py::"
        "test_a_spoke_of_another_namespace_signs_in_with_a_connection_of_its_own",
    ),
    Breakage(
        guards=TRUST,
        what="the resolver takes in spokes that the hub does not admit",
        file=_RESOLVER,
        old="        if not hub.admits(one.metadata.namespace) and not one.metadata.deleting:",
        new="        if not hub.spec and not one.metadata.deleting:",
        tests="tests/operator/test_resolver.py::test_a_spoke_that_is_not_admitted_takes_no_part",
    ),
    Breakage(
        guards=TRUST,
        what="a hub has spokes that it does not admit among its own",
        file="operator/cirahub_operator/reconcile/hub.py",
        old="    return isinstance(hub, Hub) and hub.admits(member.namespace)",
        new="    return isinstance(hub, Hub)",
        tests="tests/operator/test_admission.py::"
        "test_who_is_not_admitted_learns_nothing_about_the_hub",
    ),
    Breakage(
        guards=TRUST,
        what="a hub admits whose namespace begins like one that it names",
        file="operator/cirahub_operator/api/hub.py",
        old='namespace in allowed or "*" in allowed',
        new='namespace.startswith(tuple(allowed)) or "*" in allowed',
        tests="tests/operator/test_admission.py::"
        "test_a_hub_admits_its_own_namespace_and_those_it_names",
    ),
    Breakage(
        guards=TRUST,
        what="names may lead into other namespaces",
        file="operator/cirahub_operator/api/meta.py",
        old='        pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",',
        new='        pattern="^[a-z0-9]([-a-z0-9./]*[a-z0-9])?$",',
        tests="tests/trust/test_files.py::test_the_models_know_no_file_and_no_other_namespace",
    ),
    Breakage(
        guards=TRUST,
        what="fields that we don't know are taken for none",
        file="operator/cirahub_operator/api/meta.py",
        old='        extra="forbid",',
        new='        extra="ignore",',
        tests="tests/trust/test_files.py::test_the_models_know_no_file_and_no_other_namespace",
    ),
    Breakage(
        guards=TRUST,
        what="a ServiceAccount of another namespace may sign in",
        file=_RESOLVER,
        old='        service_account="" if account is None else f"{namespace}/{account}",',
        new='        service_account="" if account is None else f"team-a/{account}",',
        tests="tests/trust/test_identities.py::"
        "test_a_namespace_s_own_identity_is_one_of_that_namespace",
    ),
    Breakage(
        guards=TRUST,
        what="the operator's identity serves every tenant",
        file=_RESOLVER,
        old="            and grant.tenant.lower() == tenant.lower()\n",
        new="",
        tests="tests/trust/test_identities.py::test_nobody_else_does",
    ),
    Breakage(
        guards=TRUST,
        what="on the API server, another team's namespace is granted what one was",
        file=_RESOLVER,
        old="    if account is None and not trust.allows(namespace, tenant, vault):",
        new="    if account is None and not trust:",
        tests="tests/trust/test_teams.py::test_the_operators_own_identity_opens_no_vault_for_another_team",
    ),
    Breakage(
        guards=TRUST,
        what="loopback addresses may be connected to",
        file=_NETWORK,
        old='    "a loopback address": _networks("127.0.0.0/8", "::1/128"),\n',
        new="",
        tests="tests/trust/test_addresses.py::"
        "test_an_address_of_the_inside_is_recognised_in_every_form",
    ),
    Breakage(
        guards=TRUST,
        what="link-local addresses may be connected to",
        file=_NETWORK,
        old='    "a link-local address": _networks("169.254.0.0/16", "fe80::/10"),\n',
        new="",
        tests="tests/trust/test_addresses.py::"
        "test_a_name_that_leads_to_a_metadata_service_is_refused",
    ),
    Breakage(
        guards=TRUST,
        what="the ranges of the cluster may be connected to",
        file=_NETWORK,
        old="        if any(meant in network for network in cluster):",
        new="        if any(meant is network for network in cluster):",
        tests="tests/trust/test_addresses.py::"
        "test_a_private_address_is_reached_unless_it_is_the_clusters",
    ),
    Breakage(
        guards=TRUST,
        what="one good address among bad ones is enough",
        file=_NETWORK,
        old="            if why is None:\n                continue",
        new="            if why is None:\n                return",
        tests="tests/trust/test_addresses.py::test_one_bad_address_among_good_ones_is_enough",
    ),
    Breakage(
        guards=TRUST,
        what="what was judged is not what is connected to",
        file=_REQUESTING,
        old="                    (str(address[0]), int(address[1])),",
        new="                    (self._dns_host, int(address[1])),",
        tests="tests/trust/test_addresses.py::"
        "test_the_address_that_was_judged_is_the_one_that_is_connected_to",
    ),
    Breakage(
        guards=TRUST,
        what="an endpoints file exempts every origin",
        file=_NETWORK,
        old="        exempt = rewritten or self.proxy is not None",
        new="        exempt = bool(origins.origins) or self.proxy is not None",
        tests="tests/trust/test_addresses.py::"
        "test_what_the_endpoints_file_names_is_exempt_and_nothing_else",
    ),
    Breakage(
        guards=TRUST,
        what="the operator does not look for the ranges of Services",
        file="operator/cirahub_operator/operation.py",
        old="        origins = origins.avoiding(await service_ranges(cluster))\n",
        new="",
        tests="tests/operator/test_service_ranges.py::test_all_known_ranges_reach_the_engine",
    ),
    Breakage(
        guards=TRUST,
        what="the ranges that the administrator names are not refused",
        file="operator/cirahub_operator/operation.py",
        old="self._settings.origins.avoiding(self._settings.cluster_ranges)",
        new="self._settings.origins",
        tests="tests/operator/test_service_ranges.py::test_all_known_ranges_reach_the_engine",
    ),
    Breakage(
        guards=TRUST,
        what="an erasure by hand goes to the cluster's pods",
        file="operator/cirahub_operator/cli/erase.py",
        old="origins=origins.load(endpoints).avoiding(cluster_ranges),",
        new="origins=origins.load(endpoints),",
        tests="tests/operator/test_erase_command.py::"
        "test_nothing_is_sent_to_the_clusters_pods[manifests]",
    ),
    Breakage(
        guards=TRUST,
        what="an erasure by hand goes to the cluster's Services",
        file="operator/cirahub_operator/cli/erase.py",
        old="origins=settings.origins.avoiding(await service_ranges(cluster)),",
        new="origins=settings.origins,",
        tests="tests/operator/test_erase_command.py::"
        "test_nor_to_its_services_which_are_known_without_an_option",
    ),
    Breakage(
        guards=TRUST,
        what="an error's code from Graph may be any text",
        file=f"{_SYNC}/endpoints/graph/answers.py",
        old='        return code if _CODE.fullmatch(code) else ""',
        new="        return code",
        tests="tests/trust/test_remote_text.py",
    ),
    Breakage(
        guards=TRUST,
        what="a request's id from Graph may be any text",
        file=f"{_SYNC}/endpoints/graph/answers.py",
        old="        id = remote if _REQUEST_ID.fullmatch(remote) else self.client_request_id",
        new="        id = remote or self.client_request_id",
        tests="tests/trust/test_remote_text.py",
    ),
    Breakage(
        guards=TRUST,
        what="an error's code from a vault may be any text",
        file=f"{_SYNC}/identity/vault.py",
        old="        if isinstance(code, str) and _CODE.fullmatch(code)",
        new="        if isinstance(code, str)",
        tests="tests/trust/test_remote_text.py",
    ),
    Breakage(
        guards=TRUST,
        what="an error's name from Entra may be any text",
        file=f"{_SYNC}/identity/aadsts.py",
        old="    if not parts and _OAUTH.fullmatch(refusal.error):",
        new="    if not parts:",
        tests="tests/trust/test_remote_text.py",
    ),
    Breakage(
        guards=TRUST,
        what="a trace id from Entra may be any text",
        file=f"{_SYNC}/identity/aadsts.py",
        old="        if _ID.fullmatch(value):",
        new="        if value:",
        tests="tests/trust/test_remote_text.py",
    ),
    Breakage(
        guards=TRUST,
        what="a foreign exception's text is logged",
        file="operator/cirahub_operator/logs.py",
        old='        lines.append(f"{name}: {current}" if ours else name)',
        new='        lines.append(f"{name}: {current}")',
        tests="tests/operator/test_logs.py::test_a_foreign_exception_s_message_is_not_logged",
    ),
    Breakage(
        guards=TRUST,
        what="the second spoke on a target is tried again instead of Stalled",
        file=f"{_SYNC}/errors.py",
        old='    reason = "TargetInUse"\n    stalled = True',
        new='    reason = "TargetInUse"\n    stalled = False',
        tests="tests/trust/test_targets.py::test_from_another_hub",
    ),
    Breakage(
        guards=12,
        what="a folder's link to another origin is not refused",
        file=f"{_SYNC}/endpoints/graph/folders.py",
        old="page = self._session.path(folders.next) if folders.next else None",
        new='page = "/v1.0/" + folders.next.rpartition("/v1.0/")[2] if folders.next else None',
        tests="tests/trust/test_links.py::test_nor_one_of_the_folders",
    ),
)
