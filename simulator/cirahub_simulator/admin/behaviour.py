"""What goes wrong and how fast time runs."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args, get_type_hints

import msgspec
from aiohttp import web

from cirahub_simulator.admin.answer import AdminError, answer, read
from cirahub_simulator.entra.token import TokenAuthority
from cirahub_simulator.faults import Rule
from cirahub_simulator.switches import Switches
from cirahub_simulator.throttle import Limits
from cirahub_simulator.world import World


class _Seconds(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


class _Seed(msgspec.Struct, forbid_unknown_fields=True):
    seed: int


class Behaviour:
    """Rules, switches, limits, latency and the clock."""

    def __init__(self, world: World, tokens: TokenAuthority) -> None:
        self._world = world
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/rules", self.list_rules),
            web.post("/rules", self.add_rule),
            web.delete("/rules", self.clear_rules),
            web.delete("/rules/{id}", self.remove_rule),
            web.put("/chance", self.reseed),
            web.get("/switches", self.show_switches),
            web.patch("/switches", self.set_switches),
            web.get("/throttle", self.show_throttle),
            web.patch("/throttle", self.set_throttle),
            web.delete("/throttle/counts", self.reset_throttle),
            web.put("/latency", self.set_latency),
            web.get("/clock", self.show_clock),
            web.post("/clock/advance", self.advance_clock),
            web.put("/token-lifetime", self.set_token_lifetime),
        ]

    async def list_rules(self, _: web.Request) -> web.StreamResponse:
        """`GET /rules`: every rule with how often it `matched` and `fired`."""
        return answer(
            [
                {"rule": rule, "matched": matched, "fired": fired}
                for rule, matched, fired in self._world.faults.listing()
            ]
        )

    async def add_rule(self, request: web.Request) -> web.StreamResponse:
        """`POST /rules` with the fields of `faults.Rule`; answers the rule with its id."""
        try:
            return answer(self._world.faults.add(await read(request, Rule)), 201)
        except ValueError as error:
            raise AdminError(400, str(error)) from error

    async def clear_rules(self, _: web.Request) -> web.StreamResponse:
        """`DELETE /rules`: all of them."""
        self._world.faults.clear()
        return answer()

    async def remove_rule(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /rules/{id}`."""
        if not self._world.faults.remove(request.match_info["id"]):
            raise AdminError(404, f"no rule {request.match_info['id']}")
        return answer()

    async def reseed(self, request: web.Request) -> web.StreamResponse:
        """`PUT /chance` `{"seed": 7}`: start the sequence of chance of all rules again."""
        self._world.faults.reseed((await read(request, _Seed)).seed)
        return answer()

    async def show_switches(self, _: web.Request) -> web.StreamResponse:
        """`GET /switches`: every switch and how it is set."""
        return answer(self._world.switches)

    async def set_switches(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /switches` with the switches to change; answers all of them."""
        changes = await read(request, dict[str, object])
        try:
            self._world.switches = change_switches(self._world.switches, changes)
        except ValueError as error:
            raise AdminError(400, str(error)) from error
        return answer(self._world.switches)

    async def show_throttle(self, _: web.Request) -> web.StreamResponse:
        """`GET /throttle`: the limits of `throttle.Limits`, and how many requests were refused."""
        throttle = self._world.throttle
        return answer({"limits": throttle.limits, "refused": throttle.refused})

    async def set_throttle(self, request: web.Request) -> web.StreamResponse:
        """`PATCH /throttle` with the limits to change; null switches one off."""
        throttle = self._world.throttle
        changes = await read(request, dict[str, object])
        merged = {**msgspec.structs.asdict(throttle.limits), **changes}
        try:
            throttle.limits = msgspec.convert(merged, Limits)
        except msgspec.ValidationError as error:
            raise AdminError(400, f"PATCH /throttle: {error}") from error
        return answer(throttle.limits)

    async def reset_throttle(self, _: web.Request) -> web.StreamResponse:
        """`DELETE /throttle/counts`: forget what was counted."""
        self._world.throttle.reset()
        return answer()

    async def set_latency(self, request: web.Request) -> web.StreamResponse:
        """`PUT /latency` `{"seconds": 0.05}`: how long every answer takes after its effect."""
        self._world.latency = (await read(request, _Seconds)).seconds
        return answer()

    async def show_clock(self, _: web.Request) -> web.StreamResponse:
        """`GET /clock`: the simulator's time, and how far ahead of real time it is."""
        clock = self._world.clock
        return answer({"now": clock.now(), "offset_seconds": clock.offset.total_seconds()})

    async def advance_clock(self, request: web.Request) -> web.StreamResponse:
        """`POST /clock/advance` `{"seconds": 3600}`."""
        try:
            self._world.clock.advance(timedelta(seconds=(await read(request, _Seconds)).seconds))
        except ValueError as error:
            raise AdminError(400, str(error)) from error
        return await self.show_clock(request)

    async def set_token_lifetime(self, request: web.Request) -> web.StreamResponse:
        """`PUT /token-lifetime` `{"seconds": 60}`: of access tokens issued from now on."""
        self._tokens.lifetime = int((await read(request, _Seconds)).seconds)
        return answer()


def change_switches(switches: Switches, changes: dict[str, object]) -> Switches:
    """Switches with some of them set anew. Raises ValueError with what may be said instead."""
    hints = get_type_hints(Switches)
    values = {name: getattr(switches, name) for name in hints}
    for name, value in changes.items():
        if name not in hints:
            raise ValueError(f"no switch {name!r}; there are {', '.join(sorted(hints))}")
        try:
            values[name] = msgspec.convert(value, hints[name])
        except msgspec.ValidationError as error:
            choices = get_args(hints[name]) or (True, False)
            shown = ", ".join(msgspec.json.encode(choice).decode() for choice in choices)
            raise ValueError(f"switch {name!r} takes one of {shown}") from error
    return Switches(**values)
