"""GPU names: what a seller's row means (`identify`) and what a person means (`resolve`).

The facts are in `gpu_catalogue.py`, the taking apart in `gpu_reading.py`; the rest of the house imports this.
Imported late: difflib, re.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cloudtop.errors import ArgumentError
from cloudtop.gpu_catalogue import Catalogue, Gpu, catalogue, facts, instance_form, instance_gpu, squash
from cloudtop.gpu_reading import Reading, read

__all__ = [
    "Catalogue",
    "Gpu",
    "Identified",
    "Resolution",
    "catalogue",
    "identify",
    "instance_form",
    "instance_gpu",
    "resolve",
    "words",
]

_MAKERS = ("nvidia", "amd")


class Identified(NamedTuple):
    """What one row of a seller's list is.

    `memory_gib` is the whole board's even where a share of it is sold (`fractional`), so that share x memory
    is what can be used; `fraction` is that share when it can be told.
    """

    name: str | None
    memory_gib: float | None
    form: str | None = None
    modified: bool = False
    board_note: str | None = None
    fractional: bool = False
    fraction: float | None = None


class Resolution(NamedTuple):
    """What a person's words for a GPU mean; `names` is empty for unknown and `nearest` then filled."""

    names: tuple[str, ...]
    memory_gib: float | None = None
    form: str | None = None
    notices: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    explained: str = ""


@lru_cache(maxsize=20_000)
def identify(provider: str, raw: str, memory_gib_each: float | None = None) -> Identified:
    """What a seller's name and memory field mean: the field decides over the name, unknown stays None."""
    if carried := instance_gpu(provider, raw):
        return _by_instance(provider, raw, carried)
    told = catalogue().sold.get((provider, squash(raw)))
    reading = read(raw)
    names, in_name, form = reading.names, reading.gib, reading.form
    if told is not None:
        names, in_name, form = (told[0],), in_name or told[1], form or told[2]
    elif (own := squash(raw).upper()) in catalogue().gpus:
        names = (own,)
    if not names:
        return Identified(None, memory_gib_each)
    each = _each(memory_gib_each, in_name, names[0])
    name, why = _one_of(names, reading.key, each or in_name)
    if name is None:
        return Identified(None, memory_gib_each, form, board_note=why)
    settled = _by_memory(name, each or in_name, form)
    gpu = catalogue().gpus[settled]
    if form is None or settled != name:
        form = gpu.forms[0] if len(gpu.forms) == 1 else None
    found = Identified(settled, in_name, form, board_note=gpu.note)
    return _sliced(found, gpu, reading.mig) if reading.mig else _sized(found, gpu, each)


def _each(field: float | None, in_name: float | None, name: str) -> float | None:
    """The memory field, unless it is plainly the sum over the GPUs whose own size the name gives."""
    gpu = catalogue().gpus[name]
    if field and in_name and gpu.nominal(in_name) and not gpu.known(field):
        times = field / in_name
        if any(abs(times / count - 1) <= gpu.tolerance for count in (2, 4, 8, 16)):
            return in_name
    return field


def _one_of(names: tuple[str, ...], key: str, gib: float | None) -> tuple[str | None, str | None]:
    """The one part that a seller's name is; where it could be several, only the memory can tell."""
    if len(names) == 1 or key not in catalogue().ambiguous:
        return names[0], None
    fitting = [name for name in names if gib is not None and catalogue().gpus[name].nominal(gib)]
    if len(fitting) == 1:
        return fitting[0], None
    return None, f"the name fits {' and '.join(names)}"


def _by_memory(name: str, gib: float | None, form: str | None) -> str:
    rule = facts()["by_memory"].get(name)
    if rule is None or gib is None or form == rule.get("unless_form", ""):
        return name
    crossed = gib > rule["above"] if "above" in rule else gib < rule["below"]
    return str(rule["is"]) if crossed else name


def _sized(found: Identified, gpu: Gpu, measured: float | None) -> Identified:
    """Put the nominal size in, or say that this is a share, or no board of the vendor's."""
    gib = measured or found.memory_gib
    only = gpu.memory_gib[0] if len(gpu.memory_gib) == 1 else None
    if gib is None:
        return found._replace(memory_gib=only)
    if (nominal := gpu.nominal(gib)) is not None:
        return found._replace(memory_gib=nominal)
    if gib <= 0.53 * min(gpu.memory_gib):
        whole = gpu.nominal(found.memory_gib) if found.memory_gib else only
        share = round(gib / whole, 4) if whole else None
        note = f"a share of a GPU: {gib:g} GiB" + (f" of {whole:g}" if whole else "")
        return found._replace(memory_gib=whole, board_note=note, fractional=True, fraction=share)
    note = f"not the vendor's board: {round(gib)} GiB where {gpu.title} has {_sizes(gpu)}"
    return found._replace(memory_gib=float(round(gib)), modified=True, board_note=note)


def _sliced(found: Identified, gpu: Gpu, mig: tuple[int, float]) -> Identified:
    """A MIG slice. It has about as many sevenths of the memory as of the compute, which tells 40 from 80."""
    compute, usable = mig
    whole = found.memory_gib or min(gpu.memory_gib, key=lambda size: abs(size - 7 * usable / compute))
    note = f"MIG slice {compute}g.{usable:g}gb: {usable:g} of {whole:g} GiB"
    share = round(usable / whole, 4)
    return found._replace(memory_gib=whole, board_note=note, fractional=True, fraction=share)


def _by_instance(provider: str, raw: str, carried: tuple[str, float, float]) -> Identified:
    """A seller whose name for the GPU is the name of the machine."""
    name, count, gib = carried
    gpu = catalogue().gpus[name]
    form = instance_form(provider, raw) or (gpu.forms[0] if len(gpu.forms) == 1 else None)
    share = count if count < 1 else None
    return Identified(name, gib, form, board_note=gpu.note, fractional=count < 1, fraction=share)


@lru_cache(maxsize=2_000)
def resolve(text: str, memory: float | None = None) -> Resolution:
    """What a person means by `a100 80gb`, `4090` or `RTX 6000`; of several readings all, with a notice.

    An unknown name is never bent into a known one: `names` is then empty and `nearest` says what is close.
    """
    reading = read(text)
    if not reading.names:
        return _unknown(text, reading)
    if memory and reading.gib and not _same_size(memory, reading.gib, reading.names):
        message = f"{memory:g} GiB and the {reading.gib:g} of {text!r} contradict each other."
        raise ArgumentError("memory", message, "one size, in gpu or in memory")
    names, gib, notices = _narrowed(reading, float(memory) if memory else reading.gib)
    if reading.mig is not None:
        notices += (f"A slice of {reading.mig[1]:g} GiB is a share of a GPU: fractional=true shows those.",)
    if reading.number is not None:
        notices += (
            f"GPUs per instance are asked for with count={reading.number}; the name was read without.",
        )
    parts = (" + ".join(names), f"{gib:g} GiB" if gib else "", (reading.form or "").upper())
    explained = f"{text.strip()} = {', '.join(filter(None, parts))}"
    return Resolution(names, gib, reading.form, notices, (), explained)


def _same_size(one: float, other: float, names: tuple[str, ...]) -> bool:
    gpus = [catalogue().gpus[name] for name in names]
    return one == other or any(
        gpu.nominal(one) is not None and gpu.nominal(one) == gpu.nominal(other) for gpu in gpus
    )


def _narrowed(reading: Reading, gib: float | None) -> tuple[tuple[str, ...], float | None, tuple[str, ...]]:
    """The members that have the size, the size as the catalogue writes it, and what must be said."""
    gpus = [catalogue().gpus[name] for name in reading.names]
    if reading.form:
        gpus = [gpu for gpu in gpus if reading.form in gpu.forms] or gpus
    key = catalogue().ambiguous.get(reading.key)
    said = (str(facts()["ambiguous"][key]["notice"]),) if key else ()
    if gib is None:
        return tuple(gpu.name for gpu in gpus), None, said
    fitting = [gpu for gpu in gpus if gpu.nominal(gib) is not None]
    if fitting:
        nominal = fitting[0].nominal(gib) or gib
        notices: tuple[str, ...] = said if len(fitting) > 1 else ()
        if nominal != gib:
            notices += (f"{gib:g} GiB is listed as {nominal:g} for {fitting[0].name}.",)
        return tuple(gpu.name for gpu in fitting), nominal, notices
    if altered := [gpu for gpu in gpus if gib in gpu.altered_gib]:
        notice = f"{altered[0].name} with {gib:g} GiB is a modified board, not the vendor's."
        return tuple(gpu.name for gpu in altered), gib, (notice,)
    sold = "; ".join(f"{gpu.name}: {_sizes(gpu)} GiB" for gpu in gpus)
    return tuple(gpu.name for gpu in gpus), gib, (*said, f"None of these has {gib:g} GiB ({sold}).")


def _sizes(gpu: Gpu) -> str:
    return " or ".join(f"{size:g}" for size in sorted(gpu.memory_gib))


def _unknown(text: str, reading: Reading) -> Resolution:
    known = catalogue()
    if could_be := known.vague.get(reading.key or squash(text)):
        explained = f"{text.strip()} could be {', '.join(could_be)}"
        return Resolution((), reading.gib, reading.form, nearest=could_be, explained=explained)
    import difflib

    near = difflib.get_close_matches(reading.key.upper(), known.gpus, n=3, cutoff=0.5)
    explained = f"{text.strip() or 'an empty name'} is no GPU that is known"
    return Resolution((), reading.gib, reading.form, nearest=tuple(near), explained=explained)


@lru_cache(maxsize=1)
def words() -> dict[str, str]:
    """Every phrase people type for a GPU, in lower case with single blanks -> compact name or ambiguous key.

    A phrase that says a family gives the family's name. Sizes are no part of a phrase.
    """
    quiet = facts()["quiet"]
    phrases: dict[str, str] = {}
    for gpu in catalogue().gpus.values():
        own = (gpu.name.lower(),) if gpu.name not in quiet else ()
        for word in (*own, *gpu.words):
            _add(phrases, word, gpu.name, gpu.vendor)
    for key, entry in facts()["ambiguous"].items():
        for word in (key, *entry.get("also", ())):
            _add(phrases, word, key, "nvidia" if "rtx" in word else "")
    return phrases


def _add(phrases: dict[str, str], word: str, meaning: str, vendor: str) -> None:
    import re

    joined = re.sub(r"\b(rtx|gtx) (?=[a-z]?\d)", r"\1", word)
    closed = [re.sub(r"(?<=\d) (?=(?:ti|super|ada|nvl|d|s)\b)", "", each) for each in (word, joined)]
    for variant in {word, joined, *closed, word.replace(" ", "")}:
        phrases[variant] = meaning
        if vendor in _MAKERS and not variant.startswith(vendor):
            phrases[f"{vendor} {variant}"] = meaning
