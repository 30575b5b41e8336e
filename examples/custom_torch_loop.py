"""Train the PyTorch network with a loop of your own: own optimizer, own learning rates, own loss.

``memn2n.StoryQA.fit`` trains as the paper does. Write a loop as here to try something else, such as
this loss, which also rewards attention to the supporting facts (strong supervision).

python examples/custom_torch_loop.py
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from memn2n import NetworkConfig, simulate
from memn2n.qa.batch import Batch, batches, make_batch
from memn2n.qa.networks.memn2n import DataShape, QANetwork
from memn2n.qa.stories import StorySet, vocabulary_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def loss_of(network: QANetwork, batch: Batch, support: torch.Tensor) -> torch.Tensor:
    """Return the mean cost of a batch: the answer's, and that of the supporting fact's attention.

    Args:
        network: gives logits (batch, words) and attention (hops, batch, slots), latest sentence first.
        batch: stories, questions and answers.
        support: (batch) the slot of each question's supporting fact.
    """
    logits, attention = network(batch)
    weight: torch.Tensor = attention[0].gather(1, support[:, None])  # (batch, 1) what the first hop gives to the fact
    return functional.cross_entropy(logits, batch.answer) - weight.clamp(min=1e-9).log().mean()


@torch.no_grad()
def error(network: QANetwork, stories: StorySet) -> float:
    """Return the share of wrong answers."""
    wrong = 0
    for _, batch in batches(stories, np.arange(len(stories)), network.config.memory_size):
        logits, _ = network(batch)
        wrong += int((network.best(logits) != batch.answer).sum())
    return wrong / len(stories)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on simulated stories of task 1, which have one supporting fact a question, and test."""
    parser = argparse.ArgumentParser(description="A training loop of one's own over QANetwork.")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)  # the tensors are small: more threads would only wait for each other
    train, test = simulate(task=1, n_train=1000, n_test=1000, seed=0)
    vocabulary = vocabulary_of(train)
    stories = StorySet.encode(train, vocabulary)
    slot = torch.tensor([len(example.story) - 1 - example.support[0] for example in train])

    shape = DataShape(len(vocabulary), stories.longest_sentence, stories.longest_story)
    network = QANetwork(NetworkConfig(dim=20, hops=2), shape, torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    rng = np.random.default_rng(0)
    for epoch in range(1, options.epochs + 1):
        total = 0.0
        for chosen in np.array_split(rng.permutation(len(train)), len(train) // options.batch_size):
            batch = make_batch(stories, chosen, network.config.memory_size)
            loss = loss_of(network, batch, slot[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            network.zero_null()  # the null word's embedding stays zero
            total += loss.item() * len(chosen)
        schedule.step()
        print(f"epoch {epoch}: training loss {total / len(train):.4f}")
    print(f"test error: {error(network, StorySet.encode(test, vocabulary)):.1%}")


if __name__ == "__main__":
    main()
