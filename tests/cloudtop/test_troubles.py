"""What could not be asked is said in as few lines as say it."""

from __future__ import annotations

from typing import Any

from cloudtop.troubles import told


def trouble(provider: str, code: str = "unreachable", **more: Any) -> dict[str, Any]:
    usual = {"account": "public", "region": None, "severity": "error"}
    return {
        "provider": provider,
        "code": code,
        "message": f"{provider} is away.",
        "next_step": "Wait.",
    } | {**usual, **more}


def test_two_clouds_speak_for_themselves() -> None:
    assert told([trouble("aws"), trouble("gcp")]) == ["aws: aws is away. Wait.", "gcp: gcp is away. Wait."]


def test_many_that_fail_alike_share_a_line() -> None:
    (line,) = told([trouble(name) for name in ("aws", "gcp", "oci")])
    assert line.startswith("aws, gcp, oci: could not be reached. ")


def test_clouds_that_were_not_asked_are_not_said_to_be_away() -> None:
    names = ("aws", "gcp", "oci")
    (line,) = told([trouble(name, message=f"{name} was not asked: cloudtop is offline.") for name in names])
    assert line == "aws, gcp, oci: not asked, because cloudtop is offline. Ask again without --offline."


def test_what_fails_otherwise_keeps_its_own_line() -> None:
    same = [trouble(name) for name in ("aws", "gcp", "oci")]
    lines = told([*same, trouble("vast", "unauthorized"), trouble("azure", severity="warning")])
    assert len(lines) == 3
    assert "vast: vast is away. Wait." in lines
    assert "azure: azure is away. Wait." in lines


def test_a_code_without_common_words_is_told_one_by_one() -> None:
    assert len(told([trouble(str(n), "invalid") for n in range(4)])) == 4


def test_an_account_and_a_region_are_named_where_they_tell_anything() -> None:
    assert told([trouble("aws", account="lab", region="eu-west-1")]) == [
        "aws (lab, eu-west-1): aws is away. Wait."
    ]
    many = ", ".join(f"eu-west-{n}" for n in range(9))
    assert told([trouble("aws", region=many)]) == ["aws (9 regions): aws is away. Wait."]
    assert told([trouble("aws", account="default", region="global")]) == ["aws: aws is away. Wait."]
