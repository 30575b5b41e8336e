"""Every model that StoryQA.save accepts is loaded as it was; what it refuses leaves the earlier model in place."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memn2n import LMVocabulary, NetworkConfig, StoryQA, TrainingConfig
from memn2n.errors import ModelError
from memn2n.qa.candidates import Candidates
from memn2n.qa.config import DataShape, Temporal
from memn2n.qa.parameters import Parameters
from memn2n.qa.training.problem import Restart
from memn2n.qa.training.schedule import Score
from memn2n.qa.vocabulary import Vocabulary
from tests.files.crafted_models import RECORD, write_record, write_version_2

WORDS = st.lists(st.text(min_size=1, max_size=3), max_size=4, unique=True)
SCORES = st.none() | st.builds(Score, st.floats(allow_nan=False), st.floats(0, 1))
RESTARTS = st.lists(
    st.builds(Restart, st.integers(0, 9), SCORES, SCORES, st.floats(0, 1e9), st.text(max_size=5), st.booleans()),
    max_size=3,
)


@st.composite
def networks(draw: st.DrawFn) -> NetworkConfig:
    temporal: Temporal = draw(st.sampled_from(get_args(Temporal)))
    return NetworkConfig(
        dim=draw(st.integers(1, 3)), hops=draw(st.integers(1, 3)), temporal=temporal, relu=draw(st.booleans()),
        tying=draw(st.sampled_from(["adjacent", "layerwise"])), gate=draw(st.booleans()),
        encoding=draw(st.sampled_from(["bow", "pe-official"] + ["pe"] * (temporal != "word"))),
        memory_size=draw(st.integers(2, 5)), empty_slots=draw(st.sampled_from(["keep", "mask"])),
    )  # fmt: skip


@st.composite
def models(draw: st.DrawFn) -> StoryQA:
    vocabulary = Vocabulary(tuple(draw(WORDS)), draw(st.booleans()))
    texts = draw(st.sampled_from([(), ("yes",), ("no way", "yes")]))
    candidates = Candidates(texts, draw(st.booleans())) if texts else None
    config = draw(networks())
    shape = DataShape(len(vocabulary), draw(st.integers(1, 10**8)), draw(st.integers(1, 2)), len(texts))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return StoryQA(
        [Parameters.draw(config, shape, rng) for _ in range(draw(st.integers(1, 3)))], vocabulary, candidates,
        training=TrainingConfig(restarts=draw(st.integers(1, 9)), init_std=draw(st.floats(1e-9, 9))),
        restarts=draw(RESTARTS), fingerprints=np.array(draw(st.lists(st.integers(-9, 9), max_size=3)), np.int64),
    )  # fmt: skip


def assert_equal(found: StoryQA, saved: StoryQA) -> None:
    assert (found.vocabulary, found.candidates) == (saved.vocabulary, saved.candidates)
    assert (found.training, found.restarts) == (saved.training, saved.restarts)
    assert np.array_equal(found.fingerprints, saved.fingerprints)
    for one, other in zip(found.networks, saved.networks, strict=True):
        assert (one.config, one.shape) == (other.config, other.shape)
        assert list(one.arrays) == list(other.arrays)
        for name, array in one.arrays.items():
            assert np.array_equal(array, other.arrays[name])


@settings(max_examples=40, deadline=None)  # a save waits for the disk
@given(models(), st.data())
def test_what_is_saved_is_loaded(qa: StoryQA, data: st.DataObject) -> None:
    """A part of the model may be changed after it was made."""
    change = data.draw(st.sampled_from(["nothing", "type", "shape", "vocabulary", "candidates", "fingerprints"]))
    first = next(iter(qa.network.arrays))
    array = qa.network.arrays[first]
    if change == "type":
        qa.network.arrays[first] = array.astype(data.draw(st.sampled_from(["float16", "float64", ">f4", "int64"])))
    elif change == "shape":
        qa.network.arrays[first] = np.concatenate([array, array])
    elif change == "vocabulary":
        qa.vocabulary = Vocabulary(tuple(data.draw(WORDS)))
    elif change == "candidates":
        qa.candidates = data.draw(st.sampled_from([None, Candidates(("no", "perhaps"))]))
    elif change == "fingerprints":
        qa.fingerprints = qa.fingerprints.astype(data.draw(st.sampled_from(["int32", "float64", "int64"])))
    with tempfile.TemporaryDirectory() as folder:
        try:
            qa.save(folder)
        except ModelError:
            assert change != "nothing"
            assert not list(Path(folder).iterdir())
        else:
            assert_equal(StoryQA.load(folder), qa)


def _restart_of(loss: Any) -> tuple[Restart, ...]:
    return (Restart(0, Score(loss, 0.5), None, 1.0),)


CHANGES: dict[str, tuple[Callable[[StoryQA], dict[str, Any]], str]] = {
    "another type": (lambda qa: {"networks": retyped(qa, np.float64)}, r"tables\.0 .* float64, .* need .* float32"),
    "too few words": (lambda qa: {"vocabulary": Vocabulary(qa.vocabulary.words[1:])}, "for a vocabulary of"),
    "another class": (lambda qa: {"vocabulary": LMVocabulary(qa.vocabulary.words)}, "of the class LMVocabulary"),
    "candidates": (lambda _: {"candidates": Candidates(("a", "b"))}, "the network is for 0 candidates"),
    "fingerprints": (lambda _: {"fingerprints": np.zeros(3)}, "train_fingerprints has the shape .* float64"),
    "no JSON": (lambda _: {"restarts": _restart_of(np.float32(1))}, "not JSON serializable"),
}  # fmt: skip


def retyped(qa: StoryQA, dtype: Any) -> tuple[Parameters, ...]:
    for network in qa.networks:
        network.arrays.update({name: array.astype(dtype) for name, array in network.arrays.items()})
    return qa.networks


@pytest.mark.parametrize("what", CHANGES)
def test_a_refused_save_keeps_the_earlier_model(model: Path, tmp_path: Path, what: str) -> None:
    qa = StoryQA.load(model)
    qa.save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    change, message = CHANGES[what]
    for name, value in change(qa).items():
        setattr(qa, name, value)
    with pytest.raises(ModelError, match=f"this model is not saved, because it could not be loaded .*{message}"):
        qa.save(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_loss_that_is_not_a_number_is_no_reason_to_lose_a_model(model: Path, tmp_path: Path) -> None:
    qa = StoryQA.load(model)
    qa.restarts = _restart_of(float("nan"))
    qa.save(tmp_path)
    assert repr(StoryQA.load(tmp_path).restarts) == repr(qa.restarts)


HUGE = {"dim": 4096, "hops": 64, "memory_size": 10_000, "temporal": "add"}
"""Settings of a network of 10 GB."""


@pytest.mark.parametrize("version", [2, 3])
def test_settings_are_compared_with_the_arrays_before_these_take_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    shape = {"vocabulary": 3, "longest_sentence": 5, "slots": 10_000}
    config = {"network": HUGE, "shape": shape, "training": {}, "restarts": [], "networks": 1}
    words = {"lowercase": True, "words": ["a"]}
    arrays = {"0.tables.0": np.ones((3, 4096), np.float32)}
    if version == 2:
        write_version_2(tmp_path, "qa", config, words, arrays)
    else:
        write_record(tmp_path, RECORD | {"config": config, "vocabulary": words}, arrays)

    def refuse(*_: object) -> None:
        raise AssertionError("an array was read or made")

    for function in ("array", "empty", "zeros"):
        monkeypatch.setattr(np, function, refuse)
    with pytest.raises(ModelError, match=r"the model cannot be used \(the arrays lack "):
        StoryQA.load(tmp_path)
