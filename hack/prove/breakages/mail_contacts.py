"""What is promised of mail contacts in a global address list."""

from __future__ import annotations

from prove.breakage import Breakage

CONTACTS = "Mail contacts"
_ADMIN = "sync/cirahub_sync/endpoints/exchange_admin"
_WRITES = "tests/endpoints/exchange_admin/test_writing.py::"
_PASSES = "tests/engine/test_mail_contacts.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=CONTACTS,
        what="a mail contact that is to be hidden is shown",
        file=f"{_ADMIN}/codec.py",
        old="    return {_HIDDEN: True} if letter.hidden else {}",
        new="    return {}",
        tests=f"{_PASSES}test_what_the_manifest_hides_is_hidden_from_address_lists",
    ),
    Breakage(
        guards=CONTACTS,
        what="a change of what is to be hidden goes unnoticed",
        file="sync/cirahub_sync/engine/registration.py",
        old="        *([] if run.hide is None else [run.hide]),\n",
        new="",
        tests=f"{_PASSES}test_what_is_to_be_hidden_may_change",
    ),
    Breakage(
        guards=5,
        what="a mail contact is adopted by its e-mail address",
        file=f"{_ADMIN}/outbox.py",
        old="        if holder is not None:\n",
        new="        if holder is not None:\n"
        "            return self._adopted(job, self._as_sent(job))\n",
        tests=_PASSES + "test_an_address_that_somebody_else_has_is_reported_and_left_alone",
    ),
    Breakage(
        guards=6,
        what="mail contacts that are not ours are written to",
        file=f"{_ADMIN}/outbox.py",
        old="            if not self._reader.ours(alias):\n",
        new="            if not alias:\n",
        tests=_WRITES + "test_nothing_that_is_not_ours_by_its_alias_is_written",
    ),
    Breakage(
        guards=3,
        what="a mail contact that was made in part counts as whole",
        file="sync/cirahub_sync/engine/recover.py",
        old="            if endpoint.capabilities.composed\n",
        new="            if False\n",
        tests=_PASSES + "test_a_crash_between_making_a_mail_contact_and_completing_it_converges",
    ),
    Breakage(
        guards=CONTACTS,
        what="a second command that failed is forgotten",
        file=f"{_ADMIN}/outbox.py",
        old="            missing = Result.RETRY if broken is not None else "
        "_RESULTS[job.late.ending]\n",
        new="            missing = None\n",
        tests=_PASSES + "test_a_second_cmdlet_that_fails_is_made_up_for",
    ),
    Breakage(
        guards=11,
        what="the text of an error of Exchange's is told",
        file=f"{_ADMIN}/runner.py",
        old='    return found[1] if found is not None else ""\n',
        new="    return message\n",
        tests=_WRITES + "test_an_address_that_somebody_else_has_is_told_and_left_alone",
    ),
    Breakage(
        guards=CONTACTS,
        what="who has no e-mail address is sent, and refused day by day",
        file="sync/cirahub_sync/model/limits.py",
        old="    return all(getattr(item, field) for field in limits.required)\n",
        new="    return True\n",
        tests=_PASSES + "test_who_has_no_e_mail_address_is_not_put_into_an_address_list",
    ),
    Breakage(
        guards=CONTACTS,
        what="what passes by itself counts as a refusal of the contact",
        file=f"{_ADMIN}/session.py",
        old="    return not answer.ok and _exception(answer).endswith(_TRANSIENT)\n",
        new="    return False\n",
        tests=_WRITES + "test_an_exception_that_passes_is_no_refusal_of_the_contact",
    ),
    Breakage(
        guards=CONTACTS,
        what="who is over budget is told that the contact is wrong",
        file=f"{_ADMIN}/session.py",
        old="    return answer.status == 429 or (not answer.ok and _exception(answer) == "
        "_OVER_BUDGET)\n",
        new="    return answer.status == 429\n",
        tests=_WRITES + "test_an_exception_that_passes_is_no_refusal_of_the_contact",
    ),
    Breakage(
        guards="Permissions",
        what="a role of Entra ID is asked for by consent",
        file="operator/cirahub_operator/summary.py",
        old="        if any(one != DIRECTORY_ROLE for one in result.missing):\n",
        new="        if result.missing:\n",
        tests="tests/operator/test_summary.py::"
        "test_a_role_of_the_directory_is_assigned_and_not_consented_to",
    ),
)
