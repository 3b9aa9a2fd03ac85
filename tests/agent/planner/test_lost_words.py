"""Words that used to get lost: commas, signs, unknown models, the future, pronouns, hours of every day."""

from __future__ import annotations

import pytest

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.evaluate import NOW


@pytest.mark.parametrize(
    ("asked", "argument", "value"),
    [
        ("h100 max $1,50", "max_price", 1.5),
        ("a100 under 1,5 dollars", "max_price", 1.5),
        ("cheapest gpu with 10,5 GB", "min_memory", 10.5),
        ("h100 with 1,500 gb disk", "disk_gb", 1500),
        ("h100 running 8 hours a day for a month", "hours", 240),
        ("a100 16 hours daily for 2 weeks", "hours", 224),
        ("h100 for 30 days, 8 hours a day", "hours", 240),
        ("a100 8 hours per day", "hours", 8),
    ],
)
def test_the_whole_number_is_read(asked: str, argument: str, value: float, words: Lexicon) -> None:
    assert plan(asked, words, NOW).calls[0].arguments[argument] == value


@pytest.mark.parametrize("asked", ["h100 for -5 hours", "h100 for - 5 hours", "h100 under -$2", "$-5 h100"])
def test_a_number_below_zero_is_asked_back(asked: str, words: Lexicon) -> None:
    assert plan(asked, words, NOW).behaviour == "clarify"


def test_a_dash_between_numbers_is_a_range(words: Lexicon) -> None:
    assert plan("h100 $1 - $2", words, NOW).calls[0].arguments["max_price"] == 2


def test_an_unknown_model_is_no_count(words: Lexicon) -> None:
    made = plan("cheapest X9999", words, NOW)
    assert made.behaviour == "clarify"
    assert made.choices


@pytest.mark.parametrize(
    "asked", ["price of h100 tomorrow", "h100 price next week", "what will the h100 price be"]
)
def test_what_is_to_come_is_not_known(asked: str, words: Lexicon) -> None:
    assert any("to come" in said for said in plan(asked, words, NOW).notices)


@pytest.mark.parametrize("moving", ["going up", "going down", "rising", "falling"])
def test_a_price_that_is_moving_is_a_trend(moving: str, words: Lexicon) -> None:
    made = plan(f"is the price of A100 {moving}", words, NOW)
    assert (made.calls[0].tool, made.then and made.then["op"]) == ("gpu_price_history", "diff")
    assert made.notices == ("No period was said: the last 30 days.",)


def test_an_interconnect_that_is_ruled_out_is_said(words: Lexicon) -> None:
    assert "nvlink" in " ".join(plan("H100 without nvlink", words, NOW).notices)


def test_the_part_of_a_refused_order_that_reads_is_offered(words: Lexicon) -> None:
    made = plan("delete my instances then show the cheapest A100", words, NOW)
    assert (made.behaviour, made.choices) == ("refuse", ("show the cheapest A100",))
    assert plan("delete my H100 and A100 instances", words, NOW).choices == ()


@pytest.mark.parametrize("asked", ["how many is that", "which one is it", "how many are those"])
def test_a_pronoun_with_nothing_before_it_is_asked_back(asked: str, words: Lexicon) -> None:
    assert plan(asked, words, NOW).behaviour == "clarify"


def test_a_name_of_two_cards_is_told(words: Lexicon) -> None:
    assert any("is two cards" in said for said in plan("RTX 6000", words, NOW).notices)


def test_what_a_machine_costs_is_judged_for_each_gpu(words: Lexicon) -> None:
    made = plan("is $20 for 8x H100 a good price", words, NOW)
    assert made.notices == ("$20.00 for 8 GPUs is $2.50 per GPU-hour.",)
