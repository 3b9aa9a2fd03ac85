"""A price list of 3,229 rows asked over MCP; price_list.py works the expected answers out from the CSV."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest

from cloudtop.cli.build import House, build
from tests.audit.price_list import FILE, Price, doubtful, matches, prices, usual
from tests.audit.questions import (
    ASKED,
    CUT,
    DOUBTED,
    FAMILIES,
    GROUPED,
    GROUPS,
    MODELS,
    PAGED,
    named,
)
from tests.switched import only

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"there is no {FILE.name} beside the project")

COLUMNS = {"gpu": "gpu_canonical", "gpu_memory_gib": "gpu_memory_gib_each"}
PAGE = 20


class Asked:
    """The answers, kept by the arguments that they were given to."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.pages: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return self.answers[json.dumps(arguments)]


@pytest.fixture(scope="module")
def every() -> list[Price]:
    return prices()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    home = tmp_path_factory.mktemp("list")
    listed = {"files": [str(FILE)], "columns": COLUMNS, "shipped": False}
    file = home / "config.json"
    file.write_text(json.dumps({"providers": {**only(), "pricelist": {"options": listed}}}))
    return asyncio.run(answered(build(file, home)))


async def answered(house: House) -> Asked:
    """Ask everything in one session."""
    from mcp import Client

    made = Asked()
    wanted = [one.arguments for one in ASKED]
    wanted += [{**arguments, "group_by": by, "limit": 500} for arguments, _ in GROUPED for by, _ in GROUPS]
    wanted += [{"gpu": "H100", "group_by": by, "limit_per_group": n, "limit": 500} for by, n in CUT]
    wanted += [{"gpu": gpu, "exclude_suspect": True, "limit": 500} for gpu in DOUBTED]
    wanted += [{"gpu": gpu, "limit": 500} for gpu in DOUBTED]
    async with Client(house.server(house.runtime())) as client:

        async def call(arguments: dict[str, Any]) -> dict[str, Any]:
            result = await client.call_tool("compare_gpu_prices", arguments)
            told: dict[str, Any] = result.structured_content or {}
            return told

        for arguments in wanted:
            made.answers[json.dumps(arguments)] = await to_the_end(call, arguments)
        for arguments, _ in PAGED:
            made.pages[json.dumps(arguments)] = await pages(call, arguments)
    await house.aclose()
    return made


async def pages(call: Any, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Every page, by its cursor."""
    found = [await call(arguments)]
    while found[-1].get("next_cursor"):
        found.append(await call({**arguments, "cursor": found[-1]["next_cursor"]}))
    return found


async def to_the_end(call: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """The first answer; with a limit beyond a result's size, the rows of the following pages as well."""
    if arguments.get("limit") != 500:
        first: dict[str, Any] = await call(arguments)
        return first
    found = await pages(call, arguments)
    return {**found[0], "rows": [row for page in found for row in page["rows"]]}


def shown(row: dict[str, Any]) -> tuple[Any, ...]:
    """What of a row the list decides."""
    return (
        row["provider"],
        row["instance_type"],
        row["region"],
        row["gpu"],
        row["gpu_memory_gib"],
        row["gpu_count"],
        row["spot"],
        round(row["usd_per_hour"], 9),
        row["as_of"][:10] if row["as_of"] else None,
    )


def due(one: Price) -> tuple[Any, ...]:
    return (
        *one.place,
        one.gpu,
        one.memory,
        float(one.count),
        one.spot,
        round(float(one.per_hour), 9),
        one.dated,
    )


@pytest.mark.parametrize("n", range(len(ASKED)))
def test_a_question_is_answered_as_the_list_says(asked: Asked, every: list[Price], n: int) -> None:
    question = ASKED[n]
    told = asked(question.arguments)
    assert "error" not in told, (str(question), told["error"])
    expected = question.ordered(matches(every, *question.tests))
    assert told["total"] == len(expected), str(question)
    first = expected[:PAGE]
    rows = told["rows"]
    assert len(rows) == len(first)
    assert [(row["provider"], row["instance_type"], row["region"]) for row in rows] == [
        one.place for one in first
    ], str(question)
    assert [row["usd_per_gpu_hour"] for row in rows] == [
        pytest.approx(float(one.per_gpu), rel=1e-9) for one in first
    ]
    if len(expected) <= PAGE:
        assert Counter(map(shown, rows)) == Counter(map(due, expected))
    elif "sort" not in question.arguments and "rank_by" not in question.arguments:
        ties = sum(one.per_gpu == expected[0].per_gpu for one in expected[:10])
        told_so = any("share the lowest price" in notice for notice in told["notices"])
        assert told_so is (ties > 1), str(question)


def test_there_are_enough_questions_and_they_are_not_all_alike(every: list[Price]) -> None:
    sizes = [len(matches(every, *one.tests)) for one in ASKED]
    assert len(ASKED) >= 205
    assert 10 < sizes.count(0) < 60
    assert sum(size > PAGE for size in sizes) > 100


@pytest.mark.parametrize(("by", "key"), GROUPS, ids=[by for by, _ in GROUPS])
@pytest.mark.parametrize("n", range(len(GROUPED)))
def test_a_group_has_the_lists_count_lowest_price_and_median(
    asked: Asked, every: list[Price], n: int, by: str, key: Callable[[Price], str]
) -> None:
    arguments, tests = GROUPED[n]
    told = asked({**arguments, "group_by": by, "limit": 500})
    groups: dict[str, list[Price]] = defaultdict(list)
    for one in matches(every, usual, *tests):
        groups[key(one)].append(one)
    assert told["total"] == len(groups)
    assert {row["group"]: row["count"] for row in told["rows"]} == {
        name: len(found) for name, found in groups.items()
    }
    for row in told["rows"]:
        found = groups[row["group"]]
        assert row["min"] == pytest.approx(float(found[0].per_gpu))
        assert row["median"] == pytest.approx(float(median(one.per_gpu for one in found)))
    lowest = [row["min"] for row in told["rows"]]
    assert lowest == sorted(lowest)


@pytest.mark.parametrize(("by", "most"), CUT)
def test_a_limit_per_group_keeps_the_cheapest_of_each(
    asked: Asked, every: list[Price], by: str, most: int
) -> None:
    key, kept = dict(GROUPS)[by], list[Price]()
    met: Counter[str] = Counter()
    for one in matches(every, usual, named(FAMILIES["H100"])):
        met[key(one)] += 1
        if met[key(one)] <= most:
            kept.append(one)
    told = asked({"gpu": "H100", "group_by": by, "limit_per_group": most, "limit": 500})
    assert told["total"] == len(kept)
    assert [(row["usd_per_gpu_hour"], row["provider"], row["region"]) for row in told["rows"]] == [
        (pytest.approx(float(one.per_gpu)), one.seller, one.region) for one in kept
    ]


@pytest.mark.parametrize("n", range(len(PAGED)))
def test_pages_to_the_end_are_the_whole_without_repeats(asked: Asked, every: list[Price], n: int) -> None:
    arguments, tests = PAGED[n]
    pages = asked.pages[json.dumps(arguments)]
    rows = [row for page in pages for row in page["rows"]]
    expected = matches(every, usual, *tests)
    assert Counter(map(shown, rows)) == Counter(map(due, expected))
    assert len({(row["offer_id"], row["spot"]) for row in rows}) == len(rows) == len(expected)
    assert {page["total"] for page in pages} == {len(expected)}
    seen = [row["usd_per_gpu_hour"] for row in rows]
    assert seen == sorted(seen, reverse=arguments.get("sort") == "price_desc")
    assert len(pages) > 1


@pytest.mark.parametrize("gpu", DOUBTED)
def test_a_doubtful_price_is_marked_and_only_left_out_when_asked(
    asked: Asked, every: list[Price], gpu: str
) -> None:
    marks = doubtful(every)
    found = matches(every, usual, named(MODELS[gpu]))
    rows = asked({"gpu": gpu, "limit": 500})["rows"]
    marked = Counter(shown(row) for row in rows if row["suspect"])
    assert marked == Counter(due(one) for one in found if id(one) in marks)
    without = asked({"gpu": gpu, "exclude_suspect": True, "limit": 500})
    assert Counter(map(shown, without["rows"])) == Counter(due(one) for one in found if id(one) not in marks)


def test_the_mixed_up_regions_of_gcp_are_doubted_with_the_figures(asked: Asked) -> None:
    rows = [row for row in asked({"gpu": "H100", "limit": 500})["rows"] if row["provider"] == "gcp"]
    cheap = [row for row in rows if row["suspect"]]
    assert {row["region"] for row in cheap} == {
        *("us-central1", "us-west1", "us-west4", "asia-northeast1", "asia-southeast1"),
        "australia-southeast1",
    }
    reasons = {row["suspect"] for row in cheap if row["instance_type"] == "a3-highgpu-1g"}
    assert reasons == {"less than half of $11.75, the median of 16 regions for a3-highgpu-1g at gcp"}
    assert not any(row["spot"] for row in cheap)


def test_the_markup_of_shadeform_on_verdas_a100_is_told(asked: Asked) -> None:
    rows = asked({"gpu": "A100", "limit": 500})["rows"]
    told = {(row["instance_type"], row["suspect"]) for row in rows if row["provider"] == "shadeform"}
    reason = "resold by shadeform: for the same verda itself asks $1.16 per GPU-hour"
    assert ("verda_A100-sxm4-80GB", reason) in told
    assert ("hyperstack_A100-80GB", None) in told


def test_the_v100_of_verda_is_doubted(asked: Asked) -> None:
    rows = [row for row in asked({"gpu": "V100", "limit": 500})["rows"] if row["provider"] == "verda"]
    assert {row["spot"]: row["suspect"] is not None for row in rows} == {True: False, False: True}
