"""Writing simulated stories to files, from Python and from the command line."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from memn2n import Example, read_babi, read_jsonl, simulate
from memn2n.errors import InputError
from memn2n.simulator import SKILLS, iter_simulated, story_files
from memn2n.simulator.story_files import write_simulated
from tests.cli.conftest import CLI, cli
from tests.files.killed import killed_at

__all__ = ["cli"]


@pytest.mark.parametrize("task", list(SKILLS))
def test_babi_files_contain_the_simulated_stories(tmp_path: Path, task: int) -> None:
    ((train, test),) = write_simulated(tmp_path, [task], 120, 30, seed=7)
    assert read_babi(tmp_path, task) == simulate(task, n_train=120, n_test=30, seed=7)
    assert (train.name, test.name) == tuple(f"qa{task}_{SKILLS[task].name}_{part}.txt" for part in ("train", "test"))


def test_files_are_named_like_the_published_ones(real_data: Path, tmp_path: Path) -> None:
    for written in write_simulated(tmp_path, SKILLS, 1, 1):
        for file in written:
            assert (real_data / "babi" / "en" / file.name).is_file()


def test_json_lines_contain_the_simulated_stories(tmp_path: Path) -> None:
    ((train, test),) = write_simulated(tmp_path, [2], 20, 10, seed=1, file_format="jsonl")
    assert (read_jsonl(train), read_jsonl(test)) == simulate(2, n_train=20, n_test=10, seed=1)


@pytest.mark.parametrize("interrupted", ["train", "test"])
def test_interrupted_writing_leaves_both_files_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: str
) -> None:
    ((train, test),) = write_simulated(tmp_path, [1], 5, 5)
    before = train.read_bytes(), test.read_bytes()

    def until_ctrl_c(examples: Iterator[Example]) -> Iterator[Example]:
        yield from islice(examples, 3)
        raise KeyboardInterrupt

    def broken(*args: Any) -> tuple[Iterator[Example], Iterator[Example]]:
        streams = dict(zip(("train", "test"), iter_simulated(*args), strict=True))
        streams[interrupted] = until_ctrl_c(streams[interrupted])
        return streams["train"], streams["test"]

    monkeypatch.setattr(story_files, "iter_simulated", broken)
    with pytest.raises(KeyboardInterrupt):
        list(write_simulated(tmp_path, [1], 5, 5, seed=9))
    assert (train.read_bytes(), test.read_bytes()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((train.name, test.name))


def test_a_kill_never_leaves_the_test_file_of_another_call(tmp_path: Path) -> None:
    def write(seed: int) -> list[Path]:
        return [path for paths in write_simulated(tmp_path, [1], 2, 2, seed) for path in paths]

    old, new = ([path.read_bytes() for path in write(seed)] for seed in (1, 2))
    seen = set()
    for moment in range(1, 40):
        train, test = write(1)
        killed = killed_at(moment, tmp_path, lambda: write(2))
        found = [path.read_bytes() if path.exists() else None for path in (train, test)]
        assert found in ([old[0], None], [new[0], None], old, new)
        seen.add(found[1] is None)
        write(1)
        assert sorted(tmp_path.iterdir()) == sorted([train, test]), "nothing of the killed call is left"
        if not killed:
            break
    assert seen == {True, False}
    assert found == new


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file cannot be written to: "):
        list(write_simulated(tmp_path / "file", [1], 1, 1))
    (tmp_path / "qa1_single-supporting-fact_train.txt").mkdir()
    with pytest.raises(InputError, match="cannot be written to"):
        list(write_simulated(tmp_path, [1], 1, 1))
    with pytest.raises(InputError, match="n_test is 0: it must be from 1 to"):
        list(write_simulated(tmp_path, [1], 1, 0))


def test_the_command_writes_all_tasks(cli: CLI, tmp_path: Path) -> None:
    result = cli("simulate", "--train", 10, "--test", 5, "--seed", 3, "--out", tmp_path / "new" / "en")
    assert (result.status, result.out, result.err) == (0, f"{tmp_path / 'new' / 'en'}\n", "")
    train, test = read_babi(tmp_path / "new" / "en")
    assert (len(train), len(test)) == (200, 100)
    assert [example for example in train if example.task == "9"] == simulate(9, 10, 5, seed=3).train


def test_the_command_reads_a_world(cli: CLI, tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text('people = ["Ada", "Bo"]\npronouns = {}\n')
    cli(
        "simulate",
        "--task",
        "1,12",
        "--train",
        10,
        "--test",
        1,
        "--world",
        world,
        "--format",
        "jsonl",
        "--out",
        tmp_path,
    )
    stories = read_jsonl(tmp_path / "qa12_conjunction_train.jsonl")
    assert {name for example in stories for name in example.story[0].split()[:3]} == {"Ada", "and", "Bo"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "0"], "task 0 cannot be simulated: the tasks are 1 to 20"),
        (["--task", "3-21"], "task 21 cannot be simulated"),
        (["--task", "x"], "--task is 'x': give a number, or a list such as 1,2,5-8, or \"all\""),
        (["--train", "0"], "--train is 0: it must be from 1 to 1000000000000"),
        (["--test", "-3"], "--test is -3: it must be from 1 to 1000000000000"),
        (["--train", "99999999999999999999"], "--train is 99999999999999999999: it must be from 1 to"),
        (["--world", "none.toml"], "none.toml: there is no such file"),
    ],
)
def test_invalid_input_writes_nothing(cli: CLI, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = cli("simulate", *arguments, "--out", tmp_path / "out")
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_world_too_small_for_a_task_is_rejected_before_anything_is_written(cli: CLI, tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text('people = ["Ada"]\npronouns = {}\n')
    result = cli("simulate", "--world", world, "--out", tmp_path / "out")
    assert result.status == 2
    assert "task 5 needs at least 2 people, and this world has 1" in result.err
    assert not (tmp_path / "out").exists()
