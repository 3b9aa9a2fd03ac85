"""RunPod as a local server: REST v2 (GPU catalogue, what the company has there) and its GraphQL.

Follows RunPod's OpenAPI document of REST v2 and its GraphQL documentation (gpuTypes, lowestPrice). The market
is made up: GPU types under RunPod's own ids, list prices in USD per hour of one GPU, memory in GB. Stricter
than the real one: parameters and fields that are not documented are refused. The document has no pages yet;
here lists are paged in the way that RunPod's newer ones are. REST wants a key, the prices of GraphQL do not.

Traps that it holds: prices filled in for a cloud that does not sell the type, also a placeholder of 0.5;
lowestPrice for the whole pod and null without capacity; large pods free in fewer places than small ones, and
never above a ceiling that is no stock; hosts outside the data centres; a type of which GraphQL does not tell
which sizes are free; stock in two cases; a price of 0; spot above on-demand, and null; MIG slices, one of an
unknown GPU; a name that is another part's ("H200"); a type that no cloud sells; a GPU that nobody knows;
optional fields left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.fleet import read as read_fleet
from cloudtop.sandbox.runpod.server import (
    LISTINGS,
    TITLES,
    TOKENS,
    account_of,
    inventory,
    paged,
    problem,
    unauthorized,
    unexpected,
)

TIERS = ("secure", "community")

# sold: by secure, by community · price and spot: of each cloud, per GPU-hour · most: GPUs of the largest pod
# free in each cloud: by data centre, GPUs on its emptiest host; "*" is outside the data centres, "-" none
# host: vCPUs and GB of memory that come with each GPU at least
MARKET = """
id                                    | name             | GB  | pool          | sold  | price       | spot        | most | secure free          | community free        | host
NVIDIA A100 80GB PCIe                 | A100 PCIe        | 80  | AMPERE_80     | y y   | 1.39 1.19   | 0.82 0.60   | 8 8  | US-KS-2=8 EU-RO-1=4  | *=2                   | 8 117
NVIDIA A100-SXM4-80GB                 | A100 SXM         | 80  | AMPERE_80     | y y   | 1.49 1.39   | null null   | 8 4  | US-KS-2=2            | -                     | 16 125
NVIDIA A40                            | A40              | 48  | AMPERE_48     | y n   | 0.40 0.35   | 0.44 null   | 10 1 | US-KS-2=1            | -                     | 9 50
NVIDIA B200                           | B200             | 180 | BLACKWELL_180 | y n   | 5.98 4.99   | null null   | 8 1  | -                    | -                     | 28 180
NVIDIA GeForce RTX 3090 Ti            | RTX 3090 Ti      | 24  | null          | n y   | 0.46 0.27   | null 0.14   | 1 2  | -                    | CA-MTL-1=2            | 16 62
NVIDIA GeForce RTX 4090               | RTX 4090         | 24  | ADA_24        | y y   | 0.69 0.34   | 0.35 0.20   | 8 8  | EU-RO-1=2            | CA-MTL-1=8 EU-RO-1=4  | 6 41
NVIDIA H100 80GB HBM3                 | H100 SXM         | 80  | ADA_80_PRO    | y y   | 2.99 2.69   | 1.75 1.50   | 8 8  | US-KS-2=8 EU-RO-1=2  | CA-MTL-1=1            | 20 125
NVIDIA H100 NVL                       | H100 NVL         | 94  | ADA_80_PRO    | y y   | 3.07 2.59   | 1.65 null   | 8 2  | EU-RO-1=4            | -                     | 16 94
NVIDIA H200                           | H200 SXM         | 141 | HOPPER_141    | y n   | 3.99 0.5    | null null   | 8 1  | US-KS-2=8            | -                     | 24 188
NVIDIA H200 NVL                       | H200             | 143 | null          | y n   | 3.39 0.5    | null null   | 8 1  | US-KS-2=1            | -                     | 16 125
NVIDIA L4                             | L4               | 24  | AMPERE_24     | y n   | 0.39 0.32   | null 0.18   | 7 1  | US-KS-2=4 CA-MTL-1=2 | -                     | 12 50
NVIDIA L40S                           | L40S             | 48  | ADA_48_PRO    | y y   | 0.86 0.79   | null null   | 8 4  | US-KS-2=8            | *=4                   | 12 62
NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb | RTX PRO 6000 MIG | 24  | AMPERE_24     | y n   | 0.49 0.40   | null null   | 4 1  | EU-RO-1=4            | -                     | 4 47
NVIDIA X900 MIG 2g.32gb               | X900 MIG         | 32  | null          | y n   | 0.99 0.90   | null null   | 1 1  | EU-RO-1=1            | -                     | 8 64
NVIDIA X900                           | X900             | 128 | null          | y n   | 4.20 4.00   | null null   | 8 1  | US-KS-2=2            | -                     | 16 128
AMD Instinct MI300X OAM               | MI300X           | 192 | null          | y n   | 0 0         | null null   | 8 1  | -                    | -                     | 24 283
unknown                               | unknown          | 0   | null          | n n   | 0 0         | null null   | 1 1  | -                    | -                     | 0 0
"""  # noqa: E501
SPOT_NOT_TOLD = "NVIDIA X900"
"""Of which GraphQL leaves the fields of the spot price out."""

COUNTS_NOT_TOLD = "NVIDIA A100 80GB PCIe"
"""Of which it does not tell which sizes are free."""

DATA_CENTERS = {"US-KS-2": "US Kansas 2", "EU-RO-1": "EU Romania 1", "CA-MTL-1": "CA Montreal 1"}


@dataclass(frozen=True)
class GpuType:
    """A line of the market; each pair is of the secure and the community cloud."""

    id: str
    name: str
    gb: int
    pool: str | None
    sold: tuple[bool, ...]
    price: tuple[float, ...]
    spot: tuple[float | None, ...]
    most: tuple[int, ...]
    free: tuple[dict[str, int], ...]
    host: tuple[int, ...]

    def stock(self, tier: int, count: int) -> dict[str, str]:
        """By place, the level of pods of so many GPUs; only of places that have one."""
        return {place: level(free // count) for place, free in self.free[tier].items() if free >= count}

    @property
    def maker(self) -> str:
        """The manufacturer as REST writes it."""
        return "AMD" if self.id.startswith("AMD") else "UNKNOWN" if self.id == "unknown" else "NVIDIA"


def level(pods: int) -> str:
    """How so many free pods are put in a word."""
    return "High" if pods >= 4 else "Medium" if pods >= 2 else "Low"


def best(levels: Iterable[str]) -> str | None:
    """The word for all places together."""
    return max(levels, key=["Low", "Medium", "High"].index, default=None)


def free_by_place(cell: str) -> dict[str, int]:
    """`US-KS-2=8 *=4`, read."""
    pairs = (one.split("=") for one in cell.split() if one != "-")
    return {place: int(free) for place, free in pairs}


def market() -> list[GpuType]:
    """The table, read."""
    lines = [[cell.strip() for cell in line.split("|")] for line in MARKET.strip().splitlines()[1:]]
    return [
        GpuType(
            id,
            name,
            int(gb),
            None if pool == "null" else pool,
            tuple(one == "y" for one in sold.split()),
            tuple(map(float, price.split())),
            tuple(None if one == "null" else float(one) for one in spot.split()),
            tuple(map(int, most.split())),
            (free_by_place(secure), free_by_place(community)),
            tuple(map(int, host.split())),
        )
        for id, name, gb, pool, sold, price, spot, most, secure, community, host in lines
    ]


# --- REST v2 ---------------------------------------------------------------------------------------------


async def catalog_gpus(request: Request) -> Response:
    """GET /v2/catalog/gpus: list prices, and with include=AVAILABILITY what is free for pods of one cloud."""
    if refusal := unauthorized(request) or unexpected(request, FILTERS | {"include", "cursor"}):
        return refusal
    asked = request.query_params
    available = asked.get("include") == "AVAILABILITY"
    if "include" in asked and not available:
        return problem(400, "include: supported value is AVAILABILITY")
    if not available and (stray := FILTERS & set(asked)):
        return problem(400, f"{min(stray)} is valid only with include=AVAILABILITY")
    if available and asked.get("product") not in ("POD", "CLUSTER", "SERVERLESS"):
        return problem(400, "include=AVAILABILITY requires product, one of POD, CLUSTER, SERVERLESS")
    if asked.get("cloud", "SECURE") not in ("SECURE", "COMMUNITY"):
        return problem(400, "cloud: supported values are SECURE, COMMUNITY")
    count = asked.get("count", "1")
    if not count.isdecimal() or int(count) < 1:
        return problem(422, "Request validation failed.", ["count: must be an integer of at least 1"])
    tier = TIERS.index(asked.get("cloud", "SECURE").lower()) if available else None
    return paged("gpus", [catalog_gpu(one, tier, int(count)) for one in market()], asked.get("cursor"))


FILTERS = {"product", "cloud", "count", "countryCodes", "cudaVersions", "minCudaVersion"}


def catalog_gpu(gpu: GpuType, tier: int | None, count: int) -> dict[str, Any]:
    """One GPU type as REST lists it."""
    record: dict[str, Any] = {
        "id": gpu.id,
        "name": gpu.name,
        "pool": gpu.pool,
        "manufacturer": gpu.maker,
        "memory": gpu.gb,
        **dict(zip(TIERS, gpu.sold, strict=True)),
        "price": dict(zip(TIERS, gpu.price, strict=True)),
        "maxCount": dict(zip(TIERS, gpu.most, strict=True)),
    }
    if gpu.pool:
        record["price"]["serverless"] = round(1.6 * gpu.price[0], 2)
    if tier is None:
        return record
    stock = gpu.stock(tier, count)
    record["availability"] = (best(stock.values()) or "None").upper()
    places = [(id, DATA_CENTERS[id], word.upper()) for id, word in stock.items() if id in DATA_CENTERS]
    if places:
        names = ("id", "name", "availability")
        record["dataCenters"] = [dict(zip(names, place, strict=True)) for place in places]
    if gpu.maker == "NVIDIA":
        record["cudaVersions"] = [{"version": "12.8", "available": bool(stock)}]
    return record


# --- GraphQL ---------------------------------------------------------------------------------------------


class BadQuery(Exception):
    """A GraphQL document that is refused, with its sentence."""


@dataclass(frozen=True)
class Field:
    """One selected field of a document."""

    alias: str
    name: str
    arguments: Mapping[str, Any]
    inside: tuple[Field, ...]


async def graphql(request: Request) -> Response:
    """POST /graphql: gpuTypes for anybody, myself for a key. What does not fit the schema is refused."""
    account = account_of(request)
    if account is None and "authorization" in request.headers:
        return errors(401, "Unauthorized", "UNAUTHENTICATED")
    try:
        body = json.loads(await request.body())
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            raise BadQuery("POST body missing, invalid Content-Type, or JSON object has no keys.")
        fields = parsed(body["query"])
        return JSONResponse({"data": {field.alias: root(field, account) for field in fields}})
    except (ValueError, BadQuery) as reason:
        return errors(400, str(reason), "GRAPHQL_VALIDATION_FAILED")


def parsed(document: str) -> tuple[Field, ...]:
    """The fields of a query without variables and fragments."""
    tokens = re.findall(r'"[^"]*"|-?\d+(?:\.\d+)?|\w+|[{}():,$!\[\]]', document)
    words = iter([*tokens, "", ""])
    if (first := next(words)) == "query":
        first = next(words)
        first = next(words) if first.isidentifier() else first
    if first != "{":
        raise BadQuery(f"Syntax Error: Unexpected {first!r}.")
    return tuple(selected([*words], [0]))


def selected(words: list[str], at: list[int]) -> Iterator[Field]:
    """The fields up to the closing brace; `at` is where reading has come to."""

    def take(wanted: str = "") -> str:
        word = words[at[0]]
        if not word or (wanted and word != wanted):
            raise BadQuery(f"Syntax Error: Unexpected {word or '<EOF>'!r}.")
        at[0] += 1
        return word

    while words[at[0]] != "}":
        alias = name = take()
        if words[at[0]] == ":":
            take()
            name = take()
        arguments: dict[str, Any] = {}
        if words[at[0]] == "(":
            arguments = values(take, lambda: words[at[0]], ")")
        inside: tuple[Field, ...] = ()
        if words[at[0]] == "{":
            take()
            inside = tuple(selected(words, at))
        yield Field(alias, name, arguments, inside)
    take("}")


def values(take: Callable[..., str], ahead: Callable[[], str], end: str) -> dict[str, Any]:
    """Arguments or an input object: name: value, …"""
    take()
    found: dict[str, Any] = {}
    while ahead() != end:
        name = take()
        take(":")
        found[name] = values(take, ahead, "}") if ahead() == "{" else json.loads(take())
        if ahead() == ",":
            take()
    take(end)
    return found


def root(field: Field, account: str | None) -> Any:
    """What a field of the query itself holds; `myself` is null without a key."""
    if field.name == "myself" and not field.arguments:
        return myself(account, field.inside) if account else None
    if field.name != "gpuTypes":
        raise BadQuery(f'Cannot query field "{field.name}" on type "Query".')
    if field.arguments or not field.inside:
        raise BadQuery('Field "gpuTypes" takes a selection of subfields and here no argument.')
    return [{one.alias: value for one, value in read(gpu, field.inside)} for gpu in market()]


def myself(account: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The selected fields of an account."""
    known = read_fleet("runpod")["accounts"][account]
    if unknown := [one.name for one in fields if one.name not in known]:
        raise BadQuery(f'Cannot query field "{unknown[0]}" on type "User".')
    return {one.alias: known[one.name] for one in fields}


def read(gpu: GpuType, fields: tuple[Field, ...]) -> Iterator[tuple[Field, Any]]:
    """The selected fields of one GPU type."""
    plain = {
        "id": gpu.id,
        "displayName": gpu.name,
        "manufacturer": {"NVIDIA": "Nvidia", "UNKNOWN": "unknown"}.get(gpu.maker, gpu.maker),
        "memoryInGb": gpu.gb,
        "secureCloud": gpu.sold[0],
        "communityCloud": gpu.sold[1],
        "securePrice": gpu.price[0],
        "communityPrice": gpu.price[1],
        "secureSpotPrice": gpu.spot[0],
        "communitySpotPrice": gpu.spot[1],
        "maxGpuCount": max(gpu.most),
        "maxGpuCountSecureCloud": gpu.most[0],
        "maxGpuCountCommunityCloud": gpu.most[1],
    }
    for field in fields:
        if field.name == "lowestPrice":
            lowest = lowest_price(gpu, field.arguments)
            if unknown := [one.name for one in field.inside if one.name not in lowest]:
                raise BadQuery(f'Cannot query field "{unknown[0]}" on type "LowestPrice".')
            yield field, {one.alias: lowest[one.name] for one in field.inside}
        elif field.name not in plain or field.arguments or field.inside:
            raise BadQuery(f'Cannot query field "{field.name}" on type "GpuType".')
        elif gpu.id != SPOT_NOT_TOLD or "SpotPrice" not in field.name:
            yield field, plain[field.name]


def lowest_price(gpu: GpuType, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """For a whole pod of the asked size in the asked cloud; nothing but nulls where none is free."""
    asked = arguments.get("input")
    if not isinstance(asked, dict) or set(asked) - {"gpuCount", "secureCloud"} or set(arguments) != {"input"}:
        raise BadQuery('Field "lowestPrice": input is not a GpuLowestPriceInput.')
    count, tier = asked.get("gpuCount"), 0 if asked.get("secureCloud") else 1
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise BadQuery("GpuLowestPriceInput.gpuCount: Int cannot represent this value.")
    names = ("minimumBidPrice", "uninterruptablePrice", "minVcpu", "minMemory", "stockStatus")
    word, bid = best(gpu.stock(tier, count).values()), gpu.spot[tier]
    if word is None:
        return dict.fromkeys((*names, "availableGpuCounts"))
    whole = (bid and round(bid * count, 4), round(gpu.price[tier] * count, 4))
    told = dict(zip(names, (*whole, gpu.host[0] * count, gpu.host[1] * count, word), strict=True))
    sizes = list(range(1, max(gpu.free[tier].values()) + 1))
    return told | {"availableGpuCounts": None if gpu.id == COUNTS_NOT_TOLD else sizes}


def errors(status: int, message: str, code: str) -> JSONResponse:
    """Errors as GraphQL words them."""
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status)


# --- both ------------------------------------------------------------------------------------------------


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up: REST's, but only GraphQL hides one behind a 200."""
    document: dict[str, Any] = {"errors": [{"message": message}], "data": None}
    if status >= 300:
        document = {"title": TITLES.get(status, "Error"), "status": status, "detail": message}
    return json.dumps(document).encode()


async def _not_there(request: Request, raised: Exception) -> Response:
    assert isinstance(raised, HTTPException)
    return problem(raised.status_code, f"{request.method} {request.url.path}: {raised.detail}")


def app(state: State) -> Starlette:
    """The server. Its prices do not move."""
    return Starlette(
        routes=[
            Route("/v2/catalog/gpus", catalog_gpus, methods=["GET"]),
            *inventory(state),
            Route("/graphql", graphql, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _not_there},
    )


CLOUD = Cloud(
    app=app,
    words=words,
    auth={"api_key": TOKENS["prod"]},
    accounts={name: {"api_key": token} for name, token in TOKENS.items()},
    records="gpus",
    more="pagination.nextCursor",
    listings=LISTINGS,
    always={"volume": ("size_gb", "storage_class")},
    keys=("id",),
    # In the query of the scope, and in the requests for that cloud's catalogue; GraphQL does not write it so.
    part="COMMUNITY",
    cannot={"region-denied": "one listing holds all data centres"},
)
