"""Writers of models that ``save_model`` does not write: of format version 2, and with any record."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from memn2n.files.model_file import Arrays

ARRAYS: Arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(3)}
RECORD: dict[str, Any] = {
    "format": "memn2n", "version": 3, "kind": "qa", "config": {}, "vocabulary": {"lowercase": True, "words": ["w"]}
}  # fmt: skip


def digest_of(record: Any, arrays: Arrays) -> str:
    layout = [[name, str(arrays[name].dtype), list(arrays[name].shape)] for name in sorted(arrays)]
    content = b"".join(arrays[name].tobytes() for name in sorted(arrays))
    return hashlib.sha256(json.dumps([record, layout]).encode() + content).hexdigest()


def write_text(folder: Path, text: str, arrays: Arrays = ARRAYS) -> Path:
    """Write a model's file with any text as its record."""
    folder.mkdir(exist_ok=True)
    path = folder / "model.safetensors"
    path.write_bytes(safetensors.numpy.save(arrays, {"memn2n": text}))
    return path


def write_record(folder: Path, record: dict[str, Any], arrays: Arrays = ARRAYS) -> Path:
    """Write a model's file with any record, and with the right digest."""
    return write_text(folder, json.dumps(record | {"sha256": digest_of(record, arrays)}), arrays)


def write_version_2(folder: Path, kind: str, config: dict[str, Any], vocabulary: Any, arrays: Arrays) -> None:
    """Write a model as memn2n did in format version 2."""
    files = {"vocab.json": json.dumps(vocabulary).encode(), "model.safetensors": safetensors.numpy.save(arrays)}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    head = {"format": "memn2n", "version": 2, "kind": kind, "sha256": digests}
    files["config.json"] = json.dumps(head | config).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
