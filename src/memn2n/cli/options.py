"""Options that several commands share, and options derived from settings."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import MISSING
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from typer import Argument, Option
from typer.core import TyperCommand

from memn2n.errors import InputError
from memn2n.machine import Precision
from memn2n.settings import DocumentedSetting, Settings, documented_settings
from memn2n.terminal import quoted

Json = Annotated[bool, Option("--json", help="Print JSON.")]

# question answering
Tasks = Annotated[str | None, Option(metavar="N|N,N|N-N", help="Tasks of a bAbI folder; by default all, jointly.")]
_STORY_MODEL = 'The folder of a model that qa train wrote; or "stories", the model that comes with the package.'
StoryModel = Annotated[Path, Argument(metavar="DIR", help=_STORY_MODEL)]
_BY_DEFAULT = f'{_STORY_MODEL} By default "stories".'
OptionalStoryModel = Annotated[Path | None, Argument(metavar="DIR", help=_BY_DEFAULT, show_default=False)]

Renamings = Annotated[
    int, Option(min=1, help="Average each answer over this many random renamings of the exchangeable words.")
]

# language modelling
TextModel = Annotated[Path, Argument(metavar="DIR", help="The folder of a model that lm train wrote.")]
TextFolder = Annotated[Path | None, Option(help="A folder of NAME.train.txt, NAME.valid.txt and NAME.test.txt.")]
TextName = Annotated[str | None, Option(metavar="NAME", help="Which NAME of --data-dir.", show_default="ptb")]
_PRECISION = "Number format of matrix products; auto: bf16 if the hardware has it."
ScoringPrecision = Annotated[Precision, Option("--precision", help=_PRECISION)]

# pictures
Png = Annotated[Path | None, Option(help="Draw a picture to this PNG file; needs memn2n[figures].")]
Svg = Annotated[Path | None, Option(help="Draw a picture to this SVG file; needs memn2n[figures].")]
Pdf = Annotated[Path | None, Option(help="Draw a picture to this PDF file; needs memn2n[figures].")]
Html = Annotated[Path | None, Option(help="Write a table to this file, as a fragment of HTML.")]


def parse_tasks(text: str | None, option: str) -> list[int] | None:
    """Task numbers from "3", "1,2,5-8" or "all"; None for "all" or no text.

    Args:
        text: the option's value.
        option: the option's name, for error messages.

    Raises:
        InputError: for any other text.
    """
    if text is None or text == "all":
        return None
    tasks: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,4})\s*(?:-\s*([0-9]{1,4})\s*)?", part)
        if match is None:
            raise InputError(f'{option} is {quoted(text)}: give a number, or a list such as 1,2,5-8, or "all"')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InputError(f"{option} is {quoted(text)}: {part.strip()} goes backwards; write {last}-{first}")
        tasks.extend(range(first, last + 1))
    return tasks


def stdin() -> TextIO:
    """Return standard input; raises InputError if it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed")
    return sys.stdin


def option_name(setting: str) -> str:
    """The option of a setting, such as ``--batch-size`` for ``batch_size``."""
    return f"--{setting.replace('_', '-')}"


def settings_options(*configs: type[Settings]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command so that it has an option for each setting of some dataclasses.

    Type, choices, default and help of an option are those of the setting; other settings that the help names in double
    backquotes are written as their options. The options take the place of the command's keyword-only parameter
    ``settings``, which receives the settings that were given on the command line, by name. If several dataclasses have
    a setting of the same name, the first one describes the option.
    """
    described: dict[str, DocumentedSetting] = {}
    for config in configs:
        for setting in documented_settings(config):
            described.setdefault(setting.name, setting)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(context: typer.Context, **values: Any) -> None:
            # a FamilyCommand has more options than the signature
            settings = {name: values.pop(name) for name in list(values) if name not in signature.parameters}
            given = {name: value for name, value in settings.items() if _is_given(context, name)}
            command(**values, settings=given)

        signature = inspect.signature(command, eval_str=True)
        parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
        for parameter in signature.parameters.values():
            if parameter.name == "settings":
                parameters += map(_option, described.values())
            else:
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


class FamilyCommand(TyperCommand):
    """A command that also has an option for each setting of the families of networks that were added.

    ``memn2n --import FILE`` adds a family. The option describes the setting of the first family that has it.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The options of the command, and those of the families.

        Raises:
            InputError: if a setting of a family has no default, has the name of another argument of the command, or
                differs from the setting of the same name of another family.
        """
        from memn2n.qa.networks import NETWORKS

        params = super().get_params(ctx)
        known: dict[str, DocumentedSetting] = {}
        for name, family in NETWORKS.items():
            new = _new_settings(name, documented_settings(family.config), known)
            if name != "memn2n":  # the command has the options of this one
                params += _new_options(name, family.config, new, params)
        return params


def _new_settings(family: str, settings: list[DocumentedSetting], known: dict[str, DocumentedSetting]) -> set[str]:
    """The names of the settings that no earlier family has; adds them to ``known``."""
    new = {setting.name for setting in settings} - known.keys()
    for setting in settings:
        if setting.default is MISSING:
            raise InputError(f"the setting {setting.name} of the family {family} has no default; give it one")
        if known.setdefault(setting.name, setting).hint != setting.hint:
            raise InputError(f"the family {family} has a setting {setting.name} of another type or with other choices "
                             "than another family; rename it")  # fmt: skip
    return new


def _new_options(family: str, config: type[Settings], new: set[str], params: list[Any]) -> list[Any]:
    """The options of some settings, for a command that has ``params``."""
    app = typer.Typer()
    app.command()(settings_options(config)(_only_settings))
    taken = {"settings", "context"}.union(*map(_names, params))
    options = [param for param in typer.main.get_command(app).params if param.name in new]
    for option in options:
        if taken & _names(option):
            raise InputError(f"the family {family} has a setting {option.name}, but the command has an argument of "
                             "this name; rename the setting")  # fmt: skip
    return options


def _names(param: Any) -> set[str]:
    """The names of a parameter in Python and on the command line."""
    return {param.name, *param.opts, *param.secondary_opts}


def _only_settings(*, settings: dict[str, Any]) -> None:
    """Do nothing. The options of this command are settings only."""


def _option(setting: DocumentedSetting) -> inspect.Parameter:
    help_ = re.sub(r"``(\w+)``", lambda name: option_name(name[1]), setting.summary)
    option = Option(help=help_)
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=setting.default,
                             annotation=Annotated[setting.hint, option])  # fmt: skip


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether an option was given on the command line, even if with its default value."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
