"""One training of a row of the language models' table."""

from dataclasses import replace
from pathlib import Path

from memn2n import LMConfig, LMTraining
from memn2n.lm.training.run import LMRequest, train_lm
from memn2n.reproduce.ptb.recipe import read_lm_recipes
from memn2n.reproduce.ptb.run import LMRestart
from memn2n.reproduce.ptb.texts import read_texts


def test_a_folder_whose_checkpoint_names_the_default_of_linear_continues(tmp_path: Path) -> None:
    """Earlier versions saved ``linear`` as a number even if it was half of ``dim``."""
    for part in ("train", "valid"):
        (tmp_path / f"ptb.{part}.txt").write_text("a b c d e f g h\n" * 20)
    texts = read_texts(tmp_path)
    network = LMConfig(dim=6, hops=1, memory_size=3)
    training = LMTraining(epochs=1, batch_size=16, block=4, precision="fp32")
    assert network.linear is None
    train_lm(LMRequest(
        train=texts.train, valid=texts.valid, network=replace(network, linear=3), training=training,
        vocabulary=texts.vocabulary, folder=tmp_path / "row", threads=1,
    ))  # fmt: skip
    recipe = replace(read_lm_recipes()["default"], network=network, training=training)
    restart = LMRestart.find(recipe, 0, tmp_path / "row", texts)
    assert restart.begun
    assert len(restart.train(texts, "cpu", 1, lambda _event: None).history) == 1
