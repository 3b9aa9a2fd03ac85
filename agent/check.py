"""Every number in prose must be a row's value or a named computation; a sentence with another one goes.

Code renders the tables, so this guards what a model adds. A sentence that names a seller, GPU or region is
held against the rows of that seller, GPU or region only: the right number beside the wrong name is a lie too.
So are a count of a list that was cut, a cheapest that is not, and a sum that code did not make.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.planner.guard import injected
from agent.planner.tokens import words_of
from agent.rows import sums, total
from agent.spelled import in_figures
from agent.spoken import NUMBER, Listed, Spoken, folded

SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\S)[^.!?\n]*)*[.!?\n]?\s*")
MOMENT = re.compile(
    r"(?:\d{4}-|--)\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?(?:\s*UTC)?|\b\d{1,2}:\d{2}\b(?:\s*UTC)?"
)
AS_OF = re.compile(r"as of", re.IGNORECASE)
FOREIGN = re.compile(r"[€£¥]|\b(?:EUR|GBP|euros?|pounds?)\b", re.IGNORECASE)
LINK = re.compile(r"https?:|www\.|\]\(|<[a-z!/]", re.IGNORECASE)
RECKONED = re.compile(r"\b(?:twice|thrice|doubl\w+|tripl\w+|halv\w+|half|a third|tenfold)\b", re.IGNORECASE)
"""Words for a computation that nobody made."""
NAMES = ("provider", "gpu", "region", "country", "instance_type", "name", "account", "metric")
TIMES = ("as_of", "fetched_at", "time", "created_at", "checked_at", "from", "to")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sentence is held against: lists, named computations, the numbers of the question."""

    lists: Sequence[Listed]
    free: Sequence[float] = ()
    asked: Sequence[float] = ()

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """All rows of all lists."""
        return [row for one in self.lists for row in one.rows]


def traced(prose: str, results: Sequence[Mapping[str, Any]], question: str) -> tuple[str, list[str]]:
    """`struck` for what tools returned: cut lists are known as such, sums are code's."""
    asked = [float(found["value"].replace(",", "")) for found in NUMBER.finditer(in_figures(question))]
    lists = [Listed(one["rows"], total(one), sums(one)) for one in results]
    return _sorted_out(prose, Evidence(lists, (), asked))


def struck(
    prose: str, rows: Sequence[Mapping[str, Any]], numbers: Iterable[float] = ()
) -> tuple[str, list[str]]:
    """The prose without the sentences that the rows do not bear out, and those sentences.

    `numbers`: figures that are true without a row: named computations.
    """
    return _sorted_out(prose, Evidence([Listed(rows, len(rows))], [float(one) for one in numbers]))


def _sorted_out(prose: str, held: Evidence) -> tuple[str, list[str]]:
    kept: list[str] = []
    out: list[str] = []
    for sentence in (match[0] for match in SENTENCE.finditer(prose) if match[0].strip()):
        (kept if _true(sentence, held) else out).append(sentence)
    return "".join(kept).strip(), [sentence.strip() for sentence in out]


def _true(sentence: str, held: Evidence) -> bool:
    if LINK.search(sentence) or injected(words_of(sentence)):
        return False
    sentence = in_figures(sentence)
    if FOREIGN.search(sentence) or RECKONED.search(sentence):
        return False
    rows = held.rows
    about = _about(sentence, rows)
    if about is None:
        return False
    fields = ("as_of", "time") if AS_OF.search(sentence) else TIMES
    if not all(_moment_known(found[0], about, fields) for found in MOMENT.finditer(sentence)):
        return False
    narrowed = {id(row) for row in about} if len(about) < len(rows) else None
    rest = _without_names(MOMENT.sub(" ", sentence), rows)
    spoken = Spoken(rest, about, [_narrowed(one, narrowed) for one in held.lists], held.free, held.asked)
    return all(spoken.bears_out(found) for found in NUMBER.finditer(rest))


def _narrowed(one: Listed, names: Container[int] | None) -> Listed:
    """The part of a list that a sentence speaks of. How long that is nobody knows where the list was cut."""
    if names is None:
        return one
    rows = [row for row in one.rows if id(row) in names]
    return Listed(rows, len(rows) if one.whole else None)


def _about(sentence: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
    """The rows a sentence speaks of: those that carry every name it mentions. None: no row has all."""
    said = folded(sentence)
    left = list(rows)
    for name in NAMES:
        mentioned = {
            value for row in rows if isinstance(value := row.get(name), str) and _mentions(said, value)
        }
        if mentioned:
            left = [row for row in left if row.get(name) in mentioned]
    return left if left or not rows else None


def _mentions(said: str, value: str) -> bool:
    return len(value) > 2 and f" {folded(value).strip()} " in said


def _without_names(sentence: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The sentence with all names taken out: the 100 of A100 is no figure."""
    names = {str(row[name]) for row in rows for name in (*NAMES, "gpu_raw", "offer_id") if row.get(name)}
    for name in sorted(names, key=len, reverse=True):
        sentence = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w])", " ", sentence, flags=re.IGNORECASE)
    return re.sub(r"\b[A-Za-z]+[-_]?\d+[A-Za-z]*\b", " ", sentence)


def _moment_known(text: str, about: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> bool:
    wanted = text.replace("UTC", "").strip().replace(" ", "T")
    known = [str(row[name]) for row in about for name in fields if row.get(name)]
    if wanted.startswith("--"):
        return any(one[5:].startswith(wanted[2:]) for one in known)
    return any(one.startswith(wanted) or f"T{wanted}" in one for one in known)
