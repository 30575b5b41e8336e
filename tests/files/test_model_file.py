"""The file of a model: whatever is wrong with it, reading ends in one line, and takes little memory."""

import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from memn2n.errors import ModelError
from memn2n.files.model_file import HEADER_LIMIT, VERSION
from memn2n.files.model_folder import kind_of, load_model, save_model
from memn2n.qa.vocabulary import Vocabulary
from tests.files.crafted_models import ARRAYS, RECORD, digest_of, write_record, write_text

ROOT = Path(__file__).parents[2]


def refusal(folder: Path) -> str:
    """Return the error of loading a model, which must be one line."""
    with pytest.raises(ModelError) as error:
        load_model(folder, "qa", Vocabulary)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 400 + len(str(folder))
    assert str(folder) in message
    return message


def write_header(folder: Path, header: bytes, data: bytes = b"", length: int | None = None) -> None:
    start = struct.pack("<Q", len(header) if length is None else length)
    (folder / "model.safetensors").write_bytes(start + header + data)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The file of a model with two arrays that could be mistaken for one another."""
    arrays = {name: np.full((2, 3), value, np.float32) for name, value in (("a", 1), ("b", 2))}
    save_model(tmp_path, "qa", {"dim": 3}, Vocabulary(("w", "é")), arrays)
    return tmp_path / "model.safetensors"


def test_a_file_that_is_cut_anywhere_is_refused(saved: Path) -> None:
    raw = saved.read_bytes()
    for length in range(len(raw)):
        saved.write_bytes(raw[:length])
        assert "is damaged" in refusal(saved.parent)
    saved.write_bytes(raw + b"\0")
    assert "is damaged" in refusal(saved.parent)


def test_a_changed_bit_anywhere_is_refused(saved: Path) -> None:
    raw = saved.read_bytes()
    for i in range(len(raw)):
        saved.write_bytes(raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :])
        refusal(saved.parent)


def test_swapped_arrays_are_refused(saved: Path) -> None:
    raw = saved.read_bytes()
    first, second = raw.index(b'"a":{'), raw.index(b'"b":{')
    swapped = bytearray(raw)
    swapped[first + 1], swapped[second + 1] = ord("b"), ord("a")
    saved.write_bytes(swapped)
    arrays = safetensors.numpy.load(bytes(swapped))
    assert (arrays["a"][0, 0], arrays["b"][0, 0]) == (2, 1), "the file is well-formed"
    assert "its SHA-256 differs from the stored one" in refusal(saved.parent)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_array_with_nan_or_infinity_is_refused(tmp_path: Path, value: float, dtype: Any) -> None:
    bad = np.zeros((30, 40), dtype)
    bad[-1, -1] = value
    write_record(tmp_path, RECORD, ARRAYS | {"0.A": bad})
    assert "array '0.A' holds NaN or infinity; train again" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (f"{VERSION + 1}", "has format version 4, but this memn2n reads versions up to 3; upgrade memn2n"),
        (f"1{'0' * 40}", "upgrade memn2n"),
        *((text, "is damaged") for text in ("2", "-1", "3.0", "true", '"4"', "null", "[4]", "1e400")),
    ],
)
def test_other_versions_are_refused(tmp_path: Path, version: str, message: str) -> None:
    write_text(tmp_path, json.dumps(RECORD).replace('"version": 3', f'"version": {version}'))
    assert message in refusal(tmp_path)
    with pytest.raises(ModelError, match=message):
        kind_of(tmp_path)


def test_a_later_version_is_named_whatever_its_record_has(tmp_path: Path) -> None:
    write_text(tmp_path, json.dumps({"format": "memn2n", "version": 4, "everything else": "is new"}))
    assert "upgrade memn2n" in refusal(tmp_path)
    write_text(tmp_path, json.dumps(RECORD).replace('"version": 3', f'"version": 1{"0" * 5000}'))
    assert "is damaged" in refusal(tmp_path)


VALUES: tuple[Any, ...] = (None, True, 7, -1.5, "x" * 100_000, "", [], [[]], ["a"], {}, {"a": 1}, {"words": 3})


@pytest.mark.parametrize("key", ["format", "version", "kind", "config", "vocabulary", "sha256"])
def test_wrong_types_in_the_record_are_refused(tmp_path: Path, key: str) -> None:
    right = RECORD | {"sha256": digest_of(RECORD, ARRAYS)}
    del right[key]
    write_text(tmp_path, json.dumps(right))
    refusal(tmp_path)
    for value in VALUES:
        if key != "sha256" and (key, type(value)) != ("config", dict):
            write_record(tmp_path, RECORD | {key: value})
            refusal(tmp_path)
        write_text(tmp_path, json.dumps(right | {key: value}))
        refusal(tmp_path)


def test_a_text_that_is_no_record_is_refused(tmp_path: Path) -> None:
    deep = f'{json.dumps(RECORD)[:-1]}, "more": {"[" * 900}{"]" * 900}}}'
    values = [json.dumps(value) for value in VALUES]
    for text in (*values, "", "{", "NaN", "\0", "[" * 100_000, '{"a":' * 100_000, deep):
        write_text(tmp_path, text)
        refusal(tmp_path)


ENTRY = '{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{",
        "[]",
        "null",
        "\xff",
        '{"__metadata__": 3}',
        '{"__metadata__": {"memn2n": 3}}',
        '{"__metadata__": {"memn2n": {"format": "memn2n"}}}',
        '{"__metadata__": {"memn2n": "\\ud800"}}',
        '{"a": 3}',
        '{"a": {}}',
        f'{{"a": {ENTRY}, "b": {ENTRY}}}',
        *(f'{{"a": {ENTRY.replace(old, new)}}}' for old, new in (
            ("F32", "F4"), ("F32", "BF16"), ("[1]", "[2]"), ("[1]", "[1099511627776]"), ("[1]", "3"), ("[1]", "[-1]"),
            ("[1]", f"[{2**63}, 2]"), ("[1]", f"[{'1, ' * 99}1]"), ("[0, 4]", "[4, 0]"), ("[0, 4]", f"[0, {2**63}]"),
            ("[0, 4]", "[0]"), ("[0, 4]", "null"),
        )),
    ],
)  # fmt: skip
def test_a_header_that_is_not_of_the_format_is_refused(tmp_path: Path, header: str) -> None:
    write_header(tmp_path, header.encode("latin-1"), b"\0\0\0\0")
    refusal(tmp_path)


def test_a_header_that_is_nested_deeply_is_refused(tmp_path: Path) -> None:
    for header in (b"[" * 10**6, b'{"a":' * 10**6):
        write_header(tmp_path, header)
        refusal(tmp_path)


def _absent(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _no_file_at_all(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("replace", "message"),
    [(_absent, "it has no model"), (_folder, "is not a file"), (_pipe, "is not a file"), (_no_file_at_all, "")],
)
def test_something_else_in_the_place_of_the_file(saved: Path, replace: Callable[[Path], None], message: str) -> None:
    replace(saved)
    assert message in refusal(saved.parent)


@pytest.mark.parametrize("locked", ["file", "folder"])
def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    write_record(tmp_path, RECORD)
    monkeypatch.setattr(Path, "open" if locked == "file" else "stat", refuse)  # root may read everything
    assert "cannot be read: Permission denied" in refusal(tmp_path)


PEAK = """
import sys
from pathlib import Path
from memn2n.errors import ModelError
from memn2n.files.model_folder import load_model
from memn2n.qa.vocabulary import Vocabulary
try:
    load_model(sys.argv[1], "qa", Vocabulary)
except ModelError:
    pass
lines = Path("/proc/self/status").read_text().splitlines()
print("torch" in sys.modules, *(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


def peak(folder: Path) -> float:
    """Return the most memory in MB that a process which loads a model ever had."""
    code = [sys.executable, "-c", PEAK, str(folder)]
    torch, kilobytes = subprocess.run(code, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert torch == "False"
    return int(kilobytes) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of a process")
def test_a_bad_header_takes_no_memory(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    normal = peak(tmp_path)
    real = b'{"a":' + b"[" * 10**8
    for header, length, size in (
        (real, None, None),
        (b'{"__metadata__": {"memn2n": "' + b"[" * 10**8, None, None),
        (b"{}", 10**8, None),
        (b"{}", 10**8, 10**9),  # a file with a hole
        (b"{}", 2**64 - 1, None),
        (b"{}", 2**63, 10**9),
        (real[: HEADER_LIMIT // 2], None, None),
        (f'{{"a": {ENTRY.replace("[1]", f"[{2**40}]").replace("4]", f"{2**42}]")}}}'.encode(), None, 2**40),
    ):
        write_header(tmp_path, header, length=length)
        if size is not None:
            os.truncate(tmp_path / "model.safetensors", size)
        refusal(tmp_path)
        assert peak(tmp_path) < normal + 30


def test_the_length_of_the_header_is_checked_first(tmp_path: Path) -> None:
    header = b"{}" + b" " * HEADER_LIMIT
    write_header(tmp_path, header)
    assert "its header has 16,777,218 bytes, but at most 16,777,216 are allowed" in refusal(tmp_path)
    write_header(tmp_path, b"{}", length=10**8)
    assert "it ends within its header" in refusal(tmp_path)
