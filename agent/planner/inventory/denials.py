"""What a question rules out: `except buckets`, `not on gcp`, `that aren't running`, `aws excluded`."""

from __future__ import annotations

from agent.planner.inventory.facts import facts, set_of
from agent.planner.language import word_set
from agent.planner.sentence import Sentence, Span

_ONES = frozenset(
    ("ones", "one", "instances", "machines", "things", "those", "anything", "in", "on", "from", "with")
)
_EVERY = frozenset(("every", "each", "any", "all", "everything", "anything", "everywhere", "anywhere"))
_FAR = 5


def read_denials(s: Sentence) -> set[int]:
    """Places of everything that is ruled out; the negations that did it are used."""
    out: set[int] = set()
    for index, span in list(s.all("neg", "negates", "untagged", "lacks")):
        # `there is no way that we need …` leaves nothing out.
        if _lacks(s, index) or span.text == "no way":
            continue
        places = _forward(s, index)
        if places:
            out.update(places)
            s.use(index)
        elif span.plays("negates") or span.text in ("not", "never"):
            _comparison(s, index)
    for index, span in list(s.all("but")):
        lead = {one.text.split()[-1] for one in s.spans[max(0, index - 3) : index]}
        if span.text == "but" and lead & _EVERY and (places := _forward(s, index)):
            # `in every region but us-east-1`
            out.update(places)
            s.use(index)
    for index, _ in list(s.all("neg_after")):
        places = _backward(s, index)
        if places:
            out.update(places)
            s.use(index)
    return out


def read_unheard(s: Sentence) -> tuple[str, str] | None:
    """A negation that no rule used, before a word that was read as wished for: what is said, and the rest."""
    for index, span in s.all("neg", "negates"):
        at = index + 1
        while (after := s.at(at)) is not None and after.text in set_of("articles") | set_of("place_leads"):
            at += 1
        if after is None or not after.used or not after.text[0].isalnum() or after.plays("neg", "negates"):
            continue
        begin, end = s.starts(span), s.ends(after)
        rest = " ".join((s.text[:begin] + s.text[end:]).split())
        return s.text[begin:end], rest
    return None


def _lacks(s: Sentence, index: int) -> bool:
    """`without a name`, `no owner tag`: a rule of its own reads what is lacking."""
    span = s.spans[index]
    if not span.plays("lacks", "unnamed", "untagged"):
        return False
    if span.plays("untagged"):
        return not s.plays(index + 1, "pair", "env", "tag_value", "tag_key")
    following = [one for one in s.spans[index + 1 : index + 5] if one.text not in set_of("articles")]
    first = following[0] if following else None
    of_things = ("type", "service", "provider", "region", "=spot", "state", "env")
    return first is None or not first.plays(*of_things)


def _forward(s: Sentence, index: int) -> list[int]:
    """The things behind a negation, joined ones of the same kind too."""
    found: list[int] = []
    kind, joined, at = "", True, index + 1
    while (span := s.at(at)) is not None:
        here = _kind(span)
        if here and joined and (not kind or _alike(kind, here, s, at)):
            found.append(at)
            kind, joined = kind or here, False
        elif here and found and not joined and _same_noun(s, found[-1], at, kind, here):
            found.append(at)
        elif span.text in word_set("joins") and found:
            joined = True
        elif found and span.text in ("just", "only"):
            break
        elif span.text in set_of("articles") | set_of("place_leads") | _ONES | word_set(
            "neg_verbs"
        ) | word_set("neg_fill") or span.plays(
            "mine", "everything", "anything", "also", "named", "search_for", "count"
        ):
            if found and span.text in set_of("place_leads"):
                break
        elif not found and at - index <= 1 and span.plays("measured", "tagged"):
            # `and not tagged purpose=audit`
            pass
        else:
            break
        at += 1
    return found


def _alike(kind: str, here: str, s: Sentence, at: int) -> bool:
    if kind == here or {kind, here} <= {"type", "shy_type", "service"}:
        return True
    return kind in ("provider", "region") and here in ("provider", "region") and not _followed(s, at)


def _followed(s: Sentence, at: int) -> bool:
    return s.plays(at + 1, "type", "shy_type")


def _same_noun(s: Sentence, before: int, at: int, kind: str, here: str) -> bool:
    """`except s3 buckets`, `not stopped vms`: the noun goes with its word only where both are types."""
    return at == before + 1 and {kind, here} <= {"type", "shy_type", "service"}


def _kind(span: Span) -> str:
    return next((one for one in facts()["sets"]["deniable"] if span.plays(one)), "") if not span.used else ""


def _backward(s: Sentence, index: int) -> list[int]:
    """`aws and gcp excluded`."""
    found: list[int] = []
    at = index - 1
    while (span := s.at(at)) is not None and index - at <= _FAR:
        if here := _kind(span):
            if found and _kind(s.spans[found[0]]) != here:
                break
            found.append(at)
        elif span.text not in word_set("joins") | set_of("articles"):
            break
        at -= 1
    return found


def _comparison(s: Sentence, index: int) -> None:
    """`not above 80 %`: the comparison behind is turned round."""
    for at in range(index + 1, min(len(s.spans), index + _FAR)):
        span = s.spans[at]
        if span.plays("op", "metric_op") and not span.text.startswith("or "):
            s.turned.add(at)
            s.use(index)
            return
        if span.number is not None:
            return
