"""Minutes until a validation perplexity, by the default recipe and by the paper's on naive windows."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.lm.workload import NAIVE, Naive, Text
from benchmarks.timing import seconds_a_call
from memn2n import lm_variant
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.training.progress import LMEpoch, LMStep
from memn2n.lm.training.trainer import LMTrainer
from memn2n.machine import choose_precision

if TYPE_CHECKING:
    from memn2n.lm.config import LMVariant

TARGET = 150.0


class _ReachedError(Exception):
    pass


def quality(text: Text, seconds: float) -> dict[str, Any]:
    """Train by both recipes until the target is reached, and print the progress on stderr.

    The package trains both. The time that the paper's recipe would take with naive windows is extrapolated: the number
    of steps that it needed, times the seconds that a naive step takes on this machine, which are measured before,
    between and after the trainings. The default recipe's minutes include validation; the extrapolated ones do not.

    Args:
        text: with a validation text.
        seconds: how long to measure naive steps, each time.
    """
    naive = Naive(lm_variant("paper")[0], text)
    naive.step()
    steps = [seconds_a_call(naive.step, seconds)]
    found: dict[str, Any] = {"target": TARGET}
    variants: dict[str, LMVariant] = {"default": "modern", "paper": "paper"}
    for name, variant in variants.items():
        found[name] = _train(name, variant, text)
        steps.append(seconds_a_call(naive.step, seconds))
    paper = found["paper"]
    needed = None if paper["minutes"] is None else paper["words"] / NAIVE.batch_size
    found["naive"] = {
        "steps": needed,
        "seconds_per_step": min(steps),
        "minutes": None if needed is None else needed * min(steps) / 60,
    }
    both = found["naive"]["minutes"], found["default"]["minutes"]
    found["times_sooner"] = None if None in both else both[0] / both[1]
    return found


def _train(name: str, variant: LMVariant, text: Text) -> dict[str, Any]:
    config, recipe = lm_variant(variant)
    network = LMNetwork(config, text.vocabulary, torch.Generator().manual_seed(recipe.seed), recipe.init_std)
    precision = choose_precision(recipe.precision, network.A.device)
    trainer = LMTrainer(network, text.train, text.valid, recipe, precision)
    words = epoch_words = 0
    epochs: list[dict[str, float]] = []
    begin = time.perf_counter()

    def on_event(event: LMStep | LMEpoch) -> None:
        nonlocal words, epoch_words
        if isinstance(event, LMStep):
            epoch_words = event.words
            return
        assert event.valid is not None
        words += epoch_words
        minutes, perplexity = (time.perf_counter() - begin) / 60, math.exp(event.valid)
        epochs.append({"minutes": minutes, "perplexity": perplexity})
        print(f"{name}: epoch {event.epoch}, rate {event.rate:.3g}, {event.words_per_second:,.0f} words a second, "
              f"train {math.exp(event.train):.1f}, valid {perplexity:.1f}, {minutes:.1f} minutes",
              file=sys.stderr, flush=True)  # fmt: skip
        if perplexity <= TARGET:
            raise _ReachedError

    reached = False
    try:
        if not trainer.run(on_event, lambda _best: None):
            raise KeyboardInterrupt
    except _ReachedError:
        reached = True
    return {
        "minutes": epochs[-1]["minutes"] if reached else None,
        "words": words,
        "epochs": epochs,
        "precision": str(precision).removeprefix("torch."),
    }
