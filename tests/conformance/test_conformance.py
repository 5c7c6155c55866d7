"""Every check on every case of the table."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.conformance.cases import CASES, RELATIVES, REPEATS
from zoo.noise import Noise
from zoo.testing import checks
from zoo.testing.trial import generated
from zoo.trainer import slices, threads

BATCH = 16
STEPS = 20
# XLA lacks an operation, or it takes XLA seconds to compile what `fit` would not have compiled: large
# networks, convolutions and critics. Their parts are compiled in other cases where XLA can.
NEVER_COMPILED = {
    "adversarial_autoencoder",
    "beta_vae_chairs",
    "beta_vae_shapes",
    "dc_ign",
    "info_ae",
    "info_ae_robust",
    "info_gan",
    "invariant_autoencoder",
}

# XLA and bfloat16: a case for each part.
DEAR = CASES.keys() - REPEATS - RELATIVES.keys()
# XLA: of these, whose steps are made of the operations of other cases, or which `fit` does not compile of its
# own accord, in .ci/long only.
COMPILED_ALIKE = {
    "ada_gvae",
    "archetypal_sae",
    "autoencoder_tied",
    "cat_gan",
    "conditional_vae",
    "crosscoder",
    "denoising_autoencoder",
    "gated_sae",
    "pixel_vae",
    "planar_vae",
    "rae_gp",
    "rae_l2",
    "transcoder",
    "vae",
    "vae_gan",
    "vae_of_constant_scale",
    "vae_one_hot",
    "vae_tokens",
}
# bfloat16: of these, whose layers and draws are those of other cases, in .ci/long only.
ROUNDED_ALIKE = {
    *(COMPILED_ALIKE - {"cat_gan", "pixel_vae", "vae_gan"}),
    "adversarial_autoencoder",
    "info_ae_shared",
    "info_gan",
}
# Batches in slices: a case for each way in which rows meet, or do not.
SLICED = {
    "autoencoder",
    "k_sparse_autoencoder_schedule",
    "vae",
    "vae_penalties",
    "ada_gvae",
    "factor_vae",
    "vq_vae",
    "fsq_vae",
    "iwae",
    "iaf_vae",
    "semi_supervised_vae",
    "info_gan",
    "matryoshka_sae",
    "jump_relu_sae",
}
# Two devices: of these, whose rows meet, are drawn and are given as those of other cases, in .ci/long only.
SHARED_ALIKE = {
    "adversarial_autoencoder",
    "archetypal_sae",
    "autoencoder_tied",
    "cauchy_vae",
    "contractive_autoencoder",
    "crosscoder",
    "denoising_autoencoder",
    "gated_sae",
    "hamiltonian_vae",
    "iaf_vae",
    "info_ae",
    "info_gan_shared",
    "matching_pursuit_sae",
    "pixel_vae",
    "planar_vae",
    "poincare_vae",
    "rae_gp",
    "rae_l2",
    "vade",
    "vae",
    "vae_columns",
    "vae_ms_ssim",
    "vae_negative_binomial",
    "vae_of_constant_scale",
    "vae_one_hot",
    "vae_tokens",
}


def cases(names):
    """The cases, of which those that are not named run in .ci/long only."""
    return [pytest.param(n, marks=[pytest.mark.long] * (n not in names), id=n) for n in CASES]


def on_every_change(names):
    """Runs the test of these cases on every change."""
    return pytest.mark.parametrize("run", cases(names), indirect=True)


def compiled(model, optimizer="adam", **options):
    model.compile(optimizer, **options)
    return steady(model)


def steady(model):
    """The model, with optimizers that leave a weight alone where its gradient is rounding error.

    Adam divides a gradient by its size. Where the true gradient is zero, as that of a bias before batch
    norm, a sum in another order would otherwise change the weight by the whole learning rate.
    """
    for optimizer in optimizers(model):
        if isinstance(optimizer, keras.optimizers.Adam):
            optimizer.epsilon = 1e-3
    return model


def train(model, data, epochs=2):
    return model.fit(data, batch_size=BATCH, epochs=epochs, verbose=0).history


def terms(model, data):
    return model.evaluate(data, verbose=0, return_dict=True)


def terms_untraced(model, data):
    """As `terms`, operation by operation: for one batch that takes a fifth of the time of tracing a graph."""
    model.run_eagerly = True
    return terms(model, data)


def values(variables):
    return [variable.numpy() for variable in variables]


def optimizers(model):
    return [model.optimizer, *(critic.optimizer for critic in model.critics)]


def assert_same_terms(first, second, tolerance):
    assert first.keys() == second.keys()
    for name in first:
        assert np.isfinite(second[name]).all(), name
        assert_allclose(first[name], second[name], rtol=tolerance, atol=tolerance, err_msg=name)


def assert_same_arrays(first, second, tolerance=0.0):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module", params=cases(CASES.keys() - REPEATS))
def run(request, tmp_path_factory):
    """A case, trained for 20 steps on one device without XLA, and saved halfway."""
    case = CASES[request.param]
    data = case.given()
    model = compiled(case.build(), jit_compile=False)
    model.step.assign(STEPS)  # so that both ends are measured with the weights of the same step
    before = terms(model, data)
    model.step.assign(0)
    first = train(model, data, epochs=1)
    path = tmp_path_factory.mktemp(request.param) / "half.keras"
    model.save(path)
    half = SimpleNamespace(
        path=path,
        terms=terms(model, data),
        pictures=model.reconstruct(data),
        generated=generated(model, 3) if model.prior is not None else None,
        weights=values(model.weights),
        slots=[values(optimizer.variables) for optimizer in optimizers(model)],
    )
    second = train(model, data, epochs=1)
    return SimpleNamespace(
        case=case,
        data=data,
        model=model,
        before=before,
        half=half,
        after=terms(model, data),
        second=second,
        history={name: first[name] + second[name] for name in first},
    )


@pytest.mark.parametrize("name", sorted(REPEATS))
def test_a_case_of_known_parts_takes_a_step(name):
    """Without a graph; .ci/long has every check of it."""
    case = CASES[name]
    model = compiled(case.build())
    rows = model.intake.columns(checks.some(case.given(), slice(BATCH)))
    terms = model.update(model.intake.floats(model.intake.arrays(*rows)), Noise(3, 0))
    assert {"loss", *(part.name for part in model.regularizers)} <= terms.keys()
    assert all(np.isfinite(value) for value in terms.values())
    assert all(np.isfinite(weights).all() for weights in values(model.trainable_variables))
    checks.check_configuration_round_trip(SimpleNamespace(model=model))


def test_trains(run):
    assert int(run.model.step.numpy()) == STEPS
    assert set(run.history) == set(run.model.term_names)
    critics = {f"{critic.name}_critic" for critic in run.model.critics}
    assert set(run.before) == set(run.model.term_names) - critics
    for series in run.history.values():
        assert np.isfinite(series).all()
    if run.model.critics:  # two players need not both win
        return
    first, last = run.before["loss"], run.after["loss"]
    if any(isinstance(la, keras.layers.BatchNormalization) for la in run.model._flatten_layers()):
        first, last = run.history["loss"]  # the moving statistics lag behind
    assert last < first


def test_loss_is_the_weighted_sum(run):
    def now(weight):
        return float(weight(STEPS)) if callable(weight) else weight

    terms = dict(run.after)
    loss, reconstruction = terms.pop("loss"), terms.pop("reconstruction")
    squares = ("explained_variance", "nested")  # a share of the variance
    objective = run.model.objective
    if objective.zoo_name not in ("elbo", *squares):
        assert loss != reconstruction  # a bound; its own test holds it to a formula
        return
    levels = {f"kl_{level}" for level in (1, 2, 3)}
    for measure in ("usage", "perplexity", "shared", *levels):  # reported only
        terms.pop(measure, None)
    elbo = objective.zoo_name == "elbo"
    total = now(objective.weight) * reconstruction if elbo else 0.0
    for regularizer in run.model.regularizers:
        total += now(regularizer.weight) * terms.pop(regularizer.name)
    total += sum(terms.values())  # the bottleneck's own, with their weights in them
    if elbo:
        assert_allclose(loss, total, rtol=1e-5, atol=1e-5)
    elif objective.zoo_name == "nested" or len(run.model.event_shape) > 1:
        assert loss > total  # a mean of several shares; their own tests hold them to a formula
    else:
        variance = objective.square.numpy() / objective.share.numpy()
        assert_allclose(loss - total, reconstruction / variance, rtol=1e-4)


def test_shapes(run):
    checks.check_shapes(run)


def test_rows_do_not_depend_on_their_neighbours(run):
    checks.check_rows_do_not_depend_on_their_neighbours(run)


def test_generates_by_seed(run):
    checks.check_generates_by_seed(run)


def test_configuration_round_trip(run):
    checks.check_configuration_round_trip(run)


def test_saves_and_loads(run):
    loaded = keras.saving.load_model(run.half.path)
    assert loaded.get_compile_config() == run.model.get_compile_config()
    assert_same_arrays(values(loaded.weights), run.half.weights)
    for optimizer, slots in zip(optimizers(loaded), run.half.slots, strict=True):
        assert_same_arrays(values(optimizer.variables), slots)
    assert_array_equal(loaded.reconstruct(run.data), run.half.pictures)
    if loaded.prior is not None:
        assert_array_equal(generated(loaded, 3), run.half.generated)
    assert_same_terms(terms_untraced(loaded, run.data), run.half.terms, 1e-6)


@on_every_change(DEAR - COMPILED_ALIKE)
def test_compiled_equals_uncompiled(run):
    if run.case.model in NEVER_COMPILED:
        assert not compiled(run.case.build())._use_jit
        return
    model = compiled(run.case.build(), jit_compile=True)
    assert_same_terms(train(model, run.data), run.history, 1e-4)


@on_every_change(DEAR - SHARED_ALIKE)
def test_two_devices_go_on_as_one(run, two_devices):
    """Half trained on one device, loaded on two: the second half is that of one.

    With the moments of the gradients: Adam's steps would hide a gradient of the wrong size.
    """
    with two_devices.scope():
        double = steady(keras.saving.load_model(run.half.path))
    assert_same_terms(train(double, run.data, epochs=1), run.second, 1e-4)
    assert_same_arrays(values(double.weights), values(run.model.weights), 1e-4)
    for two, one in zip(optimizers(double), optimizers(run.model), strict=True):
        for found, expected in zip(values(two.variables), values(one.variables), strict=True):
            assert_allclose(found, expected, rtol=1e-3, atol=1e-6 + 1e-3 * np.abs(expected).max())


@on_every_change(SLICED)
def test_slices_of_a_batch_go_on_as_the_whole(run, monkeypatch):
    """Slices of 6, 5 and 5 rows give what the whole batch gives, and two cores what one gives."""
    monkeypatch.setattr(slices, "LEAST_ROWS", 4)
    monkeypatch.setattr(threads, "cores", lambda: threads.Cores(2))
    loaded = steady(keras.saving.load_model(run.half.path))
    loaded.keep_slices(3)
    assert_same_terms(train(loaded, run.data, epochs=1), run.second, 1e-5)
    assert_same_arrays(values(loaded.weights), values(run.model.weights), 1e-5)
    assert_allclose(loaded.reconstruct(run.data), run.model.reconstruct(run.data), 1e-4, 1e-5)
    keras.tree.map_structure(assert_array_equal, run.data, run.case.given())  # nothing wrote there


@on_every_change(DEAR - ROUNDED_ALIKE)
def test_trains_in_bfloat16(run):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = compiled(run.case.build(), jit_compile=False)
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.encode(run.data[:5]).dtype == np.float32
    history = train(model, run.data, epochs=1)
    assert history.keys() == run.history.keys()
    for series in history.values():
        assert np.isfinite(series).all()
    assert_allclose(history["reconstruction"], run.history["reconstruction"][:1], rtol=0.05)
