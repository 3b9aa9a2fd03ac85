"""YAML facts are parsed once, kept, and never believed when anything has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloudtop import compiled
from cloudtop.errors import SpecError


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """A small file of facts of its own for each test."""
    path = tmp_path / "facts.yaml"
    path.write_text("gpu: A100\nsizes: [40, 80]\n", encoding="utf-8")
    return path


def in_a_new_process(path: Path, cache: Path) -> str:
    """What another process reads, and whether it had to import yaml for it."""
    script = (
        "import sys; from pathlib import Path; from cloudtop import compiled; "
        "found = compiled.load(Path(sys.argv[1]), Path(sys.argv[2])); print(found, 'yaml' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(path), str(cache)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_second_process_reads_the_kept_facts_without_yaml(facts: Path, tmp_path: Path) -> None:
    first = in_a_new_process(facts, tmp_path / "cache")
    second = in_a_new_process(facts, tmp_path / "cache")
    assert first == "{'gpu': 'A100', 'sizes': [40, 80]} True"
    assert second == "{'gpu': 'A100', 'sizes': [40, 80]} False"


def test_a_changed_file_is_read_again(facts: Path, tmp_path: Path) -> None:
    assert compiled.load(facts, tmp_path / "cache")["gpu"] == "A100"
    facts.write_text("gpu: H100\nsizes: [80]\n", encoding="utf-8")
    assert compiled.load(facts, tmp_path / "cache")["gpu"] == "H100"


def test_a_file_of_the_same_size_with_a_later_time_is_read_again(facts: Path, tmp_path: Path) -> None:
    compiled.load(facts, tmp_path / "cache")
    found = facts.stat()
    facts.write_text("gpu: A200\nsizes: [40, 80]\n", encoding="utf-8")
    os.utime(facts, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000))
    assert compiled.load(facts, tmp_path / "cache")["gpu"] == "A200"


def test_an_unchanged_file_is_one_object_for_all_callers(facts: Path) -> None:
    assert compiled.load(facts) is compiled.load(facts)


@pytest.mark.parametrize("damage", [b"", b"x", b"nonsense that is no marshal at all", None])
def test_a_damaged_cache_file_is_replaced(facts: Path, tmp_path: Path, damage: bytes | None) -> None:
    cache = tmp_path / "cache"
    in_a_new_process(facts, cache)
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-3] if damage is None else damage)
    assert in_a_new_process(facts, cache).endswith("True")
    assert kept.read_bytes() == whole


def test_a_cache_folder_that_cannot_be_made_costs_only_the_parse(facts: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where a folder should be", encoding="utf-8")
    assert compiled.load(facts, tmp_path / "blocked" / "cache") == {"gpu": "A100", "sizes": [40, 80]}


def test_the_process_wide_folder_is_used_when_none_is_named(
    facts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_cache", None)
    compiled.use_cache(tmp_path / "cache")
    compiled.load(facts)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_two_files_of_one_name_keep_their_own_facts(tmp_path: Path) -> None:
    for folder, text in (("a", "x: 1\n"), ("b", "x: 2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "facts.yaml").write_text(text, encoding="utf-8")
    cache = tmp_path / "cache"
    found = [compiled.load(tmp_path / folder / "facts.yaml", cache)["x"] for folder in ("a", "b", "a")]
    assert found == [1, 2, 1]


def test_a_folder_is_read_whole_and_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(f"is: {name}\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not YAML", encoding="utf-8")
    assert list(compiled.load_all(tmp_path).items()) == [("a", {"is": "a"}), ("b", {"is": "b"})]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("2026-11-20", "2026-11-20"),
        ("1:30", "1:30"),
        ("010", 10),
        ("-3", -3),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
    ],
)
def test_scalars_mean_what_they_look_like(tmp_path: Path, text: str, meant: object) -> None:
    path = tmp_path / "scalar.yaml"
    path.write_text(f"value: {text}\n", encoding="utf-8")
    found = compiled.load(path)["value"]
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\nb:\n  c: 1\n  c: 2\n", 4), ("a: [1\nb: 2\n", 2), ("a: 1\n\tb: 2\n", 2)]
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as refused:
        compiled.load(path)
    assert refused.value.line == line
    assert str(path) in str(refused.value)


def test_bytes_that_are_no_text_are_refused_by_file(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"a: \xff\xfe\x00")
    with pytest.raises(SpecError, match=r"binary\.yaml"):
        compiled.load(path)


def test_a_missing_file_is_an_ordinary_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        compiled.load(tmp_path / "nowhere.yaml")
