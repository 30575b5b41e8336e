"""The conversation of ``memn2n qa ask``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from memn2n.cli.show import answer_line
from memn2n.errors import InputError
from memn2n.explain.table import attention_table

if TYPE_CHECKING:
    from memn2n.answers import Answer
    from memn2n.qa import StoryQA

_QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # Latin, full-width, Arabic
_HELP = ":reset new story · :why attention of the last answer · :story the story so far · :quit"


def talk(qa: StoryQA, story: list[str], lines: TextIO, *, as_json: bool) -> bool:
    """Read sentences, questions and commands line by line; answer on standard output.

    Args:
        qa: who answers.
        story: sentences to begin with; grows, and is emptied by ``:reset``.
        lines: a terminal, which is prompted, or a pipe.
        as_json: write each answer as a JSON object.

    Returns:
        Whether every line could be used; what could not is told on standard error, with its number.
    """
    console = Console()
    prompt = lines.isatty()
    good = True
    last: Answer | None = None
    if prompt:
        console.print(f"Sentences, then a question. {_HELP}", highlight=False)
    number = 0
    while True:
        if prompt:
            print("> ", end="", flush=True)
        line = lines.readline()
        if not line:
            return good
        number += 1
        text = line.strip()
        try:
            if text == ":quit":
                return good
            if text == ":reset":
                story.clear()
                last = None
            elif text == ":story":
                for sentence in story:
                    console.print(sentence, highlight=False, markup=False, soft_wrap=True)
            elif text == ":why":
                if last is None:
                    raise InputError("nothing was answered yet; ask a question first")
                console.print(attention_table(last))
            elif text.startswith(":"):
                raise InputError(f"{text} is not a command; there are: {_HELP}")
            elif text.endswith(_QUESTION_MARKS):
                last = qa.answer(story, text)
                record = {"question": text} | last.to_dict()
                print(json.dumps(record, ensure_ascii=False) if as_json else answer_line(last), flush=True)
            elif text:
                story.append(text)
        except InputError as error:
            good = False
            where = "" if prompt else f"<stdin>:{number}: "
            print(f"memn2n: {where}{error}", file=sys.stderr, flush=True)
