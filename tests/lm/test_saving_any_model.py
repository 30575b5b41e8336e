"""Every model that MemoryLM.save accepts is loaded as it was; what it refuses leaves the earlier model in place."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memn2n import LMConfig, LMTraining, LMVocabulary, MemoryLM
from memn2n.errors import ModelError
from memn2n.files.model_folder import load_model, save_model
from memn2n.lm.networks.lstm import LSTMNetwork
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.training.checkpoints import load_checkpoint
from memn2n.lm.training.progress import LMEpoch
from memn2n.qa.vocabulary import Vocabulary
from tests.files.crafted_models import write_version_2
from tests.lm.largest_tensor import LargestTensor
from tests.lm.small_model import MODERN, fit

WORDS = st.lists(st.text(min_size=1, max_size=3), max_size=4, unique=True)
LOSSES = st.floats(0, 99)
EPOCHS = st.builds(LMEpoch, st.integers(1, 9), LOSSES, LOSSES, st.none() | LOSSES, st.booleans(), LOSSES, LOSSES)


@st.composite
def models(draw: st.DrawFn) -> MemoryLM:
    vocabulary = LMVocabulary(tuple(draw(WORDS)), draw(st.sampled_from(["space", "words"])), draw(st.booleans()))
    dim = draw(st.integers(1, 3))
    config = LMConfig(dim=dim, linear=draw(st.none() | st.integers(0, dim)), hops=draw(st.integers(1, 3)),
                      memory_size=draw(st.integers(1, 4)), tied=draw(st.booleans()),
                      query=draw(st.floats(-9, 9)))  # fmt: skip
    network = LMNetwork(config, len(vocabulary), torch.Generator().manual_seed(draw(st.integers(0, 99))))
    training = LMTraining(seed=draw(st.integers(0, 2**63 - 1)), learning_rate=draw(st.floats(1e-9, 9)))
    history = tuple(draw(st.lists(EPOCHS, max_size=3)))
    return MemoryLM(network, vocabulary, training, history, lines=draw(st.sampled_from(["sentences", "running"])))


@settings(max_examples=40, deadline=None)  # a save waits for the disk
@given(models(), st.data())
def test_what_is_saved_is_loaded(lm: MemoryLM, data: st.DataObject) -> None:
    """A part of the model may be changed after it was made."""
    change = data.draw(st.sampled_from(["nothing", "type", "vocabulary", "config", "lines"]))
    if change == "type":
        lm.network.to(data.draw(st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16])))
    elif change == "vocabulary":
        lm.vocabulary = LMVocabulary(tuple(data.draw(WORDS)))
    elif change == "config":
        lm.network.config = dataclasses.replace(lm.network.config, memory_size=data.draw(st.integers(1, 4)))
    elif change == "lines":
        lm.lines = data.draw(st.sampled_from(["sentences", "running", "pages", ["running"]]))
    with tempfile.TemporaryDirectory() as folder:
        try:
            lm.save(folder)
        except ModelError:
            assert change != "nothing"
            assert not list(Path(folder).iterdir())
            return
        found = MemoryLM.load(folder)
    assert (found.vocabulary, found.training, found.history) == (lm.vocabulary, lm.training, lm.history)
    assert (found.lines, found.network.config.resolved()) == (lm.lines, lm.network.config.resolved())
    saved = lm.network.state_dict()
    assert found.network.state_dict().keys() == saved.keys()
    for name, value in found.network.state_dict().items():
        assert value.dtype == saved[name].dtype
        assert torch.equal(value, saved[name])


class _OwnNetwork(LMNetwork):
    """A network with code of its own, which loading would lose."""


def _own_class(lm: MemoryLM) -> None:
    lm.network.__class__ = _OwnNetwork


def _parametrized(lm: MemoryLM) -> None:
    torch.nn.utils.parametrizations.weight_norm(lm.network, "H")


def _lstm(lm: MemoryLM) -> None:
    lm.network = LSTMNetwork(LMConfig(dim=4), len(lm.vocabulary))  # type: ignore[assignment]


def _bfloat16(lm: MemoryLM) -> None:
    lm.network.bfloat16()


def _another_parameter(lm: MemoryLM) -> None:
    lm.network.register_parameter("X", torch.nn.Parameter(torch.zeros(3)))


def _story_vocabulary(lm: MemoryLM) -> None:
    lm.vocabulary = Vocabulary(lm.vocabulary.words)  # type: ignore[assignment]


CHANGES: dict[Callable[[MemoryLM], None], str] = {
    _own_class: "its class is _OwnNetwork",
    _parametrized: "its class is ParametrizedLMNetwork",
    _lstm: "its class is LSTMNetwork",
    _bfloat16: r"A is torch\.bfloat16, and models have torch\.float32; call network\.float\(\)",
    _another_parameter: r"the arrays are .* X, but these settings need A, C, T_A, T_C, H, W\)",
    _story_vocabulary: "the vocabulary is of the class Vocabulary, not LMVocabulary",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_refused_save_keeps_the_earlier_model(
    lm: MemoryLM, tmp_path: Path, change: Callable[[MemoryLM], None]
) -> None:
    lm.save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    changed = MemoryLM.load(tmp_path)
    change(changed)
    with pytest.raises(ModelError, match=f"saved, because .*{CHANGES[change]}"):
        changed.save(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


HUGE = {"dim": 4096, "hops": 64, "memory_size": 10_000, "linear": 0}
"""Settings of a network of 400 MB."""


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("part", ["model", "checkpoint"])
def test_settings_are_compared_with_the_arrays_before_these_take_memory(
    tmp_path: Path, part: str, version: int
) -> None:
    fit(dataclasses.replace(MODERN, epochs=1), folder=tmp_path)
    folder, kind = (tmp_path, "lm") if part == "model" else (tmp_path / "checkpoint", "lm training")
    config, vocabulary, arrays = load_model(folder, kind, LMVocabulary)
    huge: dict[str, Any] = config | {"network": config["network"] | HUGE}
    if version == 2:
        (folder / "model.safetensors").unlink()
        write_version_2(folder, kind, huge, vocabulary.to_dict(), arrays)
    else:
        save_model(folder, kind, huge, vocabulary, arrays)
    largest = max(np.asarray(array).nbytes for array in arrays.values())
    load: Callable[[Path], object] = MemoryLM.load if part == "model" else load_checkpoint
    with LargestTensor() as tensors, pytest.raises(ModelError, match=r"the model cannot be used \(.*shape"):
        load(tmp_path)
    assert tensors.bytes <= largest
    if part == "checkpoint":
        with pytest.raises(ModelError, match="the model cannot be used"):
            fit(folder=tmp_path, resume=True)
