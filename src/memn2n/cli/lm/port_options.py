"""The options of the earlier TensorFlow port under ours: translated once, before anything is parsed.

So the parser, ``--help`` and the command know one name for one thing. Every option may also be written with
underscores, as the port's are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from memn2n.errors import ConfigError, Setting

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
"""The port's options that have another name here."""

_SWITCHES = ("--show", "--is-test")  # the port gives these a value: --show True
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def translate(args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The arguments of a command under our names.

    Returns:
        The arguments, and for each setting that was given under a name of the port (``memory_size``) that name
        (``--mem_size``).

    Raises:
        ConfigError: if an option is given two values under two of its names, or a switch what is neither true nor
            false.
    """
    ours: list[str] = []
    given: dict[str, tuple[str, str]] = {}  # our option -> how it was spelled, and its value
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
                raise ConfigError(f"{spelled} is {value!r}: it must be true or false")
            ours.append(name.replace("--", "--no-", 1) if value.lower() in _FALSE else name)
            continue
        ours.append(name + equals + value)
        told = value if equals else following
        before, other = given.get(name, (spelled, told))
        if before != spelled and other != told:
            raise ConfigError(f"{before} {other} and {spelled} {told} are the same option; give it once")
        given[name] = (spelled, told)
    names = {name.removeprefix("--").replace("-", "_"): spelled for name, (spelled, _) in given.items()
             if spelled.replace("_", "-") in RENAMED and name != "--out"}  # fmt: skip
    return ours, names


class PortCommand(TyperCommand):
    """A command that knows the port's options too; a setting is refused by the name that it was given under."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Translate, then parse."""
        args, ctx.meta[__name__] = translate(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            names: dict[str, str] = ctx.meta[__name__]
            parts = (names.get(part, part) if isinstance(part, Setting) else part for part in error.parts)
            raise ConfigError(*parts) from error
