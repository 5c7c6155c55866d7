"""A run may end with the fit of a prior."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

import zoo
from zoo.cli import flags
from zoo.runs import building
from zoo.runs.artefacts import _prior_in_words
from zoo.runs.run import _with_prior, read_data
from zoo.runs.run_config import RunConfig
from zoo.runs.run_folder import RunFolder
from zoo.values import number_text


def configured(*words):
    known = flags.define()
    known(["latent-zoo", *words])
    return flags.configured(known, RunConfig(limit=60, options={"hidden": [4], "latents": 2}))


def test_the_flag_names_the_prior_and_its_options():
    config = configured("--fit_prior=gaussian_mixture:components=3,covariance=diagonal")
    assert config.fit_prior == {
        "name": "gaussian_mixture",
        "components": 3,
        "covariance": "diagonal",
    }
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert RunConfig().differing(config).count("fit_prior") == 1
    assert configured().fit_prior is None
    with pytest.raises(ValueError, match="Did you mean 'kernel_density'"):
        building.checked(configured("--fit_prior=kernel_densities"))
    with pytest.raises(ValueError, match="needs the name of a prior"):
        RunConfig(fit_prior={"components": 3})


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ("gaussian_mixture:component=3", "Did you mean 'components'"),
        ("gaussian_mixture:components=0", "components must be"),
        ("normal", "'normal' has nothing to fit"),
        ("manifold", "made of normal posteriors"),
        ("autoregressive", "needs a quantized code"),
    ],
)
def test_what_cannot_be_fitted_is_refused_before_the_training(prior, message):
    config = building.checked(configured("--model=autoencoder", f"--fit_prior={prior}"))
    with pytest.raises(ValueError, match=message):
        building.build(config, (8, 8, 1))


def test_the_fit_is_of_the_training_codes_and_told():
    config = building.checked(configured("--fit_prior=gaussian_mixture:components=3"))
    data, _ = read_data(config)
    model = _with_prior(building.build(config, data.event_shape), config, data)
    assert model.prior.report["rows"] == len(data)
    assert _prior_in_words(model) == f"gaussian_mixture: components 3, rows {len(data)}"
    chosen = model.fit_prior("gaussian_mixture", data, components="auto").prior
    best = max(chosen.report["held_out_log_likelihood"].values())
    words = _prior_in_words(SimpleNamespace(prior=chosen))
    assert f"components {chosen.components}, " in words
    assert f"held_out_log_likelihood {number_text(best)}" in words
    same = zoo.Autoencoder.from_config(model.get_config())
    same.set_weights(model.get_weights())
    np.testing.assert_array_equal(same.generate(2, seed=1), model.generate(2, seed=1))


def test_a_fit_that_the_data_do_not_allow_costs_no_training(tmp_path):
    def train(prior, **how):
        config = configured(f"--fit_prior={prior}", "--model=autoencoder", "--epochs=1")
        config = dataclasses.replace(config, evaluate="none")
        return zoo.runs.train(config, tmp_path / "run", say=lambda text: None, **how).folder

    with pytest.raises(ValueError, match=r"received 60.*The training is kept: resume the run with"):
        train("gaussian_mixture:components=1000")
    folder = RunFolder(tmp_path / "run")
    history = folder.history.read_bytes()
    train("gaussian_mixture:components=3", resume=True)
    assert folder.finished and folder.history.read_bytes() == history
    assert zoo.load_model(folder.model).prior.components == 3
    assert RunConfig.read(folder.path).fit_prior["components"] == 3
    with pytest.raises(ValueError, match=r"holds another run: fit_prior\.components is 3"):
        train("gaussian_mixture:components=4", resume=True)
