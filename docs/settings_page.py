"""Generate docs/settings.md from the dataclasses of settings and their docstrings: python docs/settings_page.py."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from memn2n.cli.options import option_name
from memn2n.lm.config import LMConfig, LMTraining, LMVariant, lm_variant
from memn2n.qa.config import NetworkConfig, TrainingConfig
from memn2n.qa.recipes import recipes, variant
from memn2n.settings import DocumentedSetting, Range, Settings, documented_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).with_name("settings.md")

_INTRODUCTION = """\
# Settings

`python docs/settings_page.py` generates this page from the docstrings in
[qa/config.py](../src/memn2n/qa/config.py) and [lm/config.py](../src/memn2n/lm/config.py). Edit those, then run it.

A setting is a field of a dataclass in Python and an option on the command line:
`memn2n.NetworkConfig(memory_size=70)` is `memn2n qa train --memory-size 70`. A setting that is on or off has two
options, such as `--relu` and `--no-relu`. `--variant` selects the defaults of all settings, and each setting can be
given in addition. In Python, `memn2n.variant("paper")` and `memn2n.lm_variant("paper")` return them.
"""


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join([
        _INTRODUCTION,
        "## Question answering: `memn2n qa train`\n",
        _table("Network", NetworkConfig),
        _table("Training", TrainingConfig),
        "### What the variants of `qa train` change\n",
        "`official` is the Matlab code that the paper's authors published, `paper` is the text of the paper. `best`\n"
        "answers better than both. For one task it has several recipes, of which the validation data chooses, and one\n"
        "for several tasks jointly. `quick` is the default; it trains one network by each of these recipes, for a\n"
        "third of the epochs. They differ in these settings:\n",
        _differences(_recipes_by_name()),
        "## Language model: `memn2n lm train`\n",
        _table("Network", LMConfig),
        _table("Training", LMTraining),
        "### What the variants of `lm train` change\n",
        "`modern` was chosen by validation on Penn Treebank, `paper` is the paper's recipe, and `tensorflow` is the\n"
        "recipe of the TensorFlow port. They differ in these settings:\n",
        _differences({f"`{name}`": lm_variant(name) for name in get_args(LMVariant)}),
    ])  # fmt: skip


def _table(name: str, config: type[Settings]) -> str:
    lines = [f"### {name}: `{config.__name__}`", "", "| setting | option | default | meaning |", "|---|---|---|---|"]
    for setting in documented_settings(config):
        cells = (f"`{setting.name}`", f"`{option_name(setting.name)}`", f"`{setting.default}`", _meaning(setting))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _meaning(setting: DocumentedSetting) -> str:
    text = setting.text.replace("``", "`").replace("|", r"\|")
    if get_origin(setting.hint) is Literal:
        for choice in get_args(setting.hint):
            text = re.sub(rf"(?<=[.:] ){re.escape(choice)}: ", f"`{choice}`: ", text)
    ranges = [part for part in get_args(setting.hint) if isinstance(part, Range)]
    return " ".join([text, *(f"Range: {allowed}." for allowed in ranges)])


def _recipes_by_name() -> dict[str, tuple[Settings, Settings]]:
    """The recipes of the variants; those of ``best`` are numbered."""
    found: dict[str, tuple[Settings, Settings]] = {}
    for number, recipe in enumerate(recipes("best"), 1):
        found[f"`best`, {number}"] = recipe
    (found["`best`, joint"],) = recipes("best", joint=True)
    return found | {f"`{name}`": variant(name) for name in ("official", "paper")}


def _differences(settings: Mapping[str, tuple[Settings, Settings]]) -> str:
    values = [asdict(network) | asdict(training) for network, training in settings.values()]  # type: ignore[call-overload]
    lines = [f"| setting | {' | '.join(settings)} |", "|---|" + "---|" * len(settings)]
    for key in values[0]:
        cells = [f"`{one[key]}`" for one in values]
        if len(set(cells)) > 1:
            lines.append(f"| `{key}` | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
