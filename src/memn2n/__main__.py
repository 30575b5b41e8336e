"""``python -m memn2n`` is the command ``memn2n``."""

from memn2n.cli import main

if __name__ == "__main__":
    main()
