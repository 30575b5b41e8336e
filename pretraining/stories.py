"""Train the model "stories" on simulated stories, and save it in the package.

    python pretraining/stories.py

Takes six minutes on one core. docs/results.md has its results and those of other settings.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from memn2n import NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.cli.show import show_evaluation
from memn2n.qa.training.problem import Restart
from memn2n.simulator import SKILLS

FOLDER = Path(__file__).parents[1] / "src" / "memn2n" / "qa" / "models" / "stories"

SEED = 100
QUESTIONS = 10_000
HARD = {17: 30_000, 18: 30_000, 19: 30_000}
"""Tasks with more questions than the others, because a joint network learns them last."""

NETWORK = NetworkConfig(dim=64)
TRAINING = TrainingConfig(
    restarts=4, select="ensemble", linear_start_epochs=20, epochs=40, decay_every=10, validation_split="random"
)


def main() -> None:
    """Train, test on simulated stories, and save."""
    train, test = [], []
    for task in SKILLS:
        split = simulate(task, n_train=HARD.get(task, QUESTIONS), n_test=1000, seed=SEED)
        train += split.train
        test += split.test

    def show(event: object) -> None:
        if isinstance(event, Restart):
            print(event.restart + 1, event.train, event.valid, f"{event.seconds:.0f} s", file=sys.stderr, flush=True)

    qa = StoryQA.fit(train, network=NETWORK, training=TRAINING, on_event=show)
    show_evaluation(qa.evaluate(test))
    qa.fingerprints = np.empty(0, np.int64)  # leave out the fingerprints of the training questions: most of a megabyte
    qa.save(FOLDER)
    print(f"{sum(file.stat().st_size for file in FOLDER.iterdir()):,} bytes in {FOLDER}")


if __name__ == "__main__":
    main()
