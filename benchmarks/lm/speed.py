"""Speed of training and evaluation, beside naive windows and the machine's peak, measured in alternation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.lm.operations import naive_operations, sliding_operations
from benchmarks.lm.workload import NAIVE, PRECISIONS, RECIPES, Naive, Training, batch_words, evaluate, precisions
from benchmarks.timing import alternate
from memn2n.lm.networks.memn2n import Dropout, LMNetwork
from memn2n.lm.networks.output import cross_entropy
from memn2n.lm.windows import epoch_batches, window_batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lm.workload import Text
    from benchmarks.timing import Effort
    from memn2n.lm.config import LMConfig

PEAK_WORDS = 512
_LONGEST = 200_000  # words of the training text, at most


def speed(text: Text, network: LMConfig, effort: Effort, call_words: int) -> dict[str, Any]:
    """Measure words a second, their ratios, the machine's peak, and the share of it that training reaches.

    Args:
        text: the text to train and evaluate on.
        network: the network's settings.
        effort: for each of about a dozen kinds of work.
        call_words: about how many words one call trains or evaluates, between two readings of the clock.
    """
    text = text.shortened(_LONGEST)
    naive = Naive(network, text)
    held_out = text.valid[: call_words + 1]
    works: dict[tuple[str, str], Callable[[], object]] = {
        ("training", "naive"): naive.step, ("evaluation", "naive"): naive.evaluate
    }  # fmt: skip
    words = {("training", "naive"): NAIVE.batch_size, ("evaluation", "naive"): NAIVE.batch_size}
    for name, recipe in RECIPES.items():
        batches = max(1, call_words // batch_words(recipe))
        for precision in precisions():
            training = Training(network, text, recipe, precision)
            works["training", f"{name} {precision}"] = partial(training.train, batches)
            words["training", f"{name} {precision}"] = batches * batch_words(recipe)
    for precision in precisions():
        works["evaluation", precision] = partial(evaluate, naive.network, held_out, precision)
        words["evaluation", precision] = len(held_out) - 1
        works["peak", precision] = _product(network, text.vocabulary, precision)
        works |= {(part, precision): work for part, work in _parts(network, text, precision).items()}
    timing = alternate(works, effort)
    best = {work: of.best for work, of in timing.items()}
    found: dict[str, Any] = {
        "peak_operations_per_second": {
            precision: 2 * PEAK_WORDS * network.dim * text.vocabulary / best["peak", precision]
            for precision in precisions()
        },
        "median_over_best": {" ".join(work): of.median / of.best for work, of in timing.items()},
    }
    for what in ("training", "evaluation"):
        rates = {mode: n / best[kind, mode] for (kind, mode), n in words.items() if kind == what}
        found[what] = {
            mode: {"words_per_second": rate, "times_naive": rate / rates["naive"]} for mode, rate in rates.items()
        }
    for mode, figures in found["training"].items():
        recipe_name, _, precision = mode.partition(" ")
        operations = naive_operations(network, text.vocabulary)
        if mode != "naive":
            operations = sliding_operations(network, text.vocabulary, RECIPES[recipe_name].block)
        peak = found["peak_operations_per_second"][precision or "fp32"]
        total = sum(operations.values())
        figures["operations_per_word"] = operations
        figures["share_of_peak"] = total * figures["words_per_second"] / peak
    found["step_seconds"] = {
        precision: _shares(best, words["training", f"default {precision}"], precision) for precision in precisions()
    }
    return found


def _product(network: LMConfig, vocabulary: int, precision: str) -> Callable[[], object]:
    """Return a product of two plain matrices, of the shapes of the states and W, to measure the machine's peak."""
    a = torch.randn(PEAK_WORDS, network.dim).to(PRECISIONS[precision])
    b = torch.randn(network.dim, vocabulary).to(PRECISIONS[precision])
    return partial(torch.mm, a, b, out=a.new_empty(PEAK_WORDS, vocabulary))


def _parts(config: LMConfig, text: Text, precision: str) -> dict[str, Callable[[], object]]:
    """Return the two parts of a step of the default recipe, each with its forward and backward pass."""
    recipe, dtype = RECIPES["default"], PRECISIONS[precision]
    generator = torch.Generator().manual_seed(0)
    network = LMNetwork(config, text.vocabulary, generator, recipe.init_std)
    dropout = Dropout(recipe.embedding_dropout, recipe.hop_dropout, recipe.state_dropout, generator)
    starts = epoch_batches(len(text.train), recipe, 1).starts(0)
    words, target, missing = window_batch(text.train, starts, recipe.block, config.memory_size, network.A.device)
    target = target.flatten()
    state = torch.randn(len(target), config.dim, generator=generator, requires_grad=True)

    def hops() -> None:
        network(words, missing, dropout, dtype).state.sum().backward()
        network.zero_grad(set_to_none=True)

    def output() -> None:
        cross_entropy(state, network.output_matrix, target, dtype).backward()  # type: ignore[no-untyped-call]
        network.zero_grad(set_to_none=True)
        state.grad = None

    return {"hops": hops, "output": output}


def _shares(best: dict[tuple[str, str], float], call_words: int, precision: str) -> dict[str, float]:
    """Return the seconds of a step of the default recipe by part; "rest" is the step without the two parts."""
    step = best["training", f"default {precision}"] * batch_words(RECIPES["default"]) / call_words
    parts = {part: best[part, precision] for part in ("hops", "output")}
    return parts | {"rest": step - sum(parts.values()), "all": step}
