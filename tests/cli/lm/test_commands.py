"""memn2n lm."""

from __future__ import annotations

import inspect
import json
import math
import random
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from memn2n import LMConfig, LMTraining, MemoryLM, read_corpus
from memn2n.cli.lm.port_options import translate
from memn2n.cli.lm.progress import LMProgress
from memn2n.cli.lm.train import Lines, train
from memn2n.errors import ConfigError
from memn2n.lm.data import corpus
from memn2n.lm.training.progress import LMEpoch
from tests.cli.conftest import CLI, Result

TINY = ["--dim", 6, "--hops", 2, "--memory-size", 5, "--batch-size", 32, "--block", 8, "--threads", 1]
FAST = [*TINY, "--epochs", 1]


def sentences(number: int, seed: int) -> str:
    """Sentences whose end follows from their beginning."""
    rng = random.Random(seed)
    ends = {"cat": "sat on the mat", "dog": "ran in the park", "bird": "sang"}
    return "".join(f"the {who} {ends[who]}\n" for who in rng.choices(list(ends), k=number))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the three files; tests must not write there."""
    folder = tmp_path_factory.mktemp("data")
    for seed, (part, number) in enumerate((("train", 150), ("valid", 30), ("test", 20))):
        (folder / f"toy.{part}.txt").write_text(sentences(number, seed))
    return folder


@pytest.fixture(scope="module")
def saved(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's directory; tests must not write there."""
    folder = tmp_path_factory.mktemp("model") / "toy"
    model = MemoryLM.fit(
        read_corpus(data / "toy.train.txt"), network=LMConfig(dim=16, linear=8, hops=2, memory_size=5),
        threads=1,
        training=LMTraining(epochs=8, learning_rate=0.03, batch_size=32, block=8, embedding_dropout=0.0,
                            state_dropout=0.0, precision="fp32"),
    )  # fmt: skip
    model.save(folder)
    return folder


def epochs_told(run: Path) -> list[int]:
    return [json.loads(line)["epoch"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_every_setting_is_an_option_and_every_option_has_its_type() -> None:
    options = inspect.signature(train).parameters
    for field in (*fields(LMConfig), *fields(LMTraining)):
        assert field.name in options, field.name
        assert str(field.type) in str(options[field.name].annotation), field.name
    assert Lines == corpus.Lines


def test_help_is_there_without_heavy_imports_and_without_the_ports_names() -> None:
    code = (
        "import sys; from memn2n.cli import main\n"
        "sys.argv = ['memn2n', 'lm', *sys.argv[1:], '--help']\n"
        "try: main()\n"
        "finally: assert not {'torch', 'numpy', 'rich.progress'} & set(sys.modules), 'heavy'\n"
    )
    for command in ([], ["train"], ["score"]):
        found = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr
        assert "Usage: memn2n lm" in found.stdout
        assert "edim" not in found.stdout


def test_train_eval_score_next_and_generate(cli: CLI, data: Path, tmp_path: Path) -> None:
    run, files = tmp_path / "run", ["--data-dir", data, "--data-name", "toy"]
    trained = cli("lm", "train", *files, "--out", run, *TINY, "--epochs", 2)
    assert trained.status == 0, trained.err
    validation, test, minutes, place = trained.out.splitlines()
    assert validation.startswith("validation perplexity ")
    assert test.startswith("test perplexity ")
    assert "words per second" in minutes
    assert place == f"saved in {run}"
    assert [line.split("  ")[0] for line in trained.err.splitlines()] == ["epoch 1/2", "epoch 2/2"]
    assert sorted(path.name for path in run.iterdir()) == [
        "checkpoint", "config.json", "metrics.jsonl", "model.safetensors", "train.ids", "valid.ids", "vocab.json",
    ]  # fmt: skip
    assert epochs_told(run) == [1, 2]

    whole = json.loads(cli("lm", "eval", run, data / "toy.test.txt", "--json").out)
    assert whole == json.loads(cli("lm", "eval", run, *files, "--json").out)
    assert f"perplexity {whole['perplexity']:.5g}" in test
    assert cli("lm", "eval", run, *files).out == test.removeprefix("test ") + "\n"
    bf16 = json.loads(cli("lm", "eval", run, *files, "--precision", "bf16", "--json").out)
    assert bf16["loss"] != whole["loss"]
    assert bf16["loss"] == pytest.approx(whole["loss"], rel=0.01)

    scored = cli("lm", "score", run, data / "toy.test.txt", "--jsonl")
    words = [json.loads(line) for line in scored.out.splitlines()]
    assert words[0]["log_probability"] is None
    assert sum(word["log_probability"] for word in words[1:]) / -whole["words"] == pytest.approx(whole["loss"])


def test_settings_reach_the_model(cli: CLI, data: Path, tmp_path: Path) -> None:
    given = {
        "dim": 6, "linear": 2, "hops": 2, "memory_size": 4, "query": 0.3, "tied": True, "optimizer": "sgd",
        "learning_rate": 0.03, "anneal": "validation", "anneal_by": 1.4, "lowest_rate": 1e-4, "warmup": 0.2,
        "epochs": 1, "patience": 2, "batch_size": 16, "batching": "random", "block": 4, "embedding_dropout": 0.1,
        "hop_dropout": 0.2, "state_dropout": 0.05, "weight_decay": 0.01, "clip": "tensor", "clip_norm": 7.0,
        "validation": 0.1, "init_std": 0.04, "precision": "fp32", "seed": 3,
    }  # fmt: skip
    args = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}") for name, value in given.items()]
    trained = cli("lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path, "--max-words", 9,
                  "--min-count", 2, "--threads", 1, *args)  # fmt: skip
    assert trained.status == 0, trained.err
    model = MemoryLM.load(tmp_path)
    settings = {field.name: given.pop(field.name) for field in fields(LMConfig)}
    assert model.network.config == LMConfig.from_dict(settings, complete=True)
    assert model.training == LMTraining.from_dict(given, complete=True)
    assert len(model.vocabulary) == 9


def test_the_ports_options_work_as_typed_there(cli: CLI, data: Path, tmp_path: Path) -> None:
    files = ["--data_dir", data, "--data_name", "toy", "--checkpoint_dir", tmp_path / "run"]
    trained = cli("lm", "train", "--variant", "seed", "--edim", 6, "--lindim", 2, "--nhop", 2, "--mem_size", 4,
                  "--batch_size", 16, "--nepoch", 1, "--init_lr", 0.03, "--init_hid", 0.3, "--init_std=0.04",
                  "--max-grad-norm", 7, "--show", "False", "--threads", 1, *files)  # fmt: skip
    assert trained.status == 0, trained.err
    model = MemoryLM.load(tmp_path / "run")
    assert model.network.config == LMConfig(dim=6, linear=2, hops=2, memory_size=4, query=0.3)
    assert model.training == LMTraining(
        optimizer="sgd", anneal="validation", block=8, embedding_dropout=0, hop_dropout=0, state_dropout=0,
        weight_decay=0, clip="tensor", epochs=1, learning_rate=0.03, batch_size=16, init_std=0.04, clip_norm=7.0,
    )  # fmt: skip
    tested = cli("lm", "train", "--is_test", "True", *files)
    assert tested.out == cli("lm", "eval", tmp_path / "run", data / "toy.test.txt").out
    assert epochs_told(tmp_path / "run") == [1], "it did not train"


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ("--mem_size 5 --mem-size 5 --memory_size=5", "--memory-size 5 --memory-size 5 --memory-size=5"),
        ("--edim=3 --out a_b", "--dim=3 --out a_b"),
        ("--edim 2 --edim 3", "--dim 2 --dim 3"),
        ("--show --is_test", "--show --is-test"),
        ("--show=false --is_test True --json", "--no-show --is-test --json"),
        ("--show 1 --noshow", "--show --no-show"),
        ("--init_hid -0.1 -h", "--query -0.1 -h"),
        ("--edim 3 -- --edim", "--dim 3 -- --edim"),
    ],
)
def test_translation_of_the_ports_options(given: str, ours: str) -> None:
    assert translate(given.split())[0] == ours.split()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--edim 2 --dim 3", "--edim 2 and --dim 3 are the same option; give it once"),
        ("--mem_size=2 --mem-size 3", "--mem_size 2 and --mem-size 3 are the same option"),
        ("--show=maybe", "--show is 'maybe': it must be true or false"),
    ],
)
def test_what_cannot_be_translated(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        translate(given.split())


def test_the_docs_name_every_option_of_the_port() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "lm.md").read_text()
    rows = re.findall(r"^\| `(--\w+)` \| `(--[\w-]+)`", docs, re.MULTILINE)
    assert len(rows) == 14
    for there, here in rows:
        assert translate([there])[0] == [here]


def test_half_of_the_state_is_linear_unless_told_otherwise(cli: CLI, data: Path, tmp_path: Path) -> None:
    assert cli("lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path, *FAST).status == 0
    assert MemoryLM.load(tmp_path).network.config.linear == 3


def test_training_without_text_is_on_english_that_python_carries(
    cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained = cli("lm", "train", "--json", "--lowercase", "--dim", 4, "--hops", 1, "--memory-size", 3, "--epochs", 1,
                  "--batch-size", 2048, "--max-words", 100, "--threads", 1)  # fmt: skip
    assert trained.status == 0, trained.err
    result = json.loads(trained.out)
    assert result["model"] == "runs/lm"
    assert result["epochs"] == result["kept"]["epoch"] == 1
    assert result["kept"]["valid_perplexity"] == pytest.approx(math.exp(result["kept"]["valid"]))
    assert 1 < result["test"]["perplexity"] < 100
    assert result["minutes"] > 0
    assert result["words_per_second"] > 0
    model = MemoryLM.load("runs/lm")
    assert (model.vocabulary.tokens, model.vocabulary.lowercase, model.lines) == ("words", True, "running")


def test_a_model_reads_text_as_its_training_text_was_read(cli: CLI, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("The cat,\nthe Dog.\n\n" * 20)
    how = ["--tokens", "words", "--lines", "running", "--lowercase"]
    trained = cli("lm", "train", "--train", tmp_path / "mine.txt", "--out", tmp_path / "run", *how, *FAST)
    assert trained.status == 0, trained.err
    scored = cli("lm", "score", tmp_path / "run", "--jsonl", stdin="The cat,\nthe bird\n")
    words = [json.loads(line) for line in scored.out.splitlines()]
    assert [word["word"] for word in words] == ["the", "cat", ",", "the", "bird", "<eos>"]
    assert [word["unknown"] for word in words] == [False] * 4 + [True, False]


BAD = [
    ("train --train {tmp}/none.txt", "none.txt: there is no such file"),
    ("train --train {tmp}", "this is a folder, not a file"),
    ("train --train {tmp}/empty.txt", "empty.txt: there is no word in this text"),
    ("train --train {tmp}/short.txt", "short.txt has 4 words to train on, and the memory holds 100"),
    ("train --train {tmp}/latin.txt", "latin.txt:2: this is not UTF-8 text (byte offset 9 of the file)"),
    ("train --train {text} --valid {tmp}/latin.txt", "latin.txt:2: this is not UTF-8 text (byte offset 9"),
    ("train --train {text} --valid {tmp}/foreign.txt", "foreign.txt: the model knows none of its 2 words"),
    ("train --train {text} --valid {tmp}/none.txt", "none.txt: there is no such file"),
    ("train --train {text} --test {tmp}/none.txt", "none.txt: there is no such file"),
    ("train --train {text} --data-dir {tmp} --data-name x", "--train and --data-dir both name the training text"),
    ("train --data-name x", "--data-name needs --data-dir"),
    ("train --data-dir {tmp} --data-name x", "there is no x.train.txt here; there is: empty.txt"),
    ("train --data-dir {tmp}", "there is no ptb.train.txt here"),
    ("train --train {text} --linear 200", "--linear is 200: it must be from 0 to --dim, 150"),
    ("train --train {text} --edim 40 --lindim 41", "--lindim is 41: it must be from 0 to --edim, 40"),
    ("train --train {text} --memory_size 0", "--memory-size is 0: it must be from 1"),
    ("train --train {text} --mem_size 0", "--mem_size is 0: it must be from 1"),
    ("train --train {text} --edim 2 --dim 3", "--edim 2 and --dim 3 are the same option"),
    ("train --train {text} --show=maybe", "--show is 'maybe': it must be true or false"),
    ("train --train {text} --dim 60000 --memory-size 900000", "GiB of memory, of which there are"),
    ("train --train {text} --max-words 2", "--max-words is 2: it must be 3 or more"),
    ("train --train {text} --device nowhere", "--device is 'nowhere', which PyTorch cannot use here"),
    ("train --train {text} --resume", "run has no checkpoint to resume from"),
    ("train --train {text} --is-test", "--is-test needs a test text"),
    ("eval {model}", "name one text: a file, or --data-dir and --data-name"),
    ("eval {model} {text} --data-dir {tmp}", "name one text"),
    ("eval {model} --data-name toy", "--data-name needs --data-dir"),
    ("eval {model} --data-dir {tmp} --data-name x", "x.test.txt: there is no such file"),
    ("eval {model} {tmp}/foreign.txt", "foreign.txt: the model knows none of its 2 words"),
    ("eval {tmp} {text}", "is not a memn2n model directory"),
    ("score {model} {tmp}/latin.txt", "latin.txt:2: this is not UTF-8 text"),
    ("score {model} -", "<stdin>: there is no word in this text"),
    ("generate {model} the --temperature -1", "--temperature is -1.0: it must be 0 or more"),
    ("generate {model} the --top-k 0", "--top-k is 0: it must be 1 or more"),
    ("next {model} the --top 0", "--top is 0: it must be 1 or more"),
]


@pytest.mark.parametrize(("args", "message"), BAD)
def test_bad_input_is_one_line_and_status_2(
    cli: CLI, data: Path, saved: Path, tmp_path: Path, args: str, message: str
) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "short.txt").write_text("one two three\n")
    (tmp_path / "latin.txt").write_bytes(b"good\nbad \xe9\n")
    (tmp_path / "foreign.txt").write_text("quelque chose\n")
    before = sorted(tmp_path.rglob("*"))
    out = ["--out", tmp_path / "run"] if args.startswith("train") else []
    filled = args.format(tmp=tmp_path, text=data / "toy.train.txt", model=saved)
    failed = cli("lm", *filled.split(), *out)
    assert failed.status == 2, failed.err
    assert failed.err.count("\n") == 1
    assert failed.err.startswith("memn2n: ")
    assert message in failed.err
    assert failed.out == ""
    assert sorted(tmp_path.rglob("*")) == before, "nothing was written"


def interrupted_in(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C be pressed in the course of an epoch."""
    shown = LMProgress.__call__

    def press(self: LMProgress, event: object) -> None:
        if not isinstance(event, LMEpoch) and event.epoch == epoch:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGINT)
        shown(self, event)  # type: ignore[arg-type]

    monkeypatch.setattr(LMProgress, "__call__", press)


def test_a_training_that_was_interrupted_goes_on_to_the_same_end(
    cli: CLI, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["lm", "train", "--data-dir", data, "--data-name", "toy", *TINY, "--epochs", 4]

    def train(run: str, *more: object) -> Result:
        return cli(*command, "--out", tmp_path / run, *more)

    assert train("whole").status == 0
    for epoch in (1, 3):
        with monkeypatch.context() as patch:
            interrupted_in(epoch, patch)
            stopped = train("parts", *(["--resume"] if epoch > 1 else []))
        assert stopped.status == 130
        assert stopped.err.splitlines()[-1] == (
            f"memn2n: interrupted; the checkpoint is in {tmp_path / 'parts'}, "
            "and the same command with --resume goes on"
        )
        assert (stopped.out == "") == (epoch == 1), "the best network so far is told, where there is one"
        assert "test perplexity" not in stopped.out
    assert epochs_told(tmp_path / "parts") == [1, 2]
    resumed = train("parts", "--resume")
    assert resumed.status == 0, resumed.err
    assert [line.split("  ")[0] for line in resumed.err.splitlines()] == ["epoch 3/4", "epoch 4/4"]
    assert epochs_told(tmp_path / "parts") == [1, 2, 3, 4]
    whole, parts = (MemoryLM.load(tmp_path / run).network.state_dict() for run in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)

    (tmp_path / "parts" / "metrics.jsonl").unlink()
    assert train("parts", "--resume", "--json").status == 0, "there is nothing left to do"
    assert epochs_told(tmp_path / "parts") == [1, 2, 3, 4]


def test_ctrl_c_before_the_training_begins(cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemoryLM, "fit", press)
    stopped = cli("lm", "train", "--out", tmp_path / "run")
    assert stopped.status == 130
    assert stopped.err == "memn2n: interrupted before the training began; nothing was saved\n"


def test_resuming_with_other_settings_is_refused_and_without_it_training_begins_anew(
    cli: CLI, data: Path, tmp_path: Path
) -> None:
    command = ["lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path / "run"]
    assert cli(*command, *TINY, "--epochs", 2).status == 0
    for given, message in (
        (["--hops", 3], "--hops is 3, but 2 in the training that"),
        (["--nhop", 3], "--nhop is 3, but 2"),
        (["--variant", "paper"], "--dim is 150, but 6"),
        (["--valid", data / "toy.test.txt"], "its train text is not the one given now"),
    ):
        refused = cli(*command, "--resume", *given)
        assert (refused.status, refused.err.count("\n")) == (2, 1)
        assert message in refused.err
    shutil.copy(tmp_path / "run" / "config.json", tmp_path / "run" / "checkpoint")
    foreign = cli(*command, "--resume")
    assert (foreign.status, foreign.err.count("\n")) == (2, 1)
    assert "holds a model of kind 'lm', not 'lm training'" in foreign.err
    assert cli(*command, *FAST).status == 0
    assert epochs_told(tmp_path / "run") == [1]


def test_a_loss_that_is_not_finite_is_a_failure(
    cli: CLI, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ["--data-dir", data, "--data-name", "toy", "--epochs", 3]
    wild = ["--optimizer", "sgd", "--learning-rate", 1e30, "--clip-norm", 1e30, "--warmup", 0]
    failed = cli("lm", "train", *files, *TINY, *wild, "--out", tmp_path / "wild")
    assert failed.status == 1
    assert failed.err.startswith("memn2n: the loss became ")
    assert "in epoch 1; lower the learning rate (1e+30) or the norm that is clipped (1e+30)" in failed.err
    assert not (tmp_path / "wild").exists()

    losses = iter([2.0, math.nan])
    monkeypatch.setattr("memn2n.lm.training.trainer.mean_loss", lambda *_: next(losses))
    failed = cli("lm", "train", *files, *TINY, "--out", tmp_path / "run")
    assert failed.status == 1
    assert failed.err.splitlines()[-1].startswith("memn2n: the validation loss became nan in epoch 2; lower the learn")
    assert failed.err.endswith(f"; the best model before that is in {tmp_path / 'run'}\n")
    assert [epoch.valid for epoch in MemoryLM.load(tmp_path / "run").history] == [2.0]


def test_scores_as_a_table(cli: CLI, saved: Path) -> None:
    scored = cli("lm", "score", saved, "-", stdin="the cat meowed\n").out.splitlines()
    assert scored[0].split() == ["nats", "bits", "word"]
    assert scored[1].split() == ["-", "-", "the"]
    nats, bits, word = scored[2].split()
    assert word == "cat"
    assert float(nats) / math.log(2) == pytest.approx(float(bits), abs=2e-4)
    assert scored[3].endswith("  meowed  (unknown)")
    assert scored[4].endswith("  <eos>")


def test_next_words(cli: CLI, saved: Path) -> None:
    found = json.loads(cli("lm", "next", saved, "a cat sat", "--top", 3, "--json").out)
    assert found["memory"] == ["a", "cat", "sat"]
    assert found["next"][0]["word"] == "on"
    assert len(found["next"]) == 3
    assert [sum(hop) for hop in found["attention"]] == pytest.approx([1, 1])
    shown = cli("lm", "next", saved, "a cat sat", "--top", 3).out
    assert shown.splitlines()[0].endswith("%  on")
    drawn = saved.parent / "next.html"
    assert cli("lm", "explain", saved, "a cat sat", "--top", 3, "--html", drawn).out == shown
    assert drawn.read_text().count("<tr>") == 4, "the hops, and three words"
    assert "never seen in training: a" in shown
    rows = [[cell.strip() for cell in line.split("│")[1:3]] for line in shown.splitlines() if "│" in line]
    assert rows == [["3", "a"], ["2", "cat"], ["1", "sat"]]


def test_generation(cli: CLI, saved: Path) -> None:
    def words(*args: object) -> str:
        return cli("lm", "generate", saved, *args).out

    assert words("the cat", "--words", 5, "--temperature", 0) == "sat on the mat\n"
    assert words("the cat", "--words", 6, "--temperature", 0, "--raw") == "sat on the mat <eos> the\n"
    assert words("the cat", "--words", 6, "--temperature", 0) == "sat on the mat\nthe\n"
    assert words("the cat", "--words", 3, "--top-k", 1) == "sat on the\n"
    assert words("the cat", "--words", 0) == ""
    varied = {words("the", "--words", 30, "--temperature", 3, "--seed", seed) for seed in (1, 2, 2)}
    assert len(varied) == 2


def test_tensorboard_that_is_not_installed(
    cli: CLI, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    refused = cli("lm", "train", "--train", data / "toy.train.txt", "--out", tmp_path / "run", "--tensorboard",
                  tmp_path / "events", *FAST)  # fmt: skip
    assert refused.status == 2
    assert refused.err == (
        "memn2n: --tensorboard needs TensorBoard, which is not installed here: pip install 'memn2n[tensorboard]'\n"
    )
    assert list(tmp_path.iterdir()) == []
