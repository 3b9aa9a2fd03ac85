"""The GPUs there are and which instance types carry them: `data/gpus.yaml` and `data/instance_gpus.yaml`.

What a name means is in `gpus.py`, which is what the rest of the house imports.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from cloudtop import compiled

Told = tuple[str, float | None, str | None]
"""A seller's spelling stands for this part, with the size and form its list means by it."""


def facts() -> Any:
    """The GPU facts as the YAML has them."""
    return compiled.load(compiled.DATA / "gpus.yaml")


def squash(text: str) -> str:
    """The letters and digits of a name: case, blanks and hyphens never tell two parts apart."""
    return "".join(filter(str.isalnum, text.lower()))


class Gpu(NamedTuple):
    """One part that is rented: its compact name, the GiB it is sold with, and what everybody calls it."""

    name: str
    title: str
    family: str
    vendor: str
    architecture: str
    memory_gib: tuple[float, ...]
    forms: tuple[str, ...]
    aliases: dict[str, tuple[str, ...]]
    words: tuple[str, ...]
    tflops_bf16: float | None
    tflops_by_form: dict[str, float]
    tflops_fp8: dict[str, float]
    note: str | None
    altered_gib: tuple[float, ...]
    also_written_gib: tuple[float, ...]
    host_gib: tuple[float, ...]
    tolerance: float

    def spellings(self, provider: str) -> tuple[str, ...]:
        """Exactly what this seller calls it, for a filter in the seller's own words."""
        return self.aliases.get(provider, ())

    def tflops(self, form: str | None, *, fp8: bool = False) -> float | None:
        """Dense BF16 or FP8 teraflops of this form; of the slowest one when the form is not known."""
        if fp8:
            least = min(self.tflops_fp8.values(), default=None)
            return self.tflops_fp8.get(form or "", least)
        if not self.tflops_by_form:
            return self.tflops_bf16
        return self.tflops_by_form.get(form or "", min(self.tflops_by_form.values()))

    def nominal(self, gib: float) -> float | None:
        """The size it is sold with that a measured or written figure stands for; None for no such size."""
        for figures in (self.memory_gib, self.also_written_gib):
            near = min(figures, key=lambda size: abs(size - gib), default=None)
            if near is not None and round(abs(near - gib) / near, 3) <= self.tolerance:
                return min(self.memory_gib, key=lambda size: abs(size - gib))
        return None

    def known(self, gib: float) -> bool:
        """Whether boards of this size are about, the vendor's or altered ones."""
        return gib in self.altered_gib or self.nominal(gib) is not None


class Catalogue(NamedTuple):
    """Every known GPU and the ways to write it.

    `spoken`: squashed words -> the parts they mean; `sold`: (seller, squashed spelling) -> part;
    `listed`: squashed spelling of any seller -> part; `ambiguous`: squashed words -> their key in the YAML;
    `vague`: squashed words -> parts that might be meant.
    """

    gpus: dict[str, Gpu]
    spoken: dict[str, tuple[str, ...]]
    sold: dict[tuple[str, str], Told]
    listed: dict[str, tuple[str, ...]]
    ambiguous: dict[str, str]
    vague: dict[str, tuple[str, ...]]

    def family(self, name: str) -> tuple[str, ...]:
        """The members a plain name stands for: `H100` is H100 and H100NVL, most names only themselves."""
        return self.spoken[squash(name)] if name in self.gpus else ()

    @property
    def vendors(self) -> tuple[str, ...]:
        """Who makes them, as the argument `vendor` takes it."""
        return tuple(dict.fromkeys(gpu.vendor for gpu in self.gpus.values()))

    @property
    def architectures(self) -> tuple[str, ...]:
        """Their generations, as the argument `architecture` takes it."""
        return tuple(dict.fromkeys(gpu.architecture for gpu in self.gpus.values()))


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue that ships with cloudtop, made once in a process."""
    told = facts()
    gpus = {name: _gpu(name, entry, told) for name, entry in told["models"].items()}
    families: dict[str, tuple[str, ...]] = {}
    for gpu in gpus.values():
        families[gpu.family] = (*families.get(gpu.family, ()), gpu.name)
    spoken: dict[str, tuple[str, ...]] = {}
    for gpu in gpus.values():
        meant = families.get(gpu.name, (gpu.name,))
        for word in (gpu.name, *gpu.words):
            spoken.setdefault(squash(word), meant)
    spoken |= {squash(word): (name,) for word, name in told["exactly"].items()}
    ambiguous: dict[str, str] = {}
    for key, entry in told["ambiguous"].items():
        for word in (key, *entry.get("also", ())):
            ambiguous[squash(word)] = key
            spoken[squash(word)] = tuple(entry["gpus"])
    sold = _sold(told)
    listed: dict[str, tuple[str, ...]] = {spelling: (name,) for (_, spelling), (name, _, _) in sold.items()}
    vague = {squash(word): tuple(names) for word, names in told["vague"].items()}
    return Catalogue(gpus, spoken, sold, listed, ambiguous, vague)


def _gpu(name: str, entry: dict[str, Any], told: dict[str, Any]) -> Gpu:
    figure, fp8 = entry.get("tflops_bf16"), entry.get("tflops_fp8")
    by_form = figure if isinstance(figure, dict) else {}
    before = told["series"][entry.get("series", "plain")]
    words = (f"{prefix} {word}" if prefix else word for word in entry["words"] for prefix in before)
    return Gpu(
        name=name,
        title=entry["title"],
        family=entry.get("family", name),
        vendor=entry.get("vendor", "nvidia"),
        architecture=entry["architecture"],
        memory_gib=tuple(map(float, entry["memory"])),
        forms=tuple(entry.get("forms", ("pcie",))),
        aliases={seller: tuple(names) for seller, names in entry.get("aliases", {}).items()},
        words=(*words, *entry.get("bare_words", ())),
        tflops_bf16=float(next(iter(by_form.values()), figure)) if figure else None,
        tflops_by_form=by_form,
        tflops_fp8=fp8 if isinstance(fp8, dict) else {"": float(fp8)} if fp8 else {},
        note=entry.get("note"),
        altered_gib=tuple(map(float, entry.get("altered", ()))),
        also_written_gib=tuple(map(float, entry.get("also_written", ()))),
        host_gib=tuple(map(float, entry.get("host_memory", ()))),
        tolerance=told["tolerance"],
    )


def _sold(told: dict[str, Any]) -> dict[tuple[str, str], Told]:
    sold: dict[tuple[str, str], Told] = {}
    for name, entry in told["models"].items():
        for seller, spellings in entry.get("aliases", {}).items():
            for spelling in spellings:
                extra = spellings[spelling] if isinstance(spellings, dict) else ()
                size = next((float(part) for part in extra if not isinstance(part, str)), None)
                form = next((part for part in extra if isinstance(part, str)), None)
                sold[seller, squash(spelling)] = (name, size, form)
    return sold


@lru_cache(maxsize=1)
def _carried() -> dict[tuple[str, str], tuple[str, float, float]]:
    """(provider, type in lower case) -> part, count, GiB of each."""
    types: dict[tuple[str, str], tuple[str, float, float]] = {}
    for provider, parts in compiled.load(compiled.DATA / "instance_gpus.yaml")["types"].items():
        for part, counts in parts.items():
            name, gib = part.split()
            for count, names in counts.items():
                types |= {(provider, each.lower()): (name, float(count), float(gib)) for each in names}
    return types


def instance_gpu(provider: str, instance_type: str) -> tuple[str, float, float] | None:
    """Name, count and GiB of each GPU in an instance type; None for a type without GPU or not known.

    A count below one is a share of a GPU, the GiB then the whole board's.
    """
    asked = instance_type.strip().lower()
    if asked.startswith("n1-") and "+" in asked:
        asked = "n1-*+" + asked.split("+", 1)[1]
    return _carried().get((provider, asked))


def instance_form(provider: str, instance_type: str) -> str | None:
    """The form of the boards in an instance type, where its name tells."""
    forms = compiled.load(compiled.DATA / "instance_gpus.yaml")["forms"].get(provider, {})
    asked = instance_type.strip().lower()
    fitting = [start for start in forms if asked.startswith(start.lower())]
    return str(forms[max(fitting, key=len)]) if fitting and instance_gpu(provider, asked) else None
