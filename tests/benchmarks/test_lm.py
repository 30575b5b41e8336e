"""The language model's benchmark can be run, its sides do the same work, and its figures fit together."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from memn2n import LMConfig, LMTraining
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.networks.output import cross_entropy
from memn2n.lm.scoring import log_probabilities_of
from memn2n.lm.training.trainer import clipped_sgd_step
from memn2n.machine import multiplies_bfloat16

PRECISIONS = ["fp32", "bf16"] if multiplies_bfloat16(torch.device("cpu")) else ["fp32"]
SMALL = LMConfig(dim=8, linear=4, hops=3, memory_size=5)

ROOT = Path(__file__).parents[2]


# --- the count of operations, against PyTorch's


def in_place(_: object, a: Any, b: Any, *, out_shape: object = None, **__: object) -> int:
    return int(2 * np.prod(a) * b[-1])


COUNTED = {torch.ops.aten.addmm_: in_place, torch.ops.aten.baddbmm_: in_place}


@pytest.mark.parametrize(("hops", "block"), [(1, 4), (3, 1), (4, 6)])
def test_operations_are_those_that_pytorch_counts(hops: int, block: int) -> None:
    config = LMConfig(dim=8, linear=3, hops=hops, memory_size=5)
    network = LMNetwork(config, 11)
    words, target = torch.randint(11, (2, 5 + block - 1)), torch.randint(11, (2 * block,))
    with FlopCounterMode(display=False, custom_mapping=COUNTED) as counter:
        state = network(words).state.flatten(0, 1)
        torch.autograd.backward(cross_entropy(state, network.output_matrix, target, torch.float32))
    found = import_module("benchmarks.lm.operations").sliding_operations(config, 11, block)
    assert sum(found.values()) * 2 * block == counter.get_total_flops()


@pytest.mark.parametrize("hops", [1, 3])
def test_operations_of_naive_windows_are_those_that_pytorch_counts(hops: int) -> None:
    config = LMConfig(dim=8, linear=3, hops=hops, memory_size=5)
    network = LMNetwork(config, 11)
    with FlopCounterMode(display=False) as counter:
        logits = network.windows(torch.randint(11, (2, 5)))[:, 0] @ network.output_matrix.T
        torch.autograd.backward(torch.nn.functional.cross_entropy(logits, torch.tensor([3, 4])))
    assert (
        sum(import_module("benchmarks.lm.operations").naive_operations(config, 11).values()) * 2
        == counter.get_total_flops()
    )


# --- both sides do the same work


def made_up(words: int, vocabulary: int = 20) -> Any:
    return import_module("benchmarks.lm.workload").Text.made_up(vocabulary, words)


def test_made_up_words_follow_zipfs_law() -> None:
    text = made_up(100_000, vocabulary=50)
    counts = np.bincount(text.train, minlength=50)
    assert len(counts) == 50
    assert counts.min() > 0
    assert counts[0] / counts[4] == pytest.approx(5, rel=0.1)
    assert len(text.valid) > 0


def test_a_naive_step_is_what_the_package_does_in_such_a_step() -> None:
    text = made_up(SMALL.memory_size + 1)  # one window: all words of a batch are the same one
    naive = import_module("benchmarks.lm.workload").Naive(SMALL, text)
    with torch.no_grad():
        for value in naive.network.parameters():
            value *= 10  # so that some gradients are clipped, and others are not
    ours = LMNetwork(SMALL, 20)
    ours.load_state_dict(naive.network.state_dict())
    words, target = torch.from_numpy(text.train[:-1]).long(), torch.from_numpy(text.train[-1:]).long()
    naive.step()
    loss = 128 * cross_entropy(ours(words[None]).state[0], ours.output_matrix, target, torch.float32)
    torch.autograd.backward(loss)
    norms = [float(value.grad.norm()) for value in ours.parameters() if value.grad is not None]
    assert min(norms) < 50 < max(norms)
    clipped_sgd_step(ours.parameters(), 0.01, "tensor", 50.0)
    for name, value in naive.network.named_parameters():
        torch.testing.assert_close(ours.get_parameter(name), value, rtol=1e-4, atol=1e-6, msg=name)


def test_naive_evaluation_gives_the_log_probabilities_of_the_package() -> None:
    workload = import_module("benchmarks.lm.workload")
    text = workload.Text("one window", made_up(50).train, made_up(SMALL.memory_size + 1).train, 20)
    naive = workload.Naive(SMALL, text)
    last = torch.cat([*log_probabilities_of(naive.network, text.valid, torch.float32)])[-1]
    torch.testing.assert_close(naive.evaluate(), last.expand(128))


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_training_goes_on_where_it_was(recipe: str) -> None:
    workload = import_module("benchmarks.lm.workload")
    text = made_up(4000)

    def trained(*batches: int) -> Any:
        training = workload.Training(SMALL, text, workload.RECIPES[recipe], "fp32")
        for number in batches:
            training.train(number)
        return training

    at_once, in_turns = trained(3), trained(1, 2)
    assert at_once.trainer.progress.batch == 3
    assert at_once.trainer.progress.words == 3 * workload.batch_words(workload.RECIPES[recipe])
    assert torch.equal(at_once.network.A, in_turns.network.A)


# --- the command


def write_text(folder: Path, words: int = 600) -> Path:
    text = made_up(words)
    for part, ids in (("train", text.train), ("valid", text.valid[:600])):
        lines = [" ".join(f"w{i}" for i in ids[at : at + 12]) for at in range(0, len(ids), 12)]
        (folder / f"ptb.{part}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What it prints, and what it writes."""
    file = tmp_path_factory.mktemp("benchmark") / "lm.json"
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.lm", "--quick", "--table", "--threads", "1"]
    command += ["--json", file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text(encoding="utf-8"))


def test_all_modes_are_measured_and_compared_with_naive_windows(measured: tuple[str, dict[str, Any]]) -> None:
    found = measured[1]
    both = {f"{recipe} {precision}" for recipe in ("default", "paper") for precision in PRECISIONS}
    for what, modes in (("training", both), ("evaluation", set(PRECISIONS))):
        figures = found[what]
        assert figures.keys() == {"naive"} | modes
        for of in figures.values():
            assert of["times_naive"] == pytest.approx(of["words_per_second"] / figures["naive"]["words_per_second"])
    assert all(ratio >= 1 for ratio in found["median_over_best"].values())


def test_operations_and_share_of_the_peak_fit_together(measured: tuple[str, dict[str, Any]]) -> None:
    found = measured[1]
    for mode, of in found["training"].items():
        peak = found["peak_operations_per_second"]["bf16" if mode.endswith("bf16") else "fp32"]
        speed = sum(of["operations_per_word"].values()) * of["words_per_second"]
        assert of["share_of_peak"] == pytest.approx(speed / peak)
    per_word = {mode: of["operations_per_word"]["words"] for mode, of in found["training"].items()}
    assert per_word["default fp32"] != per_word["paper fp32"], "their blocks have different lengths"


def test_a_step_is_as_long_as_training_says(measured: tuple[str, dict[str, Any]]) -> None:
    workload, found = import_module("benchmarks.lm.workload"), measured[1]
    for precision in PRECISIONS:
        step = found["step_seconds"][precision]
        words = step["all"] * found["training"][f"default {precision}"]["words_per_second"]
        assert words == pytest.approx(workload.batch_words(workload.RECIPES["default"]))
        assert step["hops"] + step["output"] + step["rest"] == pytest.approx(step["all"])


def test_memory_and_growth_of_every_mode(measured: tuple[str, dict[str, Any]]) -> None:
    found = measured[1]
    modes = ["naive", *PRECISIONS]
    assert found["memory"].keys() == set(modes)
    for of in found["memory"].values():
        assert of["peak_memory_mb"] > of["peak_memory_before_training_mb"] > 0
    assert found["growth"].keys() == {"memory_size", "hops", "vocabulary"}
    for curve in found["growth"].values():
        for mode in modes:
            assert len(curve[mode]) == len(curve["values"])
            assert all(cost > 0 for cost in curve[mode])


def test_tables_are_markdown_with_a_row_for_each_figure(measured: tuple[str, dict[str, Any]]) -> None:
    printed, found = measured
    tables = [block.splitlines() for block in printed.split("\n\n") if block.startswith("|")]
    rows = [1 + 2 * len(PRECISIONS), 1 + len(PRECISIONS), 4, 1 + len(PRECISIONS), 2, 2, 2]
    assert [len(table) - 2 for table in tables] == rows, "training, evaluation, parts, memory, three curves"
    for table in tables:
        assert len({line.count("|") for line in table}) == 1, table
    assert f"{found['machine']['cores']} cores" in printed
    assert found["machine"]["torch"] in printed


def test_without_table_columns_are_aligned(measured: tuple[str, dict[str, Any]]) -> None:
    text = import_module("benchmarks.lm.report").report(measured[1], markdown=False)
    lines = text.split("\n\n")[1].splitlines()
    assert "|" not in text
    assert len({line.index(line.split("  ")[-1]) for line in lines}) == 1, lines


def test_a_figure_can_be_drawn_of_it(measured: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs" / "figures")
    drawn = import_module("lm_performance").draw(measured[1])
    assert drawn.count("<path class") > 3 * (1 + len(PRECISIONS))
    assert "nan" not in drawn


# --- time to quality


def small_variant(name: str) -> tuple[LMConfig, LMTraining]:
    return SMALL, LMTraining(epochs=2, batch_size=64, block=8, precision="fp32")


@pytest.fixture
def quality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    module = import_module("benchmarks.lm.quality")
    monkeypatch.setattr(module, "lm_variant", small_variant)
    monkeypatch.setattr(sys, "argv", ["lm.py", "--quick", "--part", "quality", "--threads", "1", "--data",
                                      str(write_text(tmp_path)), "--json", str(tmp_path / "found.json")])  # fmt: skip
    return module


def test_quality_extrapolates_naive_windows_from_the_steps_of_the_papers_recipe(
    quality: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        import_module("benchmarks.lm.__main__").main() == 0
    )  # some twenty words: every network is below perplexity 150
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["quality"]
    naive = found["naive"]
    assert len(found["paper"]["epochs"]) == 1
    assert naive["steps"] == found["paper"]["words"] / 128
    assert naive["minutes"] == pytest.approx(naive["steps"] * naive["seconds_per_step"] / 60)
    assert found["times_sooner"] == pytest.approx(naive["minutes"] / found["default"]["minutes"])
    printed, log = capsys.readouterr()
    assert "extrapolated" in printed
    assert "was not run" in printed
    assert [line.split(",")[0] for line in log.splitlines()] == ["default: epoch 1", "paper: epoch 1"]


def test_quality_that_is_not_reached_is_told(
    quality: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "TARGET", 1.0)
    assert import_module("benchmarks.lm.__main__").main() == 0
    printed, log = capsys.readouterr()
    assert printed.count("not reached") == 3
    assert "sooner" not in printed
    assert len(log.splitlines()) == 4, "two epochs of each recipe"


# --- bad arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--part", "quality"], "--part quality needs --data"),
        (["--part", "all"], "--part"),
        (["--threads", "0"], "threads is 0"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_bad_arguments_are_refused_in_a_line(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(arguments, monkeypatch) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_text_that_is_too_short_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["--data", str(write_text(tmp_path, 60))], monkeypatch) == 2
    assert "500 words" in capsys.readouterr().err


def status(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "argv", ["lm.py", "--quick", "--threads", "1", *arguments])
    try:
        return import_module("benchmarks.lm.__main__").main()
    except SystemExit as end:
        return end.code
