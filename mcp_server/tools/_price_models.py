"""Which GPUs a price question means: names, sizes, makers and generations brought down to catalogue names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudtop.errors import ArgumentError
from cloudtop.gpus import Gpu, Resolution, catalogue, resolve

if TYPE_CHECKING:
    from cloudtop.store.offers import Reading

SPECIFIC = 8
"""Up to so many names a cloud is asked for them alone; for more it is asked for everything it has."""


@dataclass(slots=True)
class Models:
    """The GPUs of one question. `modified`: boards with another memory than the maker's are meant too."""

    readings: tuple[Reading, ...] = ()
    excluded: tuple[Reading, ...] = ()
    form: str | None = None
    memory: float | None = None
    min_memory: float | None = None
    modified: bool = False
    by_name: bool = False
    notices: list[str] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, each once, in the order they were asked for."""
        return tuple(dict.fromkeys(name for name, _, _ in self.readings))

    @property
    def to_ask(self) -> tuple[str, ...]:
        """What a cloud is asked for: whole families, or everything: one answer serves many questions."""
        if not self.by_name:
            return ()
        gpus = catalogue().gpus
        families = {gpus[name].family for name in self.names}
        members = tuple(name for name, gpu in gpus.items() if gpu.family in families)
        return members if len(members) <= SPECIFIC else ()

    @property
    def sizes(self) -> float | list[str] | None:
        """The memory that the names came with, as `applied` says it."""
        sizes = {size for _, size, _ in self.readings}
        if sizes <= {None}:
            return self.memory
        if len(sizes) == 1:
            return next(iter(sizes))
        return [f"{name}: {size:g}" for name, size, _ in self.readings if size is not None]


def models(
    gpu: Sequence[str] | None,
    exclude_gpu: Sequence[str] | None,
    vendor: Sequence[str] | None,
    architecture: Sequence[str] | None,
    memory: float | None,
    min_memory: float | None,
) -> Models:
    """What these arguments mean together; ArgumentError names the two that contradict each other."""
    meant = Models(memory=memory, min_memory=min_memory)
    if gpu:
        _by_name(meant, gpu, memory)
    if vendor or architecture:
        _by_maker(meant, vendor or (), architecture or ())
    if exclude_gpu:
        _without(meant, exclude_gpu)
    if meant.readings:
        _check_sizes(meant)
    else:
        meant.modified = memory is not None or min_memory is not None
    return meant


def _by_name(meant: Models, texts: Sequence[str], memory: float | None) -> None:
    found = [_known("gpu", text, memory) for text in texts]
    readings: dict[Reading, None] = {}
    for text, one in zip(texts, found, strict=True):
        readings.update(dict.fromkeys(_readings(text, one, must=memory is None or len(texts) == 1)))
        meant.notices.extend(note for note in one.notices if not note.startswith("No such part"))
    named = [name for one in found for name in one.names]
    if memory is not None and not any(_size_of(catalogue().gpus[name], memory) for name in named):
        raise _no_such_size("memory", memory, named)
    whole = {name for name, size, _ in readings if size is None}
    meant.readings = tuple(one for one in readings if one[1] is None or one[0] not in whole)
    meant.memory = None
    forms = {_form(one) for one in found}
    if len(forms) > 1:
        raise ArgumentError(
            "gpu", f"{', '.join(texts)} name different forms", "one form in a question, or form="
        )
    meant.form = forms.pop()
    meant.by_name = True


def _form(found: Resolution) -> str | None:
    """The form that a name asks for; none where what it names is made in that one alone (H200 NVL)."""
    only = all(catalogue().gpus[name].forms == (found.form,) for name in found.names)
    return None if only else found.form


def _known(argument: str, text: str, memory: float | None = None) -> Resolution:
    """The reading of one name; refused with the nearest names when it has none."""
    found = resolve(text, memory)
    if not found.names:
        why = "fits several GPUs" if "fits several" in found.explained else "is no GPU that cloudtop knows"
        nearest = " or ".join(found.nearest) or None
        raise ArgumentError(argument, f"{text!r} {why}", "names such as A100, H100 NVL, RTX 4090", nearest)
    return found


def _readings(text: str, found: Resolution, *, must: bool) -> Iterable[Reading]:
    """One reading per name; with a size, those made in it or altered to it: `must` refuses when none is."""
    if found.memory_gib is None:
        return [(name, None, False) for name in found.names]
    made: list[Reading] = []
    for name in found.names:
        gpu, gib = catalogue().gpus[name], found.memory_gib
        if (nominal := gpu.nominal(gib)) is not None:
            made.append((name, nominal, False))
        elif gib in gpu.altered_gib:
            made.append((name, gib, True))
    if not made and must:
        raise _no_such_size("memory", found.memory_gib, found.names, text)
    return made


def _no_such_size(argument: str, gib: float, names: Iterable[str], text: str | None = None) -> ArgumentError:
    gpus = [catalogue().gpus[name] for name in dict.fromkeys(names)]
    sizes = sorted({size for gpu in gpus for size in (*gpu.memory_gib, *gpu.altered_gib)})
    told = "; ".join(f"{gpu.title} has {_sizes(gpu)} GiB" for gpu in gpus[:3])
    least = "at least " if argument == "min_memory" else ""
    subject = f"gpu={text}" if text else "gpu"
    message = f"{least}{gib:g} GiB does not go with {subject}: {told}"
    return ArgumentError(argument, message, ", ".join(f"{size:g}" for size in sizes))


def _sizes(gpu: Gpu) -> str:
    return " or ".join(f"{size:g}" for size in gpu.memory_gib)


def _by_maker(meant: Models, vendors: Sequence[str], architectures: Sequence[str]) -> None:
    fitting = {
        gpu.name
        for gpu in catalogue().gpus.values()
        if (not vendors or gpu.vendor in vendors) and (not architectures or gpu.architecture in architectures)
    }
    argument = "vendor" if vendors else "architecture"
    asked = f"{argument}={','.join(vendors or architectures)}"
    if not fitting:
        raise ArgumentError(argument, f"no GPU has {asked} and architecture={','.join(architectures)}")
    if not meant.readings:
        meant.readings = tuple((name, None, False) for name in catalogue().gpus if name in fitting)
        return
    kept = tuple(one for one in meant.readings if one[0] in fitting)
    if not kept:
        gpu = catalogue().gpus[meant.names[0]]
        made = f"{gpu.title} is {gpu.vendor}, {gpu.architecture}"
        raise ArgumentError(argument, f"{asked} leaves nothing of gpu={','.join(meant.names)}: {made}")
    meant.readings = kept


def _without(meant: Models, texts: Sequence[str]) -> None:
    """Take the unwanted names and sizes out of the wanted ones, or name them to the store."""
    unwanted = [
        reading for text in texts for reading in _readings(text, _known("exclude_gpu", text), must=True)
    ]
    if not meant.readings:
        # A name without its altered boards would let those through.
        meant.excluded = tuple((name, size, altered or size is None) for name, size, altered in unwanted)
        return
    kept = tuple(one for one in meant.readings for one in _remaining(one, unwanted))
    if not kept:
        asked = ",".join(meant.names)
        raise ArgumentError("exclude_gpu", f"{','.join(texts)} leaves nothing of gpu={asked}", "other names")
    meant.readings = kept


def _remaining(reading: Reading, unwanted: Sequence[Reading]) -> list[Reading]:
    """What is left of one wanted reading: nothing, itself, or its other sizes."""
    name, size, altered = reading
    gone = [other for other in unwanted if other[0] == name]
    if any(other[1] is None or other[1] == size for other in gone):
        return []
    if not gone or size is not None:
        return [reading]
    sizes = {other[1] for other in gone}
    return [(name, one, altered) for one in catalogue().gpus[name].memory_gib if one not in sizes]


def _check_sizes(meant: Models) -> None:
    """A memory bound that no asked GPU meets is refused; one that only altered boards meet lets them in."""
    if meant.memory is not None:
        kept = [
            (name, size, altered)
            for name, _, _ in meant.readings
            for size, altered in _size_of(catalogue().gpus[name], meant.memory)
        ]
        if not kept:
            raise _no_such_size("memory", meant.memory, meant.names)
        meant.readings, meant.memory = tuple(kept), None
    if meant.min_memory is None:
        return
    least = meant.min_memory
    made = [max((size,) if size else catalogue().gpus[name].memory_gib) for name, size, _ in meant.readings]
    if any(size >= least for size in made):
        return
    known = [catalogue().gpus[name].altered_gib if not size else (size,) for name, size, _ in meant.readings]
    if not any(size >= least for sizes in known for size in sizes):
        raise _no_such_size("min_memory", least, meant.names)
    meant.readings = tuple((name, size, True) for name, size, _ in meant.readings)


def _size_of(gpu: Gpu, gib: float) -> list[tuple[float, bool]]:
    """The size of this GPU that an asked figure is: just that, written otherwise, or an altered board's."""
    nominal = gpu.nominal(gib)
    if nominal is not None and (abs(nominal - gib) < 1 or gib in gpu.also_written_gib):
        return [(nominal, False)]
    return [(gib, True)] if gib in gpu.altered_gib else []
