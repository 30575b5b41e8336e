"""Train on stories of your own, and ask about a name that no training story has.

Your file has one JSON object a line; "support" (positions in the story, from 0) may be left out:

{"story": ["Ada took the key.", "Ada went to the lab."], "question": "Where is the key?", "answer": "lab"}

python examples/own_stories.py                   writes stories.jsonl to a temporary folder, and reads it
python examples/own_stories.py path/to/my.jsonl  reads yours
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import memn2n

if TYPE_CHECKING:
    from collections.abc import Sequence

PEOPLE = ("Ada", "Alan", "Barbara", "Donald", "Edsger", "Grace")
PLACES = ("library", "office", "lab", "canteen")
VERBS = ("went to", "walked to", "is now in")


def make_example(rng: random.Random) -> memn2n.Example:
    """Make one story of six sentences, and ask where one of its people is."""
    moves = [(rng.choice(PEOPLE), rng.choice(PLACES)) for _ in range(6)]
    story = tuple(f"{person} {rng.choice(VERBS)} the {place}." for person, place in moves)
    person = rng.choice(moves)[0]
    last = max(i for i, move in enumerate(moves) if move[0] == person)
    return memn2n.Example(story, f"Where is {person}?", moves[last][1], support=(last,))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read stories, train, and ask; without a file, write one first, and ask about an unknown name too."""
    parser = argparse.ArgumentParser(description="Train on stories of your own.")
    parser.add_argument("file", type=Path, nargs="?", help="your stories; invented ones without it")
    parser.add_argument("--epochs", type=int, default=60, help="epochs after the linear start")
    options = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as folder:
        file = options.file
        if file is None:
            file = Path(folder, "stories.jsonl")
            rng = random.Random(0)
            memn2n.write_jsonl(file, [make_example(rng) for _ in range(1200)])
        examples = memn2n.read_jsonl(file)

    # A tenth of the words of each batch are replaced by the unknown word. So the network learns to
    # answer questions about names that are not in its vocabulary.
    training = memn2n.TrainingConfig(epochs=options.epochs, unknown_rate=0.1, restarts=2, seed=0)
    held_out = max(1, len(examples) // 6)
    qa = memn2n.StoryQA.fit(examples[:-held_out], training=training)
    print(f"test error: {qa.evaluate(examples[-held_out:]).error:.1%}")

    ask(qa, examples[-1].story, examples[-1].question)
    print(f"   right: {examples[-1].answer}")
    if options.file is None:
        ask(qa, ["Ada went to the lab.", "Zuse walked to the canteen."], "Where is Zuse?")


def ask(qa: memn2n.StoryQA, story: Sequence[str], question: str) -> None:
    """Print a story, a question, its answer, and the words that no training story has."""
    answer = qa.answer(story, question)
    print("", *story, question, sep="\n")
    print(f"-> {answer.text} ({answer.probability:.0%})")
    if answer.unknown_words:
        print(f"   never seen in training: {', '.join(answer.unknown_words)}")


if __name__ == "__main__":
    main()
