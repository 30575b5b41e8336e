"""The comparison of the engine and the PyTorch loop on one task."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.qa.operations import Sizes, operations
from benchmarks.qa.workload import BACKENDS, Workload, fresh_loop, questions_of_epoch
from benchmarks.timing import Timing, alternate
from memn2n import Example, StoryQA
from memn2n.qa import engine
from memn2n.qa.batch import batches
from memn2n.qa.networks import SOFTMAX, torch_network
from memn2n.qa.networks.memn2n import QANetwork
from memn2n.qa.predict import predict
from memn2n.qa.stories import StorySet
from memn2n.qa.training.schedule import schedule
from memn2n.qa.training.torch_loop import batches_of_epoch
from memn2n.qa.vocabulary import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from benchmarks.timing import Effort
    from memn2n.qa.parameters import Parameters
    from memn2n.qa.training.problem import Problem
    from memn2n.qa.training.schedule import Epoch

FIGURES = {
    "examples_per_second": ("examples trained a second", True),
    "seconds_per_restart": ("seconds a restart", False),
    "answers_per_second_single": ("answers a second, one at a time from text", True),
    "answers_per_second_text": ("answers a second, in bulk from text", True),
    "answers_per_second_encoded": ("answers a second, in bulk, encoded before", True),
    "peak_memory_mb": ("resident memory while training, MB", False),
}
"""The figures of each backend: name in the table, and whether more is better."""


def compare(workload: Workload, effort: Effort) -> dict[str, Any]:
    """All figures of one task except memory, the operations of an example, and how noisy the machine was."""
    problems = {name: workload.problem(name) for name in BACKENDS}
    networks, timings = _training(problems, effort)
    timings |= _restarts(problems, effort)
    timings |= _answers(workload, networks, effort)
    counts = {
        "examples_per_second": questions_of_epoch(problems["engine"]),
        "answers_per_second_single": len(workload.examples),
        "answers_per_second_text": len(workload.examples),
        "answers_per_second_encoded": len(workload.examples),
    }
    found: dict[str, Any] = {
        backend: {
            figure: counts[figure] / timing[backend].best if figure in counts else timing[backend].best
            for figure, timing in timings.items()
        }
        for backend in BACKENDS
    }
    problem = problems["engine"]
    return {
        "questions": len(problem.examples),
        "epochs": sum(1 for _ in schedule(problem.training)),
        "mean_memory": float(np.diff(problem.stories.story_start).clip(max=problem.network.memory_size).mean()),
        "instruction_set": engine.native_network(networks["engine"]).instruction_set,
        **found,
        "median_over_best": {
            figure: {name: each.median / each.best for name, each in timing.items()}
            for figure, timing in timings.items()
        },
        "operations_per_example": operations_per_example(problem),
    }


def ratios(engine_figures: dict[str, float], pytorch_figures: dict[str, float]) -> dict[str, float]:
    """By what factor each figure of the engine is better."""
    return {
        figure: engine_figures[figure] / pytorch_figures[figure]
        if FIGURES[figure][1]
        else pytorch_figures[figure] / engine_figures[figure]
        for figure in engine_figures
    }


def operations_per_example(problem: Problem) -> dict[str, float]:
    """Operations of a training step for each example, by part of the network; the mean over the batches of an epoch."""
    drawn = list(batches_of_epoch(problem.examples, problem.training, np.random.default_rng(0)))
    sizes = Sizes.of(problem.stories, drawn, problem.network.memory_size)
    parts = operations(problem.network, problem.training, problem.shape, sizes)
    return {name: part.total / sizes.examples for name, part in parts.items()}


def _training(
    problems: dict[str, Problem], effort: Effort
) -> tuple[dict[str, Parameters], dict[str, dict[str, Timing]]]:
    """Time epochs with the softmax at the first rate. Returns the trained networks too, one for each backend."""
    made = {name: fresh_loop(problem) for name, problem in problems.items()}
    rate = problems["engine"].training.first_rate
    works = {name: partial(loop.epoch, rate, SOFTMAX) for name, (_, loop) in made.items()}
    timing = alternate(works, effort)
    return {name: network for name, (network, _) in made.items()}, {"examples_per_second": timing}


def _restarts(problems: dict[str, Problem], effort: Effort) -> dict[str, dict[str, Timing]]:
    """Time a restart with its validation: all of it with the engine, extrapolated from a few epochs with PyTorch."""
    full = problems["engine"].training
    few = replace(problems["pytorch"], training=replace(full, linear_start_epochs=1, epochs=2))
    whole: list[float] = []
    extrapolated: list[float] = []
    for _ in range(effort.rounds):
        whole.append(problems["engine"].train(0, lambda _epoch: None).restart.seconds)
        epochs: list[Epoch] = []
        few.train(0, epochs.append)
        linear = fmean(epoch.seconds for epoch in epochs if epoch.phase == "linear")
        softmax = fmean(epoch.seconds for epoch in epochs if epoch.phase == "softmax")
        extrapolated.append(full.linear_start_epochs * linear + full.epochs * softmax)
    both = {"engine": whole, "pytorch": extrapolated}
    timing = {name: Timing(min(values), float(np.median(values))) for name, values in both.items()}
    return {"seconds_per_restart": timing}


def _answers(
    workload: Workload, networks: dict[str, Parameters], effort: Effort
) -> dict[str, dict[str, Timing]]:  # seconds to answer all questions
    qa = StoryQA([networks["engine"]], workload.vocabulary)
    network, _ = torch_network(networks["pytorch"])
    assert isinstance(network, QANetwork)
    examples, stories = workload.examples, workload.stories
    questions = [(example.story, example.question) for example in examples]
    fewer = examples[:: max(len(examples) // 100, 1)]  # PyTorch takes milliseconds for each

    def singly() -> None:
        for question in questions:
            qa.answer(*question)

    def singly_pytorch() -> None:
        for example in fewer:
            answer_from_text(network, workload, [example])

    single = alternate({"engine": singly, "pytorch": singly_pytorch}, effort)
    share = len(examples) / len(fewer)
    single["pytorch"] = Timing(single["pytorch"].best * share, single["pytorch"].median * share)
    return {
        "answers_per_second_single": single,
        "answers_per_second_text": alternate(
            {
                "engine": lambda: qa.answer_many(questions),
                "pytorch": lambda: answer_from_text(network, workload, examples),
            },
            effort,
        ),
        "answers_per_second_encoded": alternate(
            {
                "engine": lambda: [*predict(networks["engine"], stories)],
                "pytorch": lambda: answer_encoded(network, stories),
            },
            effort,
        ),
    }


@torch.no_grad()
def answer_encoded(network: QANetwork, stories: StorySet) -> list[npt.NDArray[np.float32]]:
    """The results of ``predict``, by PyTorch: the probabilities and the attention of each batch."""
    found = []
    for _, batch in batches(stories, np.arange(len(stories)), network.config.memory_size):
        logits, attention = network(batch.tensors())
        found += [logits.softmax(1)[:, network.shape.answers].numpy(), attention.numpy()]
    return found


def answer_from_text(network: QANetwork, workload: Workload, examples: Sequence[Example]) -> list[list[str]]:
    """The five most probable answers to each question, by PyTorch. ``StoryQA`` returns the attention too."""
    stories = StorySet.encode(examples, workload.vocabulary)
    best = np.concatenate([
        found.argsort(axis=1)[:, ::-1][:, :5] for found in answer_encoded(network, stories)[::2]
    ])  # fmt: skip
    return [[workload.vocabulary.word(SPECIAL + int(word)) for word in row] for row in best]
