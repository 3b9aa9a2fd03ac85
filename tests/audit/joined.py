"""Joined questions, made of templates and the names in all files, with who answers each of them, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.audit import machines
from tests.audit.machines import MACHINES, PLACES
from tests.audit.person import Answer, Of, Person, everywhere, failing, stored

TEAMS = sorted({one.tags["team"] for one in MACHINES if "team" in one.tags})
ENVIRONMENTS = sorted({one.tags["env"] for one in MACHINES if "env" in one.tags})
ACCOUNTS = sorted({one.account for one in MACHINES})
REGIONS = ("us-west-2", "us-central1", "nyc3")
TOGETHER = (("aws", "azure"), ("digitalocean", "runpod", "vast"), ("gcp", "oci", "digitalocean"))
SHARED = ("ocr-1", "lab-gpu", "infer-5")
"""Names that several clouds have a machine of."""
ALONE = ("web-prod-4", "route-sim-1", "training-node-32")


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


def bigger(than: float) -> Of:
    return lambda one: (machines.size_gb(one) or 0) > than


def cores(than: float) -> Of:
    return lambda one: (machines.vcpus(one) or 0) > than


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
    text = f"instances on azure and digitalocean with more than 4 vcpus below 20 % cpu {day} {cost}"
    yield asked(Person.idle, text, both(on("azure", "digitalocean"), cores(4)), 20)
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
    text = "what do the running machines with cost-center 4711 cost per hour"
    yield asked(Person.spent, text, tagged("cost-center", "4711"))
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
