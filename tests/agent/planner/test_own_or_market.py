"""Whether one's own machines are asked about or what sellers offer; what is said where it is not heard."""

from __future__ import annotations

import pytest

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from bench.evaluate import NOW


@pytest.mark.parametrize(
    "said",
    [
        "list instances with 4 gpus or more",
        "vms with 8 gpus",
        "which instance has 8 gpus",
        "gpu droplets on digital ocean",
        "machines with a gpu in europe",
        "vms with nvidia gpus",
        "single gpu vms",
        "how many spot vms in us-west-2",
        "what do our h100s cost per hour",
        "where are our a100s",
        "how many a100s are in use",
        "instances per gpu model",
        "gpu count per team",
        "gpu memory on h100 boxes right now",
    ],
)
def test_what_machines_have_is_asked_of_the_accounts(said: str, words: Lexicon) -> None:
    assert plan(said, words, NOW).calls[0].tool == "list_resources"


@pytest.mark.parametrize(
    "said",
    [
        "8-gpu h100 server in the us",
        "multi-gpu 4090 boxes",
        "what h100 machines can i rent in germany",
        "gpu machines for rent in asia",
        "cheapest 8 gpu machines",
        "A100 on lambda vs aws",
        "oracle gpu price list in london",
        "single-gpu instances, any turing card, sweden",
    ],
)
def test_what_sellers_offer_is_asked_of_the_market(said: str, words: Lexicon) -> None:
    assert {call.tool for call in plan(said, words, NOW).calls} == {"compare_gpu_prices"}


def test_a_market_plan_shows_that_it_does_not_hear_whose_they_are(words: Lexicon) -> None:
    made = plan("compare prices of our a100 on aws and gcp", words, NOW)
    assert made.calls[0].tool != "compare_gpu_prices" or "our" in made.ignored


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("instances without backups", "without backups"),
        ("biggest volumes by region", "biggest"),
        ("who can delete buckets", "delete"),
        ("snaps of vault taken by hand", "vault"),
        ("which pods restarted", "restarted"),
    ],
)
def test_what_a_list_cannot_take_is_shown_and_no_name_is_made_of_it(
    said: str, shown: str, words: Lexicon
) -> None:
    made = plan(said, words, NOW)
    assert shown in " ".join(made.ignored)
    assert "name" not in made.calls[0].arguments


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("oldest instance of each region", {"op": "distinct", "field": "region"}),
        ("biggest volume per cloud", {"op": "distinct", "field": "provider"}),
        ("postgres 14 databases", {"op": "filter", "where": [["version", "of", "14"]]}),
        ("clusters on version 1.28", {"op": "filter", "where": [["version", "of", "1.28"]]}),
    ],
)
def test_firsts_of_each_and_versions_are_worked_out_of_the_rows(
    said: str, then: dict[str, object], words: Lexicon
) -> None:
    assert plan(said, words, NOW).then == then


def test_a_part_of_something_is_not_asked_for_by_the_id_of_the_whole(words: Lexicon) -> None:
    made = plan("subnets in vpc-0abc12", words, NOW)
    assert dict(made.calls[0].arguments) == {"resource_type": ["subnet"]}
    assert any("vpc-0abc12" in notice for notice in made.notices)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("network traffic of load balancer front", "front"),
        ("objects in bucket media", "media"),
        ("how big is bucket logs", "logs"),
        ("how many requests did function resize get yesterday", "resize"),
        ("load average of bastion", "bastion"),
        ("gpu memory on node-1", "node-1"),
    ],
)
def test_the_word_behind_the_noun_of_one_resource_is_its_name(said: str, name: str, words: Lexicon) -> None:
    assert plan(said, words, NOW).calls[0].arguments["name"] == [name]


@pytest.mark.parametrize("said", ["bucket sizes", "vm inventory by owner tag", "power draw of the gpu fleet"])
def test_other_words_behind_a_noun_are_no_names(said: str, words: Lexicon) -> None:
    assert "name" not in plan(said, words, NOW).calls[0].arguments
