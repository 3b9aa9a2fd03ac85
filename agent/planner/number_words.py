"""Number words as numbers: `seven`, `twenty four`, `2 thousand`, `half a dozen`, `2 and a half`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.planner.language import language
from agent.planner.tokens import Token

_LENGTHS = frozenset(
    ("hour", "hours", "hrs", "h", "day", "days", "week", "weeks", "month", "months", "year", "years")
)
_SIZES = frozenset(("terabyte", "tb", "tib", "gigabyte", "gb", "gig", "petabyte"))
_ONE_OF = frozenset(("dollar", "buck")) | _SIZES
"""What `a` is one of: `under a dollar`, `over a terabyte`, `half a terabyte`."""
_PARTS = {"half": 0.5}
_COUNTABLE = 100
_MODELS = frozenset((50.0, 60.0, 70.0, 80.0, 90.0))
_TENS = frozenset((20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0))


def numbered(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with number words as numbers; several that make one number become one token."""
    out: list[Token] = []
    for place, token in enumerate(tokens):
        following = tokens[place + 1].text if place + 1 < len(tokens) else ""
        value = language().numbers.get(token.text) if token.kind == "word" else None
        if token.text in ("a", "an") and following in _ONE_OF:
            value = 1.0
            if out and out[-1].text in _PARTS:
                part = out.pop()
                token, value = (
                    replace(token, start=part.start, raw=f"{part.raw} {token.raw}"),
                    _PARTS[part.text],
                )
        if value is None and following in _FULL and _quarters(out, token):
            continue
        if value is not None:
            _add(out, token, value)
        elif token.text == "half" and _and_a_half(out, token, following):
            continue
        elif not _scaled(out, token, following):
            out.append(token)
    return out


_FULL = frozenset(("full", "used", "busy", "utilized", "utilised", "loaded"))


def _quarters(out: list[Token], token: Token) -> bool:
    """`three quarters full`: a share in percent."""
    if token.text not in ("quarter", "quarters") or not out:
        return False
    parts = 1.0 if out[-1].text == "a" else out[-1].value
    if parts not in (1.0, 3.0):
        return False
    out[-1] = replace(out[-1], kind="number", value=25 * parts)
    out.append(replace(token, text="%", kind="sign"))
    return True


def _add(out: list[Token], token: Token, value: float) -> None:
    """One more number; units behind tens, and half a dozen, make one with what stood before."""
    last = out[-1] if out else None
    if token.text == "dozen" and [t.text for t in out[-2:]] == ["half", "a"]:
        out[-2:] = [replace(token, start=out[-2].start, kind="number", value=6.0)]
        return
    if _behind_scale(out, value):
        at = -2 if out[-1].text == "and" else -1
        before = out[at]
        out[at:] = [
            replace(
                before,
                end=token.end,
                value=(before.value or 0) + value,
                raw=f"{before.raw} {token.raw}",
                text=f"{(before.value or 0) + value:g}",
            )
        ]
        return
    if last is not None and last.text in language().numbers and last.value in _TENS and value in _MODELS:
        # `forty ninety`: a model's name, as it is said.
        joined = (last.value or 0) * 100 + value
        out[-1] = replace(
            last, end=token.end, value=joined, raw=f"{last.raw} {token.raw}", text=f"{joined:g}"
        )
        return
    if _cents_behind(out, value):
        before = out[-2]
        dollars = (before.value or 0) + value / 100
        out[-2] = replace(before, value=dollars, raw=f"{before.raw} {token.raw}", text=f"{dollars:g}")
        return
    tens = last is not None and last.text in language().numbers and last.value in _TENS
    if last is not None and last.value is not None and tens and value < 10:
        out[-1] = replace(last, end=token.end, value=last.value + value, raw=f"{last.raw} {token.raw}")
        return
    out.append(replace(token, kind="number", value=value))


_DOLLARS = frozenset(("dollar", "dollars", "buck", "bucks"))


def _cents_behind(out: list[Token], value: float) -> bool:
    """`a buck fifty`, `two dollars ten`: what stands behind the dollars are cents."""
    whole = len(out) > 1 and out[-1].text in _DOLLARS and out[-2].value is not None
    return whole and float(out[-2].value or 0).is_integer() and 10 <= value < 100


def _behind_scale(out: list[Token], value: float) -> bool:
    """`six hundred forty`, `one hundred and twenty`: what is less than the scale before is added to it."""
    if len(out) > 1 and out[-1].text == "and":
        scale = language().scales.get(out[-2].raw.lower().rsplit(" ", 1)[-1])
    else:
        scale = language().scales.get(out[-1].raw.lower().rsplit(" ", 1)[-1]) if out else None
    return scale is not None and out[-1].text not in language().scales and value < scale


def _scaled(out: list[Token], token: Token, following: str) -> bool:
    """`2 thousand`, `a hundred`: the number before grows."""
    scale = language().scales.get(token.text) if token.kind == "word" else None
    last = out[-1] if out else None
    if (
        scale is not None
        and following in _LENGTHS
        and (last is None or (last.kind == "word" and last.text != "a"))
    ):
        out.append(replace(token, kind="number", value=scale))
        return True
    if scale is None or last is None or not (last.kind == "number" or last.text == "a"):
        return False
    value = last.value if last.kind == "number" and last.value else 1.0
    larger = [n for word in last.raw.lower().split() if (n := language().scales.get(word, 0)) > scale]
    # Of `one thousand two hundred` it is the two that grow.
    rest = value % min(larger) if larger else 0.0
    value = value - rest + rest * scale if rest else value * scale
    raw = f"{last.raw} {token.raw}"
    out[-1] = replace(last, end=token.end, kind="number", value=value, raw=raw, text=f"{value:g}")
    return True


def _and_a_half(out: list[Token], token: Token, following: str) -> bool:
    """`2 and a half hours`, `1 half hours`: the number grows; what stood between goes."""
    between = [t.text for t in out[-2:]] == ["and", "a"]
    number = out[-3] if between and len(out) > 2 else out[-1] if out and not between else None
    if number is None or number.kind != "number" or number.value is None:
        return False
    if following not in _LENGTHS or number.value >= _COUNTABLE:
        return False
    del out[-3 if between else -1 :]
    out.append(replace(number, end=token.end, value=number.value + 0.5, text=f"{number.value + 0.5:g}"))
    return True
