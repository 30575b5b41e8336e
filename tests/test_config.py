import dataclasses
import math
from typing import Any

import pytest

from memn2n import NetworkConfig, TrainingConfig, variant
from memn2n.errors import ConfigError


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
        (NetworkConfig, {"width": 3}, "width is not a setting; there are: answer_softmax, dim"),
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
    ],
)
def test_a_bad_setting_is_refused_by_name(
    config: type[NetworkConfig | TrainingConfig], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        config.from_dict(values)
    assert message in str(error.value)


@pytest.mark.parametrize("config", [NetworkConfig(dim=7, encoding="bow"), TrainingConfig(learning_rate=1, seed=5)])
def test_settings_survive_a_round_trip(config: NetworkConfig | TrainingConfig) -> None:
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


@pytest.mark.parametrize("config", [NetworkConfig, TrainingConfig])
def test_every_setting_is_documented(config: type[NetworkConfig | TrainingConfig]) -> None:
    import ast
    import inspect

    body = ast.parse(inspect.getsource(config)).body[0]
    assert isinstance(body, ast.ClassDef)
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign):
            assert isinstance(following, ast.Expr), ast.unparse(statement)
            assert isinstance(following.value, ast.Constant), ast.unparse(statement)
