"""The command line as a user meets it: in-process where that is enough, as a process where it matters."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import pytest

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig, write_jsonl
from memn2n.cli import main
from memn2n.cli.qa import train as train_command

FAST = ["--epochs", "1", "--linear-start-epochs", "1", "--restarts", "1", "--dim", "4"]
COMMAND = [sys.executable, "-m", "memn2n"]
WHERE_IS_MARY = "Mary moved to the bathroom.\nJohn went to the hallway.\nWhere is Mary?\n"


class Result(NamedTuple):
    status: int
    out: str
    err: str


CLI = Callable[..., Result]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> CLI:
    """Run a command in this process, with a pipe for standard input."""

    def run(*args: object, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "argv", ["memn2n", *map(str, args)])
        read, write = os.pipe()
        os.write(write, stdin.encode())
        os.close(write)
        with os.fdopen(read) as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            with pytest.raises(SystemExit) as exit_:
                main()
        out, err = capfd.readouterr()
        code = exit_.value.code
        return Result(code if isinstance(code, int) else 0, out, err)

    return run


def process(*args: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, args)], input=stdin, capture_output=True, text=True, check=False)


@pytest.fixture
def babi(tmp_path: Path) -> Path:
    folder = tmp_path / "en"
    folder.mkdir()
    story = "".join(
        f"1 {who} moved to the {where}.\n2 Where is {who}?\t{where}\t1\n" for who in "abcd" for where in ("x", "y")
    )
    for name in ("qa1_s_train.txt", "qa1_s_test.txt", "qa2_t_train.txt", "qa2_t_test.txt", "qa3_u_test.txt"):
        (folder / name).write_text(story)
    return folder


def test_help_is_there_without_heavy_imports() -> None:
    code = (
        "import sys; from memn2n.cli import main\n"
        "sys.argv = ['memn2n', *sys.argv[1:]]\n"
        "try: main()\n"
        "finally: assert not {'torch', 'numpy', 'jaxtyping', 'safetensors'} & set(sys.modules), 'heavy'\n"
    )
    for command in ([], ["qa"], ["qa", "train"], ["qa", "ask"], ["data", "get"], ["demo"], ["info"]):
        found = subprocess.run(
            [sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stderr
        assert "Usage: memn2n" in found.stdout


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import memn2n, sys; assert not {'torch', 'numpy'} & set(sys.modules); memn2n.StoryQA"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_setting_is_an_option_and_every_option_has_its_type() -> None:
    options = inspect.signature(train_command).parameters
    for field in (*fields(NetworkConfig), *fields(TrainingConfig)):
        assert field.name in options, field.name
        assert str(field.type) in str(options[field.name].annotation), field.name


def test_train_eval_ask_and_predict(cli: CLI, babi: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained = cli("qa", "train", babi, "--task", 1, "--out", run, "--restarts", 2, "--epochs", 30, "--batch-size", 4)
    assert trained.status == 0, trained.err
    assert "kept restart" in trained.out
    assert f"saved in {run}" in trained.out
    assert "restart 2/2  softmax epoch 30  loss" in trained.err, "a line an epoch without a terminal"
    assert sorted(path.name for path in run.iterdir()) == [
        "config.json", "metrics.jsonl", "model.safetensors", "vocab.json",
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
    assert result["restarts"][0]["kept"] is True
    assert result["interrupted"] is False


def test_training_on_a_folder_leaves_out_what_has_no_file(cli: CLI, babi: Path, tmp_path: Path) -> None:
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


def test_ask_says_bathroom_in_a_pipe(model: Path) -> None:
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


def test_a_conversation_tells_what_it_cannot_use_and_goes_on(cli: CLI, model: Path) -> None:
    talked = cli("qa", "ask", model, stdin="Where is Mary?\n:why\n:wrong\n" + WHERE_IS_MARY)
    first, second, third = talked.err.splitlines()
    assert first.startswith("memn2n: <stdin>:1: there is no story")
    assert second.startswith("memn2n: <stdin>:2: nothing was answered yet")
    assert third.startswith("memn2n: <stdin>:3: :wrong is not a command")
    assert talked.out.startswith("bathroom (")
    assert talked.status == 2


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
    assert failed.err == f'memn2n: {data}:2: "story" has no sentence; a question needs one at least\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
    assert out.read_text() == "old"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["qa", "train", "{tmp}/none.txt", "--out", "{tmp}/run"], "none.txt: there is no such file"),
        (["qa", "train", "{tmp}/none", "--out", "{tmp}/run"], "none: there is no such file"),
        (["qa", "train", "{tmp}/empty.txt", "--out", "{tmp}/run"], "empty.txt: there is no question in this file"),
        (["qa", "train", "{tmp}/bad.jsonl", "--out", "{tmp}/run"], "bad.jsonl:2: this line is not JSON"),
        (["qa", "train", "{tmp}/bad.txt", "--out", "{tmp}/run"], "bad.txt:2: supporting fact '9' is not the ID"),
        (["qa", "train", "{tmp}/en", "--task", "9", "--out", "{tmp}/run"], "there is no train file of task 9"),
        (["qa", "train", "{tmp}/en", "--task", "one", "--out", "{tmp}/run"], "--task is 'one'"),
        (["qa", "train", "{tmp}/en/qa1_s_train.txt", "--task", "1", "--out", "{tmp}/run"], "is one file"),
        (["qa", "train", "{tmp}/en", "--dim", "0", "--out", "{tmp}/run"], "dim is 0: it must be from 1 to 4096"),
        (["qa", "train", "{tmp}/en", "--hops", "999", "--out", "{tmp}/run"], "hops is 999"),
        (["qa", "train", "{tmp}/en", "--memory-size", "0", "--out", "{tmp}/run"], "--memory-size is 0"),
        (["qa", "train", "{tmp}/en", "--learning-rate", "1e39", "--out", "{tmp}/run"], "--learning-rate is 1e+39"),
        (["qa", "train", "{tmp}/latin.txt", "--out", "{tmp}/run"], "latin.txt:1: this is not UTF-8 text"),
        (["qa", "train", "{tmp}/spaced.txt", "--out", "{tmp}/run"], "spaced.txt:2: a question without answer"),
        (["qa", "train", "--task", "5-3", "--out", "{tmp}/run"], "5-3 goes backwards; write 3-5"),
        (["qa", "train", "--task", "all", "--out", "{tmp}/run"], "one task at a time"),
        (["qa", "train", "x" * 300, "--out", "{tmp}/run"], "File name too long"),
        (["qa", "predict", "{model}", "{tmp}/good.jsonl", "--out", "{tmp}"], "cannot be written: Is a directory"),
        (["qa", "predict", "{model}", "{tmp}/good.jsonl", "--out", "{tmp}/bad.txt/x"], "cannot be written: Not a dir"),
        (["data", "get", "babi", "--out", "{tmp}"], "is in the way, and not of this download"),
        (["data", "get", "babi", "--sha256", "xyz"], "64 hexadecimal digits"),
        (["qa", "train", "{tmp}/en", "--encoding", "pe", "--out", "{tmp}/run"], 'take temporal "add"'),
        (["qa", "train", "--select", "validation", "--validation", "0", "--out", "{tmp}/run"], "no validation data"),
        (["qa", "train", "--task", "1,2", "--out", "{tmp}/run"], "one task at a time"),
        (["qa", "train", "--task", "20", "--out", "{tmp}/run"], "task 20 is not simulated"),
        (["qa", "train", "{tmp}/en", "--task", "1", "--out", "{tmp}/bad.txt"], "bad.txt cannot be written"),
        (["qa", "eval", "{tmp}/none", "{tmp}/en"], "there is no such model directory"),
        (["qa", "ask", "{tmp}/en"], "is not a memn2n model directory"),
        (["qa", "eval", "{model}", "{tmp}/none"], "none: there is no such file"),
        (["qa", "ask", "{model}", "--story", "{tmp}/none"], "none: there is no such file"),
        (["qa", "predict", "{model}", "{tmp}/bad.jsonl"], "bad.jsonl:1: "),
        (["data", "get", "mnist"], "there is no data set 'mnist'"),
        (["data", "get", "babi", "--url", "ftp://x"], "is not an address"),
    ],
)
def test_bad_input_is_one_line_and_status_2(cli: CLI, babi: Path, model: Path, args: list[str], message: str) -> None:
    tmp = babi.parent
    (tmp / "empty.txt").write_text("")
    (tmp / "bad.txt").write_text("1 a.\n2 b?\tc\t9\n")
    (tmp / "bad.jsonl").write_text('{"story": ["a."], "question": "?", "answer": "b"}\n{oops\n'.replace('"?"', '"b?"'))
    (tmp / "good.jsonl").write_text('{"story": ["a."], "question": "b?"}\n')
    (tmp / "latin.txt").write_bytes(b"1 caf\xe9.\n2 b?\tc\t1\n")
    (tmp / "spaced.txt").write_text("1 Mary moved to the office.\n2 Where is Mary? office 1\n")
    if args[1] == "predict":
        (tmp / "bad.jsonl").write_text("[1]\n")
    before = sorted(tmp.rglob("*"))
    failed = cli(*(arg.format(tmp=tmp, model=model) for arg in args))
    assert failed.status == 2
    assert failed.err.count("\n") == 1
    assert failed.err.startswith("memn2n: ")
    assert message in failed.err
    assert failed.out == ""
    assert sorted(tmp.rglob("*")) == before, "nothing was written"


def test_usage_errors_are_status_2(cli: CLI) -> None:
    assert cli("qa", "train").status == 2
    assert cli("qa", "train", "--out", "x", "--dim", "wide").status == 2
    assert cli("nothing").status == 2


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from memn2n.errors import DataError

    monkeypatch.setattr(sys, "argv", ["memn2n", "--debug", "qa", "train", "/none", "--out", "/none"])
    with pytest.raises(DataError):
        main()


def test_training_that_diverges_is_a_failure(cli: CLI, babi: Path, tmp_path: Path) -> None:
    failed = cli("qa", "train", babi, "--task", 1, "--out", tmp_path / "run", "--learning-rate", 1e30,
                 "--clip-norm", 1e30, "--restarts", 2)  # fmt: skip
    assert failed.status == 1
    assert failed.err.splitlines()[-1].startswith("memn2n: every restart failed: the loss became")
    assert "restart 1/2 stopped: the loss became" in failed.err
    assert not (tmp_path / "run" / "config.json").exists()


def test_ctrl_c_saves_the_best_model_so_far(tmp_path: Path) -> None:
    command = [*COMMAND, "qa", "train", "--out", str(tmp_path / "run"), "--epochs", "100000", "--dim", "4"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr is not None
        for line in training.stderr:
            if "softmax epoch 1 " in line:
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


def test_a_reader_that_leaves_early_is_no_error(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "in.jsonl"
    data.write_text('{"story": ["Mary moved to the bathroom."], "question": "Where is Mary?"}\n' * 5000)
    command = " ".join([*COMMAND, "qa", "predict", str(model), str(data), "| head -n 1"])
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert json.loads(found.stdout)["prediction"] == "bathroom"
    assert found.stderr == ""


def test_demo(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    import memn2n

    quick = TrainingConfig(epochs=25, linear_start_epochs=10)
    monkeypatch.setattr(memn2n, "TrainingConfig", lambda **given: TrainingConfig.from_dict(
        {"epochs": quick.epochs, "linear_start_epochs": quick.linear_start_epochs, **given}))  # fmt: skip
    shown = cli("demo")
    assert shown.status == 0, shown.err
    assert "attention" in shown.out
    assert "hop 3" in shown.out
    assert "* supporting fact" in shown.out


def test_info(cli: CLI) -> None:
    import torch

    facts = json.loads(cli("info", "--json").out)
    assert facts["torch"] == torch.__version__
    assert facts["simulated tasks"] == [1]
    assert "memn2n" in cli("info").out
    assert cli("--version").out.strip() == facts["memn2n"]


def test_files_written_by_predict_are_what_they_were(cli: CLI, model: Path, tmp_path: Path) -> None:
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


def test_json_is_utf8_whatever_the_terminal_is(model: Path) -> None:
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


def test_help_shows_the_defaults(cli: CLI) -> None:
    text = " ".join(cli("qa", "train", "--help").out.split())
    assert "Size of embeddings and state. [default: (20)]" in text
    assert "[default: (spectral)]" in text


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


def test_data_get_tells_what_to_do_next(cli: CLI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def get(name: str, folder: Path, **_: object) -> Path:
        (folder / "tasks" / "en").mkdir(parents=True)
        (folder / "tasks" / "en" / "qa1_x_train.txt").write_text("")
        return folder

    monkeypatch.setattr("memn2n.data.download.get", get)
    shown = cli("data", "get", "babi", "--out", tmp_path / "with space").out
    assert f"memn2n qa train '{tmp_path}/with space/tasks/en' --task 1 --out runs/en-task1" in shown


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
    assert "restart 1/1" in shown.decode()
