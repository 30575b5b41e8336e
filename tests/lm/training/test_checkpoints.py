"""Checkpoints: a training loads as it was saved, and damaged or foreign files are refused."""

import dataclasses
import itertools
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import LMConfig, LMTraining, LMVocabulary
from memn2n.errors import ModelError
from memn2n.files.model_folder import load_model, save_model
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.training.checkpoints import has_checkpoint, load_checkpoint, resume, save_checkpoint, text_digests
from memn2n.lm.training.progress import LMEpoch, TrainingProgress
from memn2n.lm.training.trainer import LMTrainer

VOCABULARY = LMVocabulary(("a", "b", "c"), "words", lowercase=True)
NETWORK = LMConfig(dim=4, linear=1, hops=2, memory_size=3, tied=True)
TEXT, VALID = np.arange(60, dtype=np.int32) % 5, np.arange(20, dtype=np.int32) % 5
TEXTS = text_digests(TEXT, VALID)


def made(optimizer: Any = "adamw", **settings: Any) -> LMTrainer:
    training = LMTraining(optimizer=optimizer, epochs=2, batch_size=8, block=4, precision="fp32", seed=7)
    network = LMNetwork(NETWORK, len(VOCABULARY), torch.Generator().manual_seed(1))
    return LMTrainer(network, TEXT, VALID, dataclasses.replace(training, **settings), torch.float32)


def stop_within_the_second_epoch(event: object) -> None:
    if isinstance(event, LMEpoch):
        raise InterruptedError


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_training_survives_a_round_trip(tmp_path: Path, optimizer: str) -> None:
    trainer = made(optimizer)
    with pytest.raises(InterruptedError):
        trainer.run(stop_within_the_second_epoch, lambda best: save_checkpoint(tmp_path, trainer, VOCABULARY, TEXTS))
    found = load_checkpoint(tmp_path)
    assert found.network == NETWORK
    assert found.training == trainer.config
    assert found.vocabulary == VOCABULARY
    assert found.texts == TEXTS
    assert found.progress == trainer.progress
    assert [epoch.epoch for epoch in found.progress.history] == [1]
    again = made(optimizer)
    resume(again, found, TEXTS, tmp_path)
    assert again.progress == trainer.progress
    assert again.state().keys() == trainer.state().keys()
    for name, value in trainer.state().items():
        other = again.state()[name]
        assert other.shape == value.shape, name
        assert other.dtype == value.dtype, name
        assert torch.equal(other, value), name


def test_a_save_replaces_only_the_earlier_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    trainer = made()
    trainer.run(lambda event: None, lambda best: None)
    for epoch in (4, 5):
        trainer.progress = TrainingProgress(0.5, epoch=epoch, batch=2, loss=1.25, words=9)
        save_checkpoint(tmp_path, trainer, VOCABULARY, TEXTS)
        assert load_checkpoint(tmp_path).progress == trainer.progress
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "notes.txt"]
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == ["config.json", "model.safetensors"]


def test_writing_one_takes_no_more_than_twice_its_size(tmp_path: Path) -> None:
    """So a checkpoint does not need much more memory than the training."""
    words = LMVocabulary(tuple(f"w{i}" for i in range(9998)))
    network = LMNetwork(dataclasses.replace(NETWORK, dim=30), len(words))
    trainer = LMTrainer(network, TEXT, None, dataclasses.replace(made().config, epochs=1), torch.float32)
    trainer.run(lambda event: None, lambda best: None)
    size = sum(value.nbytes for value in trainer.state().values())
    tracemalloc.start()
    try:
        save_checkpoint(tmp_path, trainer, words, TEXTS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < peak < 2.2 * size + 2**20


def test_digests_are_those_of_the_words() -> None:
    assert text_digests(TEXT, None) == {"train": TEXTS["train"]}
    assert text_digests(TEXT.copy(), VALID) == TEXTS
    assert text_digests(np.repeat(TEXT, 2)[::2], VALID) == TEXTS, "whatever their layout"
    assert text_digests(TEXT, VALID[:-1])["valid"] != TEXTS["valid"]


def test_a_folder_without_checkpoint(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    (killed / "checkpoint").mkdir(parents=True)
    (killed / "checkpoint" / "model.safetensors.0123456789ab.partial").touch()  # what a kill in the first save leaves
    for folder in (tmp_path, tmp_path / "none", killed):
        assert not has_checkpoint(folder)
        with pytest.raises(ModelError, match="has no checkpoint to resume from; train without resuming"):
            load_checkpoint(folder)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path, made(), VOCABULARY, TEXTS)
    return tmp_path


@pytest.mark.parametrize(
    ("part", "value"),
    [
        *itertools.product(("network", "training", "progress"), (None, 3, "x", [], {"x": 1})),
        *itertools.product(("texts",), (None, 3, "x")),
    ],
)
def test_a_damaged_record_is_one_line(run: Path, part: str, value: object) -> None:
    config, vocabulary, tensors = load_model(run / "checkpoint", "lm training", LMVocabulary)
    without = {name: config[name] for name in config if name != part}
    for wrong in (config | {part: value}, without):
        save_model(run / "checkpoint", "lm training", wrong, vocabulary, tensors)
        with pytest.raises(ModelError, match=r"the model cannot be used \(.*\); train") as error:
            load_checkpoint(run)
        assert "\n" not in str(error.value)


def test_damaged_weights_are_refused(run: Path) -> None:
    path = run / "checkpoint" / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        load_checkpoint(run)


def test_a_model_is_no_checkpoint(tmp_path: Path) -> None:
    save_model(tmp_path / "checkpoint", "lm", {}, VOCABULARY, {})
    with pytest.raises(ModelError, match="holds a model of kind 'lm', not 'lm training'"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (text_digests(TEXT[:-1], VALID), "train"),
        (text_digests(TEXT, VALID[:-1]), "valid"),
        (text_digests(TEXT, None), "valid"),
    ],
)
def test_other_texts_are_refused(run: Path, texts: dict[str, str], name: str) -> None:
    with pytest.raises(ModelError, match=f"its {name} text is not the one given now; resume with the same text"):
        resume(made(), load_checkpoint(run), texts, run)


def test_tensors_that_do_not_fit_are_refused(run: Path) -> None:
    with pytest.raises(ModelError, match=r"its arrays do not fit its settings \(.*\); train again"):
        resume(made(), load_checkpoint(run)._replace(tensors={}), TEXTS, run)
    for name, value in (("random", torch.zeros(3, dtype=torch.uint8)), ("parameter.H", torch.zeros(2, 2))):
        found = load_checkpoint(run)
        found.tensors[name] = value
        with pytest.raises(ModelError, match="do not fit"):
            resume(made(), found, TEXTS, run)
