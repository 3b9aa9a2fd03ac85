"""What a speaker takes back, and what they mean to do with the answer, is no part of the question."""

from __future__ import annotations

from typing import Any

import pytest

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.evaluate import NOW


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("write latency of store-7, no, write iops", {"name": ["store-7"], "metric": ["write_iops"]}),
        ("cpu of web-01, sorry, memory", {"name": ["web-01"], "metric": ["memory"]}),
        ("cheapest a100, i mean h100", {"gpu": ["H100"], "limit": 1}),
        ("price of h100 on aws - no, on gcp", {"gpu": ["H100"], "providers": ["gcp"]}),
        ("volumes over 100 gb, no, 200", {"resource_type": ["volume"], "min_size_gb": 200}),
        ("volumes over 100 gb, make that 200 gb", {"resource_type": ["volume"], "min_size_gb": 200}),
        ("instances in prod, no i mean staging", {"resource_type": ["instance"], "tag": ["env=staging"]}),
        ("cheapest 4090 under $1, sorry, $0.50", {"gpu": ["RTX4090"], "limit": 1, "max_price": 0.5}),
    ],
)
def test_the_first_of_two_is_not_meant(said: str, arguments: dict[str, Any], words: Lexicon) -> None:
    made = plan(said, words, NOW)
    assert [dict(call.arguments) for call in made.calls] == [arguments]
    assert not made.ignored


def test_a_plain_no_rules_out_as_before(words: Lexicon) -> None:
    made = plan("a100 prices, no vast", words, NOW)
    assert made.calls[0].arguments == {"gpu": ["A100"], "exclude_providers": ["vast"]}


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("is there no h100 in europe", {"gpu": ["H100"], "region": ["eu"]}),
        ("why are there no gpus in asia", {"region": ["asia"]}),
    ],
)
def test_whether_there_is_none_asks_for_it(said: str, arguments: dict[str, Any], words: Lexicon) -> None:
    assert dict(plan(said, words, NOW).calls[0].arguments) == arguments


@pytest.mark.parametrize(
    "said",
    [
        "which azure vms are stopped? i will delete them myself",
        "list stopped vms in azure, so we can remove them",
        "stopped vms in azure please, and i'll resize them later",
    ],
)
def test_what_the_speaker_will_do_is_neither_an_order_nor_a_filter(said: str, words: Lexicon) -> None:
    made = plan(said, words, NOW)
    assert dict(made.calls[0].arguments) == {
        "resource_type": ["instance"],
        "providers": ["azure"],
        "status": ["stopped"],
    }


def test_an_order_behind_a_question_is_refused_all_the_same(words: Lexicon) -> None:
    assert plan("list stopped vms in azure, then delete them", words, NOW).reason == "write_operation"
