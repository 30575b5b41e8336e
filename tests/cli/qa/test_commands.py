"""memn2n qa ask, predict and eval."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from memn2n import Example, StoryQA, simulate, write_jsonl
from memn2n.cli.qa import talk
from memn2n.simulator.unseen import with_unseen_words
from tests.cli.conftest import CLI, COMMAND, WHERE_IS_MARY, process


def test_ask_answers_in_a_pipe(model: Path) -> None:
    answered = process("qa", "ask", model, stdin=WHERE_IS_MARY)
    assert answered.returncode == 0, answered.stderr
    assert answered.stdout.startswith("bathroom (")
    assert answered.stderr == ""


def test_a_conversation(cli: CLI, model: Path, tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text("Mary moved to the bathroom.\n\n")
    lines = ":story\nWhere is Mary?\n:why\nZelda went to the office.\nWhere is Mary?\n:reset\n:story\n"
    talked = cli("qa", "ask", model, "--story", story, stdin=lines)
    first, answer, *table = talked.out.splitlines()
    assert first == "Mary moved to the bathroom."
    assert answer.startswith("bathroom (")
    assert any("hop 1" in line for line in table)
    assert "never seen in training: zelda" in table[-1]
    assert talked.status == 0


def test_unseen_words_are_placed_in_a_conversation(cli: CLI, exchanging: StoryQA, tmp_path: Path) -> None:
    exchanging.save(tmp_path / "model")
    asked = "Mary moved to the cellar.\nWhere is Mary?\n"
    for options in ((), ("--renamings", "3")):
        talked = cli("qa", "ask", tmp_path / "model", *options, stdin=asked + ":why\n")
        line, *table = talked.out.splitlines()
        assert line.startswith("cellar (")
        assert "[never seen in training, read like a known word: cellar as " in line
        assert any("read like a known word: cellar as " in row for row in table)
        assert (talked.status, talked.err) == (0, "")
    record = json.loads(cli("qa", "ask", tmp_path / "model", "--json", stdin=asked).out)
    ((word, known),) = record["placed"]
    assert (word, record["prediction"], record["unknown_words"]) == ("cellar", "cellar", [])
    assert known not in [text for text, _ in record["top"]]


def test_predict_and_eval_with_unseen_words(cli: CLI, exchanging: StoryQA, tmp_path: Path) -> None:
    exchanging.save(tmp_path / "model")
    test = list(with_unseen_words(simulate(task=1, n_train=0, n_test=20, seed=8).test))
    write_jsonl(tmp_path / "test.jsonl", test)
    for k in (1, 3):
        predicted = cli("qa", "predict", tmp_path / "model", tmp_path / "test.jsonl", "--renamings", k)
        answers = exchanging.answer_many(((one.story, one.question) for one in test), renamings=k)
        found = [json.loads(line) for line in predicted.out.splitlines()]
        assert [one["prediction"] for one in found] == [answer.text for answer in answers]
        assert [one["placed"] for one in found] == [[*map(list, answer.placed)] for answer in answers]
        report = cli("qa", "eval", tmp_path / "model", tmp_path / "test.jsonl", "--renamings", k, "--json")
        assert json.loads(report.out) == exchanging.evaluate(test, renamings=k).to_dict()
    assert cli("qa", "predict", tmp_path / "model", tmp_path / "test.jsonl", "--renamings", 0).status == 2


def test_a_conversation_has_no_endless_line(cli: CLI, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "LONGEST_LINE", 100)
    talked = cli("qa", "ask", model, stdin="Mary sat.\n" + "x" * 200)
    assert (talked.status, talked.out) == (2, "")
    assert talked.err == "memn2n: <stdin>:2: this line has more than 100 characters; break it into lines\n"


def test_a_conversation_reports_unusable_lines_and_continues(cli: CLI, model: Path) -> None:
    talked = cli("qa", "ask", model, stdin="Where is Mary?\n:why\n:wrong\n" + WHERE_IS_MARY)
    first, second, third = talked.err.splitlines()
    assert first.startswith("memn2n: <stdin>:1: there is no story")
    assert second.startswith("memn2n: <stdin>:2: there is no answer yet")
    assert third.startswith("memn2n: <stdin>:3: :wrong is not a command")
    assert talked.out.startswith("bathroom (")
    assert talked.status == 2


def test_a_pipe_without_a_question_is_an_error(cli: CLI, model: Path) -> None:
    talked = cli("qa", "ask", model, stdin="Mary moved to the bathroom.\nWhere is Mary\n")
    assert (talked.status, talked.out) == (2, "")
    assert talked.err == 'memn2n: no question was asked; a question is a line that ends in "?"\n'
    assert cli("qa", "ask", model, stdin="").status == 0


def test_answers_as_json(cli: CLI, model: Path) -> None:
    record = json.loads(cli("qa", "ask", model, "--json", stdin=WHERE_IS_MARY).out)
    assert (record["question"], record["prediction"]) == ("Where is Mary?", "bathroom")


def test_predict_from_a_file_and_from_a_pipe(cli: CLI, model: Path, tmp_path: Path) -> None:
    record = {"id": "é7", "story": WHERE_IS_MARY.splitlines()[:2], "question": "Where is Mary?"}
    line = json.dumps(record)
    data, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    data.write_text(f"{line}\n" * 300)
    piped = cli("qa", "predict", model, "--top", 2, stdin=f"{line}\n\n{line}\n").out.splitlines()
    assert len(piped) == 2
    predicted = json.loads(piped[0])
    assert record.items() <= predicted.items()
    assert predicted["prediction"] == "bathroom"
    assert len(predicted["top"]) == 2
    assert cli("qa", "predict", model, data, "--out", out).out == ""
    written = [json.loads(text) for text in out.read_text().splitlines()]
    assert len(written) == 300
    assert written[299]["prediction"] == "bathroom"


def test_a_failed_prediction_leaves_the_old_file(cli: CLI, model: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    data.write_text('{"story": ["a b."], "question": "where?"}\n{"story": []}\n')
    out.write_text("old")
    failed = cli("qa", "predict", model, data, "--out", out)
    assert failed.status == 2
    assert failed.err == f"memn2n: {data}:2: there is no story: give at least one sentence\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
    assert out.read_text() == "old"


def test_a_reader_that_leaves_early_is_no_error(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "in.jsonl"
    data.write_text('{"story": ["Mary moved to the bathroom."], "question": "Where is Mary?"}\n' * 5000)
    command = " ".join([*COMMAND, "qa", "predict", str(model), str(data), "| head -n 1"])
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert json.loads(found.stdout)["prediction"] == "bathroom"
    assert found.stderr == ""


def test_predict_keeps_links_pipes_and_other_files(cli: CLI, model: Path, tmp_path: Path) -> None:
    data = tmp_path / "in.jsonl"
    data.write_text('{"story": ["Mary moved to the bathroom."], "question": "Where is Mary?"}\n')
    linked, mine = tmp_path / "linked.jsonl", tmp_path / "linked.jsonl.partial"
    linked.write_text("")
    mine.write_text("mine")
    (tmp_path / "link").symlink_to(linked)
    assert cli("qa", "predict", model, data, "--out", tmp_path / "link").status == 0
    assert "bathroom" in linked.read_text()
    assert (tmp_path / "link").is_symlink()
    assert mine.read_text() == "mine"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        assert cli("qa", "predict", model, data, "--out", pipe).status == 0
        assert reader.stdout is not None
        assert b"bathroom" in reader.stdout.read()
    assert pipe.is_fifo()


def test_json_is_utf8_in_every_terminal_encoding(model: Path) -> None:
    line = '{"story": ["मरियम é went."], "question": "Where is Mary?"}\n'
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    for args in (["predict", model], ["ask", model, "--json"]):
        text = line if args[0] == "predict" else "Mary moved to मरियम.\nWhere is मरियम?\n"
        found = subprocess.run(
            [*COMMAND, "qa", *map(str, args)], input=text.encode(), capture_output=True, check=True, env=environment
        )
        assert "मरियम" in found.stdout.decode() or args[0] == "ask"
        assert json.loads(found.stdout)


def test_a_question_that_is_not_utf8_is_still_answered(model: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    found = subprocess.run(
        [*COMMAND, "qa", "ask", str(model)], input=b"Mary moved to the caf\xe9.\nWhere is Mary?\n", capture_output=True,
        check=False, env=environment,
    )  # fmt: skip
    assert found.returncode == 0
    assert b"never seen in training" in found.stdout


def test_only_a_question_mark_ends_a_question(cli: CLI, model: Path) -> None:
    talked = cli("qa", "ask", model, stdin="Mary moved to the bathroom;\nJohn went to the hallway!\nWhere is Mary?\n")
    assert talked.out.startswith("bathroom (")
    assert talked.err == ""


def test_labels_are_shown_as_they_are(cli: CLI, model: Path, tmp_path: Path) -> None:
    data = tmp_path / "x.jsonl"
    write_jsonl(
        data, [Example(("Mary moved.",), "Where is Mary?", "office", task=task) for task in ("[/x]", "[red]:cat:")]
    )
    shown = cli("qa", "eval", model, data)
    assert shown.status == 0
    assert "[/x]" in shown.out
    assert "[red]:cat:" in shown.out


def test_a_question_may_be_in_quotes_or_end_in_an_invisible_character(cli: CLI, model: Path) -> None:
    talked = cli("qa", "ask", model, stdin="Mary moved to the bathroom.\n“Where is Mary?”\nWhere is Mary?\u200b\n")
    assert len(talked.out.splitlines()) == 2
