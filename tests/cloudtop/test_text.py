"""Text: cleaning, likeness, redaction, spreadsheet cells, plurals."""

from __future__ import annotations

import base64
import json
import string
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.text import clean, csv_safe, nearest, plural, redact


@pytest.mark.parametrize(
    ("dirty", "plain"),
    [
        ("web-1", "web-1"),
        ("  web \t 1\n", "web 1"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "alink"),
        ("a\x9b2Jb", "ab"),
        ("\u202egpj.exe", "gpj.exe"),
        ("pay\u200bpal\ufeff", "paypal"),
        ("soft\u00adhyphen", "softhyphen"),
        ("bell\x07 null\x00 del\x7f", "bell null del"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("line one\r\nline two", "line one line two"),
        ("split \x1b\u200b[31m escape", "split escape"),
        ("Zürich – 東京 ✓", "Zürich – 東京 ✓"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_what_a_terminal_or_a_reader_would_be_fooled_by_is_gone(dirty: str, plain: str) -> None:
    assert clean(dirty) == plain


def test_lines_are_kept_where_they_are_asked_for() -> None:
    assert clean("one  two\r\nthree\x1b[1m\u2028four\n", keep_lines=True) == "one two\nthree\nfour"


@given(
    st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from("\x1b[]\x07\u200b\u202e\x9b;m0 \n")), max_size=60
    )
)
def test_cleaning_twice_changes_nothing_and_leaves_nothing_unseen(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert clean(clean(text, keep_lines=True), keep_lines=True) == clean(text, keep_lines=True)
    assert not any(c < " " or c in "\x7f\x9b\u200b\u202e\ufeff" for c in once)
    once.encode()


def test_the_likeliest_name_comes_first() -> None:
    assert nearest("germnay", ["germany", "france", "armenia"])[0] == "germany"
    assert nearest("RUNPOD", ["vast", "runpod"]) == ["runpod"]
    assert nearest("runpdo", ["vast", "RunPod", "aws"]) == ["RunPod"]
    assert nearest("hel", ["Helsinki", "aws"]) == ["Helsinki"]


def test_nothing_is_offered_when_nothing_is_close() -> None:
    assert nearest("xylophone", ["aws", "gcp", "vast"]) == []
    assert nearest("anything", []) == []


def test_no_more_names_are_offered_than_asked_for() -> None:
    assert len(nearest("us-west-9", ["us-west-1", "us-west-2", "us-west-3", "us-west-4"], 2)) == 2


def _base64_of(secret: str) -> list[str]:
    raw = secret.encode()
    return [base64.b64encode(before + raw).decode() for before in (b"", b"k:", b"key:", b"user:")]


SECRETS = st.text(alphabet=string.ascii_letters + string.digits + "/+=&%$ -_:äß漢", min_size=8, max_size=40)


@given(secret=SECRETS, before=st.text(max_size=10), after=st.text(max_size=10))
def test_a_secret_is_in_no_redacted_text_however_it_was_written(secret: str, before: str, after: str) -> None:
    for spelled in (
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
    ):
        assert spelled not in redact(f"{before} {spelled} {after}", [secret])


@given(secret=SECRETS)
def test_a_secret_inside_base64_is_found_at_each_of_its_places(secret: str) -> None:
    for coded in _base64_of(secret):
        left = redact(f"Authorization: Basic {coded}", [secret])
        assert coded not in left
        assert redact(f"header={coded}", [secret]) != f"header={coded}"


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE was refused",
        "Authorization: Bearer abc123def456ghi789",
        "token=ya29.a0AfH6SMBx_1234567890abcdef",
        "https://user:hunter2hunter2@example.com/x",
        "https://x.example/list?api_key=0123456789abcdef&page=2",
        "?sig=abcDEF1234567890%3D&se=1",
        "X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024",
        '{"client_secret": "s3cr3t-value-here"}',
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "password: correct-horse",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "gh" + "p_0123456789abcdefghijABCDEFGHIJ012345",
        "sk" + "-or-v1-abcd0123456789abcdefghij",
        "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----",
        "AccountKey=abc123DEF456ghi789jkl012mno345==",
    ],
)
def test_what_looks_like_a_credential_is_taken_out_unasked(text: str) -> None:
    left = redact(text)
    assert "***" in left
    for part in (
        "AKIAIO",
        "abc123d",
        "a0AfH6",
        "hunter2",
        "0123456789",
        "abcDEF",
        "fe5f80",
        "s3cr3t",
        "wJalr",
    ):
        assert part not in left
    for part in ("correct-horse", "eyJzdWI", "or-v1", "SyA123", "MIIEow"):
        assert part not in left


@pytest.mark.parametrize(
    "text",
    [
        "api_key: missing",
        "the token has expired",
        "set RUNPOD_API_KEY or auth.api_key",
        "https://example.com:8443/path?page=2",
        "secret not found",
        "basic plan, 8 GPUs",
        "us-east-1 p4d.24xlarge $32.77",
    ],
)
def test_ordinary_sentences_are_left_as_they_are(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=80))
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_a_very_short_secret_does_not_blank_the_text() -> None:
    assert redact("a banana", ["a", ""]) == "a banana"


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "  =1", "|calc", "＝1"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert csv_safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["web-1", "-5", "+2.5", "-1e3", "", None, 3, -2.5, True, "a=b"])
def test_figures_and_plain_text_stay_as_they_are(cell: object) -> None:
    assert csv_safe(cell) == cell


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (1, "offer", "1 offer"),
        (0, "offer", "0 offers"),
        (1200, "query", "1,200 queries"),
        (2, "box", "2 boxes"),
        (3, "day", "3 days"),
        (2, "address", "2 addresses"),
    ],
)
def test_nouns_agree_with_their_counts(count: int, noun: str, said: str) -> None:
    assert plural(count, noun) == said


def test_an_irregular_plural_can_be_given() -> None:
    assert plural(2, "index", "indices") == "2 indices"
