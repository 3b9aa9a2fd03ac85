"""What the speaker means to do with the answer: `i will delete them myself`, `so we can remove them`."""

from __future__ import annotations

from agent.planner.sentence import Sentence

_WHO = frozenset(("i", "ill", "we"))
_MEANS = frozenset(
    ("ll", "will", "can", "could", "may", "might", "plan", "want", "going", "intend", "ill", "need")
)
_THEM = frozenset(("them", "it", "those", "these"))
_LEADS = frozenset((",", ";", ".", "and", "so", "then", "that", "because", "before", "-"))
_FAR = 6


def hear_purpose(s: Sentence) -> None:
    """A clause that says so, behind a question, wishes for nothing; its words neither filter nor are lost."""
    words = [span.text for span in s.spans]
    for at, word in enumerate(words):
        if word not in _WHO or at < 2 or words[at - 1] not in _LEADS:
            continue
        end = next((i for i in range(at + 2, min(len(words), at + _FAR)) if words[i] in _THEM), None)
        if end is None or not _MEANS & set(words[at:end]) or any(s.spans[i].number for i in range(at, end)):
            continue
        first = at - 1
        while first > 1 and words[first - 1] in _LEADS:
            first -= 1
        for span in s.spans[first : end + 1]:
            span.meanings, span.used = (), True
        return
