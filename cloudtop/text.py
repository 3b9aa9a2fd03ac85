"""Text from outside made safe to show, and text from people matched with what is known.

Imported late: rapidfuzz, base64, json, pydantic_core, urllib.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

REDACTED = "***"
"""What stands where a secret stood."""

_SHORTEST_SECRET = 4
_SHORTEST_IN_BASE64 = 8


@cache
def _escapes() -> re.Pattern[str]:
    """Terminal escape sequences whole: CSI, then OSC and its kin up to their end, then the short ones."""
    return re.compile(
        r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
        r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
        r"|\x1b[ -/]*[0-~]?"
    )


@cache
def _hidden() -> re.Pattern[str]:
    """What reorders or hides text: bidi, zero width, tags, variation selectors, lone surrogates."""
    return re.compile(
        "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
        "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
    )


@cache
def _controls() -> re.Pattern[str]:
    return re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


@cache
def _line_ends() -> re.Pattern[str]:
    return re.compile("\r\n|[\r\x85\u2028\u2029]")


def clean(text: str, *, keep_lines: bool = False) -> str:
    """Text of a cloud without escapes, controls and hidden characters; on one line unless `keep_lines`."""
    if text.isascii() and text.isprintable() and "  " not in text and text.strip() == text:
        return text
    # In this order: a hidden character may split an escape sequence, a control may be its beginning.
    text = _controls().sub("", _escapes().sub("", _hidden().sub("", text)))
    if not keep_lines:
        return " ".join(text.split())
    lines = _line_ends().sub("\n", text).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip("\n")


def shown(value: object) -> str:
    """A text of a cloud as it may be shown, empty for what is none."""
    return clean(value).strip() if isinstance(value, str) else ""


def nearest(word: str, choices: Iterable[str], n: int = 3) -> list[str]:
    """Up to `n` choices that look like `word`, the likeliest first; none when nothing is close."""
    low = word.lower()
    by_low: dict[str, str] = {}
    for choice in choices:
        by_low.setdefault(choice.lower(), choice)
    if low in by_low:
        return [by_low[low]]
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    close = process.extract(low, list(by_low), scorer=OSA.normalized_similarity, limit=n, score_cutoff=0.6)
    found = [choice for choice, _, _ in close]
    if len(low) >= 3:
        found += [choice for choice in sorted(by_low) if choice.startswith(low) and choice not in found]
    return [by_low[choice] for choice in found[:n]]


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets in any usual spelling, and without what looks like a credential.

    A secret of fewer than four characters is left: taking it out would leave nothing readable.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            for spelled in _spellings(secret):
                text = text.replace(spelled, REDACTED)
    for pattern in _credentials():
        text = pattern.sub(rf"\g<keep>{REDACTED}", text)
    return text


def _spellings(secret: str) -> list[str]:
    """A secret as it is, in JSON, in URLs, and inside base64 at each of the three places it can begin."""
    import json
    from urllib.parse import quote, quote_plus

    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        forms |= {quoted, re.sub("%..", lambda found: found[0].lower(), quoted)}
    if len(raw) >= _SHORTEST_IN_BASE64:
        forms |= _in_base64(raw)
    return sorted(forms, key=len, reverse=True)


def _in_base64(raw: bytes) -> set[str]:
    """The characters that only the secret decides; those at its edges depend on its neighbours."""
    from base64 import b64encode, urlsafe_b64encode

    forms = set()
    for before in range(3):
        start, end = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            forms.add(encode(b"\0" * before + raw).decode()[start:end])
    return forms


@cache
def _credentials() -> tuple[re.Pattern[str], ...]:
    """What credentials look like, wherever they stand. The group `keep` is what is left of a match."""
    alone = (
        r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])",
        r"\bya29\.[\w.-]{10,}|\b1//[\w-]{20,}|\bAIza[\w-]{35}",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
        r"\bgh[opsur]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}",
        r"\bsk-[\w-]{16,}|\bxox[abeprs]-[\w-]{10,}|\bhf_[A-Za-z0-9]{20,}|\bnpg_[A-Za-z0-9]{10,}",
        r"\bdo[opr]_v1_[a-f0-9]{32,}|\brpa_[A-Za-z0-9]{20,}|\bnapi_[a-z0-9]{20,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    )
    value = r"(?=[^\s\"'&,;}]*\d|[^\s\"'&,;}]{20})[^\s\"'&,;}]{6,}"
    named = (
        rf"(?P<keep>\b(?:bearer|basic)\s+){value}",
        r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)",
        r"(?P<keep>\bpass(?:word|wd|phrase)[\"']?\s*[:=]\s*[\"']?)[^\s\"'&,;}]{4,}",
        r"(?P<keep>(?:secret|token|signature|credential|(?:api|access|account|private|shared|auth)[_-]?key"
        rf"|[?&](?:sig|key|code))(?:[_-](?:access[_-])?(?:key|id|value))?[\"']?\s*[:=]\s*[\"']?){value}",
    )
    flags = re.IGNORECASE | re.DOTALL
    return tuple(re.compile(f"(?P<keep>){line}", re.DOTALL) for line in alone) + tuple(
        re.compile(line, flags) for line in named
    )


_FORMULA = frozenset("=+-@\t\r\n|%＝＋－＠")


def csv_safe(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe."""
    if not isinstance(cell, str) or not cell:
        return cell
    first = cell.lstrip(" \u00a0")[:1] or cell[0]
    if first not in _FORMULA:
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def plural(count: float, noun: str, many: str = "") -> str:
    """The count and its noun: 1 offer, 2 offers, 1,200 queries, 0 boxes."""
    if count == 1:
        return f"1 {noun}"
    if not many:
        if noun.endswith("y") and noun[-2:-1] not in "aeiou":
            many = f"{noun[:-1]}ies"
        else:
            many = f"{noun}{'es' if noun.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's'}"
    return f"{count:,} {many}"


def encoded(value: Any) -> str:
    """A value as JSON text: times in UTC, and what JSON has no word for as text."""
    try:
        text: str = _written()(value, fallback=str).decode()
    except ValueError:
        # Half a character, which UTF-8 cannot write.
        import json

        text = json.dumps(value, default=str)
    return text


@cache
def _written() -> Any:
    """What writes JSON, imported once: looking for it at every row takes as long as writing a short one."""
    from pydantic_core import to_json

    return to_json
