"""The command ``memn2n``: parses options, calls the package and prints results."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from memn2n.cli import data, demo, info, pictures, serve, simulate
from memn2n.cli.ending import (
    StoppedError,
    command_signals,
    end_interrupted,
    end_with_error,
    flush_output,
    print_error,
)
from memn2n.cli.lm.commands import app as lm_app
from memn2n.cli.qa.commands import app as qa_app
from memn2n.cli.reproduce.commands import app as reproduce_app
from memn2n.errors import DataWarning, InputError, MemN2NError
from memn2n.machine import TORCH, missing_torch
from memn2n.terminal import quoted

_ABOUT = "End-to-end memory networks: train a model, ask it, and see why it answered."

app = typer.Typer(
    help=_ABOUT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.add_typer(qa_app, name="qa")
app.add_typer(lm_app, name="lm")
app.add_typer(data.app, name="data")
app.command("plot")(pictures.plot)
app.command("serve")(serve.serve)
app.command("simulate")(simulate.simulate)
app.add_typer(reproduce_app, name="reproduce")
app.command("info")(info.info)


def _print_version(wanted: bool) -> None:
    if wanted:
        import memn2n

        typer.echo(memn2n.__version__)
        raise typer.Exit


@app.callback(help=_ABOUT)
def root(
    debug: Annotated[bool, Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001 - acted on by its callback
        bool, Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    imported: Annotated[
        list[str] | None,
        Option("--import", metavar="FILE|MODULE", help="Import Python code first, such as a family of networks."),
    ] = None,
) -> None:
    """Act on the options that stand before the command."""
    global _debug
    _debug = debug
    for code in imported or ():
        _import(code)


def _import(code: str) -> None:
    """Import a Python file, or a module by its name.

    Raises:
        InputError: if there is no such file or module, or the file has the name of another module. An error in the code
            itself is not caught.
    """
    path = Path(code)
    if path.suffix != ".py":
        try:
            importlib.import_module(code)
        except (ModuleNotFoundError, ValueError, TypeError) as error:  # the others: an empty name, a leading dot
            missing = getattr(error, "name", code)
            if missing != code and not code.startswith(f"{missing}."):
                raise
            raise InputError(f"--import is {quoted(code)}: there is no such module") from None
        return
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"--import is {quoted(code)}: there is no such file")
    loaded = sys.modules.get(path.stem)
    if loaded is not None and Path(getattr(loaded, "__file__", None) or "").resolve() == path.resolve():
        return  # given twice
    other = None if "." in path.stem else importlib.util.find_spec(path.stem)
    if loaded is not None or (other is not None and Path(other.origin or "").resolve() != path.resolve()):
        raise InputError(f"--import is {quoted(code)}: another module is named {path.stem}; rename the file")
    sys.path.append(str(path.resolve().parent))  # for what the file imports
    sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


_debug = False

_INTERRUPTED_IN_TYPER = 130  # typer returns this status for a KeyboardInterrupt

_UsageError: type[Any] = typer.BadParameter.__bases__[0]  # typer has no public name for it


def main() -> None:
    """Run the command line, and exit with the status that ``memn2n.cli.ending`` describes.

    An error is one line on standard error.
    """
    warnings.showwarning = _show_warning
    warnings.simplefilter("always", DataWarning)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # print "?" for characters that the terminal cannot show
    with command_signals.handled():
        sys.exit(_run())


def _run() -> int:
    """Run the command, print its error, and return its exit status."""
    try:
        status = app(prog_name="memn2n", standalone_mode=False) or 0
        flush_output()
    except ModuleNotFoundError as error:
        if _debug or error.name not in TORCH:
            raise
        return end_with_error(missing_torch("this command"))
    except _UsageError as error:
        return _usage_error(error)
    except StoppedError as error:
        return end_interrupted(str(error))
    except (typer.Abort, KeyboardInterrupt):
        if command_signals.received:
            return end_interrupted()
        print_error("aborted")
        return MemN2NError.exit_status
    except BrokenPipeError:  # whoever read the output has stopped, such as head
        return MemN2NError.exit_status
    except (MemN2NError, OSError) as error:
        if _debug:
            raise
        return end_with_error(error)
    except UnicodeError:
        undecodable = [argument for argument in sys.argv[1:] if not _is_text(argument)]
        if _debug or not undecodable:
            raise
        print_error(f"the argument {undecodable[0]!a} is not text; write it in {sys.getfilesystemencoding()}")
        return InputError.exit_status
    if command_signals.received and status == _INTERRUPTED_IN_TYPER:
        return end_interrupted()
    return int(status)


def _usage_error(error: typer.BadParameter) -> int:
    """Print an error of the command line in one line; a command without arguments prints its help instead."""
    if type(error).show is not _UsageError.show:
        error.show()
    else:
        command = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        print_error(f"{' '.join(error.format_message().split()).rstrip('.')}{command}")
    return int(error.exit_code)


def _is_text(argument: str) -> bool:
    """Whether an argument could be decoded; Python keeps other bytes as halves of surrogate pairs."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **_: Any) -> None:
    """Print a warning, instead of ``warnings.showwarning``; ``where`` begins with the file and the line."""
    text = str(message) if issubclass(category, DataWarning) else warnings.formatwarning(message, category, *where[:2])
    with suppress(OSError):  # a warning that cannot be shown must not end a training
        print_error(text.strip())
