"""What an expression of a filter promises: its limits, and that an error is not a no."""

from __future__ import annotations

from prove.breakage import Breakage

FILTERS = "Filters"
_ENGINE = "sync/cirahub_sync/engine"
_EXPRESSION = "sync/cirahub_sync/model/expression.py"
_PASSES = "tests/engine/test_expression.py::"
_MODEL = "tests/model/test_expression.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=FILTERS,
        what="a copy is written to whose item can't be judged any more",
        file=f"{_ENGINE}/plan.py",
        old="if not withdrawn or (replica is None and shadow is None):",
        new="if replica is None and shadow is None:",
        tests=_PASSES + "test_a_copy_that_cannot_be_judged_any_more_stays_as_it_is",
    ),
    Breakage(
        guards=FILTERS,
        what="what can't be judged at a receiver is not counted",
        file=f"{_ENGINE}/postpone.py",
        old="            if one.why is Why.UNJUDGED\n",
        new="            if one.why is Why.READ_ONLY\n",
        tests=_PASSES + "test_a_copy_that_cannot_be_judged_any_more_stays_as_it_is",
    ),
    Breakage(
        guards=FILTERS,
        what="a contact that can't be judged any more leaves the hub",
        file=f"{_ENGINE}/chunk.py",
        old="""        if admitted is None:
            self._unjudged[row.remote] = None
            return
""",
        new="        admitted = bool(admitted)\n",
        tests=_PASSES + "test_a_contact_that_cannot_be_judged_counts_as_it_did",
    ),
    Breakage(
        guards=FILTERS,
        what="a new contact that can't be judged is passed over in silence",
        file=f"{_ENGINE}/natives.py",
        old="            if admits is None:\n",
        new="            if admits is ...:\n",
        tests=_PASSES + "test_a_contact_that_cannot_be_judged_counts_as_it_did",
    ),
    Breakage(
        guards=FILTERS,
        what="an expression may double a text at each step",
        file=_EXPRESSION,
        old="    if _MAP.search(text):\n",
        new="    if not _MAP.pattern:\n",
        tests=_MODEL + "test_what_can_never_be_evaluated_is_refused_with_its_place",
    ),
    Breakage(
        guards=FILTERS,
        what="the message about an expression quotes what stands in it",
        file=_EXPRESSION,
        old="    if not what.startswith(_TELLING):\n",
        new="    if not what:\n",
        tests=_MODEL + "test_what_can_never_be_evaluated_is_refused_with_its_place",
    ),
    Breakage(
        guards=FILTERS,
        what="an expression can ask for what never syncs",
        file="sync/cirahub_sync/model/filter.py",
        old="    return frozenset((*said, *(",
        new="    return frozenset((*(), *(",
        tests=_PASSES + "test_an_expression_cannot_ask_for_what_never_syncs",
    ),
)
