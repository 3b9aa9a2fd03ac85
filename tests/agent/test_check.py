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


MEASURED = [
    {"name": "web-1", "metric": "cpu", "unit": "percent", "value": 34.72},
    {"name": "web-1", "metric": "network_in", "unit": "bytes per second", "value": 3145728.0},
    {"name": "db-1", "metric": "latency", "unit": "milliseconds", "value": 1250.0},
    {"name": "db-1", "metric": "memory_free", "unit": "bytes", "newest": 1288490188.8, "min": 536870912.0},
    {"name": "logs", "provider": "aws", "size_bytes": 5368709120, "object_count": 1200},
    {"name": "gpu-1", "metric": "gpu_temperature", "unit": "celsius", "value": 81.0},
]


@pytest.mark.parametrize(
    "truth",
    [
        "web-1 is at 34.7 %.",
        "web-1 is at 35 % cpu.",
        "web-1 takes in 3 MiB/s.",
        "db-1 answers in 1,250 ms, that is 1.25 s.",
        "db-1 has 1.2 GiB free and had 512 MiB at the least.",
        "logs keeps 5 GiB in 1,200 objects.",
        "gpu-1 is at 81 °C.",
    ],
)
def test_a_measured_value_may_be_said_in_units_for_people(truth: str) -> None:
    assert struck(truth, MEASURED) == (truth, [])


@pytest.mark.parametrize(
    ("what", "lie"),
    [
        ("value of another resource", "db-1 is at 35 %."),
        ("value of another metric", "web-1 takes in 35 %, says network_in."),
        ("a rate as an amount", "web-1 has 3 MiB."),
        ("wrong scale", "web-1 takes in 3 GiB/s."),
        ("milliseconds as seconds", "db-1 answers in 1250 s."),
        ("a percentage as degrees", "web-1 is at 35 °C."),
        ("wrong size", "logs keeps 6 GiB."),
    ],
)
def test_a_measured_value_in_another_unit_or_of_another_resource_is_struck(what: str, lie: str) -> None:
    assert struck(lie, MEASURED)[0] == "", what
