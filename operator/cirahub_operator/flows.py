"""From what a manifest says of a flow to what the engine does. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_operator.api.flow import FilterCondition, FlowSpec, ItemFilter, MappingStep
from cirahub_sync.configuration import Condition, FieldPolicy, Filter, Flow, MappingRule
from cirahub_sync.model.filter import SPOKE

EVERYTHING = Flow()


def flow_config(flow: FlowSpec | None, namespace: str) -> Flow:
    if flow is None:
        return EVERYTHING
    return Flow(
        filter=filter_config(flow.filter, namespace),
        mapping=tuple(map(_mapping_rule, flow.mapping)),
        include=flow.include,
        exclude=flow.exclude,
        policies=tuple(FieldPolicy(one.policy, one.fields) for one in flow.policies),
    )


def filter_config(given: ItemFilter | None, namespace: str) -> Filter:
    if given is None:
        return Filter()
    return Filter(
        all=_conditions(given.all, namespace),
        any=_conditions(given.any, namespace),
        none=_conditions(given.none, namespace),
        expression=given.expression or "",
    )


def _conditions(given: Sequence[FilterCondition], namespace: str) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            field=one.field,
            operator=one.operator,
            values=tuple(f"{namespace}/{v}" if "/" not in v else v for v in one.values)
            if one.field == SPOKE
            else one.values,
            connection=f"{namespace}/{one.directory}" if one.directory else "",
        )
        for one in given
    )


def _mapping_rule(step: MappingStep) -> MappingRule:
    domain, section = step.replace_domain, step.notes_between
    return MappingRule(
        field=step.field or "",
        prefix=step.prefix or "",
        suffix=step.suffix or "",
        set_value=step.set_value,
        template=step.template or "",
        phone_format=step.phone_format,
        notes_between=None if section is None else (section.start, section.end),
        add_category=step.add_category or "",
        replace_domain=None if domain is None else (domain.from_, domain.to),
    )
