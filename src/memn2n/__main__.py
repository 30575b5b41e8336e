"""The command ``memn2n``, which is also ``python -m memn2n``."""

import signal


def main() -> None:
    """Run the command line as a process of its own.

    Before the command begins and after it has ended, Ctrl-C ends the process without a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from memn2n.cli import main as run

    run()


if __name__ == "__main__":
    main()
