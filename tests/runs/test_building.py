"""From settings to a model."""

import keras
import numpy as np
import pytest

from zoo.recipes import LinearSchedule
from zoo.runs.building import build, checked
from zoo.runs.run_config import RunConfig
from zoo.trainer import Adam


def built(**settings):
    return build(checked(RunConfig(**settings)), (6,))


def test_options_regularizers_seed_and_learning_rate_arrive():
    model = built(
        options={
            "latents": 3,
            "hidden": 7,
            "beta": {"name": "linear", "start": 0, "end": 1, "steps": 9},
        },
        regularizers=[
            {"name": "lp_norm", "p": 0.25, "weight": {"name": "warm_up", "value": 2, "steps": 4}}
        ],
        learning_rate=0.125,
        seed=5,
    )
    kl, norm = model.regularizers
    assert model.units == 3 and model.seed == 5
    assert isinstance(kl.weight, LinearSchedule) and kl.weight.steps == 9
    assert norm.p == 0.25 and float(norm.weight(2)) == 1.0
    assert isinstance(model.optimizer, Adam) and float(model.optimizer.learning_rate) == 0.125
    widths = [v.shape[-1] for v in model.encoder.trainable_variables]
    assert widths == [7, 7]


def test_the_precision_is_that_of_the_layers_and_of_nothing_else():
    model = built(precision="mixed_bfloat16", options={"hidden": 7})
    dense = [la for la in model.encoder.layers if isinstance(la, keras.layers.Dense)]
    assert [layer.compute_dtype for layer in dense] == ["bfloat16"]
    assert keras.config.dtype_policy().name == "float32"


def test_a_single_number_stands_for_a_list():
    config = checked(RunConfig(options={"hidden": 7, "latents": 3.0}))
    assert config.options == {"hidden": [7], "latents": 3}
    assert isinstance(config.options["latents"], int)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "lapace_vae"}, "Unknown model 'lapace_vae'. Did you mean 'laplace_vae'"),
        ({"options": {"latent": 3}}, "no option 'latent'. Did you mean 'latents'"),
        ({"options": {"input_shape": 3}}, "no option 'input_shape'"),
        ({"options": {"latents": "ten"}}, "'latents' of 'laplace_vae' must be a whole number"),
        ({"options": {"latents": 1.5}}, "must be a whole number; received 1.5"),
        ({"options": {"latents": True}}, "must be a whole number; received True"),
        ({"options": {"activation": 3}}, "must be a text; received 3"),
        ({"options": {"latents": -3}}, "-3"),
        ({"options": {"beta": -1}}, "at least 0"),
        ({"options": {"hidden": [0]}}, "0"),
        ({"options": {"hidden": "wide"}}, "wide"),
        ({"options": {"activation": "reluu"}}, "reluu"),
        ({"options": {"networks": "cnn"}}, "cnn"),
        ({"options": {"prior": "laplac"}}, "Did you mean 'laplace'"),
        (
            {"options": {"beta": {"name": "linear", "start": 0, "end": 1, "stps": 9}}},
            "schedule 'linear' has no option 'stps'. Did you mean 'steps'",
        ),
        (
            {"options": {"beta": {"name": "linear", "start": 0}}},
            "schedule 'linear' cannot be built",
        ),
        ({"options": {"posterior": "cauchy"}}, "infinite"),
        ({"model": "k_sparse_autoencoder", "options": {"latents": 5, "k": 6}}, "at most"),
        ({"regularizers": [{"name": "lp_nrm"}]}, "Did you mean 'lp_norm'"),
        ({"regularizers": [{"name": "lp_norm", "p": -1}]}, "p of lp_norm must be above 0"),
        ({"regularizers": [{"name": "lp_norm", "power": 1}]}, "power"),
        ({"optimizer": "adm"}, "Unknown optimizer 'adm'. Did you mean 'adam'"),
    ],
)
def test_what_does_not_fit_is_one_value_error(settings, message):
    with pytest.raises(ValueError) as error:
        built(**settings)
    assert message in str(error.value)


def test_every_optimizer_that_is_offered_is_keras_own():
    from zoo.runs.building import OPTIMIZERS

    offered = {type(keras.optimizers.get(name)).__name__.lower() for name in OPTIMIZERS}
    assert offered == set(OPTIMIZERS)


def test_a_schedule_of_k_falls_over_the_first_half():
    model = built(
        model="k_sparse_autoencoder",
        options={"latents": 20, "k": {"name": "linear", "start": 20, "end": 2, "steps": 10}},
    )
    x = np.random.default_rng(0).uniform(size=(40, 6)).astype("float32")
    model.fit(x, batch_size=2, epochs=1, verbose=0)
    assert int(np.max(np.sum(model.encode(x) != 0, axis=1))) == 2
