"""Train a network in a PyTorch loop of your own: own optimizer, own learning rates, own loss.

``memn2n.StoryQA.fit`` trains as the paper does. Write a loop as here to try something else. The model that it saves
works with all commands, such as ``memn2n qa ask runs/custom`` and ``memn2n serve runs/custom``.

python examples/custom_torch_loop.py --out runs/custom [--tensorboard runs/log]    # tensorboard --logdir runs/log
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from memn2n import NetworkConfig, StoryQA, simulate
from memn2n.qa.batch import batches, make_batch
from memn2n.qa.networks import Network, Stage, torch_network
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet, shape_of, vocabulary_of
from memn2n.qa.vocabulary import NULL

if TYPE_CHECKING:
    from collections.abc import Sequence

SUPERVISION = 0.3  # weight of the attention to the supporting facts, at the beginning


def error(network: Network, stories: StorySet, memory_size: int) -> float:
    """Return the share of wrong answers."""
    everything = np.arange(len(stories))
    with torch.no_grad():
        parts = [network.loss(batch.tensors()) for _, batch in batches(stories, everything, memory_size)]
    return sum(part.wrong for part in parts) / len(stories)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on simulated stories of task 2, test, and save the model."""
    parser = argparse.ArgumentParser(description="A PyTorch training loop of one's own.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--tensorboard", type=Path, help="folder of TensorBoard's log; needs memn2n[tensorboard]")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)  # the tensors are small: more threads would only wait for each other
    train, test = simulate(task=2, n_train=2200, n_test=1000, seed=0)
    train, valid = train[:2000], train[2000:]
    vocabulary = vocabulary_of(train)
    stories, held_out = StorySet.encode(train, vocabulary), StorySet.encode(valid, vocabulary)
    config = NetworkConfig(dim=40, hops=3)
    rng = np.random.default_rng(0)
    parameters = Parameters.draw(config, shape_of(stories, len(vocabulary), config.memory_size), rng)
    network, _ = torch_network(parameters)  # uses the memory of the arrays, so training it trains the model
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.004, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    with ExitStack() as stack:
        log = None
        if options.tensorboard is not None:
            from torch.utils.tensorboard import SummaryWriter

            log = stack.enter_context(SummaryWriter(options.tensorboard))
        for epoch in range(options.epochs):
            stage = Stage(supervision=SUPERVISION * (1 - epoch / options.epochs))
            total = 0.0
            for chosen in np.array_split(rng.permutation(len(train)), len(train) // options.batch_size):
                loss = network.loss(make_batch(stories, chosen, config.memory_size).tensors(), stage).total
                optimizer.zero_grad()
                (loss / len(chosen)).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                for name in parameters.words():
                    parameters.arrays[name][NULL] = 0  # the null word is padding
                total += loss.item()
            schedule.step()
            print(f"epoch {epoch + 1}: training loss {total / len(train):.4f}")
            if log is not None:
                log.add_scalar("loss", total / len(train), epoch)
                log.add_scalar("validation error", error(network, held_out, config.memory_size), epoch)
    qa = StoryQA([parameters], vocabulary)
    evaluation = qa.evaluate(test)
    qa.save(options.out)
    print(f"test error: {evaluation.error:.1%}; attention recall: {evaluation.attention_recall:.1%}")
    print(f"saved in {options.out}")


if __name__ == "__main__":
    main()
