import dataclasses
import math
import re
from typing import Any, Literal, get_args, get_origin

import pytest

from memn2n import LMConfig, LMTraining, NetworkConfig, TrainingConfig, lm_variant, variant
from memn2n.errors import ConfigError
from memn2n.settings import documented_settings

Settings = NetworkConfig | TrainingConfig | LMConfig | LMTraining


@pytest.mark.parametrize(
    ("config", "values", "message"),
    [
        (NetworkConfig, {"dim": 0}, "dim is 0: it must be from 1 to 4096"),
        (NetworkConfig, {"hops": 65}, "hops is 65"),
        (NetworkConfig, {"memory_size": -1}, "memory_size is -1"),
        (NetworkConfig, {"dim": 2.5}, "dim is 2.5: it must be of type int"),
        (NetworkConfig, {"relu": 1}, "relu is 1: it must be of type bool"),
        (NetworkConfig, {"encoding": "lstm"}, "it must be one of bow, pe, pe-official"),
        (NetworkConfig, {"encoding": "pe"}, 'take temporal "add"'),
        (NetworkConfig, {"width": 3}, "width is not a setting; the settings are answer_softmax, dim"),
        (TrainingConfig, {"epochs": 0}, "epochs is 0"),
        (TrainingConfig, {"learning_rate": 0.0}, "learning_rate is 0.0: it must be above 0"),
        (TrainingConfig, {"learning_rate": math.nan}, "learning_rate is nan"),
        (TrainingConfig, {"clip_norm": math.inf}, "clip_norm is inf"),
        (TrainingConfig, {"validation": 1.0}, "validation is 1.0"),
        (TrainingConfig, {"noise_rate": math.nan}, "noise_rate is nan"),
        (TrainingConfig, {"seed": -1}, "seed is -1"),
        (TrainingConfig, {"restarts": 0}, "restarts is 0"),
        (TrainingConfig, {"restarts": True}, "restarts is True: it must be of type int"),
        (TrainingConfig, {"learning_rate": "fast"}, "learning_rate is 'fast': it must be of type float or nothing"),
        (LMConfig, {"dim": 0}, "dim is 0: it must be from 1 to 65536"),
        (LMConfig, {"dim": 10, "linear": 11}, "linear is 11: it must be from 0 to dim, 10"),
        (LMConfig, {"linear": -1}, "linear is -1: it must be from 0 to dim, 150"),
        (LMConfig, {"hops": 0}, "hops is 0"),
        (LMConfig, {"memory_size": 0}, "memory_size is 0"),
        (LMConfig, {"query": math.nan}, "query is nan: it must be from -1000 to 1000"),
        (LMConfig, {"tied": 1}, "tied is 1: it must be of type bool"),
        (LMTraining, {"optimizer": "adam"}, "optimizer is 'adam': it must be one of sgd, adamw"),
        (LMTraining, {"learning_rate": 0}, "learning_rate is 0: it must be above 0"),
        (LMTraining, {"anneal_by": 1}, "anneal_by is 1"),
        (LMTraining, {"lowest_rate": 0.0}, "lowest_rate is 0.0: it must be above 0"),
        (LMTraining, {"warmup": 1.1}, "warmup is 1.1: it must be from 0 to 1"),
        (LMTraining, {"epochs": 0}, "epochs is 0"),
        (LMTraining, {"patience": 0}, "patience is 0"),
        (LMTraining, {"batch_size": 0}, "batch_size is 0"),
        (LMTraining, {"block": 0}, "block is 0"),
        (LMTraining, {"embedding_dropout": 1.0}, "embedding_dropout is 1.0: it must be from 0 to 0.99"),
        (LMTraining, {"hop_dropout": -0.1}, "hop_dropout is -0.1"),
        (LMTraining, {"state_dropout": math.nan}, "state_dropout is nan"),
        (LMTraining, {"weight_decay": -1.0}, "weight_decay is -1.0"),
        (LMTraining, {"clip_norm": 0.0}, "clip_norm is 0.0: it must be above 0"),
        (LMTraining, {"clip": "spectral"}, "it must be one of global, tensor"),
        (LMTraining, {"batching": "all"}, "it must be one of blocks, random"),
        (LMTraining, {"anneal": "step"}, "it must be one of validation, cosine"),
        (LMTraining, {"precision": "fp16"}, "it must be one of auto, fp32, bf16"),
        (LMTraining, {"validation": 0.6}, "validation is 0.6: it must be from 0 to 0.5"),
        (LMTraining, {"init_std": 0.0}, "init_std is 0.0"),
        (LMTraining, {"seed": -1}, "seed is -1"),
    ],
)
def test_a_bad_setting_is_refused_by_name(config: type[Settings], values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.from_dict(values)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "config",
    [
        NetworkConfig(dim=7, encoding="bow"),
        TrainingConfig(learning_rate=1, seed=5),
        LMConfig(dim=7, linear=7, tied=True, query=-0.5),
        LMTraining(learning_rate=1, clip="tensor", batching="random", precision="bf16", seed=5),
    ],
)
def test_settings_survive_a_round_trip(config: Settings) -> None:
    assert type(config).from_dict(dataclasses.asdict(config)) == config


def test_the_first_rate_follows_the_linear_start() -> None:
    assert TrainingConfig(linear_start="fixed").first_rate == 0.005
    assert TrainingConfig(linear_start="none").first_rate == 0.01
    assert TrainingConfig(linear_start="none", learning_rate=0.3).first_rate == 0.3


def test_the_rate_is_halved_at_multiples_of_decay_every() -> None:
    config = TrainingConfig(learning_rate=0.8, decay_every=25)
    assert [config.rate(epoch) for epoch in (1, 24, 25, 49, 50, 100)] == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.2, 0.05])


def test_variants_differ_where_paper_and_code_do() -> None:
    official, paper = variant("official"), variant("paper")
    assert official == (NetworkConfig(), TrainingConfig())
    for ours, other, names in (
        (official[0], paper[0], ("encoding", "temporal", "empty_slots", "answer_softmax")),
        (
            official[1],
            paper[1],
            ("clip", "linear_start", "linear_start_epochs", "noise", "sampling", "validation_split"),
        ),
    ):
        differing = {f.name for f in dataclasses.fields(ours) if getattr(ours, f.name) != getattr(other, f.name)}
        assert differing == set(names)
    with pytest.raises(ConfigError, match="official, paper"):
        variant("default")  # type: ignore[arg-type]


def test_variants_of_the_language_model() -> None:
    """The paper's section 5, and the TensorFlow port's defaults, which differ in what is clipped."""
    assert lm_variant("modern") == (LMConfig(), LMTraining())
    network, training = lm_variant("paper")
    assert network.linear_components == 75
    assert network == LMConfig(dim=150, hops=6, memory_size=100, query=0.1, tied=False)
    assert (training.optimizer, training.learning_rate) == ("sgd", 0.01)
    assert (training.clip, training.clip_norm) == ("global", 50)
    assert (training.anneal, training.anneal_by, training.lowest_rate) == ("validation", 1.5, 1e-5)
    assert (training.batch_size, training.init_std, training.epochs) == (128, 0.05, 100)
    assert training.embedding_dropout == training.hop_dropout == training.state_dropout == training.weight_decay == 0
    assert lm_variant("tensorflow") == (network, dataclasses.replace(training, clip="tensor"))
    with pytest.raises(ConfigError, match="modern, paper, tensorflow"):
        lm_variant("default")  # type: ignore[arg-type]


def test_half_of_the_state_of_the_language_model_is_linear_by_default() -> None:
    assert [LMConfig(dim=dim).linear_components for dim in (7, 40)] == [3, 20]
    assert LMConfig(dim=40, linear=0).linear_components == 0


@pytest.mark.parametrize("config", [NetworkConfig, TrainingConfig, LMConfig, LMTraining])
def test_an_integer_for_a_setting_of_type_float_becomes_a_float(config: type[Settings]) -> None:
    for name, value in dataclasses.asdict(config()).items():
        if type(value) is float:
            with pytest.raises(ConfigError, match=f"{name} is 1000"):
                config.from_dict({name: 10**400})
            whole = {"anneal_by": 2, "clip_norm": 1, "learning_rate": 1, "lowest_rate": 1, "init_std": 1}.get(name, 0)
            assert type(getattr(config.from_dict({name: whole}), name)) is float
    assert type(LMConfig(query=10).query) is float
    assert type(TrainingConfig(learning_rate=1).learning_rate) is float


def test_a_copy_with_other_values_ignores_foreign_settings() -> None:
    assert NetworkConfig(hops=2).changed({"dim": 5, "epochs": 3}) == NetworkConfig(dim=5, hops=2)
    with pytest.raises(ConfigError, match="dim is 0"):
        NetworkConfig().changed({"dim": 0})


@pytest.mark.parametrize("config", [NetworkConfig, TrainingConfig, LMConfig, LMTraining])
def test_every_setting_and_every_choice_is_documented(config: type[Settings]) -> None:
    for setting in documented_settings(config):
        assert setting.summary.endswith("."), setting.name
        assert 0 < len(setting.summary) <= 110, setting.name
        if get_origin(setting.hint) is Literal:
            for choice in get_args(setting.hint):
                assert re.search(rf"[.:] {re.escape(choice)}: ", setting.text), (setting.name, choice)
