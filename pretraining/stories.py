"""Train the model "stories" on simulated stories, and save it in the package.

    python pretraining/stories.py

docs/results.md has its time, its results and those of other settings.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from memn2n import StoryQA, recipes, simulate
from memn2n.cli.show import show_evaluation
from memn2n.qa.recipes import Recipe
from memn2n.qa.training.problem import Restart
from memn2n.simulator import SKILLS
from memn2n.simulator.unseen import with_unseen_words

FOLDER = Path(__file__).parents[1] / "src" / "memn2n" / "qa" / "models" / "stories"

SEED = 101
QUESTIONS = 10_000

CHANGES = {"restarts": 2, "epochs": 80, "linear_start_epochs": 6, "validation": 0.02, "seed": SEED}
"""Of the joint recipe of "best": an epoch has ten times as many questions as bAbI's 1,000 a task."""


def main() -> None:
    """Train, test on simulated stories, and save."""
    train, test = [], []
    for task in SKILLS:
        split = simulate(task, n_train=QUESTIONS, n_test=1000, seed=SEED)
        train += split.train
        test += split.test
    chosen = [Recipe(network, training.changed(CHANGES)) for network, training in recipes("best", joint=True)]

    def show(event: object) -> None:
        if isinstance(event, Restart):
            print(event.restart + 1, event.train, event.valid, f"{event.seconds:.0f} s", file=sys.stderr, flush=True)

    qa = StoryQA.fit(train, recipes=chosen, symmetries="auto", on_event=show)
    print(qa.symmetries.summary())
    show_evaluation(qa.evaluate(test))
    show_evaluation(qa.evaluate(with_unseen_words(test)))
    qa.fingerprints = np.empty(0, np.int64)  # leave out the fingerprints of the training questions: most of a megabyte
    qa.save(FOLDER)
    print(f"{sum(file.stat().st_size for file in FOLDER.iterdir()):,} bytes in {FOLDER}")


if __name__ == "__main__":
    main()
