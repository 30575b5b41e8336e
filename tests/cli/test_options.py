"""Options that are derived from settings, and the page that lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import typer
from docs.settings_page import PAGE, page
from typer.testing import CliRunner

from memn2n import LMConfig, LMTraining, NetworkConfig, TrainingConfig
from memn2n.cli.options import option_name, settings_options
from memn2n.settings import Settings, documented_settings
from tests.cli.conftest import CLI


@dataclass(frozen=True, kw_only=True)
class Shape(Settings):
    size: int = 3
    """How large it is. There is more to say."""
    form: Literal["round", "square"] = "round"
    """Which form it has; see ``size``. round: as a ball. square: as a box."""

    def check(self) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class ColoredShape(Shape):
    size: int = 4
    color: float | None = None
    """Its color."""
    hollow: bool = False
    """Whether it is hollow."""


def command(*configs: type[Settings]) -> tuple[typer.Typer, list[dict[str, Any]]]:
    """A command with an option for each setting, and the settings that it received."""
    app, received = typer.Typer(rich_markup_mode=None), []

    @app.command()
    @settings_options(*configs)
    def paint(name: str = "x", *, settings: dict[str, Any], last: bool = False) -> None:
        received.append({"name": name, "last": last, **settings})

    return app, received


def test_a_command_receives_the_settings_that_were_given() -> None:
    app, received = command(ColoredShape)
    for args in ([], ["--size", "4"], ["--form", "square", "--no-hollow", "--color", "1", "--name", "y", "--last"]):
        result = CliRunner().invoke(app, args)
        assert result.exit_code == 0, result.output
    assert received == [
        {"name": "x", "last": False},
        {"name": "x", "last": False, "size": 4},
        {"name": "y", "last": True, "form": "square", "hollow": False, "color": 1.0},
    ]
    for wrong in (["--size", "big"], ["--form", "flat"]):
        assert CliRunner().invoke(app, wrong).exit_code == 2


def test_help_has_the_first_sentence_the_choices_and_the_default() -> None:
    text = " ".join(CliRunner().invoke(command(ColoredShape)[0], ["--help"]).output.split())
    assert "--size <int> How large it is. [default: 4]" in text
    assert "--form <round|square> Which form it has; see --size. [default: round]" in text
    assert "--color <float> Its color. --hollow" in text
    assert "--hollow / --no-hollow Whether it is hollow. [default: no-hollow]" in text
    assert text.index("--name") < text.index("--size") < text.index("--hollow") < text.index("--last")


def test_a_setting_of_two_dataclasses_is_one_option() -> None:
    app, received = command(Shape, ColoredShape)
    assert CliRunner().invoke(app, ["--size", "7"]).exit_code == 0
    assert received == [{"name": "x", "last": False, "size": 7}]
    text = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    assert text.count("--size <int>") == 1
    assert "How large it is. [default: 3]" in text


@pytest.mark.parametrize(
    ("args", "configs"), [(("qa", "train"), (NetworkConfig, TrainingConfig)), (("lm", "train"), (LMConfig, LMTraining))]
)
def test_every_setting_is_an_option(cli: CLI, args: tuple[str, ...], configs: tuple[type[Settings], ...]) -> None:
    text = " ".join(cli(*args, "--help").out.split())
    for config in configs:
        for setting in documented_settings(config):
            shown = re.sub("``(.*?)``", lambda name: option_name(name[1]), setting.summary)
            option = option_name(setting.name)
            kind = f"/ --no-{setting.name}" if setting.hint is bool else "<[^ ]+>"
            assert re.search(rf" {option} {kind} {re.escape(shown)} ", text), option


def test_the_page_of_settings_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run python docs/settings_page.py"
