"""``memn2n demo``."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other stories and another model.")] = 0,
) -> None:
    """Train on simulated stories, test, ask a question, and show the attention that led to the answer."""
    from rich.console import Console

    from memn2n import StoryQA, TrainingConfig, simulate
    from memn2n.cli.progress import TrainingProgress
    from memn2n.cli.show import show_evaluation
    from memn2n.explain.table import attention_table

    console = Console()
    console.print("1,000 questions about simulated stories: people move, and where is one of them? (bAbI's task 1)")
    train, test = simulate(task=1, n_train=1000, n_test=1000, seed=seed)
    training = TrainingConfig(restarts=1, seed=seed)
    with TrainingProgress(training) as progress:
        qa = StoryQA.fit(train, training=training, on_event=progress)
    if qa.interrupted:
        console.print("\nThe training was interrupted: this is the network as it was then.")
    console.print("\n1,000 other questions, with what share of them some hop looks at the supporting fact most:")
    show_evaluation(qa.evaluate(test), console)
    example = next(example for example in reversed(test) if len(example.story) == 6 and example.support[0] < 4)
    console.print("\nOne of them, and the attention of each hop:")
    console.print(attention_table(qa.answer(example.story, example.question), example.support))
    console.print("\nNext, a model of your own stories (JSONL), bAbI files, or simulated ones:\n"
                  "  memn2n qa train --out runs/first\n  memn2n qa ask runs/first", highlight=False)  # fmt: skip
