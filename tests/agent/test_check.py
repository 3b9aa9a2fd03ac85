"""Prose is checked against the rows: each kind of lie is struck, the truth stays."""

from __future__ import annotations

import pytest

from agent.check import struck

ROWS = [
    {
        "provider": "vast",
        "gpu": "A100",
        "gpu_raw": "A100 SXM4",
        "gpu_memory_gib": 80.0,
        "gpu_count": 1,
        "usd_per_gpu_hour": 0.8712,
        "usd_per_hour": 0.8712,
        "region": "Oregon, US",
        "reliability": 0.991,
        "spot": False,
        "fetched_at": "2026-11-20T14:00:00Z",
        "as_of": "2026-11-20T14:00:00Z",
    },
    {
        "provider": "azure",
        "gpu": "A100",
        "gpu_raw": "A100",
        "gpu_memory_gib": 80.0,
        "gpu_count": 8,
        "usd_per_gpu_hour": 4.0963,
        "usd_per_hour": 32.77,
        "region": "eastus",
        "spot": False,
        "fetched_at": "2026-11-20T13:00:00Z",
        "as_of": "2026-06-18T00:00:00Z",
    },
]


@pytest.mark.parametrize(
    "truth",
    [
        "The cheapest A100 is $0.87 per GPU-hour on vast.",
        "vast asks $0.8712 an hour.",
        "azure asks $32.77 per hour for 8 GPUs, which is $4.10 per GPU-hour.",
        "It has 80 GiB.",
        "vast is 99.1 % reliable.",
        "azure's price is as of 2026-06-18.",
        "It was read at 14:00 UTC.",
        "There are 2 offers of the A100.",
        "No figure at all in this sentence.",
    ],
)
def test_a_sentence_that_the_rows_bear_out_stays(truth: str) -> None:
    assert struck(truth, ROWS) == (truth, [])


@pytest.mark.parametrize(
    ("what", "lie"),
    [
        ("wrong value", "The cheapest A100 is $0.78 per GPU-hour on vast."),
        ("wrong unit", "azure asks $32.77 per GPU-hour."),
        ("wrong row", "azure asks $0.87 per GPU-hour."),
        ("wrong currency", "The cheapest A100 is €0.87 per GPU-hour on vast."),
        ("wrong currency in words", "vast asks 0.87 euros."),
        ("wrong memory", "The vast machine has 40 GiB."),
        ("wrong count", "There are 17 offers."),
        ("wrong date", "azure's price is as of 2026-11-20."),
        ("wrong percentage", "vast is 87 % reliable."),
        ("rounded too far", "vast asks $1 per hour, or $0.9 if you like, or $0.871 or $0.88."),
        ("thousands", "azure asks $3,277 per hour."),
    ],
)
def test_each_kind_of_lie_is_struck(what: str, lie: str) -> None:
    kept, out = struck(lie, ROWS)
    assert kept == "", what
    assert out


def test_only_the_lying_sentence_goes() -> None:
    kept, out = struck("vast asks $0.87. azure asks $1.00. Both have 80 GiB.", ROWS)
    assert kept == "vast asks $0.87. Both have 80 GiB."
    assert out == ["azure asks $1.00."]


def test_a_named_computation_may_be_said() -> None:
    assert struck("Together that is $87.12 for 100 hours.", ROWS, [87.12, 100])[1] == []
    assert struck("Together that is $87.12 for 100 hours.", ROWS)[0] == ""


def test_with_no_rows_no_figure_is_true() -> None:
    assert struck("It costs $1.", []) == ("", ["It costs $1."])
