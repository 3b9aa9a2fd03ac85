"""Regions: where a seller's region is, and what a person's region argument asks for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.compiled import DATA, load, parse
from cloudtop.errors import ArgumentError
from cloudtop.gazetteer import Gazetteer, squeezed
from cloudtop.regions import (
    AMBIGUOUS_WORDS,
    known_ids,
    known_words,
    label,
    nearest_places,
    place,
    wanted,
)

FACTS = parse(DATA / "regions.yaml")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "list_prices.csv"


def _carried() -> Iterator[tuple[str, str, str]]:
    """(seller, country, region text) of the table beside this file."""
    for seller, countries in parse(Path(__file__).with_name("carried_regions.yaml")).items():
        for country, line in countries.items():
            for region in line.split("; ") if "," in line else line.split():
                yield seller, country, region


@pytest.mark.parametrize(("seller", "country", "region"), list(_carried()))
def test_every_region_of_the_price_lists_lies_in_its_country(seller: str, country: str, region: str) -> None:
    found = place(seller, region)
    if country in ("nowhere", "eu-only"):
        assert found.country is None
        assert wanted("eu").matches(found.places) == (country == "eu-only")
    else:
        assert found.country == country
        assert wanted(country).matches(found.places)
        assert wanted(region).matches(found.places)


def test_the_table_covers_the_price_lists_that_are_read_in_the_workshop() -> None:
    if not SHARED.exists():
        pytest.skip("the workshop's collected price list (../shared/data/list_prices.csv) is not here")
    with SHARED.open(newline="") as file:
        seen = {(row["provider"], row["region"]) for row in csv.DictReader(file)}
    assert seen == {(seller, region) for seller, _, region in _carried()}


PLACES = [
    ("aws", "us-east-2", None, "us-east-2 us us-east north-america ohio columbus"),
    ("aws", "us-east-1", None, "us-east-1 us us-east north-america virginia"),
    ("aws", "us-east-1a", None, "us-east-1a us-east-1 us us-east north-america virginia"),
    ("aws", "us-gov-west-1", None, "us-gov-west-1 us us-west north-america oregon"),
    ("aws", "us-west-2-lax-1", None, "us-west-2-lax-1 us us-west north-america california los-angeles"),
    ("aws", "us-east-1-dfw-1", None, "us-east-1-dfw-1 us us-east us-central north-america texas dallas"),
    ("aws", "us-east-1-lim-1", None, "us-east-1-lim-1 pe south-america lima"),
    ("aws", "eu-west-3-wl1-cmn1", None, "eu-west-3-wl1-cmn1 ma africa casablanca"),
    ("azure", "eastus2", None, "eastus2 us us-east north-america virginia"),
    ("azure", "westus3", None, "westus3 us us-west north-america arizona phoenix"),
    ("gcp", "europe-west4", None, "europe-west4 nl eu eemshaven"),
    (
        "gcp",
        "us-central1-a",
        None,
        "us-central1-a us-central1 us us-central north-america iowa council-bluffs",
    ),
    ("oci", "uk-london-1", None, "uk-london-1 uk eu london"),
    ("lambda", "us-west-2", None, "us-west-2 us us-west north-america arizona"),
    ("lambda", "europe-south-1", None, "europe-south-1 eu"),
    ("verda", "FIN-03", None, "fin-03 fi eu"),
    ("nebius", "eu-north1", None, "eu-north1 fi eu"),
    ("neon", "aws-eu-central-1", None, "aws-eu-central-1 eu-central-1 de eu hesse frankfurt"),
    ("runpod", "EU-RO-1", None, "eu-ro-1 ro eu"),
    ("runpod", "US-DE-1", None, "us-de-1 us us-east north-america delaware"),
    ("runpod", "CA-MTL-3", None, "ca-mtl-3 ca north-america quebec montreal"),
    ("runpod", "CA", None, "ca north-america"),
    ("vultr", "sea", None, "sea us us-west north-america washington seattle"),
    ("linode", "us-ord", None, "us-ord us us-central north-america illinois chicago"),
    ("digitalocean", "nyc3", None, "nyc3 us us-east north-america new-york"),
    ("shadeform", "desmoines-usa-1", None, "desmoines-usa-1 us us-central north-america iowa des-moines"),
    ("shadeform", "helsinki-finland-5", None, "helsinki-finland-5 fi eu helsinki"),
    ("vast", "Oregon, US, NA", None, "oregon,-us,-na us us-west north-america oregon"),
    ("vast", "Bavaria, DE, EU", None, "bavaria,-de,-eu de eu bavaria"),
    ("vast", "Okinawa, JP", None, "okinawa,-jp okinawa jp asia"),
    ("vast", "Georgia, GE", None, "georgia,-ge ge asia"),
    ("vast", "Georgia, US", None, "georgia,-us us us-east north-america georgia"),
    ("vast", "US, NA", None, "us,-na us north-america"),
    ("vast", ", US", None, ",-us us north-america"),
    ("vast", None, None, ""),
    ("vast", None, "GB", "uk eu"),
    ("own", "Berlin", "DE", "berlin de eu"),
    ("own", "Toronto", "US", "toronto us north-america"),
    ("own", "Ashburn, VA, US", None, "ashburn,-va,-us us us-east north-america virginia ashburn"),
    ("own", "us-east-nc-nr-1", None, "us-east-nc-nr-1 us us-east north-america north-carolina"),
    ("own", "germanysouthcentral", None, "germanysouthcentral de eu"),
    ("own", "default", None, ""),
    ("own", "US|EVIL", None, "us/evil us north-america"),
]


@pytest.mark.parametrize(("seller", "region", "country", "tokens"), PLACES)
def test_a_region_answers_to_its_id_country_areas_state_and_city(
    seller: str, region: str | None, country: str | None, tokens: str
) -> None:
    found = place(seller, region, country)
    assert [token.replace(" ", "-") for token in found.tokens] == tokens.split()
    assert found.places == f"|{'|'.join(found.tokens)}|" if found.tokens else found.places == "|"


def test_a_place_says_its_country_and_city() -> None:
    found = place("aws", "us-east-2")
    assert (found.region, found.country, found.city) == ("us-east-2", "us", "Columbus")
    assert place("aws", "us-east-1-wl1-was1").city == "Washington DC"
    assert place("vast", "St.-Petersburg, RU, EU").city == "Saint Petersburg"


# What a person says, then rows it must match and rows it must not.
WANTED = [
    (
        "eu",
        "aws:eu-west-1 gcp:europe-west3 azure:uksouth aws:eu-central-2 runpod:IS runpod:NO",
        "aws:us-east-1",
    ),
    ("Europe", "shadeform:oslo-norway-1", "aws:il-central-1 aws:eu-west-3-wl1-cmn1"),
    ("germany", "aws:eu-central-1 azure:germanynorth shadeform:frankfurt-germany-5", "aws:eu-west-3"),
    ("de", "aws:eu-central-1", "runpod:US-DE-1"),
    ("german", "gcp:europe-west3", "gcp:europe-west4"),
    ("frankfurt", "aws:eu-central-1 gcp:europe-west3 oci:eu-frankfurt-1", "azure:germanynorth"),
    ("us", "azure:eastus digitalocean:nyc1", "aws:us-east-1-lim-1 runpod:CA"),
    ("us-west", "aws:us-west-1 gcp:us-west4 azure:westus azure:westus3 lambda:us-west-3", "aws:us-east-1"),
    ("us west coast", "aws:us-west-2-den-1 azure:westcentralus", "azure:westeurope azure:southcentralus"),
    (
        "us-east",
        "aws:us-east-2 gcp:us-east5 azure:eastus2 linode:us-east",
        "aws:us-west-2 aws:us-east-1-lim-1",
    ),
    ("us-west-2", "aws:us-west-2 lambda:us-west-2", "gcp:us-west2 aws:us-west-2-lax-1"),
    ("eu-west", "aws:eu-west-1 nebius:eu-west1", "aws:eu-central-1"),
    ("eu-west-1", "aws:eu-west-1", "nebius:eu-west1"),
    ("East US 2", "azure:eastus2", "azure:eastus"),
    ("eastus", "azure:eastus", "azure:eastus2 gcp:us-east5 aws:us-east-1"),
    ("centralus", "azure:centralus", "gcp:us-central1"),
    ("East US", "azure:eastus gcp:us-east5", "azure:westus"),
    ("ohio", "aws:us-east-2 gcp:us-east5", "lambda:us-east-2"),
    ("oregon", "aws:us-west-2 gcp:us-west1", "lambda:us-west-2"),
    ("Oregon, US", "aws:us-west-2", "aws:us-west-1"),
    ("virginia", "aws:us-east-1 azure:eastus gcp:us-east4", "aws:us-east-2"),
    ("N. Virginia", "aws:us-east-1", "aws:us-east-2"),
    ("georgia", "shadeform:atlanta-usa-1", "vast:Tbilisi, GE"),
    ("uk", "aws:eu-west-2 azure:ukwest shadeform:london-uk-1", "aws:eu-west-1 vast:Kyiv, UA"),
    ("britain", "aws:eu-west-2", "aws:eu-west-3"),
    ("asia", "aws:ap-south-1 gcp:asia-east1 aws:ap-southeast-1", "aws:ap-southeast-2 aws:me-south-1"),
    ("apac", "aws:ap-southeast-2 aws:ap-northeast-1", "aws:us-west-1"),
    ("emea", "aws:me-south-1 aws:af-south-1 aws:eu-west-1", "aws:ap-south-1"),
    ("tokyo", "aws:ap-northeast-1 lambda:asia-northeast-2", "aws:ap-northeast-3"),
    ("bavaria", "vast:Bavaria, DE aws:eu-central-1-wl1-muc1", "aws:eu-central-1"),
    ("poland or sweden", "runpod:SE aws:eu-central-1-waw-1", "aws:eu-north-1-hel-1"),
    ("scandinavia", "aws:eu-north-1 runpod:NO aws:eu-north-1-cph-1", "verda:FIN-01"),
    ("north america", "runpod:CA aws:us-east-1 aws:mx-central-1", "aws:sa-east-1"),
    ("na", "runpod:CA", "aws:sa-east-1"),
    ("sa", "oci:me-riyadh-1", "aws:sa-east-1"),
    ("south america", "aws:sa-east-1", "oci:me-riyadh-1"),
    ("canada", "aws:ca-central-1 runpod:CA", "aws:us-west-1"),
    ("no", "runpod:NO", "runpod:NL"),
    ("okinawa", "vast:Okinawa, JP", "aws:ap-northeast-1"),
    ("EU-RO-1", "runpod:EU-RO-1", "runpod:EU-SE-1"),
    ("us-central1", "gcp:us-central1 nebius:us-central1", "gcp:us-south1"),
]


@pytest.mark.parametrize(("said", "inside", "outside"), WANTED)
def test_a_region_argument_matches_what_lies_there_and_nothing_else(
    said: str, inside: str, outside: str
) -> None:
    def places(line: str) -> list[str]:
        rows = line.replace(", ", ",").split()
        return [place(*row.replace(",", ", ").split(":")).places for row in rows]

    asked = wanted(said)
    assert [row for row in places(inside) if not asked.matches(row)] == []
    assert [row for row in places(outside) if asked.matches(row)] == []


def test_an_unknown_word_is_taken_as_the_beginning_of_an_id_and_says_that_it_is_unknown() -> None:
    asked = wanted("my-dc")
    assert (asked.prefix, asked.known) == (True, False)
    assert asked.matches(place("own", "my-dc-7").places)
    assert not asked.matches(place("own", "other-my-dc").places)
    assert wanted("eu-w").known
    assert nearest_places("germnay")[0] == "germany"


@pytest.mark.parametrize("nothing", ["", "  ", "|", ",", " / "])
def test_an_empty_region_is_refused_by_name(nothing: str) -> None:
    with pytest.raises(ArgumentError, match=r"^region: "):
        wanted(nothing)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("germany", "de"),
        ("german", "de"),
        ("poland", "pl"),
        ("britain", "uk"),
        ("gb", "uk"),
        ("japan", "jp"),
        ("south korea", "kr"),
        ("the netherlands", "nl"),
        ("usa", "us"),
        ("norway", "no"),
        ("europe", "eu"),
        ("us east coast", "us-east"),
        ("asia", "asia"),
        ("ohio", "ohio"),
        ("n. virginia", "virginia"),
        ("frankfurt", "frankfurt"),
        ("nyc", "new york"),
        ("namibia", "namibia"),
    ],
)
def test_spoken_names_become_the_values_that_plans_use(said: str, value: str) -> None:
    assert known_words()[said] == value


def test_every_spoken_name_and_its_value_ask_for_the_same() -> None:
    for word, value in known_words().items():
        assert wanted(value).known
        assert wanted(word).tokens == wanted(value).tokens, word


def test_every_id_of_the_facts_asks_for_the_region_it_names() -> None:
    for seller, ids in FACTS["clouds"].items():
        for ident in ids:
            assert wanted(ident).matches(place(seller, ident).places), (seller, ident)
            assert place(seller, ident).country or (seller, ident) == ("lambda", "europe-south-1")
    assert "us-east-1" in known_ids()


def test_every_location_named_in_the_facts_is_a_known_place() -> None:
    facts = Gazetteer(FACTS)
    for name in [*FACTS["codes"].values(), *(at for ids in FACTS["clouds"].values() for at in ids.values())]:
        assert facts.named(name).token
    for members in FACTS["groups"].values():
        assert all(member in facts.titles for member in members)
    for area in FACTS["id_areas"].values():
        assert area in facts.titles
    assert all(code in facts.area_of for code in FACTS["id_countries"].values())


def test_no_name_in_the_facts_means_two_places() -> None:
    homes: dict[str, set[str]] = {}
    for country in (line for area in FACTS["countries"].values() for line in area.items()):
        for name in country[1].split("/"):
            homes.setdefault(squeezed(name), set()).add(country[0])
    for home, line in FACTS["cities"].items():
        for name in line.replace(", ", "/").split("/"):
            homes.setdefault(squeezed(name), set()).add(home)
    for states in FACTS["states"].values():
        for name, line in states.items():
            for word in (name, *line.split("/")[1:]):
                homes.setdefault(squeezed(word), set()).add(name)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_ids_that_begin_with_us_west_are_in_us_west_whatever_their_state() -> None:
    for seller, ids in FACTS["clouds"].items():
        for ident in ids:
            if ident.startswith(("us-west", "westus", "us-gov-west")):
                assert "us-west" in place(seller, ident).tokens


def test_two_letters_that_are_words_are_read_only_after_a_preposition() -> None:
    assert {"in", "us", "de", "it", "no", "is", "be", "at", "or", "me", "my", "so", "to"} <= AMBIGUOUS_WORDS
    codes = {code for area in FACTS["countries"].values() for code in area}
    assert codes - AMBIGUOUS_WORDS <= {"uk", "jp"}
    assert {"polish", "turkey", "jordan"} <= AMBIGUOUS_WORDS
    assert not {"germany", "ohio", "oregon", "uk", "eu", "london"} & AMBIGUOUS_WORDS


@pytest.mark.parametrize(
    ("token", "title"),
    [
        ("de", "Germany"),
        ("uk", "United Kingdom"),
        ("us-west", "US West"),
        ("ohio", "Ohio"),
        ("emea", "EMEA"),
        ("scandinavia", "Scandinavia"),
        ("washington dc", "Washington DC"),
        ("us-east-1", "us-east-1"),
        ("nowhere-9", "nowhere-9"),
    ],
)
def test_a_token_has_a_title_for_sentences(token: str, title: str) -> None:
    assert label(token) == title


TEXT = st.text(alphabet=st.sampled_from("abcdeusnorw0123-, |_./éß"), max_size=24)


@given(seller=st.sampled_from(["aws", "vast", "runpod", "own"]), region=TEXT)
def test_any_text_a_seller_sends_is_a_place_that_its_own_text_finds(seller: str, region: str) -> None:
    found = place(seller, region)
    assert all(token and "|" not in token for token in found.tokens)
    assert len(set(found.tokens)) == len(found.tokens)
    assert found.country is None or len(found.country) == 2


@given(TEXT.filter(lambda text: text.replace("|", " ").strip(",;/ ")))
def test_any_region_a_person_types_asks_for_something(text: str) -> None:
    asked = wanted(text)
    assert asked.tokens
    assert all(token and "|" not in token for token in asked.tokens)
    assert asked.matches("".join(f"|{token}|" for token in asked.tokens))


def test_the_facts_are_read_through_the_compiled_form() -> None:
    assert load(DATA / "regions.yaml") == FACTS
