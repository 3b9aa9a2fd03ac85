"""What says that machines with GPUs are one's own, and not what sellers offer."""

from __future__ import annotations

from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.sentence import Sentence, Span

_FEW = 3


def gpus(s: Sentence, index: int, span: Span) -> str | None:
    """`gpu boxes`, `instances with 4 gpus`: several machines with GPUs; prices are asked in other words."""
    idle = str(span.get("threshold")).startswith("gpu_utilization")
    counted = span.get("unit") == "gpu" and index > 0 and s.spans[index - 1].number is not None
    counted = counted or span.plays("wants_gpu", "wants_no_gpu", "gpu_counts") or after_with(s, index)
    several = counted and machines(s) and not of_market(s) and not s.has("gpu")
    idles = s.has("unused", "threshold")
    kept = span.get("type") == "gpu_instance" and (is_plural(span.text) or idles) and not _for_rent(s)
    kept = kept or (span.text in ("gpus", "cards") and _had_by_us(s))
    return "gpus" if idle or several or kept else None


def _for_rent(s: Sentence) -> bool:
    """`cheapest gpu machines`, `gpu machines for rent`, and nothing says that they are there already."""
    told = s.has("mine", "state", "unused", "threshold", "env", "untagged", "priced")
    return bool(set(s.words()) & set_of("of_sellers")) and not told


def after_with(s: Sentence, index: int) -> bool:
    """`vms with nvidia gpus`: GPUs of whatever make that machines have."""
    behind = {one.text for one in s.spans[max(0, index - _FEW) : index]}
    return s.spans[index].text in ("gpu", "gpus") and bool(behind & {"with", "having", "have", "has"})


def spot(s: Sentence, index: int, span: Span) -> str | None:
    """`how many spot vms`: of machines in general, where nothing of the market is spoken of."""
    gpus = s.has("gpu")
    return "spot" if span.plays("=spot") and machines(s) and not gpus and not of_market(s) else None


def machines(s: Sentence) -> bool:
    """Machines in general are spoken of, or it is asked which."""
    return any(
        (span.get("type") in ("instance", "gpu_instance") or span.get("shy_type") == "gpu_instance")
        and (is_plural(span.text) or (index > 0 and s.spans[index - 1].text == "which"))
        for index, span in enumerate(s.spans)
    )


def of_market(s: Sentence) -> bool:
    """Money, or what sellers do, is spoken of: `for rent`, `available`, `cheapest`."""
    dear = any(str(span.get("extreme")).startswith("price") for span in s.spans)
    money = any(span.plays("priced", "any_spot") or span.get("unit") == "usd" for span in s.spans)
    return dear or money or bool(set(s.words()) & set_of("of_sellers")) or _for_so_long(s)


def _for_so_long(s: Sentence) -> bool:
    """`for 5 days`, `five full days`: a time to come, not `in the last 5 days`."""
    for index, span in enumerate(s.spans):
        lead = s.at(index - 3)
        if span.get("unit") not in ("hour", "day", "week", "month") or s.spans[index - 1].text == "per":
            continue
        behind = [one.text for one in s.spans[max(0, index - 3) : index]]
        if "for" in behind and not {"last", "past", "than", "idle"} & {*behind, lead.text if lead else ""}:
            return True
    return False


def equipped(s: Sentence, index: int, span: Span) -> str | None:
    """`our A100s`, `which instances have v100s`, `H100s that are idle`: GPUs that one has."""
    if not span.plays("gpu"):
        return None
    if _ours(s, index):
        return "ours"
    return "equipped" if _had_by_machines(s, index) or _had_by_us(s) or _in_use(s) else None


def _ours(s: Sentence, index: int) -> bool:
    """`our A100s`, `my two idle H100 boxes`: of one's own, even where money is spoken of."""
    at = index - 1
    while (before := s.at(at)) is not None and (
        before.number is not None or before.plays("state", "unused", "env")
    ):
        at -= 1
    typed = s.text[s.starts(s.spans[index]) : s.ends(s.spans[index])]
    plural = is_plural(typed.lower()) or s.plays(index + 1, "type") or _kept_before(s)
    return before is not None and before.text in ("my", "our") and plural


def _kept_before(s: Sentence) -> bool:
    """`where is my H100`: a thing that one has is looked for."""
    return s.words()[0] in ("where", "wheres", "which", "list", "show")


def _had_by_us(s: Sentence) -> bool:
    """`do we own any h200`: of one's own, unless money is spoken of."""
    ours = any(span.plays("mine") and len(span.text.split()) > 1 for span in s.spans)
    return ours and not any(span.plays("priced", "extreme") or span.get("unit") == "usd" for span in s.spans)


def _in_use(s: Sentence) -> bool:
    """`how many H100s are running`, `A100 machines that are idle`: what is offered does neither."""
    states = any(span.plays("state", "unused") and span.text in set_of("in_use") for span in s.spans)
    return states and not any(
        span.plays("priced", "extreme") or span.number is not None or span.text.startswith("how much")
        for span in s.spans
    )


def _had_by_machines(s: Sentence, index: int) -> bool:
    """`which instances have v100s`: of machines that exist."""
    for at in (index - 1, index - 2):
        if (verb := s.at(at)) is None:
            continue
        if verb.text in ("have", "has", "got"):
            return any(span.get("type") == "instance" for span in s.spans[:at])
        if verb.text in ("with", "having"):
            return not of_market(s) and any(
                span.get("type") == "instance" and is_plural(span.text) for span in s.spans[:at]
            )
    return False
