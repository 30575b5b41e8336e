"""Show which sentence each hop attends to for one answer: as text, and as an HTML table.

python examples/inspect_attention.py                      prints
python examples/inspect_attention.py --html why.html      also writes a page to open in a browser
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import memn2n

if TYPE_CHECKING:
    from collections.abc import Sequence

STORY = (
    "Mary took the football.",
    "John went to the bedroom.",
    "Mary went to the kitchen.",
    "Sandra went to the garden.",
    "Mary went to the office.",
)
QUESTION = "Where is the football?"


def describe(answer: memn2n.Answer) -> str:
    """Return a table as text: one line a sentence, one column a hop, the weights in percent."""
    width = max(map(len, answer.story))
    hops = range(1, len(answer.attention) + 1)
    lines = [f"{'':{width}}" + "".join(f"  hop {hop}" for hop in hops)]
    for sentence, weights in zip(answer.story, answer.attention.T, strict=True):  # weights: (hops)
        lines.append(f"{sentence:{width}}" + "".join(f"{weight:7.0%}" for weight in weights))
    rest = 1 - answer.attention.sum(axis=1)  # (hops), on memory slots without a sentence
    lines.append(f"{'(empty slots)':{width}}" + "".join(f"{abs(weight):7.0%}" for weight in rest))
    return "\n".join([*lines, *answer.remarks, f"{answer.question} -> {answer.text} ({answer.probability:.0%})"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask one question, and show the attention of its answer."""
    parser = argparse.ArgumentParser(description="Show which sentence each hop attends to.")
    parser.add_argument("--model", type=Path, help="a saved model; the pretrained one if left out")
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--html", type=Path, help="write the table of all weights to this file")
    options = parser.parse_args(arguments)

    qa = memn2n.StoryQA.load(options.model) if options.model else memn2n.pretrained("stories")
    answer = qa.answer(STORY, options.question)
    print(describe(answer))

    if options.html is not None:
        head = '<!doctype html>\n<meta charset="utf-8">\n<title>Attention</title>\n'
        options.html.write_text(head + answer.attention_view().to_html(), encoding="utf-8")
        print(f"written: {options.html}")


if __name__ == "__main__":
    main()
