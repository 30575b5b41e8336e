"""A training as a whole: how often it reads its texts and its model, and other networks than the memory network."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from memn2n import Corpus, MemoryLM
from memn2n.files.model_folder import load_model
from memn2n.lm.data.encoding import encode_corpus
from memn2n.lm.networks.lstm import LSTMNetwork
from memn2n.lm.scoring import mean_loss
from memn2n.lm.training import run as run_module
from memn2n.lm.training.progress import LMEpoch
from memn2n.lm.training.run import LMRequest, train_lm
from memn2n.lm.vocabulary import LMVocabulary
from tests.lm.small_model import MODERN, NETWORK, TRAIN, VALID, assert_same, fit

ONE_EPOCH = dataclasses.replace(MODERN, epochs=1)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the texts that are cut into words, in order."""
    names = []
    words = Corpus.words

    def counted(corpus: Corpus) -> Iterator[str]:
        names.append(corpus.name)
        yield from words(corpus)

    monkeypatch.setattr(Corpus, "words", counted)
    return names


@pytest.mark.parametrize("in_folder", [False, True])
def test_each_text_is_cut_into_words_once(in_folder: bool, read: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "run" if in_folder else None
    fit(ONE_EPOCH, folder=folder)
    assert read == [TRAIN.name, VALID.name]
    read.clear()
    fit(ONE_EPOCH, valid=None, folder=folder)
    assert read == [TRAIN.name]
    if folder is not None:
        read.clear()
        fit(ONE_EPOCH, valid=None, folder=folder, resume=True)
        assert read == [], "its ids are in the folder"


def test_the_trained_model_is_not_read_back_from_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "load_model", lambda *_: pytest.fail("the model was read"))
        model = fit(MODERN, folder=tmp_path)
    assert_same(MemoryLM.load(tmp_path), model)
    assert_same(fit(MODERN, folder=tmp_path, resume=True), model)  # all its epochs are done before it is resumed


def test_a_folder_that_a_refused_training_made_is_removed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no word in this text"):
        fit(train=Corpus.from_text("\n"), folder=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "own").mkdir()
    with pytest.raises(ValueError, match="there is no word in this text"):
        fit(train=Corpus.from_text("\n"), folder=tmp_path / "own")
    assert list(tmp_path.iterdir()) == [tmp_path / "own"]


def test_an_lstm_is_trained_saved_and_resumed_too(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"train": TRAIN, "valid": VALID, "network": NETWORK, "threads": 1, "build": LSTMNetwork}
    request = LMRequest(training=dataclasses.replace(MODERN, epochs=2), folder=tmp_path, **settings)
    run = train_lm(request)
    lstm = run.best_network()
    assert isinstance(lstm, LSTMNetwork)
    _, vocabulary, tensors = load_model(tmp_path, "lstm", LMVocabulary)
    assert vocabulary == run.vocabulary
    for name, value in lstm.state_dict().items():
        assert torch.equal(value, torch.from_numpy(tensors[name]))
    losses = [epoch.valid for epoch in run.history]
    assert mean_loss(lstm, encode_corpus(VALID, vocabulary), torch.float32) == pytest.approx(
        min(loss for loss in losses if loss is not None)
    )

    def interrupt(event: object) -> None:
        if isinstance(event, LMEpoch):
            raise InterruptedError

    other = dataclasses.replace(request, folder=tmp_path / "other")
    with pytest.raises(InterruptedError):
        train_lm(other, interrupt)
    again = train_lm(dataclasses.replace(other, resume=True)).best_network()
    for name, value in again.state_dict().items():
        assert torch.equal(value, lstm.state_dict()[name])
    assert json.loads((tmp_path / "other" / "config.json").read_bytes())["kind"] == "lstm"
