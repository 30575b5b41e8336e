"""The conversation of ``memn2n qa ask``."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, TextIO

from memn2n.cli.show import answer_line
from memn2n.errors import DataError, InputError
from memn2n.files.lines import LONGEST_LINE
from memn2n.files.records import json_line
from memn2n.terminal import printable
from memn2n.unicode_text import is_question

if TYPE_CHECKING:
    from memn2n.qa.answers import Answer
    from memn2n.qa.model import StoryQA

_HELP = ":reset new story · :why attention of the last answer · :story the story so far · :quit"


def talk(qa: StoryQA, story: list[str], lines: TextIO, *, renamings: int = 1, as_json: bool) -> bool:
    """Read sentences, questions and commands line by line, and print the answers.

    Args:
        qa: the model that answers.
        story: sentences to begin with. Sentences that are read are appended; ``:reset`` removes all.
        lines: a terminal, which gets a prompt, or a pipe.
        renamings: as in ``StoryQA.answer``.
        as_json: print each answer as a JSON object.

    Returns:
        Whether every line of a pipe could be used. Errors are printed on standard error, with the number of the line.
    """
    prompt = lines.isatty()
    good = True
    last: Answer | None = None
    if prompt:
        print(f'Type sentences, then a question that ends in "?". {_HELP}')
    number, asked = 0, False
    while line := _typed() if prompt else lines.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            problem = f"this line has more than {LONGEST_LINE:,} characters; break it into lines"
            raise DataError("<stdin>", number, problem)
        text = line.strip()
        asked = asked or text.startswith(":") or is_question(text)
        if text == ":quit":
            break
        try:
            if text == ":reset":
                story.clear()
                last = None
            elif text == ":story":
                print(*map(printable, story), sep="\n", end="\n" if story else "", flush=True)
            elif text == ":why":
                if last is None:
                    raise InputError("there is no answer yet; ask a question first")
                _show_attention(last)
            elif text.startswith(":"):
                raise InputError(f"{text} is not a command; the commands are {_HELP}")
            elif is_question(text):
                last = qa.answer(story, text, renamings=renamings)
                if as_json:
                    sys.stdout.buffer.write(json_line({"question": text} | last.to_dict()))
                    sys.stdout.buffer.flush()
                else:
                    print(answer_line(last), flush=True)
            elif text:
                story.append(text)
        except InputError as error:
            good = False
            where = "" if prompt else f"<stdin>:{number}: "
            print(f"memn2n: {where}{printable(str(error))}", file=sys.stderr, flush=True)
    if number and not asked and not prompt:
        print('memn2n: no question was asked; a question is a line that ends in "?"', file=sys.stderr)
        return False
    return good or prompt


def _show_attention(answer: Answer) -> None:
    """Print the attention as a table. Rich is imported here, because most questions need no table."""
    from rich.console import Console

    from memn2n.explain.tables import attention_table

    Console().print(attention_table(answer))


def _typed() -> str:
    """A line from the terminal, with its line end; "" at the end of the input or on Ctrl-C."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives input() arrow keys and a history
    try:
        return input("> ") + "\n"
    except (EOFError, KeyboardInterrupt):
        print()
        return ""
