"""``memn2n demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

_SKILLS = {
    1: "where people are",
    11: 'whom "she" and "he" mean',
    15: "what follows for one from what all have in common",
}
_SHOWN = 15
_LM_EPOCHS = 10
_PROMPT = "If the value is"

_NEXT = """
Next, talk with the model that comes along, and make models of your own:
  memn2n qa ask                                       then sentences, a question?, :why
  memn2n serve                                        the same in the browser; needs memn2n[serve]
  memn2n qa train --task 2 --out runs/two             simulated stories
  memn2n qa train mine.jsonl --out runs/mine          or your own
  memn2n simulate --task all --out data/simulated     stories as files
  memn2n lm train --train mine.txt --tokens words     a text of yours"""


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other stories and other models.")] = 0,
    lm: Annotated[
        bool, typer.Option("--lm/--no-lm", help="Train a small language model too, for about a minute.")
    ] = True,
) -> None:
    """Train on simulated stories, test, ask a question, and show the attention; then a minute of language model."""
    from rich.console import Console

    console = Console()
    _stories(seed, console)
    if lm:
        _language_model(seed, console)
    console.print(_NEXT, highlight=False)


def _stories(seed: int, console: Console) -> None:
    from memn2n import NetworkConfig, StoryQA, TrainingConfig, simulate
    from memn2n.cli.qa.progress import TrainingProgress
    from memn2n.cli.show import show_evaluation
    from memn2n.explain.table import attention_table

    console.print("1,000 questions about simulated stories of each of three of bAbI's skills, for one network:")
    for task, skill in _SKILLS.items():
        console.print(f"  {task}: {skill}", highlight=False)
    train, test = simulate(task=_SKILLS, n_train=1000, n_test=1000, seed=seed)
    training = TrainingConfig(restarts=1, epochs=60, decay_every=15, linear_start_epochs=30, seed=seed)
    with TrainingProgress(training) as progress:
        qa = StoryQA.fit(train, network=NetworkConfig(dim=30), training=training, on_event=progress)
    if qa.interrupted:
        console.print("\nThe training was interrupted: this is the network as it was then.")
    console.print("\nOther questions, with what share of them some hop looks at a supporting fact most:")
    show_evaluation(qa.evaluate(test), console)
    asked = [example for example in test if example.task == str(_SHOWN)]
    answers = qa.answer_many((example.story, example.question) for example in asked)
    found = [
        {*answer.attention.argmax(1)} >= {*example.support} for example, answer in zip(asked, answers, strict=True)
    ]
    shown = found.index(True) if True in found else 0
    where = "the first whose supporting facts the hops find" if found[shown] else "the first"
    console.print(f"\nOne of task {_SHOWN}, {where}:")
    console.print(attention_table(answers[shown], asked[shown].support))


def _language_model(seed: int, console: Console) -> None:
    from memn2n import LMTraining, MemoryLM, carried_text
    from memn2n.cli.lm.progress import LMProgress

    console.print(
        "\nA language model, whose memory is the hundred words before: it reads the reference of the Python language, "
        "and its perplexity on text that it has not read falls:"
    )
    train, valid, _ = carried_text()
    with LMProgress(_LM_EPOCHS) as progress:
        training = LMTraining(epochs=_LM_EPOCHS, seed=seed)
        # one thread: beside another program, two that wait for each other are many times slower
        model = MemoryLM.fit(train, valid, training=training, threads=1, on_event=progress)
    console.print(f"\nWhat it would write after {_PROMPT!r}:")
    words = model.generate(_PROMPT, words=20, seed=seed, temperature=0.9, top_k=40)
    console.print(f"  {_PROMPT} {' '.join(words)}", highlight=False, markup=False)
