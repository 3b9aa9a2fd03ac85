"""A person who answers joined questions from the files of all clouds and the wires of all sellers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.audit import machines
from tests.audit.company import Thing
from tests.audit.machines import EVERYTHING, MACHINES, VOLUMES, Going, Listed, Load

Of = Callable[[Thing], bool]
"""Which things are asked about."""


@dataclass(frozen=True)
class Answer:
    """What `then` computes, of which things, and what is told of each.

    `loads`: percents by thing. `fields`: other figures by thing. `sum`: the field that is added up.
    """

    op: str | None
    things: list[Thing]
    fields: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    loads: Mapping[str, Load] = field(default_factory=dict)
    sum: str | None = None
    compared: int = 0
    untold: int = 0

    @property
    def total(self) -> float:
        """The sum over the things that tell it."""
        return sum(told[self.sum] or 0.0 for told in self.fields.values()) if self.sum else 0.0


def uid(thing: Thing) -> str:
    """What a thing is told apart by here."""
    return ":".join(machines.keys(thing)[-1])


def everywhere(_: Thing) -> bool:
    return True


@dataclass(frozen=True)
class Person:
    """Who answers. `listed`: Azure's prices; `going`: what GPUs are offered for."""

    now: datetime
    listed: Listed
    going: Mapping[tuple[str, float, bool], Going]
    loads: dict[str, Load | None] = field(default_factory=dict)

    def load(self, thing: Thing) -> Load | None:
        if uid(thing) not in self.loads:
            self.loads[uid(thing)] = machines.cpu(thing, self.now)
        return self.loads[uid(thing)]

    def price(self, thing: Thing) -> float | None:
        return machines.price(thing, self.listed)

    def joined(self, things: list[Thing]) -> Answer:
        """What is measured of each, beside its price."""
        loads = {uid(one): load for one in things if (load := self.load(one)) is not None}
        fields = {uid(one): {"usd_per_hour": self.price(one)} for one in things}
        return Answer("join", things, fields, loads, "usd_per_hour")

    def idle(self, of: Of, below: float) -> Answer:
        return self.joined([one for one in MACHINES if of(one) and self._under(one, below)])

    def busy(self, of: Of, above: float) -> Answer:
        measured = [one for one in MACHINES if of(one) and self.load(one) is not None]
        return self.joined([one for one in measured if not self._under(one, above)])

    def _under(self, thing: Thing, percent: float) -> bool:
        load = self.load(thing)
        if load is None:
            return False
        assert load.off == 0 or abs(load.percent - percent) > load.off, (thing.id, "is on the edge")
        return load.percent < percent

    def spent(self, of: Of) -> Answer:
        things = [one for one in MACHINES if of(one) and machines.status(one) == {"running"}]
        fields = {uid(one): {"usd_per_hour": self.price(one)} for one in things}
        return Answer("sum", things, fields, sum="usd_per_hour")

    def named(self, name: str) -> Answer:
        things = [one for one in MACHINES if machines.name(one) == name and self.load(one) is not None]
        return self.joined(things)

    def market(
        self,
        of: Of = everywhere,
        side: str | None = "above",
        against: str = "median",
        percent: float = 0,
    ) -> Answer:
        """Each running machine with one kind of GPU, a price, and offers of the same GPU, beside those."""
        gpus = [one for one in MACHINES if of(one) and machines.boards(one)]
        gpus = [one for one in gpus if machines.status(one) == {"running"}]
        told = {uid(one): beside for one in gpus if (beside := self._beside(one, against)) is not None}
        way = -1 if side == "below" else 1
        kept = {
            key: told[key] for key in told if side is None or way * told[key]["percent_over_market"] > percent
        }
        things = [one for one in gpus if uid(one) in kept]
        return Answer(
            "market", things, kept, sum="usd_per_hour", compared=len(told), untold=len(gpus) - len(told)
        )

    def _beside(self, thing: Thing, against: str) -> dict[str, float] | None:
        ((gpu, count, gib),) = machines.boards(thing)
        going, price = self.going.get((gpu, gib, machines.spot(thing))), self.price(thing)
        if going is None or price is None:
            return None
        own, other = price / count, getattr(going, against)
        return {
            "usd_per_hour": price,
            "gpu_count": count,
            "usd_per_gpu_hour": own,
            "market_usd_per_gpu_hour": other,
            "market_offers": going.offers,
            "percent_over_market": 100 * (own / other - 1),
        }


def stored(_: Person, of: Of) -> Answer:
    things = [one for one in VOLUMES if of(one) and machines.status(one) == {"unattached"}]
    return Answer(
        "sum", things, {uid(one): {"size_gb": machines.size_gb(one)} for one in things}, sum="size_gb"
    )


def failing(_: Person, of: Of) -> Answer:
    return Answer(None, [one for one in EVERYTHING if of(one) and machines.ill(one)])
