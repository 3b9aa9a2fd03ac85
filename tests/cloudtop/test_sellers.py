"""Whatever people call a provider, one id is meant; nobody is mistaken for somebody else."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pytest

from cloudtop import sellers
from cloudtop.errors import ArgumentError

WITH_CONNECTOR = {
    *("aws", "gcp", "azure", "oci", "cloudflare", "digitalocean", "neon", "vast", "runpod", "lambda"),
    *("verda", "vultr", "linode", "hetzner", "cloudrift", "pricelist"),
}
WITHOUT = {
    *("coreweave", "nebius", "crusoe", "scaleway", "tensordock", "hyperbolic", "shadeform", "kubernetes"),
}


class Facts(NamedTuple):
    """What a connector says of its provider."""

    title: str
    aliases: tuple[str, ...]


def test_every_promised_id_is_known() -> None:
    assert set(sellers.known()) >= WITH_CONNECTOR | WITHOUT


def test_sellers_without_a_connector_are_listed_as_such() -> None:
    without = sellers.without_connector()
    assert set(without) >= WITHOUT
    assert not WITH_CONNECTOR & set(without)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("amazon", "aws"),
        ("AWS", "aws"),
        ("Amazon Web Services", "aws"),
        ("google", "gcp"),
        ("google cloud", "gcp"),
        ("Google Cloud Platform", "gcp"),
        ("microsoft azure", "azure"),
        ("oracle", "oci"),
        ("oracle cloud", "oci"),
        ("Oracle Cloud Infrastructure", "oci"),
        ("vastai", "vast"),
        ("vast.ai", "vast"),
        ("Vast AI", "vast"),
        ("io", "runpod"),
        ("runpod.io", "runpod"),
        ("RunPod", "runpod"),
        ("do", "digitalocean"),
        ("digital ocean", "digitalocean"),
        ("Digital-Ocean", "digitalocean"),
        ("datacrunch", "verda"),
        ("lambda labs", "lambda"),
        ("lambda cloud", "lambda"),
        ("akamai", "linode"),
        ("hetzner cloud", "hetzner"),
        ("core weave", "coreweave"),
        ("k8s", "kubernetes"),
        ("price list", "pricelist"),
        (" vast ", "vast"),
    ],
)
def test_people_say_it_their_way(said: str, meant: str) -> None:
    assert sellers.provider_id(said) == meant


def test_every_id_title_and_alias_means_one_provider() -> None:
    names = Counter(
        "".join(filter(str.isalnum, name.lower()))
        for seller in sellers.known().values()
        for name in {"".join(filter(str.isalnum, each.lower())) for each in seller.names}
    )
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize(("said", "near"), [("runpd", "runpod"), ("azur", "azure"), ("vultur", "vultr")])
def test_an_unknown_provider_is_refused_with_the_nearest(said: str, near: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        sellers.provider_id(said)
    assert refused.value.argument == "providers"
    assert refused.value.nearest == near
    assert "coreweave" in refused.value.accepted


@pytest.mark.parametrize("said", ["", "  ", "...", "qqqqqq"])
def test_what_is_like_nobody_has_no_nearest(said: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        sellers.provider_id(said, argument="exclude_providers")
    assert refused.value.nearest is None
    assert refused.value.argument == "exclude_providers"


def test_a_seller_met_in_a_price_list_may_be_asked_for() -> None:
    assert sellers.provider_id("Acme GPU", also=("acme-gpu",)) == "acme-gpu"
    with pytest.raises(ArgumentError) as refused:
        sellers.provider_id("acme gpux", also=("acme-gpu",))
    assert refused.value.nearest == "acme-gpu"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("shadeform", "shadeform"),
        ("hyperbolic", "hyperbolic"),
        ("yotta", "yotta"),
        ("Amazon", "aws"),
        ("My Own Rack", "my-own-rack"),
        ("acme.example", "acme-example"),
    ],
)
def test_any_seller_in_a_file_gets_an_id(written: str, meant: str) -> None:
    assert sellers.seller_id(written) == meant


def test_a_connector_that_lands_needs_no_other_change() -> None:
    known = sellers.known({"nebius": Facts("Nebius AI Cloud", ("nebius cloud",))})
    assert known["nebius"].connector
    assert known["nebius"].title == "Nebius AI Cloud"
    assert "nebius cloud" in known["nebius"].aliases
    assert "nebius ai" in known["nebius"].aliases


def test_only_found_connectors_count_when_they_are_given() -> None:
    known = sellers.known({"vast": Facts("Vast.ai", ()), "acme": Facts("Acme", ("acme cloud",))})
    assert known["vast"].connector
    assert not known["aws"].connector
    assert known["acme"].connector
    assert sellers.provider_id("acme cloud", connectors={"acme": Facts("Acme", ("acme cloud",))}) == "acme"


def test_the_words_of_the_lexicon_lead_back_to_their_ids() -> None:
    words = sellers.words()
    assert words["google cloud"] == "gcp"
    assert words["vast.ai"] == "vast"
    assert all(sellers.provider_id(word) == meant for word, meant in words.items())


@pytest.mark.parametrize(
    ("instance_type", "whose"),
    [
        ("lambdalabs_A10", "lambda"),
        ("datacrunch_H100x8", "verda"),
        ("massedcompute_A100-80GB", "massedcompute"),
        ("p4d.24xlarge", None),
        ("8x_h100", None),
        ("Standard", None),
    ],
)
def test_a_resellers_type_tells_whose_machine_it_is(instance_type: str, whose: str | None) -> None:
    assert sellers.owner(instance_type) == whose


def test_who_resells_and_who_prices_machines_in_parts_is_known_with_a_connector_too() -> None:
    assert sellers.resellers() >= {"shadeform", "primeintellect"}
    assert sellers.host_apart() == {"gcp"}
    known = sellers.known({"gcp": Facts("Google Cloud", ()), "shadeform": Facts("Shadeform", ())})
    assert (known["gcp"].host_apart, known["shadeform"].resells, known["aws"].resells) == (True, True, False)
