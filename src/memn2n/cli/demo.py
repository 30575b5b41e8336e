"""``memn2n demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Option

from memn2n.cli.ending import StoppedError

if TYPE_CHECKING:
    from rich.console import Console

_SKILLS = {1: "where people are", 11: 'whom "she" and "he" mean', 15: "what an animal fears, given its kind"}
_SHOWN = 15
_LM_EPOCHS = 10
_PROMPT = "If the value is"

_NEXT = """
Next, talk with the model that comes with the package, and train your own models:
  memn2n qa ask                                       type sentences, a question?, :why
  memn2n serve                                        the same in the browser; needs memn2n[serve]
  memn2n qa train --task 2 --out runs/two             train on simulated stories
  memn2n qa train mine.jsonl --out runs/mine          train on your own stories
  memn2n simulate --task all --out data/simulated     write simulated stories to files
  memn2n lm train --train mine.txt --tokens words     train on your own text"""


def demo(
    seed: Annotated[int, Option(min=0, help="Seed of the stories and of the models.")] = 0,
    lm: Annotated[bool, Option("--lm/--no-lm", help="Also train a small language model, for about a minute.")] = True,
) -> None:
    """Train on simulated stories, test, ask a question and show the attention; then train a small language model."""
    from rich.console import Console

    from memn2n.machine import has_torch, missing_torch

    console = Console()
    _stories(seed, console)
    if lm and has_torch():
        _language_model(seed, console)
    elif lm:
        console.print(f"\n{missing_torch('The language model')}", highlight=False, markup=False)
    console.print(_NEXT, highlight=False, markup=False)


def _stories(seed: int, console: Console) -> None:
    from memn2n import NetworkConfig, StoryQA, TrainingConfig, simulate
    from memn2n.cli.show import show_evaluation
    from memn2n.explain.tables import attention_table
    from memn2n.qa.training.display import QAProgress

    console.print("One network is trained on simulated stories of three bAbI tasks, with 1,000 questions of each:")
    for task, skill in _SKILLS.items():
        console.print(f"  {task}: {skill}", highlight=False)
    train, test = simulate(task=_SKILLS, n_train=1000, n_test=1000, seed=seed)
    training = TrainingConfig(restarts=1, epochs=60, decay_every=15, linear_start_epochs=30, seed=seed)
    with QAProgress([training]) as progress:
        qa = StoryQA.fit(train, network=NetworkConfig(dim=30), training=training, on_event=progress)
    if qa.interrupted:
        raise StoppedError
    console.print("\nThe test, on other questions. Attention recall: how often some hop puts its largest weight on a "
                  "supporting fact.")  # fmt: skip
    show_evaluation(qa.evaluate(test), console)
    asked = [example for example in test if example.task == str(_SHOWN)]
    answers = qa.answer_many((example.story, example.question) for example in asked)
    found = [{*answer.attention.argmax(1)} >= {*one.support} for one, answer in zip(asked, answers, strict=True)]
    shown = found.index(True) if True in found else 0
    which = "the first one whose supporting facts the hops find" if found[shown] else "the first one"
    console.print(f"\nA question of task {_SHOWN}, {which}:")
    console.print(attention_table(answers[shown], asked[shown].support))


def _language_model(seed: int, console: Console) -> None:
    from memn2n import LMTraining, MemoryLM, carried_text
    from memn2n.lm.training.display import LMProgress

    console.print("\nA language model, whose memory holds the previous 100 words, is trained on the reference of the "
                  "Python language. Its perplexity on other text falls:")  # fmt: skip
    train, valid, _ = carried_text()
    with LMProgress(_LM_EPOCHS) as progress:
        training = LMTraining(epochs=_LM_EPOCHS, seed=seed)
        # one thread: two threads that wait for each other are many times slower if another program runs
        model = MemoryLM.fit(train, valid, training=training, threads=1, on_event=progress)
    if model.interrupted:
        raise StoppedError
    console.print(f"\nIts continuation of {_PROMPT!r}:")
    words = model.generate(_PROMPT, words=20, seed=seed, temperature=0.9, top_k=40)
    console.print(f"  {_PROMPT} {' '.join(words)}", highlight=False, markup=False)
