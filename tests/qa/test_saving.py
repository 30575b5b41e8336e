"""Saving and loading StoryQA."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from memn2n import Example, NetworkConfig, StoryQA
from memn2n.errors import ModelError
from memn2n.files.model_folder import config_of, load_model, save_model
from memn2n.qa.vocabulary import Vocabulary
from tests.conftest import QUICK, STORY


@pytest.mark.parametrize("temporal", ["none", "add", "word"])
@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
def test_a_loaded_model_gives_the_same_answers(
    examples: list[Example], tmp_path: Path, temporal: str, tying: str
) -> None:
    network = NetworkConfig.from_dict({"dim": 5, "temporal": temporal, "tying": tying})
    qa = StoryQA.fit(examples[:60], network=network, training=dataclasses.replace(QUICK, epochs=2))
    qa.save(tmp_path)
    loaded = StoryQA.load(tmp_path)
    assert loaded.vocabulary == qa.vocabulary
    assert loaded.network.config == network
    assert loaded.training == qa.training
    assert loaded.restarts == qa.restarts
    mine, theirs = qa.answer(STORY, "Where is John?"), loaded.answer(STORY, "Where is John?")
    assert mine.top == theirs.top
    assert np.array_equal(mine.attention, theirs.attention)
    assert qa.evaluate(examples[:80]) == loaded.evaluate(examples[:80])
    assert loaded.evaluate(examples[:60]).tasks[0].seen == 60


def edit(folder: Path, **changes: object) -> None:
    """Save the model again with other settings."""
    config, vocabulary, tensors = load_model(folder, "qa", Vocabulary)
    save_model(folder, "qa", config | changes, vocabulary, tensors)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"dim": 20}},
        {"network": {"dim": "20"}},
        {"network": None},
        {"network": {"breadth": 1}},
        {"shape": {"vocabulary": 21, "longest_sentence": 6, "slots": 0}},
        {"shape": {"vocabulary": 21, "longest_sentence": 6, "slots": 51}},
        {"shape": {"vocabulary": 3, "longest_sentence": 6, "slots": 10}},
        {"shape": []},
        {"training": {"epochs": -1}},
        {"restarts": [{}]},
        {"restarts": 3},
        {"symmetries": {"class": [{"words": ["mary"]}], "swap": []}},
        {"unseen_words": {}},
        {
            "symmetries": {"class": [], "swap": []},
            "unseen_words": {"tasks": [], "frames": {"?": {"0": 1}}, "forms": {}},
        },
        {"symmetries": {"class": [], "swap": []}, "unseen_words": {"tasks": [], "frames": {}, "forms": {"a": [1]}}},
        {"symmetries": 5},
    ],
)
def test_a_config_that_does_not_fit_is_refused(model: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    StoryQA.load(model).save(tmp_path)
    config = config_of(tmp_path)
    if changes.get("network") == {"dim": 20}:
        changes = {"network": config["network"] | {"dim": 21}}
    edit(tmp_path, **changes)
    with pytest.raises(ModelError, match=r"the model cannot be used \(.*\); train again"):
        StoryQA.load(tmp_path)


def test_a_setting_that_was_added_after_the_model_was_saved_has_its_default(model: Path, tmp_path: Path) -> None:
    StoryQA.load(model).save(tmp_path)
    network = config_of(tmp_path)["network"]
    del network["gate"]
    edit(tmp_path, network=network)
    assert StoryQA.load(tmp_path).network.config == StoryQA.load(model).network.config


def test_a_model_of_an_unknown_family_is_refused_in_one_line(model: Path, tmp_path: Path) -> None:
    StoryQA.load(model).save(tmp_path)
    for family in ("entnet", ["memn2n"], None):
        edit(tmp_path, family=family)
        with pytest.raises(ModelError, match=r"family is .*: the families are memn2n; to add one, import") as error:
            StoryQA.load(tmp_path)
        assert "\n" not in str(error.value)


def test_other_types_and_names_of_tensors_are_refused(qa: StoryQA, tmp_path: Path) -> None:
    qa.save(tmp_path)
    config, vocabulary, tensors = load_model(tmp_path, "qa", Vocabulary)
    config = {name: config[name] for name in ("network", "shape", "training", "restarts", "networks")}
    table = tensors["0.tables.0"]
    changes = (
        {"0.tables.0": table.astype(np.float64)},
        {"0.tables.0": table[:-1]},
        {"0.tables.9": table},
        {"train_fingerprints": np.zeros(3, np.float32)},
    )
    for change in changes:
        save_model(tmp_path, "qa", config, vocabulary, tensors | change)
        with pytest.raises(ModelError, match=r"the model cannot be used \(.*\); train again"):
            StoryQA.load(tmp_path)
    save_model(tmp_path, "qa", config, Vocabulary(vocabulary.words[1:]), tensors)
    with pytest.raises(ModelError, match=r"the model cannot be used \(.*\); train again"):
        StoryQA.load(tmp_path)
    for size in (10**13, 10**30):
        for name in ("vocabulary", "slots", "longest_sentence"):
            save_model(tmp_path, "qa", config | {"shape": config["shape"] | {name: size}}, vocabulary, tensors)
            with pytest.raises(ModelError, match=f"{name} is {size}"):
                StoryQA.load(tmp_path)


def test_loading_does_not_change_the_global_random_state(model: Path) -> None:
    before = torch.get_rng_state()
    StoryQA.load(model)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_ensemble_is_one_model_directory(ensemble: StoryQA, examples: list[Example], tmp_path: Path) -> None:
    ensemble.save(tmp_path)
    loaded = StoryQA.load(tmp_path)
    assert len(loaded.networks) == 3
    questions = [(example.story, example.question) for example in examples[:50]]
    for mine, theirs in zip(ensemble.answer_many(questions), loaded.answer_many(questions), strict=True):
        assert mine.top == theirs.top
    config = config_of(tmp_path)
    for number in (0, 2, 4, "3", True):
        edit(tmp_path, networks=number)
        with pytest.raises(ModelError, match=r"the model cannot be used \(.*\); train again"):
            StoryQA.load(tmp_path)
    edit(tmp_path, networks=config["networks"])
    StoryQA.load(tmp_path)
