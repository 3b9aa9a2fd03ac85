"""A GPU's name taken apart: which part, how much memory, which form, how many, which slice.

Both sellers' spellings and people's words; what they mean is decided in `gpus.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from cloudtop.gpu_catalogue import catalogue, squash

_SEPARATORS = str.maketrans("_-/(),+®™", "         ")
_UNITS = ("gigabytes", "gigabyte", "gigs", "gig", "gib", "gb", "g")
_FORMS = ("sxm", "pcie", "nvl", "oam")
_MAKERS = ("nvidia", "geforce", "tesla", "amd", "instinct")
_NOISE = {
    *("nvidia", "amd", "intel", "google", "geforce", "tesla", "instinct", "gpu", "gpus", "card", "cards"),
    *("graphics", "generation", "edition", "board", "boards", "vram", "memory", "ram", "with", "of", "each"),
    *(
        "hbm2",
        "hbm2e",
        "hbm3",
        "hbm3e",
        "gddr6",
        "gddr6x",
        "gddr7",
        "nvlink",
        "nvl2",
        "nvl4",
        "nvl36",
        "nvl72",
    ),
}


class Reading(NamedTuple):
    """A name taken apart: the parts it may be, the spelling that hit, and what else the text said."""

    names: tuple[str, ...]
    key: str
    gib: float | None = None
    form: str | None = None
    number: int | None = None
    mig: tuple[int, float] | None = None


def read(text: str) -> Reading:
    """Take a name apart, a seller's or a person's; `names` is empty when no known part is in it."""
    flat = text.lower().replace("pci-e", "pcie").replace(":", " :").translate(_SEPARATORS)
    tokens, mig = _without_slice(flat.split())
    number = None
    if squash("".join(tokens)) not in catalogue().spoken:
        tokens, number = _without_count(tokens)
    whole = squash("".join(tokens))
    tokens, sizes = _without_sizes(tokens)
    forms = [form for token in tokens if (form := _form(token))]
    names, key, last = _find(tokens, whole)
    if last is not None:
        sizes.append(last)
    return Reading(names, key, _size_meant(sizes, names), forms[0] if forms else None, number, mig)


def _without_slice(tokens: list[str]) -> tuple[list[str], tuple[int, float] | None]:
    """`H100 MIG 1g.10gb`: what stands before the slice, and the slice."""
    for place, token in enumerate(tokens):
        compute, dot, memory = token.partition("g.")
        compute = compute.rpartition(".")[2]
        if dot and compute.isdecimal() and memory.endswith("gb") and memory[:-2].isdecimal():
            before = tokens[: tokens.index("mig")] if "mig" in tokens else tokens[:place]
            return before, (int(compute), float(memory[:-2]))
    return tokens, None


def _without_count(tokens: list[str]) -> tuple[list[str], int | None]:
    """`8x A100`, `8xA100`, `A100 x8`, `A100x8`, `A100:8`: the name, and how many."""
    rest = [token for token in tokens if token != "gpu"]
    if len(rest) > 2 and rest[1] == "x" and _few(rest[0]):
        return rest[2:], int(rest[0])
    if len(rest) > 2 and rest[-2] == "x" and _few(rest[-1]):
        return rest[:-2], int(rest[-1])
    if not rest:
        return tokens, None
    digits, cross, name = rest[0].partition("x")
    if cross and _few(digits):
        return [name, *rest[1:]], int(digits)
    name, cross, digits = rest[-1].rpartition("x")
    if cross and _few(digits) and (not name or name[-1].isdecimal()):
        return [*rest[:-1], name], int(digits)
    mark, digits = rest[-1][:1], rest[-1].strip(":x")
    if _few(digits) and (mark == ":" or rest[-1].endswith("x")):
        return rest[:-1], int(digits)
    return tokens, None


def _few(digits: str) -> bool:
    return digits.isdecimal() and len(digits) <= 2


def _without_sizes(tokens: list[str]) -> tuple[list[str], list[float]]:
    """The tokens that say no memory, and the GiB of those that do."""
    rest: list[str] = []
    sizes: list[float] = []
    for token in tokens:
        unit = next((unit for unit in _UNITS if token.endswith(unit)), "")
        figure = token.removesuffix(unit)
        if unit and not figure and rest and _is_figure(rest[-1]):
            sizes.append(float(rest.pop()))
        elif unit and _is_figure(figure):
            sizes.append(float(figure))
        else:
            rest.append(token)
    return rest, sizes


def _is_figure(token: str) -> bool:
    return token.replace(".", "", 1).isdecimal()


def _form(token: str) -> str | None:
    form = token.rstrip("0123456789")
    return form if form in _FORMS and (form != "nvl" or token == "nvl") else None


def _find(tokens: list[str], whole: str) -> tuple[tuple[str, ...], str, float | None]:
    """The parts that the tokens spell, the spelling that hit, and a bare number at the end that is a size."""
    known = catalogue()
    plain = [token for token in tokens if token not in _NOISE]
    bare = [token for token in plain if not _form(token)]
    name = squash("".join(bare))
    for attempt in (whole, squash("".join(plain)), name, _unglued(name)):
        if attempt in known.spoken:
            return known.spoken[attempt], attempt, None
    if whole in known.listed:
        return known.listed[whole], whole, None
    if len(bare) > 1 and bare[-1].isdecimal():
        head, size = squash("".join(bare[:-1])), float(bare[-1])
        fitting = known.spoken.get(head, ())
        if any(known.gpus[each].known(size) for each in fitting):
            return fitting, head, size
    return (), name, None


def _unglued(name: str) -> str:
    """`nvidiageforcertx4090` without its makers."""
    while maker := next((maker for maker in _MAKERS if name.startswith(maker)), ""):
        name = name.removeprefix(maker)
    return name


def _size_meant(sizes: list[float], names: tuple[str, ...]) -> float | None:
    """One GPU's GiB out of the figures in a name: neither the CPU's nor the sum over all GPUs."""
    gpus = [catalogue().gpus[name] for name in names]
    figures = [size for size in sizes if not any(size in gpu.host_gib for gpu in gpus)]
    for figure in figures:
        if any(gpu.known(figure) for gpu in gpus):
            return figure
    for figure in figures:
        if parts := [size for gpu in gpus for size in gpu.memory_gib if figure / size in (2, 4, 8, 16)]:
            return max(parts)
    return figures[0] if figures else None
