"""Train a memory network on one bAbI task, test it, and save it.

python examples/train_on_babi.py                                 simulated stories of task 1
python examples/train_on_babi.py --babi path/to/en --task 15     bAbI's own files
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import memn2n

if TYPE_CHECKING:
    from collections.abc import Sequence


def read(folder: Path | None, task: int) -> memn2n.Split:
    """Return the training and test questions of a task: bAbI's, or simulated ones without a folder."""
    if folder is None:
        return memn2n.simulate(task=task, n_train=1000, n_test=1000, seed=0)
    return memn2n.read_babi(folder, task=task)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, test, show one answer, and save the model where ``--out`` is given."""
    parser = argparse.ArgumentParser(description="Train a memory network on one bAbI task.")
    parser.add_argument("--babi", type=Path, help="folder with qa1_..._train.txt; simulated stories without it")
    parser.add_argument("--task", type=int, default=1, help="task number, 1 to 20")
    parser.add_argument("--epochs", type=int, default=100, help="epochs after the linear start")
    parser.add_argument("--restarts", type=int, default=3, help="networks to train; the best one is kept")
    parser.add_argument("--out", type=Path, help="folder to save the model in")
    options = parser.parse_args(arguments)

    train, test = read(options.babi, options.task)
    training = memn2n.TrainingConfig(epochs=options.epochs, restarts=options.restarts, seed=0)
    qa = memn2n.StoryQA.fit(train, training=training)

    score = qa.evaluate(test)
    print(f"test error: {score.error:.1%} of {len(test)} questions")
    if score.attention_recall is not None:  # None if the file names no supporting facts
        print(f"some hop looks most at a supporting fact: {score.attention_recall:.1%} of the questions")

    example = test[0]
    answer = qa.answer(example.story, example.question)
    print("", *example.story, example.question, sep="\n")
    print(f"-> {answer.text} ({answer.probability:.0%}); right: {example.answer}")

    if options.out is not None:
        qa.save(options.out)
        print(f"saved: {options.out}")


if __name__ == "__main__":
    main()
