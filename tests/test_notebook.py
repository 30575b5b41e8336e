"""What models and evaluations show in a notebook."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from memn2n import Evaluation, StoryQA, pretrained, simulate
from memn2n.html_table import html_table
from memn2n.qa.answers import TaskScore
from tests.lm.small_model import TEST, fit


def cells(html: str) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in ET.fromstring(html).iter("tr")]


def test_an_evaluation_shows_a_row_for_each_task_and_their_mean() -> None:
    tasks = (TaskScore("<1>", 100, 10, 2, 50, 40, 20, 1), TaskScore("2", 100, 0, 0, 0, 0, 0, 0))
    evaluation = Evaluation(tasks, ("a & b",))
    assert cells(evaluation._repr_html_())[1:] == [
        ["<1>", "100", "10.0% failed", "80.0%", "20", "11.2%"],
        ["2", "100", "0.0%", "-", "0", "0.0%"],
        ["mean", "", "5.0%", "80.0%", "", ""],
    ]
    remarks = [element.text for element in ET.fromstring(evaluation._repr_html_()).iter("p")]
    assert remarks == ["1 of 2 tasks failed (error above 5%)",
                       "questions whose answer the model does not know, which count as wrong: 2 (a & b)"]  # fmt: skip
    assert repr(evaluation) == "<Evaluation: error 5.0%, 2 tasks, 1 failed, 200 questions>"
    assert repr(Evaluation(tasks[1:], ())) == "<Evaluation: error 0.0%, 100 questions>"


def test_a_story_model_shows_its_network_and_training() -> None:
    train, _ = simulate(task=1, n_train=30, n_test=1, seed=0)
    qa = StoryQA.fit(train, restarts=2, training=pretrained().training.changed({"epochs": 1, "select": "ensemble"}))
    shown = dict(cells(qa._repr_html_()))
    assert shown["network"] == "memn2n, ensemble of 2"
    assert shown["settings"] == "defaults"
    assert "epochs=1" in shown["training"]
    valid = [restart.valid for restart in qa.restarts]
    assert shown["validation error"] == f"{sum(score.error for score in valid if score) / 2:.1%}"
    assert repr(qa) == f"<StoryQA: memn2n, ensemble of 2, {shown['parameters']} parameters, {shown['words']} words>"


def test_a_language_model_and_its_evaluation_show_themselves() -> None:
    lm = fit()
    shown = dict(cells(lm._repr_html_()))
    assert "dim=12" in shown["settings"]
    assert float(shown["validation perplexity"]) > 1
    assert repr(lm) == f"<MemoryLM: {shown['parameters']} parameters, {shown['words']} words>"
    evaluation = lm.evaluate(TEST)
    heads, row = cells(evaluation._repr_html_())
    assert heads[0] == "perplexity"
    assert row[0] == f"{evaluation.perplexity:.5g}"


def test_text_in_a_table_is_escaped() -> None:
    html = html_table("<b>", ("a", "b & c"), [("<i>", "&")], ["<p>"])
    assert cells(html) == [["a", "b & c"], ["<i>", "&"]]
    assert [element.text for element in ET.fromstring(html).iter("b")] == ["<b>"]
    assert "<p><p>" not in html
