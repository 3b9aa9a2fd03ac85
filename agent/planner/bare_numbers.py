"""Numbers without a unit: rows, a count of GPUs, a size or a price, by what stands beside them."""

from __future__ import annotations

from agent.planner.amount import Amount, near
from agent.planner.clusters import shaped_nodes
from agent.planner.counts import (
    after_model,
    before_model,
    count_gpus,
    in_a_machine,
    model_after,
    of_a_size,
    of_them,
    rows_or_count,
)
from agent.planner.found import Found
from agent.planner.language import language, word_set
from agent.planner.leftovers import is_content
from agent.planner.money import money
from agent.planner.sentence import Sentence, Span
from agent.planner.sizes import read_size
from agent.planner.tool import Tool

_MOST_GPUS = 16
_SHORT = 6
_DEAR = 8


def of_row(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """`at least 16 vcpus`, `99 % reliability`: no argument takes it; the rows tell."""
    field, value = "vcpus", amount.value
    if amount.unit == "percent":
        place = next((i for i, sp in s.all("field") if sp.get("field") == "reliability"), None)
        if place is None or amount.value > 100:
            return False
        s.use(place)
        field, value = "reliability", amount.value / 100
    return found.meet(tool, field, amount.op or "ge", value)


def bare_number(s: Sentence, amount: Amount, tool: Tool, found: Found) -> bool:
    """A number without a unit: rows, a count, a size, a price; the surest way to read it comes first."""
    whole = int(amount.value) if amount.value == int(amount.value) else 0
    for way in (_of_machines, _sized_or_ranked, _beside_a_word, _beside_a_model):
        if (read := way(s, amount, tool, found, whole)) is not None:
            return read
    before = s.at(amount.at - 1)
    if amount.op == "eq" or amount.op == "around":
        return False
    if whole and amount.op is None and before is not None and before.text in _LIMITS:
        found.put("limit", whole)
        return True
    if amount.op is not None:
        return _bare_compared(s, amount, tool, found, whole)
    if whole and before is not None and before.plays("gpu"):
        return after_model(s, amount, found, before)
    return _last_resort(s, amount, whole, found)


def _of_machines(s: Sentence, amount: Amount, tool: Tool, found: Found, whole: int) -> bool | None:
    """`x8`, `two 8x H100 nodes`: how many, where what is counted has a number of its own."""
    before = s.at(amount.at - 1)
    if before is not None and before.text in ("x", "*", "times"):
        s.use(amount.at - 1)
        count_gpus(found, whole, amount.op)
        return True
    if whole > 1 and amount.op is None and (machines := shaped_nodes(s, amount.last + 1)) is not None:
        found.put("limit" if s.plays(amount.at - 1, "best", "top") else "nodes", whole)
        s.use(machines)
        return True
    if whole and amount.op is None and shaped_nodes(s, amount.last + 1, "offer") is not None:
        found.put("limit", whole)
        return True
    return None


def _sized_or_ranked(s: Sentence, amount: Amount, tool: Tool, found: Found, whole: int) -> bool | None:
    """`8 in one machine`, `top 5`, `3 of each`: a size of the machine, or how many rows."""
    after = s.at(amount.last + 1)
    last = of_a_size(s, amount)
    if last is None:
        last = in_a_machine(s, amount)
    if whole and amount.op is None and last is not None:
        s.use(*range(amount.at, last + 1))
        count_gpus(found, whole, None)
        return True
    if (of := near(s, amount, "field")) is not None and s.spans[of].get("field") == "reliability":
        amount.unit = "percent"
        return of_row(s, amount, tool, found)
    if whole and amount.op is None and _of_each_group(s, amount):
        found.put("limit", whole)
        return True
    if (
        whole
        and (
            s.plays(amount.at - 1, "top")
            or (after is not None and after.plays("best") and not after.plays("op"))
        )
        and amount.op is None
    ):
        return rows_or_count(s, amount, whole, found)
    return None


def _beside_a_word(s: Sentence, amount: Amount, tool: Tool, found: Found, whole: int) -> bool | None:
    """`4 per node`, `8 H100`, `price 2`: what stands beside it says what it is."""
    after = s.at(amount.last + 1)
    behind = _behind(amount)
    if whole and s.plays(behind, "per_node") and amount.op not in ("lt", "le"):
        s.use(behind)
        count_gpus(found, whole, amount.op)
        return True
    if amount.hours is not None:
        amount.unit = "usd"
        return money(s, amount, found)
    if whole and amount.op in (None, "eq") and after is not None and after.plays("gpu"):
        return before_model(s, amount, whole, found, amount.last + 1)
    if (what := near(s, amount, "quantity")) is not None:
        return _by_quantity(s, amount, tool, found, what)
    return None


def _beside_a_model(s: Sentence, amount: Amount, tool: Tool, found: Found, whole: int) -> bool | None:
    """`4 of them`, `more than 2 H100`, `cheapest 5`: of the GPU that is named, or of the best."""
    before = s.at(amount.at - 1)
    after = s.at(amount.last + 1)
    if (
        whole
        and after is not None
        and after.text in ("of them", "of those", "of these", "of that", "of it", "of", "pcs", "pieces")
    ):
        return of_them(s, amount, whole, found)
    if whole and amount.op is None and (place := model_after(s, amount)) is not None:
        return before_model(s, amount, whole, found, place)
    if (
        whole
        and amount.op in ("ge", "gt")
        and (model_after(s, amount) is not None or _model_before(s, amount))
    ):
        count_gpus(found, whole, amount.op)
        return True
    if whole and amount.op is None and before is not None and before.plays("best"):
        found.put("limit", whole)
        return True
    return None


_LIMITS = ("limit", "limit to", "limit it to", "limit them to")


def _of_each_group(s: Sentence, amount: Amount) -> bool:
    """`three per region`: so many rows of every group."""
    return s.plays(amount.last + 1, "per") and any(
        s.plays(at, "dimension") for at in (amount.last + 2, amount.last + 3)
    )


def _behind(amount: Amount) -> int:
    """The place after the amount and its comparison."""
    return max(amount.last, amount.op_at if amount.op_at is not None else 0) + 1


def _model_before(s: Sentence, amount: Amount) -> bool:
    """`a100, 4 or more`: said of the model in front; `a100 over 4` may be a price."""
    if amount.op_at is None or amount.op_at < amount.at or amount.value > _MOST_GPUS:
        return False
    at = amount.at - 1
    return s.plays(at - 1 if at > 0 and s.spans[at].text == "," else at, "gpu")


def _by_quantity(s: Sentence, amount: Amount, tool: Tool, found: Found, what: int) -> bool:
    """`vram >= 32`, `price < 1.20`."""
    quantity = s.spans[what].get("quantity")
    if quantity == "price":
        s.use(what)
        amount.unit = "usd"
        return money(s, amount, found)
    if amount.op is None and quantity in ("memory", "ram"):
        amount.op = "ge"
    amount.unit = "gb"
    return read_size(s, amount, tool, found)


def _bare_compared(s: Sentence, amount: Amount, tool: Tool, found: Found, whole: int) -> bool:
    """`under 2`, `more than 1.5`: a price; `at least 4` could be many things."""
    if "money" not in tool.kinds():
        return False
    if amount.op in ("le", "lt") and whole and _several_models(s, amount):
        return found.meet(tool, "gpu_count", amount.op, whole)
    if amount.op in ("ge", "gt") and whole and not found.arguments.keys() & {"max_price", "min_price"}:
        found.ask(
            f"At least {whole} of what?",
            f"at least {whole} GPUs",
            f"at least {whole} GB of memory",
            f"a price of at least ${whole} per hour",
        )
        return True
    if amount.op == "le" and whole and tool.has("limit") and (op := amount.op_at) is not None:
        return _rows_or_price(s, amount, s.spans[op].text, whole, found)
    amount.unit = "usd"
    return money(s, amount, found)


def _several_models(s: Sentence, amount: Amount) -> bool:
    """`up to four A10s`: so many of them, as the plural says."""
    after = s.at(amount.last + 1)
    if after is None or not after.plays("gpu"):
        return False
    last = s.tokens[after.last]
    return last.raw.lower().endswith("s") and not last.text.endswith("s")


def _rows_or_price(s: Sentence, amount: Amount, op: str, whole: int, found: Found) -> bool:
    """`h100 offers, max 15` are rows, `h100 max 2` a price; `offers, max 2` may be either."""
    first = s.spans[0].text.split()[0]
    listed = first in ("list", "show", "display", "print", "top", "first") or any(
        (sp.get("unit") == "offer" and sp.text != "prices")
        or (sp.plays("direction") and sp.text.endswith("first"))
        for i, sp in enumerate(s.spans)
        if not amount.at <= i <= amount.last
    )
    if "price" in op or "or " in op or not (listed or whole > _DEAR):
        amount.unit = "usd"
        if "price" not in op:
            found.notices.append(f"{whole} was read as a price; “{whole} offers” asks for that many.")
        return money(s, amount, found)
    if listed and whole > _DEAR:
        found.put("limit", whole)
        return True
    found.ask(
        f"At most {whole} of what?",
        f"at most {whole} offers",
        f"at most ${whole} per hour",
    )
    return True


def _last_resort(s: Sentence, amount: Amount, whole: int, found: Found) -> bool:
    """`how many hours for 40`; a number alone waits for the question before."""
    if found.how_long and found.budget is None:
        found.budget = amount.value
        return True
    beside_swap = s.plays(amount.at - 1, "instead") or s.plays(amount.last + 1, "instead")
    if beside_swap or _is_bare_turn(s, amount.at):
        found.bare = amount.value
        return True
    return False


def _is_bare_turn(s: Sentence, at: int) -> bool:
    """`make it 10`, `show 10`: nothing but a number; the question before says what it counts."""
    taken_back = [index for index, span in enumerate(s.spans) if span.used and not span.meanings]
    others = [sp for i, sp in enumerate(s.spans) if i != at and i not in taken_back and not _frames(sp)]
    return len(s.spans) - len(taken_back) <= _SHORT and not any(
        span.number is not None or is_content(span.text) or _is_value(span) for span in others
    )


def _frames(span: Span) -> bool:
    return span.plays("instead", "only", "top") or span.text in word_set("row_verbs")


def _is_value(span: Span) -> bool:
    return next(span.values, None) is not None and span.text not in language().stop
