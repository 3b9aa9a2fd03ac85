"""A GPU's name: what a seller's row is, what a person means, and the mistakes of other tools avoided."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop import compiled, gpus
from cloudtop.errors import ArgumentError
from cloudtop.gpu_catalogue import facts, squash

ARCHITECTURES = {"ampere", "ada", "hopper", "blackwell", "turing", "volta", "cdna3"}
MODELS = sorted(gpus.catalogue().gpus)
SPELLINGS = sorted(
    (seller, spelling, gpu.name)
    for gpu in gpus.catalogue().gpus.values()
    for seller, spellings in gpu.aliases.items()
    for spelling in spellings
)
# Spellings that a seller uses for one card and a person for several.
AMBIGUOUS = {squash(word) for word in facts()["ambiguous"]}


# --- what a seller's row is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seller", "raw", "field_gib", "name", "gib", "form"),
    [
        ("vast", "A100 SXM4", 81559 / 1024, "A100", 80, "sxm"),
        ("vast", "A100 SXM4", 40960 / 1024, "A100", 40, "sxm"),
        ("vast", "A100 PCIE", 81920 / 1024, "A100", 80, "pcie"),
        ("vast", "Tesla V100", 16384 / 1024, "V100", 16, None),
        ("vast", "Tesla V100", 32510 / 1024, "V100", 32, None),
        ("vast", "H100 SXM", 81559 / 1024, "H100", 80, "sxm"),
        ("vast", "H100 NVL", 95830 / 1024, "H100NVL", 94, "nvl"),
        ("vast", "H200", 143771 / 1024, "H200", 141, "sxm"),
        ("vast", "H200 NVL", 143771 / 1024, "H200NVL", 141, "nvl"),
        ("vast", "RTX 4090", 24564 / 1024, "RTX4090", 24, "pcie"),
        ("vast", "RTX 4070S Ti", 16376 / 1024, "RTX4070TISUPER", 16, "pcie"),
        ("vast", "RTX 4080S", 16376 / 1024, "RTX4080SUPER", 16, "pcie"),
        ("vast", "RTX 3090 Ti", 24564 / 1024, "RTX3090TI", 24, "pcie"),
        ("vast", "RTX 6000Ada", 49140 / 1024, "RTX6000ADA", 48, "pcie"),
        ("vast", "Q RTX 6000", 24220 / 1024, "QUADRORTX6000", 24, "pcie"),
        ("vast", "Q RTX 8000", 49152 / 1024, "QUADRORTX8000", 48, "pcie"),
        ("vast", "RTX PRO 6000 WS", 97887 / 1024, "RTXPRO6000", 96, "pcie"),
        ("vast", "RTX PRO 6000 S", 97887 / 1024, "RTXPRO6000", 96, "pcie"),
        ("vast", "GH200 SXM", 97871 / 1024, "GH200", 96, "sxm"),
        ("runpod", "NVIDIA H100 80GB HBM3", 80, "H100", 80, "sxm"),
        ("runpod", "NVIDIA H100 PCIe", 80, "H100", 80, "pcie"),
        ("runpod", "NVIDIA H100 NVL", 94, "H100NVL", 94, "nvl"),
        ("runpod", "AMD Instinct MI300X OAM", 192, "MI300X", 192, "oam"),
        ("runpod", "NVIDIA RTX 6000 Ada Generation", 48, "RTX6000ADA", 48, "pcie"),
        ("runpod", "NVIDIA RTX PRO 6000 Blackwell Server Edition", 96, "RTXPRO6000", 96, "pcie"),
        ("runpod", "Tesla V100-SXM2-32GB", None, "V100", 32, "sxm"),
        ("runpod", "NVIDIA B300 SXM6 AC", 288, "B300", 270, "sxm"),
        ("lambda", "gpu_8x_a100_80gb_sxm4", None, "A100", 80, "sxm"),
        ("lambda", "8x A100 (80 GB SXM4)", None, "A100", 80, "sxm"),
        ("lambda", "gpu_1x_rtx6000", None, "QUADRORTX6000", 24, "pcie"),
        ("lambda", "RTX6000", None, "QUADRORTX6000", 24, "pcie"),
        ("lambda", "gpu_1x_a6000", None, "RTXA6000", 48, "pcie"),
        ("digitalocean", "nvidia_h100", 80, "H100", 80, None),
        ("digitalocean", "gpu-h100x8-640gb", None, "H100", 80, "sxm"),
        ("digitalocean", "gpu-mi300x8-1536gb", None, "MI300X", 192, "oam"),
        ("verda", "RTX-A6000", 48, "RTXA6000", 48, "pcie"),
        ("verda", "Tesla-V100", None, "V100", 16, None),
        ("gcp", "nvidia-tesla-a100", None, "A100", 40, "sxm"),
        ("gcp", "nvidia-a100-80gb", None, "A100", 80, "sxm"),
        ("gcp", "nvidia-h100-mega-80gb", None, "H100", 80, "sxm"),
        ("gcp", "nvidia-h200-141gb", None, "H200", 141, "sxm"),
        ("skypilot", "A100", None, "A100", 40, None),
        ("skypilot", "A100-80GB-SXM", None, "A100", 80, "sxm"),
        ("skypilot", "V100-32GB", None, "V100", 32, None),
        ("shadeform", "A100_80G", 80, "A100", 80, None),
        ("tensordock", "geforcertx4090-pcie-24gb", None, "RTX4090", 24, "pcie"),
        ("hyperbolic", "NVIDIA-GeForce-RTX-4090", 24, "RTX4090", 24, "pcie"),
        ("yotta", "NVIDIA_GeForce_RTX_5090_32G", None, "RTX5090", 32, "pcie"),
        ("aws", "A10G", 22888 / 1024, "A10G", 24, "pcie"),
        ("aws", "L4", 22888 / 1024, "L4", 24, "pcie"),
        ("aws", "T4", 15, "T4", 16, "pcie"),
        ("azure", "M60", 7618 / 1024, "M60", 8, "pcie"),
        ("anyone", "L40S", 45, "L40S", 48, "pcie"),
        ("anyone", "GH200-96GB", None, "GH200", 96, None),
        ("anyone", "Radeon-Pro-V520", None, "RADEONPROV520", 8, "pcie"),
        ("anyone", "TPU-v5e", None, "TPUV5E", 16, None),
        ("anyone", "H100-NVL", None, "H100NVL", 94, "nvl"),
        ("anyone", "A100(80)", None, "A100", 80, None),
        ("anyone", "V100-16GB", None, "V100", 16, None),
        ("anyone", "Quadro-RTX-6000", None, "QUADRORTX6000", 24, "pcie"),
        ("anyone", "RTX-5060-Ti-16GB", None, "RTX5060TI", 16, "pcie"),
    ],
)
def test_a_sellers_row_is_recognised(
    seller: str, raw: str, field_gib: float | None, name: str, gib: float, form: str | None
) -> None:
    found = gpus.identify(seller, raw, field_gib)
    assert (found.name, found.memory_gib, found.form, found.modified) == (name, gib, form, False)
    assert not found.fractional


@pytest.mark.parametrize(("seller", "spelling", "name"), SPELLINGS)
def test_every_spelling_of_a_seller_is_that_sellers_one_model(seller: str, spelling: str, name: str) -> None:
    assert gpus.identify(seller, spelling).name == name


@pytest.mark.parametrize(("seller", "spelling", "name"), SPELLINGS)
def test_every_spelling_of_a_seller_may_be_typed_by_a_person(seller: str, spelling: str, name: str) -> None:
    found = gpus.resolve(spelling)
    assert name in found.names
    if squash(spelling) not in AMBIGUOUS:
        assert set(found.names) <= set(gpus.catalogue().family(name)) | {name}


def test_no_seller_uses_one_spelling_for_two_models() -> None:
    meant = defaultdict(set)
    for seller, spelling, name in SPELLINGS:
        meant[seller, squash(spelling)].add(name)
    assert {key: names for key, names in meant.items() if len(names) > 1} == {}


@pytest.mark.parametrize("raw", ["FooBar 9000", "", "GPU", "RTX", "Voodoo 2", "RTX 4095", "A1000X", "NVIDIA"])
def test_an_unknown_name_stays_unknown_and_its_memory_is_kept(raw: str) -> None:
    assert gpus.identify("vast", raw, 12) == gpus.Identified(None, 12)


@pytest.mark.parametrize(
    ("raw", "gib"), [("A100", None), ("V100", None), ("GH200", None), ("L40S", 48), ("B200", 180), ("T4", 16)]
)
def test_a_size_nobody_states_is_given_only_where_there_is_just_one(raw: str, gib: float | None) -> None:
    assert gpus.identify("somebody's list", raw).memory_gib == gib


@pytest.mark.parametrize(
    ("raw", "field_gib", "gib"),
    [("RTX 4090", 49140 / 1024, 48), ("RTX 2080 Ti", 22, 22), ("RTX 3080", 20, 20), ("H100 SXM", 94, 94)],
)
def test_a_board_of_another_size_is_modified_and_never_merged(raw: str, field_gib: float, gib: float) -> None:
    found = gpus.identify("vast", raw, field_gib)
    assert found.modified
    assert found.memory_gib == gib
    assert found.board_note is not None
    assert f"{gib:g} GiB" in found.board_note


@pytest.mark.parametrize(
    ("raw", "field_gib", "name"),
    [
        ("H100", 94, "H100NVL"),
        ("H100", 95830 / 1024, "H100NVL"),
        ("H100", 80, "H100"),
        ("H100 NVL", 80, "H100"),
        ("RTX 6000", 24, "QUADRORTX6000"),
        ("RTX 6000", 48, "RTX6000ADA"),
        ("RTX 6000", 96, None),
        ("RTX 6000", None, None),
    ],
)
def test_the_memory_field_decides_what_the_name_leaves_open(
    raw: str, field_gib: float | None, name: str | None
) -> None:
    assert gpus.identify("somebody's list", raw, field_gib).name == name


def test_a_name_that_fits_two_cards_says_so() -> None:
    assert (
        gpus.identify("somebody's list", "RTX6000").board_note == "the name fits RTX6000ADA and QUADRORTX6000"
    )


@pytest.mark.parametrize(
    ("raw", "name", "whole", "fraction"),
    [
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", "RTXPRO6000", 96, 0.25),
        ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", "A100", 80, 0.125),
        ("A100 MIG 1g.5gb", "A100", 40, 0.125),
        ("A100 MIG 3g.20gb", "A100", 40, 0.5),
        ("A100 MIG 3g.40gb", "A100", 80, 0.5),
        ("NVIDIA H100 80GB HBM3 MIG 1c.2g.20gb", "H100", 80, 0.25),
    ],
)
def test_a_mig_slice_is_a_share_of_its_board(raw: str, name: str, whole: float, fraction: float) -> None:
    found = gpus.identify("runpod", raw)
    assert (found.name, found.memory_gib, found.fraction) == (name, whole, fraction)
    assert found.fractional
    assert found.board_note is not None
    assert "MIG" in found.board_note


def test_a_field_of_half_a_board_or_less_is_a_share_not_a_modified_board() -> None:
    found = gpus.identify("vultr", "NVIDIA_A40", 4)
    assert (found.name, found.memory_gib, found.fractional, found.modified) == ("A40", 48, True, False)
    assert found.fraction == pytest.approx(4 / 48, abs=1e-4)


def test_a_share_of_a_board_of_unknown_size_has_no_made_up_size() -> None:
    found = gpus.identify("vultr", "NVIDIA_A100", 10)
    assert (found.name, found.memory_gib, found.fractional, found.fraction) == ("A100", None, True, None)


def test_an_instance_type_in_place_of_a_name_is_looked_up() -> None:
    found = gpus.identify("azure", "Standard_NV6ads_A10_v5")
    assert (found.name, found.memory_gib, found.fractional, found.fraction) == ("A10", 24, True, 0.1667)


# --- the mistakes of other tools ------------------------------------------------------------------------


def test_a_ti_a_super_and_the_plain_card_stay_three_cards() -> None:
    names = [
        gpus.identify("vast", raw).name for raw in ("RTX 4070", "RTX 4070S", "RTX 4070 Ti", "RTX 4070S Ti")
    ]
    assert names == ["RTX4070", "RTX4070SUPER", "RTX4070TI", "RTX4070TISUPER"]


def test_an_a100_with_80_gib_is_not_sold_as_the_one_with_40() -> None:
    assert gpus.identify("vast", "A100_PCIE", 81920 / 1024).memory_gib == 80


@pytest.mark.parametrize("total", [160, 320, 640])
def test_a_name_that_carries_the_sum_over_all_gpus_means_one_of_them(total: int) -> None:
    assert gpus.identify("verda", f"A100-80GB-{total}GB").memory_gib == 80
    assert gpus.identify("verda", f"A100-80GB-{total}GB", float(total)).memory_gib == 80


def test_the_cpu_memory_in_a_superchips_name_is_not_the_gpus() -> None:
    assert gpus.identify("vast", "NVIDIA GH200 480GB", 97871 / 1024).memory_gib == 96
    assert gpus.identify("vast", "NVIDIA GH200 480GB").memory_gib is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A10", "A10G"),
        ("L40", "L40S"),
        ("L4", "L40"),
        ("T4", "T4G"),
        ("A100", "A100X"),
        ("A100", "A800"),
        ("RTX 4080", "RTX 4080 SUPER"),
        ("RTX 3090", "RTX 3090 Ti"),
        ("RTX A6000", "RTX 6000 Ada"),
        ("RTX 6000 Ada", "RTX PRO 6000"),
        ("RTX A6000", "RTX PRO 6000"),
        ("RTX A6000", "Quadro RTX 6000"),
        ("RTX A4000", "RTX 4000 Ada"),
        ("H200", "H200 NVL"),
        ("H100 80GB", "H100 NVL"),
        ("H100", "H800"),
        ("GH200", "H200"),
        ("GB200", "B200"),
        ("MI300X", "MI300A"),
        ("MI250", "MI250X"),
        ("RTX 4090", "RTX 4090 D"),
    ],
)
def test_neighbours_are_never_merged(one: str, other: str) -> None:
    assert not set(gpus.resolve(one).names) & set(gpus.resolve(other).names)
    assert gpus.identify("x", one).name != gpus.identify("x", other).name


@pytest.mark.parametrize(
    "raw", ["H100-MEGA", "H100-NVLINK", "H100-SXM", "H100 PCIe", "NVIDIA H100 80GB HBM3"]
)
def test_another_network_or_a_bridge_makes_no_nvl_of_an_h100(raw: str) -> None:
    assert gpus.identify("anyone", raw, 80).name == "H100"


# --- what a person means --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "names", "gib", "form"),
    [
        ("A100", ("A100",), None, None),
        ("A100 80GB", ("A100",), 80, None),
        ("a100 80 gig", ("A100",), 80, None),
        ("a100-80gb", ("A100",), 80, None),
        ("A100_80G", ("A100",), 80, None),
        ("a100 40", ("A100",), 40, None),
        ("nvidia a100 80gb pcie", ("A100",), 80, "pcie"),
        ("Tesla V100 32GB", ("V100",), 32, None),
        ("4090", ("RTX4090",), None, None),
        ("rtx4090", ("RTX4090",), None, None),
        ("RTX_4090", ("RTX4090",), None, None),
        ("geforce rtx 4090", ("RTX4090",), None, None),
        ("NVIDIA GeForce RTX 4090", ("RTX4090",), None, None),
        ("4080 super", ("RTX4080SUPER",), None, None),
        ("3090ti", ("RTX3090TI",), None, None),
        ("h100", ("H100", "H100NVL"), None, None),
        ("H100 80GB", ("H100",), 80, None),
        ("h100 94gb", ("H100NVL",), 94, None),
        ("h100 nvl", ("H100NVL",), None, "nvl"),
        ("h100 sxm", ("H100",), None, "sxm"),
        ("h100 pci-e", ("H100",), None, "pcie"),
        ("h200", ("H200",), None, None),
        ("h200 nvl", ("H200NVL",), None, "nvl"),
        ("gh200", ("GH200",), None, None),
        ("gh200 144gb", ("GH200",), 144, None),
        ("gb200 nvl72", ("GB200",), None, None),
        ("a6000", ("RTXA6000",), None, None),
        ("A4000", ("RTXA4000",), None, None),
        ("6000 ada", ("RTX6000ADA",), None, None),
        ("rtx 6000 ada", ("RTX6000ADA",), None, None),
        ("4000 ada", ("RTX4000ADA",), None, None),
        ("pro 6000", ("RTXPRO6000",), None, None),
        ("RTX PRO 6000 Blackwell Server Edition", ("RTXPRO6000",), None, None),
        ("quadro rtx 6000", ("QUADRORTX6000",), None, None),
        ("l4", ("L4",), None, None),
        ("l40", ("L40",), None, None),
        ("t4g", ("T4G",), None, None),
        ("amd instinct mi300x", ("MI300X",), None, None),
        ("mi325", ("MI325X",), None, None),
        ("trainium2", ("TRAINIUM2",), None, None),
        ("trainium", ("TRAINIUM", "TRAINIUM2"), None, None),
        ("gaudi 2", ("GAUDI2",), None, None),
        ("tpu v5e", ("TPUV5E",), None, None),
        ("v5litepod", ("TPUV5E",), None, None),
        ("tpu 7x", ("TPUV7X",), None, None),
        ("7900 xtx", ("RX7900XTX",), None, None),
        ("radeon pro v520", ("RADEONPROV520",), None, None),
    ],
)
def test_people_are_understood(
    said: str, names: tuple[str, ...], gib: float | None, form: str | None
) -> None:
    found = gpus.resolve(said)
    assert (found.names, found.memory_gib, found.form) == (names, gib, form)
    assert found.notices == ()


@pytest.mark.parametrize("said", ["rtx 6000", "RTX6000", "rtx-6000", "nvidia rtx 6000"])
def test_rtx_6000_is_both_cards_of_that_name_with_a_notice(said: str) -> None:
    found = gpus.resolve(said)
    assert found.names == ("RTX6000ADA", "QUADRORTX6000")
    (notice,) = found.notices
    assert "RTX 6000 Ada" in notice
    assert "Quadro RTX 6000" in notice


@pytest.mark.parametrize(("gib", "name"), [(48, "RTX6000ADA"), (24, "QUADRORTX6000")])
def test_its_memory_tells_the_two_rtx_6000_apart(gib: int, name: str) -> None:
    assert gpus.resolve(f"rtx 6000 {gib}gb").names == (name,)
    assert gpus.resolve("rtx 6000", gib) == gpus.resolve("rtx 6000", gib)._replace(names=(name,), notices=())


@pytest.mark.parametrize(
    ("said", "member", "left_out"),
    [
        ("rtx 5000", "QUADRORTX5000", "RTXA5000"),
        ("rtx 4000", "RTX4000ADA", "RTXPRO4000"),
        ("mi300", "MI300X", "MI325X"),
        ("tpu v5", "TPUV5P", "TPUV6E"),
        ("tpu", "TPUV2", "TRAINIUM"),
        ("rtx pro", "RTXPRO4500", "RTXA4500"),
    ],
)
def test_other_words_for_several_parts_come_with_a_notice_too(said: str, member: str, left_out: str) -> None:
    found = gpus.resolve(said)
    assert member in found.names
    assert left_out not in found.names
    assert len(found.notices) == 1


@pytest.mark.parametrize("key", sorted(facts()["ambiguous"]))
def test_every_ambiguity_names_known_parts_and_says_what_they_are(key: str) -> None:
    entry = facts()["ambiguous"][key]
    assert set(entry["gpus"]) <= set(MODELS)
    assert len(entry["gpus"]) > 1
    assert gpus.resolve(key).names == tuple(entry["gpus"])
    assert gpus.resolve(key).notices == (entry["notice"],)


@pytest.mark.parametrize("word", sorted(facts()["vague"]))
def test_a_word_that_says_too_little_is_answered_with_what_it_could_be(word: str) -> None:
    found = gpus.resolve(word)
    assert found.names == ()
    assert found.nearest == tuple(facts()["vague"][word])
    assert set(found.nearest) <= set(MODELS)


def test_the_argument_memory_picks_the_member_of_a_family() -> None:
    assert gpus.resolve("H100", 94).names == ("H100NVL",)
    assert gpus.resolve("H100", 80).names == ("H100",)
    assert gpus.resolve("A100", 40) == gpus.Resolution(("A100",), 40, explained="A100 = A100, 40 GiB")


def test_a_modified_board_is_meant_only_when_its_memory_is_said() -> None:
    assert gpus.resolve("RTX4090").memory_gib is None
    found = gpus.resolve("rtx 4090 48gb")
    assert (found.names, found.memory_gib) == (("RTX4090",), 48)
    assert "modified" in found.notices[0]


def test_another_way_to_state_the_size_is_read_as_the_listed_one_and_said() -> None:
    found = gpus.resolve("b300 288gb")
    assert (found.names, found.memory_gib) == (("B300",), 270)
    assert "288" in found.notices[0]


def test_a_size_that_does_not_exist_is_kept_and_said() -> None:
    found = gpus.resolve("a100 60gb")
    assert (found.names, found.memory_gib) == (("A100",), 60)
    assert "40 or 80" in found.notices[0]


def test_a_size_said_twice_and_differently_is_refused() -> None:
    with pytest.raises(ArgumentError) as refused:
        gpus.resolve("a100 80gb", 40)
    assert refused.value.argument == "memory"
    assert gpus.resolve("a100 80gb", 80).memory_gib == 80
    assert gpus.resolve("b200 192gb", 180).memory_gib == 180


@pytest.mark.parametrize(
    "said", ["8x A100", "8xA100", "8 x a100", "A100 x8", "A100 x 8", "a100x8", "A100:8", "a100 8x"]
)
def test_a_count_in_the_name_is_said_back_and_not_swallowed(said: str) -> None:
    found = gpus.resolve(said)
    assert found.names == ("A100",)
    assert "count=8" in found.notices[0]


@pytest.mark.parametrize(
    ("said", "near"), [("RTX 4095", "RTX4090"), ("H150", "H100"), ("A1000", "A100"), ("trainum", "TRAINIUM")]
)
def test_an_unknown_name_is_never_corrected_but_answered_with_the_nearest(said: str, near: str) -> None:
    found = gpus.resolve(said)
    assert found.names == ()
    assert near in found.nearest


@given(st.sampled_from(MODELS), st.integers(0, 20), st.sampled_from("0123456789"))
def test_one_wrong_digit_never_becomes_a_gpu_that_was_not_typed(name: str, place: int, digit: str) -> None:
    digits = [at for at, char in enumerate(name) if char.isdigit()]
    if not digits:
        return
    at = digits[place % len(digits)]
    typed = name[:at] + digit + name[at + 1 :]
    found = gpus.resolve(typed)
    spoken = {squash(word) for gpu in gpus.catalogue().gpus.values() for word in (gpu.name, *gpu.words)}
    assert found.names == () or typed.lower() in spoken | AMBIGUOUS | set(gpus.catalogue().listed)


@given(st.text(max_size=40), st.none() | st.floats(0.1, 2000))
def test_no_text_at_all_breaks_the_reading(text: str, gib: float | None) -> None:
    gpus.identify("vast", text, gib)
    assert set(gpus.resolve(text).names) <= set(MODELS)


@given(st.sampled_from(sorted(gpus.words())), st.sampled_from([" ", "-", "_", ""]), st.booleans())
def test_case_blanks_hyphens_and_underscores_do_not_matter(phrase: str, joint: str, upper: bool) -> None:
    typed = phrase.replace(" ", joint)
    found = gpus.resolve(typed.upper() if upper else typed)
    assert found.names == gpus.resolve(phrase).names


# --- the catalogue --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_whole(name: str) -> None:
    gpu = gpus.catalogue().gpus[name]
    assert name == "".join(filter(str.isalnum, name)).upper()
    assert gpu.vendor in {"nvidia", "amd", "intel", "google", "aws", "qualcomm", "tenstorrent"}
    assert gpu.architecture == gpu.architecture.lower()
    assert all(2 < size < 400 for size in gpu.memory_gib)
    assert set(gpu.forms) <= {"sxm", "pcie", "nvl", "oam"}
    assert gpu.family in MODELS
    assert gpu.words


@pytest.mark.parametrize("name", MODELS)
def test_every_compact_name_means_itself_to_seller_and_person(name: str) -> None:
    assert gpus.identify("anyone", name).name == name
    assert name in gpus.resolve(name).names
    assert gpus.resolve(name).names == gpus.catalogue().family(name)


@pytest.mark.parametrize("name", MODELS)
def test_a_figure_for_speed_has_a_source_and_its_absence_none(name: str) -> None:
    entry = facts()["models"][name]
    assert ("tflops_bf16" in entry) == ("sheet" in entry)
    assert ("tflops_fp8" in entry) == ("sheet_fp8" in entry)
    assert {entry.get("sheet", "hopper"), entry.get("sheet_fp8", "hopper")} <= facts()["sheets"].keys()


def test_fp8_is_known_of_gpus_that_have_it_and_is_about_twice_bf16() -> None:
    known = gpus.catalogue().gpus
    h100 = known["H100"]
    forms = [h100.tflops(form, fp8=True) for form in ("sxm", "pcie", None)]
    assert forms == [1979, 1513, 1513]
    for without in ("A100", "V100", "T4", "RTX3090", "MI250X", "TPUV5P", "TRAINIUM"):
        assert known[without].tflops(None, fp8=True) is None
    both = [gpu for gpu in known.values() if gpu.tflops(None) and gpu.tflops(None, fp8=True)]
    assert len(both) >= 18
    for gpu in both:
        assert 1.9 < (gpu.tflops(None, fp8=True) or 0) / (gpu.tflops(None) or 1) < 2.1, gpu.name


def test_the_speed_of_an_unknown_form_is_the_slower_ones() -> None:
    h100 = gpus.catalogue().gpus["H100"]
    assert (h100.tflops("sxm"), h100.tflops("pcie"), h100.tflops(None)) == (989, 756, 756)
    assert gpus.catalogue().gpus["A100"].tflops("pcie") == 312
    assert gpus.catalogue().gpus["T4"].tflops(None) is None


def test_the_architectures_of_plans_are_there() -> None:
    assert set(gpus.catalogue().architectures) >= ARCHITECTURES
    assert set(gpus.catalogue().vendors) >= {"nvidia", "amd", "intel", "google", "aws"}


@pytest.mark.parametrize(
    ("name", "members"),
    [("H100", ("H100", "H100NVL")), ("H100NVL", ("H100NVL",)), ("A100", ("A100",)), ("nothing", ())],
)
def test_a_family_is_its_members(name: str, members: tuple[str, ...]) -> None:
    assert gpus.catalogue().family(name) == members


def test_a_filter_in_the_sellers_own_words_has_all_its_spellings() -> None:
    assert gpus.catalogue().gpus["A100"].spellings("vast") == ("A100 SXM4", "A100 PCIE")
    assert gpus.catalogue().gpus["A100"].spellings("nobody") == ()


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"RADEONPROV710"}))
def test_a_measured_size_never_fits_two_sizes_of_one_model(name: str) -> None:
    sizes = sorted(gpus.catalogue().gpus[name].memory_gib)
    assert all(small * 1.07 < large * 0.93 for small, large in pairwise(sizes))


# --- words for the planner ------------------------------------------------------------------------------


def test_every_phrase_of_the_lexicon_resolves_to_what_it_says() -> None:
    wrong = {}
    for phrase, meaning in gpus.words().items():
        names = gpus.resolve(phrase).names
        if meaning not in names and names != tuple(facts()["ambiguous"].get(meaning, {}).get("gpus", ())):
            wrong[phrase] = (meaning, names)
    assert wrong == {}


def test_phrases_are_lower_case_with_single_blanks() -> None:
    assert [phrase for phrase in gpus.words() if phrase != " ".join(phrase.lower().split())] == []


@pytest.mark.parametrize(
    ("phrase", "meaning"),
    [
        ("4090", "RTX4090"),
        ("3090", "RTX3090"),
        ("5090", "RTX5090"),
        ("4080", "RTX4080"),
        ("rtx4090", "RTX4090"),
        ("rtx 4090", "RTX4090"),
        ("nvidia rtx 4090", "RTX4090"),
        ("geforce rtx 4090", "RTX4090"),
        ("3090 ti", "RTX3090TI"),
        ("3090ti", "RTX3090TI"),
        ("a100", "A100"),
        ("h100", "H100"),
        ("h100 nvl", "H100NVL"),
        ("a6000", "RTXA6000"),
        ("rtx a6000", "RTXA6000"),
        ("6000 ada", "RTX6000ADA"),
        ("rtx 6000", "rtx 6000"),
        ("rtx6000", "rtx 6000"),
        ("pro 6000", "RTXPRO6000"),
        ("l40s", "L40S"),
        ("t4", "T4"),
        ("mi300x", "MI300X"),
        ("amd mi300x", "MI300X"),
        ("gb200", "GB200"),
        ("trillium", "TPUV6E"),
    ],
)
def test_the_lexicon_knows_what_people_type(phrase: str, meaning: str) -> None:
    assert gpus.words()[phrase] == meaning


@pytest.mark.parametrize(
    "word", ["6000", "8000", "10", "100", "4000", "2", "a2", "p4", "v2", "rtx", "gpu", "80gb"]
)
def test_words_that_are_mostly_something_else_are_not_in_the_lexicon(word: str) -> None:
    assert word not in gpus.words()


# --- instance types -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "instance_type", "carried", "form"),
    [
        ("aws", "p4d.24xlarge", ("A100", 8, 40), "sxm"),
        ("aws", "p4de.24xlarge", ("A100", 8, 80), "sxm"),
        ("aws", "g6f.large", ("L4", 0.125, 24), "pcie"),
        ("aws", "g5.xlarge", ("A10G", 1, 24), "pcie"),
        ("azure", "Standard_ND96isr_H100_v5", ("H100", 8, 80), "sxm"),
        ("azure", "Standard_NC40ads_H100_v5", ("H100NVL", 1, 94), "nvl"),
        ("azure", "standard_nc80adis_h100_v5", ("H100NVL", 2, 94), "nvl"),
        ("azure", "Standard_ND96asr_v4", ("A100", 8, 40), "sxm"),
        ("azure", "Standard_ND96amsr_A100_v4", ("A100", 8, 80), "sxm"),
        ("azure", "Standard_NC24ads_A100_v4", ("A100", 1, 80), "pcie"),
        ("azure", "Standard_ND96isr_MI300X_v5", ("MI300X", 8, 192), "oam"),
        ("azure", "Standard_NV6ads_A10_v5", ("A10", 0.1667, 24), None),
        ("oci", "BM.GPU4.8", ("A100", 8, 40), "sxm"),
        ("oci", "BM.GPU.B4.8", ("A100", 8, 40), "sxm"),
        ("oci", "BM.GPU.A100-v2.8", ("A100", 8, 80), "sxm"),
        ("gcp", "a2-highgpu-1g", ("A100", 1, 40), "sxm"),
        ("gcp", "a3-megagpu-8g", ("H100", 8, 80), "sxm"),
        ("gcp", "g4-standard-12", ("RTXPRO6000", 0.25, 96), "pcie"),
        ("gcp", "n1-standard-8+nvidia-tesla-t4:2", ("T4", 2, 16), None),
        ("digitalocean", "gpu-h100x8-640gb", ("H100", 8, 80), "sxm"),
        ("lambda", "gpu_1x_rtx6000", ("QUADRORTX6000", 1, 24), None),
        ("aws", "t3.micro", None, None),
        ("aws", "g3nonsense", None, None),
        ("nobody", "p4d.24xlarge", None, None),
    ],
)
def test_an_instance_type_carries_what_it_carries(
    provider: str, instance_type: str, carried: tuple[str, float, float] | None, form: str | None
) -> None:
    assert gpus.instance_gpu(provider, instance_type) == carried
    assert gpus.instance_form(provider, instance_type) == form


def test_every_instance_type_carries_a_known_gpu_of_a_known_size() -> None:
    types = compiled.load(compiled.DATA / "instance_gpus.yaml")["types"]
    listed = [
        (provider, instance_type)
        for provider, parts in types.items()
        for counts in parts.values()
        for names in counts.values()
        for instance_type in names
    ]
    assert len(listed) == len(set(listed)) >= 309
    for provider, instance_type in listed:
        carried = gpus.instance_gpu(provider, instance_type)
        assert carried is not None
        assert gpus.catalogue().gpus[carried[0]].nominal(carried[2]) is not None
        assert 0 < carried[1] <= 72


# --- weight ---------------------------------------------------------------------------------------------


def test_a_warm_process_resolves_a_name_without_heavy_imports(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from cloudtop import compiled; "
        "compiled.use_cache(Path(sys.argv[1])); from cloudtop import gpus; gpus.resolve('A100 80GB'); "
        "print(sorted({'yaml', 'difflib', 'dataclasses', 'rapidfuzz', 'pydantic'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    cold, warm = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert "yaml" in cold
    assert warm.strip() == "[]"
