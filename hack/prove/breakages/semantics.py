"""What the semantics promise of values: lenses, lists, rounds, and the order of recovery."""

from __future__ import annotations

from prove.breakage import Breakage

LENSES = "Lenses"
LISTS = "Lists"
ROUNDS = "Rounds"
RECOVERY = "Recovery"
_MODEL = "sync/cirahub_sync/model"
_ENGINE = "sync/cirahub_sync/engine"
_MAPPING = "tests/model/test_mapping.py::"
_LAWS = "tests/model/test_mapping_laws.py::"
_LEFT = "tests/engine/test_left_to_the_user.py::"
_LISTS = "tests/engine/test_lists.py::"
_OBSERVE = "tests/model/test_observe_lists.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=LENSES,
        what="a prefix or suffix stays on against the flow",
        file=f"{_MODEL}/mapping.py",
        old="changes[field] = stripped(str(changes.get(field, getattr(image, field))), affixes)",
        new="changes[field] = str(changes.get(field, getattr(image, field)))",
        tests=_MAPPING
        + "test_prefix_and_suffix_are_put_on_along_the_flow_and_taken_off_against_it",
    ),
    Breakage(
        guards=LENSES,
        what="a template or constant can be edited where it is received",
        file=f"{_MODEL}/mapping.py",
        old="frozenset((*rules.computed, *self._cleared))",
        new="frozenset(self._cleared)",
        tests=_MAPPING + "test_a_constant_is_read_only_for_a_receiver "
        "tests/engine/test_mapping.py::"
        "test_what_somebody_writes_over_a_template_is_put_right_and_kept_as_a_conflict",
    ),
    Breakage(
        guards=LENSES,
        what="a contributor's template writes over what it is made for",
        file=f"{_MODEL}/mapping.py",
        old="*((*rules.computed, *kind.inbound) if toward_hub else ())",
        new="*(kind.inbound if toward_hub else ())",
        tests=_MAPPING + "test_a_contributors_constant_hides_its_own_value_and_leaves_it_alone",
    ),
    Breakage(
        guards=LENSES,
        what="a category that a mapping adds comes back",
        file=f"{_MODEL}/mapping.py",
        old="[c for c in image if caseless(c) not in self.pinned or caseless(c) in own]",
        new="list(image)",
        tests=_MAPPING + "test_an_added_category_is_there_once_and_does_not_come_back",
    ),
    Breakage(
        guards=LENSES,
        what="a domain that was replaced is not restored",
        file=f"{_MODEL}/mapping.py",
        old="                result.append(_moved(email, self._back))",
        new="                result.append(email)",
        tests=_MAPPING + "test_a_domain_is_replaced_along_the_flow_and_restored_against_it",
    ),
    Breakage(
        guards=LENSES,
        what="a number goes back as the other side would misread it",
        file=f"{_MODEL}/phone_format.py",
        old="        number = written(phone.number, source, target, PhoneForm.INTERNATIONAL)\n"
        "        return Phone(phone.kind, number)",
        new="        return phone",
        tests=_LAWS + "test_what_the_hub_has_comes_back_from_a_receiver_whatever_that_held "
        "tests/engine/test_mapping.py::test_phone_numbers_as_documented",
    ),
    Breakage(
        guards=LENSES,
        what="a section takes the place of what its user wrote around it",
        file=f"{_MODEL}/section.py",
        old="            lines = [*lines, *block]",
        new="            lines = block",
        tests=_LAWS + "test_a_section_gives_back_what_was_put_in_and_leaves_the_rest "
        f"{_LEFT}test_notes_around_a_section_as_documented",
    ),
    Breakage(
        guards=LENSES,
        what="FillIfBlank fills what is not blank",
        file=f"{_MODEL}/mapping.py",
        old="        changes.update((f, own) for f in self.filled if (own := getattr(held, f)))\n"
        "        if self._section is not None:\n"
        '            changes["notes"] = self._section.put(\n',
        new="        if self._section is not None:\n"
        '            changes["notes"] = self._section.put(\n',
        tests=_LEFT + "test_a_receiver_is_filled_where_it_is_blank_and_keeps_what_its_user_wrote",
    ),
    Breakage(
        guards=LENSES,
        what="Keep does not keep",
        file=f"{_MODEL}/mapping.py",
        old="if toward_hub else {Policy.KEEP}",
        new="if toward_hub else set()",
        tests=_LEFT + "test_fields_left_to_the_mailbox_as_documented",
    ),
    Breakage(
        guards=LENSES,
        what="Clear does not clear",
        file=f"{_MODEL}/mapping.py",
        old="        changes.update((f, getattr(self._blank, f)) for f in self._cleared)\n",
        new="",
        tests=_LEFT + "test_fields_left_to_the_mailbox_as_documented",
    ),
    Breakage(
        guards=LENSES,
        what="a field passes that is not included",
        file=f"{_MODEL}/mapping.py",
        old="    fields = (included or kind.shared) - excluded - frozenset(never)",
        new="    fields = kind.shared - excluded - frozenset(never)",
        tests=_MAPPING + "test_only_included_fields_pass_and_exclusion_wins",
    ),
    Breakage(
        guards=LENSES,
        what="a field that never syncs is kept in the store",
        file="sync/cirahub_sync/endpoints/withholding.py",
        old="        content = without(item.content, self._fields)",
        new="        content = item.content",
        tests=_LEFT + "test_fields_that_never_sync_as_documented",
    ),
    Breakage(
        guards=LISTS,
        what="an element stays that somebody removed who saw it",
        file=f"{_ENGINE}/lists.py",
        old="        for item, edit in said\n"
        "        if not any(other.when.supersedes(edit.when) for _, other in said)\n"
        "    ]\n"
        "    present = [",
        new="        for item, edit in said\n    ]\n    present = [",
        tests=_LISTS + "test_an_element_is_absent_once_somebody_who_saw_it_removed_it",
    ),
    Breakage(
        guards=LISTS,
        what="SourceWins is a union",
        file=f"{_ENGINE}/lists.py",
        old="    whole = mode is ListPolicy.SOURCE_WINS",
        new="    whole = False",
        tests=_LISTS
        + "test_with_source_wins_one_spoke_s_list_stays_whole_and_what_others_had_is_kept "
        "tests/engine/test_conflicts.py::test_a_list_is_merged_as_its_field_says",
    ),
    Breakage(
        guards=LISTS,
        what="Intersect is a union",
        file=f"{_ENGINE}/lists.py",
        old="    if mode is ListPolicy.INTERSECT:\n        _intersect(",
        new="    if False:\n        _intersect(",
        tests=_LISTS + "test_an_intersection_is_what_every_spoke_with_a_list_has "
        "tests/engine/test_conflicts.py::test_a_list_is_merged_as_its_field_says",
    ),
    Breakage(
        guards=LISTS,
        what="one removal and one addition of a kind are no edit",
        file=f"{_MODEL}/observe.py",
        old="            if len(keys) == 1 and len(come.get(kind, ())) == 1",
        new="            if len(keys) == 1 and not come",
        tests=_OBSERVE + "test_one_removed_and_one_added_of_a_kind_is_an_edit",
    ),
    Breakage(
        guards=LISTS,
        what="another spelling of an element is lost",
        file=f"{_MODEL}/observe.py",
        old="if key in before and before[key] != e]",
        new="if key in before and before[key] is None]",
        tests=_OBSERVE + "test_another_spelling_updates_the_element_in_its_place",
    ),
    Breakage(
        guards=LISTS,
        what="an element that lost is not kept",
        file=f"{_ENGINE}/lists.py",
        old="            conflicts.append(Conflict(field, *spokes, value, one.tie, stand.key))",
        new="            spokes = (*spokes,)",
        tests=_LISTS
        + "test_two_unaware_replacements_of_one_element_are_a_conflict_that_the_policy_decides",
    ),
    Breakage(
        guards=LISTS,
        what="what a spoke had said of an element is forgotten once it says more",
        file=f"{_MODEL}/edit.py",
        old="        return (*said[:start], *kept)[-_KEPT:]",
        new="        return ()",
        tests=_LISTS
        + "test_what_lost_stays_away_when_its_winner_is_put_in_again_for_another_element",
    ),
    Breakage(
        guards=LISTS,
        what="whoever ends what won makes stay away what they had not seen",
        file=f"{_ENGINE}/contest.py",
        old="        return not enders or any(",
        new="        return bool(enders) or not enders or any(",
        tests=_LISTS + "test_a_removal_that_is_repeated_takes_nothing_along_that_came_in_between",
    ),
    Breakage(
        guards=LISTS,
        what="what others are contested for decides too",
        file=f"{_ENGINE}/contest.py",
        old="    for group in _groups(stands, bound):",
        new="    for group in [[one for one in stands if one in bound]]:",
        tests=_LISTS + "test_contests_of_other_elements_decide_nothing",
    ),
    Breakage(
        guards=ROUNDS,
        what="reading from nothing is no round, so what went meanwhile stays",
        file=f"{_ENGINE}/pull.py",
        old="        cursor = msgspec.structs.replace(cursor, round=uuid4().hex)",
        new="        cursor = msgspec.structs.replace(cursor, round=None)",
        tests="tests/engine/test_deletions.py::test_what_a_complete_round_does_not_show_is_gone",
    ),
    Breakage(
        guards=ROUNDS,
        what="what a round showed unchanged is taken for gone",
        file=f"{_ENGINE}/chunk.py",
        old="            tx.shadows.mark_round(run.uid, self._seen, self._round)",
        new="            tx.shadows.mark_round(run.uid, [], self._round)",
        tests="tests/engine/test_deletions.py::test_what_a_complete_round_does_not_show_is_gone",
    ),
    Breakage(
        guards=RECOVERY,
        what="what an earlier run sent is settled after the reading",
        file=f"{_ENGINE}/errands.py",
        old="            await recover(self._context, self._context.runs)\n",
        new="            from cirahub_sync.engine.merge import merge\n\n"
        "            await pull(self._context, sources)\n"
        "            await merge(self._context, sources)\n"
        "            await recover(self._context, self._context.runs)\n",
        tests="tests/engine/test_delivery.py::"
        "test_what_a_dead_process_wrote_is_settled_before_it_is_read",
    ),
    Breakage(
        guards=RECOVERY,
        what="of two copies that we made of an item both stay",
        file=f"{_ENGINE}/relink.py",
        old='            and replica.attempt not in ("", stamp.attempt)',
        new='            and replica.attempt == ""',
        tests="tests/chaos/test_store_loss.py::"
        "test_a_copy_edited_while_a_lost_store_is_made_anew_is_there_once",
    ),
    Breakage(
        guards=5,
        what="a create carries no stamp",
        file="sync/cirahub_sync/endpoints/graph/letters.py",
        old="                body = codec.with_stamp(operation.body, operation.key)",
        new="                body = operation.body",
        tests="tests/engine/test_delivery.py",
    ),
)
