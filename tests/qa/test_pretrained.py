"""The model that comes with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

import memn2n
from memn2n import InputError, pretrained, simulate
from memn2n.simulator import SKILLS
from tests.cli.conftest import CLI, WHERE_IS_MARY, cli

__all__ = ["cli"]


def test_it_answers_at_once() -> None:
    answer = pretrained().answer(["Mary moved to the bathroom.", "John went to the hallway."], "Where is Mary?")
    assert answer.text == "bathroom"
    assert answer.probability > 0.9
    story = ["Sumit is thirsty.", "Emily is a wolf.", "Wolves are afraid of mice.", "Cats are afraid of sheep."]
    assert pretrained("stories").answer(story, "What is Emily afraid of?").text == "mouse"


def test_it_solves_simulated_stories_of_all_tasks() -> None:
    qa = pretrained()
    scores = {
        score.task: score.error for score in qa.evaluate(simulate(SKILLS, n_train=0, n_test=200, seed=987).test).tasks
    }
    assert len(scores) == 20
    hard = {"3", "7", "17", "18", "19"}  # see docs/results.md
    assert all(error < 0.1 for task, error in scores.items() if task not in hard), scores
    assert sum(scores.values()) / 20 < 0.1


def test_it_is_small() -> None:
    folder = Path(memn2n.__file__).parent / "qa" / "models"
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 4_000_000


def test_real_questions(real_data: Path) -> None:
    """A tenth of bAbI's 20,000 test questions; the README has the error on all of them."""
    test = memn2n.read_babi(real_data / "babi" / "en").test[::10]
    assert pretrained().evaluate(test).error < 0.09


def test_an_unknown_name() -> None:
    with pytest.raises(InputError, match="there is no pretrained model 'poems'; there is: stories"):
        pretrained("poems")


def test_ask_without_a_model(cli: CLI) -> None:
    talked = cli("qa", "ask", stdin=WHERE_IS_MARY)
    assert (talked.status, talked.err) == (0, "")
    assert talked.out.startswith("bathroom (")


def test_a_folder_comes_before_a_model_of_the_same_name(
    cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("simulate", "--task", 1, "--train", 5, "--test", 50, "--out", tmp_path)
    assert "0.0%" in cli("qa", "eval", "stories", tmp_path, "--task", 1).out
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stories").mkdir()
    assert "is not a memn2n model directory" in cli("qa", "eval", "stories", tmp_path).err
