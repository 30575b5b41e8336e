"""memn2n qa train."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig, recipes, write_jsonl
from memn2n.qa.candidates import Candidates
from tests.cli.conftest import CLI, COMMAND, FAST


def test_train_eval_ask_and_predict(cli: CLI, babi: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained = cli("qa", "train", babi, "--task", 1, "--out", run, "--restarts", 2, "--epochs", 30, "--batch-size", 4,
                  "--variant", "official")  # fmt: skip
    assert trained.status == 0, trained.err
    assert "kept restart" in trained.out
    assert f"saved in {run}" in trained.out
    assert "restart 2/2  training loss" in trained.err, "a line a restart without a terminal"
    assert sorted(path.name for path in run.iterdir()) == [
        "config.json", "metrics.jsonl", "model.safetensors",
    ]  # fmt: skip
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 2 * (20 + 30 + 1)

    tested = cli("qa", "eval", run, babi, "--task", 1, "--json")
    result = json.loads(tested.out)
    assert result["tasks"][0]["questions"] == 8
    assert result["tasks"][0]["seen"] == 8
    assert result["tasks"][0]["attention_recall"] == 1
    table = cli("qa", "eval", run, babi / "qa1_s_test.txt").out
    assert "attention" in table
    assert "100.0%" in table

    asked = cli("qa", "ask", run, stdin="a moved to the y.\nWhere is a?\n:quit\nnever read?\n")
    assert asked.out.startswith("y (")
    assert asked.out.count("\n") == 1
    assert asked.status == 0


def test_training_without_data_is_on_simulated_stories(cli: CLI, tmp_path: Path) -> None:
    trained = cli("qa", "train", "--out", tmp_path, "--json", *FAST)
    result = json.loads(trained.out)
    assert result["test"]["tasks"][0]["questions"] == 1000
    assert result["test"]["tasks"][0]["seen"] == 0
    assert any(restart["kept"] for restart in result["restarts"])
    assert result["interrupted"] is False


def test_the_default_variant_trains_recipes_until_one_learns(cli: CLI, babi: Path, tmp_path: Path) -> None:
    trained = cli("qa", "train", babi, "--task", 1, "--out", tmp_path / "run", "--restarts", 2, "--json", *FAST[:4])
    restarts = {restart["restart"]: restart for restart in json.loads(trained.out)["restarts"]}
    loss = {number: restart["valid"]["loss"] for number, restart in restarts.items()}
    assert set(loss) == set(range(2 * len(recipes("quick"))))
    first = 2 * (min(loss, key=lambda number: loss[number]) // 2)  # of the chosen recipe
    kept = [number for number, restart in restarts.items() if restart["kept"]]
    most = 2 * min(loss[first], loss[first + 1]) + 0.01
    assert kept == [number for number in (first, first + 1) if loss[number] <= most]
    model = StoryQA.load(tmp_path / "run")
    assert model.network.config == recipes("quick")[first // 2].network
    assert len(model.networks) == len(kept)


def test_training_on_a_folder_leaves_out_tasks_without_a_file(cli: CLI, babi: Path, tmp_path: Path) -> None:
    trained = cli("qa", "train", babi, "--out", tmp_path / "run", "--json", *FAST)
    assert "no train file of task 3; left out" in trained.err
    assert [task["task"] for task in json.loads(trained.out)["test"]["tasks"]] == ["1", "2"]


def test_training_on_jsonl_with_own_validation_and_test_data(cli: CLI, tmp_path: Path) -> None:
    data = tmp_path / "mine.jsonl"
    write_jsonl(data, [Example((f"{who} is here.",), "Who is here?", who) for who in ("Ann", "Bob")])
    parts = ["--valid", data, "--test", data]
    trained = cli("qa", "train", data, *parts, "--out", tmp_path / "run", "--json", *FAST)
    result = json.loads(trained.out)
    assert result["test"]["tasks"][0]["questions"] == 2
    assert result["restarts"][0]["valid"] is not None


def test_settings_reach_the_model(cli: CLI, babi: Path, tmp_path: Path) -> None:
    args = ["--variant", "paper", "--tying", "layerwise", "--relu", "--memory-size", 9, "--learning-rate", 0.02,
            "--validation-split", "tail", "--seed", 4, "--no-lowercase", "--task", "1-2",
            "--validation", 0.2]  # fmt: skip
    assert cli("qa", "train", babi, "--out", tmp_path / "run", *FAST, *args).status == 0
    qa = StoryQA.load(tmp_path / "run")
    assert qa.network.config == NetworkConfig(
        dim=4, encoding="pe", temporal="add", tying="layerwise", relu=True, empty_slots="mask",
        answer_softmax="words", memory_size=9,
    )  # fmt: skip
    assert qa.training == TrainingConfig(
        epochs=1, learning_rate=0.02, linear_start="validation", linear_start_epochs=1, noise="empty", clip="frobenius",
        sampling="permutation", validation_split="tail", validation=0.2, restarts=1, seed=4,
    )  # fmt: skip
    assert "Where" in qa.vocabulary.words


def test_a_setting_given_with_its_default_value_overrides_the_variant(cli: CLI, babi: Path, tmp_path: Path) -> None:
    args = ["--variant", "paper", "--encoding", "pe-official", "--temporal", "word", "--linear-start", "none"]
    assert cli("qa", "train", babi, "--task", 1, "--out", tmp_path / "run", *FAST, *args).status == 0
    config = StoryQA.load(tmp_path / "run").network.config
    assert isinstance(config, NetworkConfig)
    assert (config.encoding, config.temporal, config.empty_slots) == ("pe-official", "word", "mask")


def test_training_that_diverges_is_a_failure(cli: CLI, babi: Path, tmp_path: Path) -> None:
    failed = cli("qa", "train", babi, "--task", 1, "--out", tmp_path / "run", "--learning-rate", 1e30,
                 "--clip-norm", 1e30, "--restarts", 2, "--variant", "official")  # fmt: skip
    assert failed.status == 1
    assert failed.err.splitlines()[-1].startswith("memn2n: every restart failed: the loss became")
    assert "restart 1/2 stopped: the loss became" in failed.err
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_ctrl_c_saves_the_best_model_so_far(tmp_path: Path) -> None:
    command = [*COMMAND, "qa", "train", "--out", str(tmp_path / "run"), "--epochs", "100000", "--dim", "4",
               "--stop-loss", "0"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr is not None
        for line in training.stderr:
            if "softmax epoch" in line:
                break
        training.send_signal(signal.SIGINT)
        rest = training.stderr.read()
    assert training.returncode == 130
    assert "interrupted; the best model so far is in" in rest
    assert StoryQA.load(tmp_path / "run").interrupted


def test_a_kill_while_training_leaves_the_old_model(model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    StoryQA.load(model).save(run)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with subprocess.Popen([*COMMAND, "qa", "train", "--out", str(run)], stderr=subprocess.DEVNULL) as training:
        while not (run / "metrics.partial.jsonl").exists():
            assert training.poll() is None
            time.sleep(0.01)
        training.kill()
    assert {name: (run / name).read_bytes() for name in before} == before
    assert StoryQA.load(run).answer(["Mary moved to the bathroom."], "Where is Mary?").text == "bathroom"


def test_validation_files_are_used_for_all_tasks_or_none(cli: CLI, babi: Path, tmp_path: Path) -> None:
    (babi / "qa1_s_valid.txt").write_text((babi / "qa1_s_test.txt").read_text() * 3)
    args = ["--validation", "0", "--json", *FAST]
    one = json.loads(cli("qa", "train", babi, "--task", 1, "--out", tmp_path / "a", *args).out)
    assert one["restarts"][0]["valid"] is not None
    both = json.loads(cli("qa", "train", babi, "--task", "1,2", "--out", tmp_path / "b", *args).out)
    assert both["restarts"][0]["valid"] is None


def test_the_users_own_empty_folder_stays(cli: CLI, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert cli("qa", "train", "--select", "validation", "--validation", 0, "--out", tmp_path / "mine").status == 2
    assert (tmp_path / "mine").is_dir()


def test_metrics_that_cannot_be_written_do_not_cost_the_model(cli: CLI, babi: Path, tmp_path: Path) -> None:
    (tmp_path / "run" / "metrics.partial.jsonl").mkdir(parents=True)
    trained = cli("qa", "train", babi, "--task", 1, "--out", tmp_path / "run", *FAST)
    assert trained.status == 0
    assert trained.err.count("metrics.jsonl cannot be written") == 1
    assert StoryQA.load(tmp_path / "run")


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    import pty

    main_end, terminal = pty.openpty()
    command = [*COMMAND, "qa", "train", "--out", str(tmp_path / "run"), *FAST]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=terminal, env=os.environ | {"TERM": "xterm"}
    ) as it:
        os.close(terminal)
        shown = b""
        while it.poll() is None or not shown:
            try:
                shown += os.read(main_end, 65536)
            except OSError:  # the other end is closed
                break
    os.close(main_end)
    assert it.returncode == 0
    assert "━" in shown.decode()
    assert "restart 1/" in shown.decode()


def test_candidates_are_read_from_a_file(cli: CLI, tmp_path: Path) -> None:
    replies = ["She is in the hall", "She is at home"]
    examples = [Example((f"Mary went {place}.",), "Where is Mary?", reply)
                for place, reply in zip(("to the hall", "home"), replies, strict=True)]  # fmt: skip
    write_jsonl(tmp_path / "dialogs.jsonl", examples * 10)
    (tmp_path / "replies.txt").write_text("\n".join(replies), "utf-8")
    options = ["--candidates", tmp_path / "replies.txt", "--symmetries", "none", "--out", tmp_path / "run", *FAST]
    assert cli("qa", "train", tmp_path / "dialogs.jsonl", *options).status == 0
    assert StoryQA.load(tmp_path / "run").candidates == Candidates(tuple(replies))
    for text, message in (("yes\n\n?\n", ":3: there is no word"), ("a\nb\na\n", ":3: this answer is also in line 1"),
                          ("At home\nat  home\n", ":2: this answer is also in line 1"),
                          ("\n", ": there is no answer")):  # fmt: skip
        (tmp_path / "replies.txt").write_text(text, "utf-8")
        refused = cli("qa", "train", tmp_path / "dialogs.jsonl", *options)
        assert refused.status == 2
        assert f"replies.txt{message}" in refused.err
    (tmp_path / "replies.txt").write_text(replies[0], "utf-8")
    refused = cli("qa", "train", tmp_path / "dialogs.jsonl", *options)
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "the candidates lack the answer 'She is at home'" in refused.err


def test_candidates_that_differ_in_case_need_no_lowercase(cli: CLI, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "data.jsonl", [Example(("It is up.",), "Is it up?", answer) for answer in ("Yes", "yes")])
    (tmp_path / "answers.txt").write_text("Yes\nyes\n", "utf-8")
    options = ["--candidates", tmp_path / "answers.txt", "--no-lowercase", "--out", tmp_path / "run", *FAST]
    assert cli("qa", "train", tmp_path / "data.jsonl", *options).status == 0
    assert StoryQA.load(tmp_path / "run").candidates == Candidates(("Yes", "yes"), lowercase=False)
