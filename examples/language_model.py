"""Train a small language model on a text, measure its perplexity, and let it write.

python examples/language_model.py                  the language reference that Python carries
python examples/language_model.py path/to/my.txt   your text
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

import memn2n

if TYPE_CHECKING:
    from collections.abc import Sequence


MEMORY = 20  # previous words; a prompt of as many words works best, because training rarely sees fewer
PROMPT = "If the class does not define this method, the value of the"


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and print the perplexity, the most probable next words and a generated text."""
    parser = argparse.ArgumentParser(description="Train a small language model on a text.")
    parser.add_argument("file", type=Path, nargs="?", help="a text; the English that Python carries if left out")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--prompt", default=PROMPT, help=f"a text to continue; its last {MEMORY} words are read")
    parser.add_argument("--words", type=int, default=20, help="number of words to generate")
    options = parser.parse_args(arguments)

    if options.file is None:
        train, valid, test = memn2n.carried_text()
    else:
        train, valid, test = memn2n.read_corpus(options.file, tokens="words"), None, None

    # Smaller than the paper's network (dim 150, 6 hops, 100 words), so that it trains in seconds.
    network = memn2n.LMConfig(dim=60, linear=30, hops=2, memory_size=MEMORY)
    training = memn2n.LMTraining(epochs=options.epochs, batch_size=512, learning_rate=0.01, seed=0)
    lm = memn2n.MemoryLM.fit(train, valid, network=network, training=training, threads=1)
    for epoch in lm.history:
        if epoch.valid is not None:  # without a validation text, the end of the training text is held out
            print(f"epoch {epoch.epoch}: validation perplexity {math.exp(epoch.valid):.1f}")
    if test is not None:
        print(f"test perplexity: {lm.perplexity(test):.1f}")

    following = lm.next_words(options.prompt, top=5)
    print(f"\nafter {options.prompt!r}:")
    for word, probability in following.ranked:
        print(f"  {word}  {probability:.1%}")
    most = following.memory[int(following.attention[0].argmax())]
    print(f"hop 1 attends most to {most!r}")

    print("\n" + options.prompt, *lm.generate(options.prompt, words=options.words, temperature=0.7, seed=0))


if __name__ == "__main__":
    main()
