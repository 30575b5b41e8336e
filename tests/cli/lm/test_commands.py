"""memn2n lm: help, bad input, eval, score, next and generate."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CLI
from tests.cli.lm.conftest import FAST, TINY, epochs_in_metrics


def test_help_imports_nothing_heavy_and_omits_the_options_of_the_port() -> None:
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
        "checkpoint", "config.json", "metrics.jsonl", "model.safetensors", "train.ids", "valid.ids",
    ]  # fmt: skip
    assert epochs_in_metrics(run) == [1, 2]

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
    ("train --train {text} --dim 60000 --memory-size 900000", "GiB of memory, but there are"),
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
    ("generate {model} the --temperature -1", "--temperature is -1.0: it must be from 0 to 1e+30"),
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
