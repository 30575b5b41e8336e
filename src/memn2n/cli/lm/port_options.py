"""The options of the TensorFlow port, translated to the options of ``memn2n lm`` before they are parsed.

The parser, ``--help`` and the commands therefore have one name for each option. Each option may also be written with
underscores, as in the port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from memn2n.errors import ConfigError, Setting
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

RENAMED = {
    "--edim": "--dim",
    "--lindim": "--linear",
    "--nhop": "--hops",
    "--mem-size": "--memory-size",
    "--nepoch": "--epochs",
    "--init-lr": "--learning-rate",
    "--init-hid": "--query",
    "--max-grad-norm": "--clip-norm",
    "--checkpoint-dir": "--out",
    "--noshow": "--no-show",
    "--nois-test": "--no-is-test",
}
"""The port's options that have another name here, with dashes for underscores."""

_SWITCHES = ("--show", "--is-test")  # they may have a value, as in the port: --show True
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def translate(args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Translate the arguments of a command.

    Returns:
        The translated arguments, and the option as it was typed (``--mem_size``) for each setting (``memory_size``)
        that was given by an option of the port.

    Raises:
        ConfigError: if an option has two values under two of its names, or if the value of a switch is neither true
            nor false.
    """
    ours: list[str] = []
    given: dict[str, tuple[str, str]] = {}  # our option -> the option as it was typed, and its value
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--":
            ours += [arg, *rest]
            break
        if not arg.startswith("--"):
            ours.append(arg)
            continue
        spelled, equals, value = arg.partition("=")
        plain = spelled.replace("_", "-")
        name = RENAMED.get(plain, plain)
        following = rest[0] if rest and not rest[0].startswith("--") else ""
        if name in _SWITCHES:
            if not equals and following.lower() in (*_TRUE, *_FALSE):
                value = rest.pop(0)
            elif equals and value.lower() not in (*_TRUE, *_FALSE):
                raise ConfigError(f"{spelled} is {quoted(value)}: it must be true or false")
            ours.append(name.replace("--", "--no-", 1) if value.lower() in _FALSE else name)
            continue
        ours.append(name + equals + value)
        its_value = value if equals else following
        before, other = given.get(name, (spelled, its_value))
        if before != spelled and other != its_value:
            raise ConfigError(f"{before} {other} and {spelled} {its_value} are the same option; give it once")
        given[name] = (spelled, its_value)
    names = {name.removeprefix("--").replace("-", "_"): spelled for name, (spelled, _) in given.items()
             if spelled.replace("_", "-") in RENAMED}  # fmt: skip
    return ours, names


class PortCommand(TyperCommand):
    """A command that accepts the port's options too. An error names an option as it was typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the translated arguments."""
        args, ctx.meta[__name__] = translate(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. A ConfigError is raised again with the options of the port that were typed."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            names: dict[str, str] = ctx.meta[__name__]
            parts = (names.get(part, part) if isinstance(part, Setting) else part for part in error.parts)
            raise ConfigError(*parts) from error
