"""The options of the TensorFlow port."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from memn2n import LMConfig, LMTraining, MemoryLM
from memn2n.cli.lm.port_options import RENAMED, translate
from memn2n.errors import ConfigError
from tests.cli.conftest import CLI
from tests.cli.lm.conftest import epochs_in_metrics


def test_the_options_of_the_port_work_as_typed_there(cli: CLI, data: Path, tmp_path: Path) -> None:
    files = ["--data_dir", data, "--data_name", "toy", "--checkpoint_dir", tmp_path / "run"]
    trained = cli("lm", "train", "--variant", "tensorflow", "--edim", 6, "--lindim", 2, "--nhop", 2, "--mem_size", 4,
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
    assert epochs_in_metrics(tmp_path / "run") == [1], "it did not train"


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
def test_the_options_of_the_port_are_translated(given: str, ours: str) -> None:
    assert translate(given.split())[0] == ours.split()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--edim 2 --dim 3", "--edim 2 and --dim 3 are the same option; give it once"),
        ("--mem_size=2 --mem-size 3", "--mem_size 2 and --mem-size 3 are the same option"),
        ("--show=maybe", "--show is 'maybe': it must be true or false"),
    ],
)
def test_options_that_cannot_be_translated(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        translate(given.split())


def test_the_docs_list_every_option_of_the_port(cli: CLI) -> None:
    docs = (Path(__file__).parents[3] / "docs" / "lm.md").read_text()
    rows = re.findall(r"^\| `(--\w+)` \| `(--[\w-]+)`", docs, re.MULTILINE)
    assert len(rows) == 14
    assert {option for option in RENAMED if not option.startswith("--no")} <= {
        there.replace("_", "-") for there, _ in rows
    }
    options = cli("lm", "train", "--help").out
    for there, here in rows:
        assert translate([there])[0] == [here]
        assert f" {here} " in options
