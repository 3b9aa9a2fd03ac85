"""Joined questions, made of templates and the names in all files, and how a person answers each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.audit import machines
from tests.audit.company import Thing
from tests.audit.machines import EVERYTHING, MACHINES, PLACES, VOLUMES, Going, Listed, Load

Of = Callable[[Thing], bool]
TEAMS = sorted({one.tags["team"] for one in MACHINES if "team" in one.tags})
ENVIRONMENTS = sorted({one.tags["env"] for one in MACHINES if "env" in one.tags})
ACCOUNTS = sorted({one.account for one in MACHINES})
REGIONS = ("us-west-2", "us-central1", "nyc3")
TOGETHER = (("aws", "azure"), ("digitalocean", "runpod", "vast"), ("gcp", "oci", "digitalocean"))
SHARED = ("ocr-1", "lab-gpu", "infer-5")
"""Names that several clouds have a machine of."""
ALONE = ("web-prod-4", "route-sim-1", "training-node-32")


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


def tagged(key: str, value: str) -> Of:
    return lambda one: one.tags.get(key) == value


def placed(place: str) -> Of:
    return lambda one: one.region in PLACES.get(place, {place})


def owned(account: str) -> Of:
    return lambda one: one.account == account


def on(*clouds: str) -> Of:
    return lambda one: one.cloud in clouds


def typed(kind: str) -> Of:
    return lambda one: one.type == kind


def both(first: Of, second: Of) -> Of:
    return lambda one: first(one) and second(one)


def listing(clouds: tuple[str, ...]) -> str:
    """`aws and azure`."""
    return f"{', '.join(clouds[:-1])} and {clouds[-1]}"


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


def bigger(than: float) -> Of:
    return lambda one: (machines.size_gb(one) or 0) > than


def carries(gpu: str) -> Of:
    return lambda one: any(board[0] == gpu for board in machines.boards(one))


Question = tuple[str, Callable[[Person], Answer]]


def asked(how: Callable[..., Answer], text: str, *of: Any, **more: Any) -> Question:
    """A question, and how a person answers it."""
    return text, lambda person: how(person, *of, **more)


def questions() -> dict[str, Callable[[Person], Answer]]:
    """All of them."""
    return dict([*_idle(), *_busy(), *_spent(), *_stored(), *_failing(), *_named(), *_market()])


def _idle() -> Iterator[Question]:
    day, cost = "over the last 24 hours", "and what they cost an hour"
    yield asked(
        Person.idle, "idle instances below 20 % cpu in the last day with their hourly price", everywhere, 20
    )
    for team in TEAMS:
        yield asked(
            Person.idle, f"instances of team {team} below 20 % cpu {day} {cost}", tagged("team", team), 20
        )
    for place in (*PLACES, *REGIONS):
        text = f"vms in {place} that used less than 30% cpu in the last 24h, with their hourly price"
        yield asked(Person.idle, text, placed(place), 30)
    for env in ENVIRONMENTS:
        text = f"{env} instances under 10% cpu in the last day and their price"
        yield asked(Person.idle, text, tagged("env", env), 10)
    for clouds in TOGETHER:
        text = f"instances on {listing(clouds)} below 3.5 % cpu {day} {cost}"
        yield asked(Person.idle, text, on(*clouds), 3.5)
    for account in ACCOUNTS:
        text = f"which instances in account {account} idle below 10 % cpu {day} {cost}"
        yield asked(Person.idle, text, owned(account), 10)
    text = "instances not on aws under 3.5% cpu in the last day and their hourly price"
    yield asked(Person.idle, text, lambda one: one.cloud != "aws", 3.5)
    text = f"instances of team vision or routing below 20 % cpu {day} {cost}"
    yield asked(Person.idle, text, lambda one: one.tags.get("team") in ("vision", "routing"), 20)
    text = "total hourly cost of machines below 10 % cpu over the last day"
    yield asked(Person.idle, text, everywhere, 10)
    gpus = f"gpu machines below 10 % cpu {day} {cost}"
    yield asked(Person.idle, gpus, lambda one: bool(machines.boards(one)), 10)


def _busy() -> Iterator[Question]:
    text = "servers over 85% cpu during the past 24 hours and what they cost"
    yield asked(Person.busy, text, everywhere, 85)
    for env in ENVIRONMENTS:
        yield asked(Person.busy, f"{env} {text}", tagged("env", env), 85)
    for clouds in TOGETHER[:1]:
        text = f"machines on {listing(clouds)} with more than 50 % cpu over the last day and their price"
        yield asked(Person.busy, text, on(*clouds), 50)


def _spent() -> Iterator[Question]:
    for team in TEAMS:
        text = f"what do the running instances of team {team} cost per hour"
        yield asked(Person.spent, text, tagged("team", team))
    for place in (*PLACES, *REGIONS):
        yield asked(Person.spent, f"hourly cost of all running vms in {place}", placed(place))
    for account in ACCOUNTS:
        text = f"how much do the running machines in account {account} cost an hour"
        yield asked(Person.spent, text, owned(account))
    for clouds in TOGETHER:
        yield asked(Person.spent, f"hourly cost of the running vms on {listing(clouds)}", on(*clouds))
    gpus = "what do the running gpu machines of team vision cost per hour"
    yield asked(Person.spent, gpus, both(tagged("team", "vision"), lambda one: bool(machines.boards(one))))
    yield asked(Person.spent, "what do the running spot machines cost per hour", machines.spot)


def _stored() -> Iterator[Question]:
    yield asked(stored, "unattached volumes and their total size", everywhere)
    for team in TEAMS:
        yield asked(stored, f"unattached volumes of team {team} and their total size", tagged("team", team))
    for account in ACCOUNTS:
        yield asked(stored, f"unattached volumes in account {account} and their total size", owned(account))
    yield asked(stored, "unattached volumes in Europe and their total size", placed("Europe"))
    yield asked(stored, "unattached volumes bigger than 750 GB and their total size", bigger(750))
    for clouds in TOGETHER:
        yield asked(stored, f"unattached volumes on {listing(clouds)} and their total size", on(*clouds))


def _failing() -> Iterator[Question]:
    for env in ENVIRONMENTS:
        yield asked(failing, f"unhealthy things in {env}", tagged("env", env))
    for team in TEAMS:
        yield asked(failing, f"unhealthy things of team {team}", tagged("team", team))
    for kind in ("instance", "database", "function", "cluster"):
        yield asked(failing, f"which {kind}s are unhealthy", typed(kind))
    yield asked(failing, "what is unhealthy on digitalocean and cloudflare", on("digitalocean", "cloudflare"))
    yield asked(
        failing, "unhealthy instances on vast and runpod", both(typed("instance"), on("vast", "runpod"))
    )
    yield asked(failing, "which instances in Europe are unhealthy", both(typed("instance"), placed("Europe")))


def _named() -> Iterator[Question]:
    for name in (*SHARED, *ALONE):
        yield asked(
            Person.named, f"average cpu of {name} over the last 24 hours and what it costs an hour", name
        )


def _market() -> Iterator[Question]:
    yield asked(Person.market, "GPUs running above the market")
    yield asked(Person.market, "gpu machines below the market", side="below")
    yield asked(Person.market, "which of our gpus could be had cheaper", against="min")
    yield asked(Person.market, "which of our GPUs cost more than 50 % above the market", percent=50)
    yield asked(
        Person.market, "gpus on vast more than 10 % below the market", on("vast"), "below", percent=10
    )
    for clouds in TOGETHER[:2]:
        yield asked(Person.market, f"gpu machines on {listing(clouds)} above the market", on(*clouds))
    yield asked(Person.market, "gpu machines in prod above the market", tagged("env", "prod"))
    yield asked(Person.market, "gpu machines of team vision above the market", tagged("team", "vision"))
    for account in ACCOUNTS:
        yield asked(Person.market, f"gpu machines in account {account} above the market", owned(account))
    yield asked(Person.market, "which gpu machines in Europe run above the market", placed("Europe"))
    yield asked(Person.market, "how do our A100s compare to the market", carries("A100"), None)
    yield asked(
        Person.market, "which of our rtx 4090s could be had cheaper", carries("RTX4090"), against="min"
    )
    yield asked(Person.market, "spot gpu machines above the market", machines.spot)
    text = "on-demand gpu machines above the market"
    yield asked(Person.market, text, lambda one: not machines.spot(one))
    yield asked(Person.market, "our gpus not on aws above the market", lambda one: one.cloud != "aws")
    yield asked(Person.market, "is infer-5 above the market", lambda one: machines.name(one) == "infer-5")
