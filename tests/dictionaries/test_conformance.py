"""What other libraries of sparse dictionaries get wrong, checked on every architecture."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from tests.dictionaries.architectures import (
    ACTIVE,
    ARCHITECTURES,
    BATCH,
    UNITS,
    WIDTH,
    activations,
    as_it_was,
    batch,
    build,
    data_of,
    fit,
    inputs,
    l0,
    norms,
    trained,
)
from zoo.recipes.dictionaries import resample, start
from zoo.trainer.updates import apply_gradients

# Three stand for all where a model is trained for dozens of epochs, or a unit is started anew.
ALWAYS = {"top_k", "batch_top_k", "jump_relu"}
# Each architecture once, and both ways to begin.
PICTURES_ALWAYS = {
    ("relu_norms", True),
    ("archetypal", True),
    ("matryoshka", False),
    ("matching_pursuit", False),
}


def often(names, always=ALWAYS):
    """A test of all these names, on every change for some of them."""
    marks = {name: () if name in always else pytest.mark.long for name in names}
    return pytest.mark.parametrize("name", [pytest.param(n, marks=m) for n, m in marks.items()])


every = often(ARCHITECTURES)
WITH_AUX = ["top_k", "batch_top_k", "matryoshka", "matching_pursuit", "archetypal", "transcoder"]
with_aux = pytest.mark.parametrize("name", WITH_AUX)
with_units_of_norm_1 = often(
    sorted({*ARCHITECTURES} - {"relu_norms", "archetypal", "crosscoder", "transcoder"})
)


def aux_of(model):
    return next(term for term in model.regularizers if term.name == "aux_k")


def one_pass(model, data, training=True):
    noise = zoo.Noise(model.seed, 0)
    return model.forward(batch(data), noise, training=training)


@every
def test_a_stated_l0_is_had_on_held_out_rows_after_saving_too(name, tmp_path):
    run = trained(name)
    assert_allclose(l0(run.model.encode(run.held_out)), ACTIVE, rtol=0.05)
    run.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_array_equal(loaded.encode(run.held_out), run.model.encode(run.held_out))


@every
def test_a_code_is_the_same_alone_and_in_any_batch(name):
    run = trained(name)
    whole = run.model.encode(run.held_out, batch_size=1000)
    for size in (1, 32):
        assert_allclose(run.model.encode(run.held_out[:96], size), whole[:96], rtol=1e-4, atol=1e-5)


@every
def test_the_code_of_training_is_that_of_inference(name):
    run = trained(name)
    code = run.model.forward(batch(run.data), zoo.Noise(3, 0), training=False).code
    encoded = run.model.encode(inputs(run.data))
    assert_allclose(code, encoded, rtol=1e-4, atol=1e-5)
    if not isinstance(run.model.bottleneck, zoo.bottlenecks.BatchTopK):  # whose threshold is a mean
        features = run.model.encoder(inputs(run.data))
        drawn = run.model.bottleneck.draw(features, zoo.Noise(3, 0), 0, True).value
        assert_allclose(drawn, encoded, rtol=1e-4, atol=1e-5)
    assert np.min(getattr(run.model.bottleneck, "thresholds", 0)) >= 0


@often(ARCHITECTURES, {*ALWAYS, "gated", "crosscoder"})
def test_twice_the_batch_has_the_same_loss(name):
    x = data_of(name, 64)
    twice = tuple(np.concatenate([a, a]) for a in x) if isinstance(x, tuple) else np.tile(x, 2)
    twice = twice if isinstance(x, tuple) else np.concatenate([x, x])
    found = []
    for data in (x, twice):
        model = build(name)
        if name in WITH_AUX:
            aux_of(model).quiet.assign(np.where(np.arange(UNITS) % 2, 1e6, 0.0))
        found.append(model.terms(one_pass(model, data)))
        assert name not in WITH_AUX or found[-1]["aux_k"] > 0
    for term in found[0]:
        assert_allclose(found[0][term], found[1][term], rtol=1e-4, err_msg=term)


@often(ARCHITECTURES, {"batch_top_k", "jump_relu"})
def test_a_resumed_run_is_the_same_bit_for_bit(name, tmp_path):
    with as_it_was(trained(name)) as run:
        if name in WITH_AUX:  # some units are dead, and others nearly so
            aux_of(run.model).quiet.assign(np.arange(UNITS) * 10_000 / 40)
        run.model.save(tmp_path / "half.keras")
        resumed = keras.saving.load_model(tmp_path / "half.keras")
        pairs = [*zip(run.variables, [*resumed.weights, *resumed.optimizer.variables], strict=True)]
        for train in (lambda: None, lambda: [fit(m, run.data) for m in (run.model, resumed)]):
            train()
            for one, other in pairs:
                assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)


@every
def test_the_norm_of_the_data_changes_nothing(name):
    """The loss is a share of the variance; with b and s of the data all that is trained has no unit."""
    with as_it_was(trained(name)) as run:
        for variable, value in zip(run.variables, run.before, strict=True):
            variable.assign(value)
        data = data_of(name, norm=1024.0)  # a power of two: rounding is the same
        assert_allclose(fit(run.model, data).history["loss"], run.history, rtol=1e-4)
        assert np.mean((run.model.encode(inputs(data)) != 0) == (run.code != 0)) > 0.999


@with_units_of_norm_1
def test_atoms_have_norm_1_after_a_fit(name):
    assert np.abs(norms(trained(name).model) - 1).max() < 1e-6


@pytest.mark.long
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "lion", "adamw"])
def test_atoms_have_norm_1_with_any_optimizer(optimizer):
    model = build("top_k")
    model.compile(keras.optimizers.get(optimizer), jit_compile=False)
    model.optimizer.learning_rate.assign(0.1)
    fit(model, activations(512))
    assert np.abs(np.linalg.norm(np.float64(model.decoder.kernel), axis=1) - 1).max() < 1e-6


@pytest.mark.long
def test_atoms_have_norm_1_on_two_devices_and_in_exports(two_devices, tmp_path):
    single = build("batch_top_k")
    fit(single, activations(512))
    with two_devices.scope():
        double = build("batch_top_k")
    fit(double, activations(512))
    assert np.abs(norms(double) - 1).max() < 1e-6
    assert np.abs(np.linalg.norm(np.float64(double.decoder.kernel), axis=1) - 1).max() < 1e-6
    assert_allclose(double.decoder.kernel, single.decoder.kernel, atol=1e-3)
    single.export(tmp_path / "saved")
    served = tf.saved_model.load(str(tmp_path / "saved"))
    zero = np.zeros((1, UNITS), "float32")
    atoms = served.decode(np.eye(UNITS, dtype="float32")) - served.decode(zero)
    size = np.linalg.norm(np.float64(atoms) / float(single.encoder.scale[0]), axis=1)
    assert np.abs(size - 1).max() < 1e-5  # the difference of two float32 sums


@with_aux
def test_the_auxiliary_loss_reaches_the_encoder_of_dead_units(name):
    model, data = build(name), data_of(name, 8)
    term = aux_of(model)
    if name == "transcoder":  # whose atoms begin at 0
        model.decoder.kernel.assign(np.random.default_rng(0).normal(size=(UNITS, 10)))
    one_pass(model, data_of(name, 64))  # b and s
    # x_hat is held constant in it: only units that do not fire are moved.
    dead = (one_pass(model, data).code.numpy() == 0).all(axis=0)
    pursues = name == "matching_pursuit"  # which encodes by its atoms
    kernel = model.decoder.kernel if pursues else model.bottleneck.dense.kernel

    def of_units(values):  # a row for each unit
        return np.array(values) if pursues else np.array(values).T

    def penalty(rows):  # as in a step of training
        kernel.assign(of_units(rows))
        term.quiet.assign(np.where(dead, 1e6, 0.0))
        return tf.reduce_mean(term.penalty(one_pass(model, data), training=True))

    begin = of_units(kernel)
    with tf.GradientTape() as tape:
        value = penalty(begin)
    gradient = of_units(tf.convert_to_tensor(tape.gradient(value, kernel)))
    sizes = np.where(dead, np.linalg.norm(gradient, axis=1), 0)
    assert value > 0 and (sizes > 1e-4).sum() > 3
    for unit in np.argsort(-sizes)[:3]:
        step = np.zeros_like(begin)
        step[unit] = 1e-3 * gradient[unit] / sizes[unit]
        slope = (penalty(begin + step) - penalty(begin - step)) / 2e-3
        assert_allclose(slope, sizes[unit], rtol=0.02)


@with_aux
def test_auxiliary_codes_are_not_negative(name):
    model, data = build(name), data_of(name, 64)
    term = aux_of(model)
    term.quiet.assign(np.full(UNITS, 1e6))
    values = term._largest(one_pass(model, data), term.dead).numpy()
    assert values.min() >= 0 and 0 < np.count_nonzero(values, axis=1).max() <= WIDTH // 2


@with_aux
def test_a_unit_that_is_chosen_with_0_has_not_fired(name):
    model, data = build(name), data_of(name, BATCH)
    if name == "matching_pursuit":
        model.encoder.set_offset(data[0], 1.0)
        data = np.repeat(data[:1], BATCH, axis=0)  # x - b is 0
    else:
        model.bottleneck.dense.bias.assign(np.full(UNITS, -1e3))
    aux_of(model).penalty(one_pass(model, data), training=True)
    assert_array_equal(aux_of(model).quiet, np.full(UNITS, BATCH))


@pytest.mark.parametrize(
    ("name", "begun"),
    [
        pytest.param(
            name,
            begun,
            id=f"{id_of}-{name}",
            marks=[pytest.mark.long] * ((name, begun) not in PICTURES_ALWAYS),
        )
        for begun, id_of in ((False, "first batch"), (True, "start"))
        for name in ("relu_norms", "matryoshka", "archetypal", "matching_pursuit")
    ],
)
def test_a_picture_is_one_vector(name, begun):
    """Rows as pictures and as vectors: the same model, though some pixels hardly vary and one never does."""
    model_name, options, _ = ARCHITECTURES[name]
    x = activations(512) * np.geomspace(1e-3, 1, WIDTH).astype("float32")
    x[:, 3] = 2.0
    models = []
    for shape in ((WIDTH,), (4, 2, 2)):
        keras.utils.set_random_seed(0)
        model = zoo.create(model_name, shape, seed=3, **options)
        rows = x.reshape(-1, *shape)
        if models:
            for mine, first in zip(model.weights, models[0].weights, strict=True):
                mine.assign(np.reshape(first, mine.shape))
        models.append(model)
        if begun:
            start(model, rows, verbose=False)
        model.compile(zoo.trainer.Adam(3e-3), jit_compile=False)
    for model in models:
        fit(model, x.reshape(-1, *model.event_shape), 4)
    vectors = models[0].reconstruct(x)
    pictures = models[1].reconstruct(x.reshape(-1, 4, 2, 2)).reshape(-1, WIDTH)
    assert_allclose(pictures, vectors, rtol=2e-4, atol=2e-4)
    assert_allclose(models[1].decoder.norms, models[0].decoder.norms, rtol=1e-4)


def test_archetypal_atoms_of_many_numbers_begin_short():
    """k-means centres of many numbers are long: codes of such atoms would write ||d||^2 times too much."""
    x = np.random.default_rng(0).normal(size=(300, 400)).astype("float32") + 3
    model = zoo.create("archetypal_sae", (400,), latents=32, target_l0=4, points=8)
    start(model, x, verbose=False)
    assert np.linalg.norm(model.decoder.points, axis=1).mean() > 3
    assert_allclose(norms(model).mean(), 1, rtol=1e-5)
    kernel, atoms = np.asarray(model.bottleneck.dense.kernel), np.transpose(model.decoder.atoms)
    assert_allclose(kernel / kernel[0, 0], atoms / atoms[0, 0], rtol=1e-4)


@pytest.mark.parametrize("name", sorted({*ARCHITECTURES} - {"matching_pursuit", "transcoder"}))
def test_codes_begin_at_the_length_that_reconstructs_best(name):
    """After `start`, no multiple of what the code writes is nearer to the data; and its L0 is as stated."""
    model, x = build(name), data_of(name, 2000)
    start(model, x, verbose=False)
    centre = np.asarray(model.encoder.centre)
    written, wanted = model.reconstruct(x) - centre, x - centre
    assert_allclose(np.vdot(written, wanted) / np.vdot(written, written), 1, rtol=1e-3)
    assert_allclose(l0(model.encode(x)), ACTIVE, rtol=0.1)


def test_units_are_dead_after_rows_that_a_short_run_has():
    model = build("top_k")
    assert aux_of(model).dead_after == 10_000
    model.bottleneck.dense.bias.assign(np.where(np.arange(UNITS) < 5, -1e3, 0.0))
    fit(model, activations(), 3)
    assert np.asarray(aux_of(model).dead)[:5].all() and not np.asarray(aux_of(model).dead)[5:].any()


@often(ARCHITECTURES, {"jump_relu", "transcoder"})
def test_resampling_revives_a_unit_that_is_always_negative(name):
    model, data = build(name), data_of(name, 512)
    x = inputs(data)
    fit(model, data, 2)
    dead = np.arange(UNITS) == 2
    dense = getattr(model.bottleneck, "dense", None)
    targets = {"y": data[1]} if name == "transcoder" else {}
    if dense is not None:  # no atom of matching pursuit points away from all data
        dense.bias.assign(np.where(dead, -1e3, dense.bias))
        assert (before_relu(model, x)[:, 2] < 0).all()
        begin = dense.kernel.numpy()
    before = np.array(model.decoder.atoms)
    assert_array_equal(resample(model, x, dead, **targets), [2])
    assert (before_relu(model, x)[:, 2] > 0).any()
    if dense is not None:
        after, alive = dense.kernel.numpy(), np.linalg.norm(begin[:, ~dead], axis=0).mean()
        assert_allclose(np.linalg.norm(after[:, 2]), 0.2 * alive, rtol=1e-4)
        assert_array_equal(after[:, ~dead], begin[:, ~dead])
        assert dense.bias.numpy()[2] == 0
    changed = np.abs(np.array(model.decoder.atoms) - before).reshape(UNITS, -1).max(axis=1)
    assert changed[2] > 0.01 and changed[~dead].max() < 1e-6
    if model.decoder.unit_norm:
        assert np.abs(norms(model) - 1).max() < 1e-6
    own = [*model.decoder.of_units, *([] if dense is None else [dense.kernel, dense.bias])]
    for weight in own:
        moments = moments_of(model, weight)
        assert len(moments) == 2
        for moment in moments:
            moment = moment.numpy().T if dense is not None and weight is dense.kernel else moment
            assert not np.any(moment[2]) and np.any(moment[3:])


def test_a_transcoder_is_not_resampled_without_its_targets():
    with pytest.raises(ValueError, match="needs the targets of a transcoder"):
        resample(build("transcoder"), activations(64), np.arange(UNITS) == 2)


def before_relu(model, x):
    features = np.array(model.encoder(x)).reshape(len(x), -1)
    if isinstance(model.bottleneck, zoo.bottlenecks.MatchingPursuit):
        return features @ np.array(model.decoder.atoms).T
    return features @ model.bottleneck.dense.kernel.numpy() + model.bottleneck.dense.bias.numpy()


def moments_of(model, weight):
    """Adam's two, of a weight."""
    name = weight.path.replace("/", "_")
    return [slot for slot in model.optimizer.variables if slot.name.startswith(name)]


@often(["batch_top_k", "matryoshka"], {"batch_top_k"})
def test_batch_top_k_has_its_l0_in_inference_after_50_steps(name):
    model = build(name)
    x = activations(50 * BATCH)
    fit(model, x)
    assert int(model.step) == 50
    assert_allclose(l0(model.encode(activations(2000, 1))), ACTIVE, rtol=0.1)


@pytest.mark.parametrize("rows", [1, 32, 1000])
def test_the_mean_l0_of_a_batch_of_training_is_k(rows):
    model = build("batch_top_k")
    x = activations(rows, 5)
    model.encoder.set_offset(activations().mean(0), activations().std())
    assert l0(one_pass(model, x).code.numpy()) == ACTIVE


@pytest.mark.parametrize("name", ["batch_top_k", "matryoshka"])
def test_a_threshold_that_is_not_known_is_not_guessed(name, tmp_path):
    model, x = build(name), activations(256)
    model.save(tmp_path / "new.keras")
    loaded = keras.saving.load_model(tmp_path / "new.keras")
    asked = [loaded.encode, *(getattr(model, f) for f in ("encode", "reconstruct", "evaluate"))]
    for function in [*asked, model]:
        with pytest.raises(ValueError, match="has no threshold yet"):
            function(x)
    with pytest.raises(ValueError, match="has no threshold yet"):
        model.export(tmp_path / "served")
    assert model.decode(np.zeros((2, UNITS), "float32")).shape == (2, WIDTH)
    start(model, x, verbose=False)
    assert_allclose(l0(model.encode(x)), ACTIVE, rtol=0.02)
    fit(loaded, x)
    assert l0(loaded.encode(x)) > 0


def test_one_level_of_matryoshka_is_batch_top_k():
    plain, nested = build("batch_top_k"), build("matryoshka", widths=(UNITS,))
    found = []
    for model in (plain, nested):
        with tf.GradientTape() as tape:
            loss = model.terms(one_pass(model, activations(256)))["loss"]
        gradients = tape.gradient(loss, model.trainable_variables)
        found.append([loss, *map(tf.convert_to_tensor, gradients)])
    for one, other in zip(*found, strict=True):
        assert np.abs(one).max() > 0
        assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_widths_reconstruct_by_the_first_units_alone():
    model, x = build("matryoshka"), activations(64)
    one_pass(model, activations(512))
    forward = one_pass(model, x, training=False)
    code, atoms = forward.code.numpy(), model.decoder.atoms.numpy()
    scale, centre = model.encoder.scale.numpy(), np.asarray(model.encoder.centre)
    shares = []
    for width in model.objective.widths:
        output = scale * code[:, :width] @ atoms[:width] + centre
        shares.append(np.square(x - output).sum(axis=1) / float(model.objective.variance(forward)))
    assert_allclose(model.objective.loss(forward), np.mean(shares, axis=0), rtol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"objective": {"name": "nested", "widths": (4,)}},
        {"bottleneck": "gated", "regularizers": ["gate"]},
    ],
)
def test_a_skip_explains_what_is_linear_in_every_term(options):
    model = zoo.create(
        "transcoder",
        (6,),
        target_shape=(4,),
        latents=12,
        target_l0=3,
        aux=0.0,
        skip=True,
        **options,
    )
    random = np.random.default_rng(0)
    x, linear = np.float32(random.normal(size=(60, 6))), np.float32(random.normal(size=(6, 4)))
    beside = {"target": x @ linear, "condition": x}
    model.compile()
    before = model.evaluate(x, beside, verbose=0, return_dict=True)
    model.fit(x, beside, verbose=0)
    assert np.abs(model.decoder.kernel_of_skip).max() > 0
    decoder = model.decoder  # b began at the mean of the targets
    for weight, value in ((decoder.kernel_of_skip, linear), (decoder.kernel, 0), (decoder.mean, 0)):
        weight.assign(np.broadcast_to(value, weight.shape))
    found = model.evaluate(x, beside, verbose=0, return_dict=True)
    for name in {"loss", "reconstruction", "gate"} & set(found):
        assert before[name] > 0.1 and found[name] < 1e-3, name


def test_thresholds_are_not_negative():
    model = build("jump_relu")
    thresholds, variables = model.bottleneck.thresholds, model.model_variables
    thresholds.assign(np.full(UNITS, 1e-4))
    # Adam's first step of 0.003 would leave -0.0029.
    apply_gradients(model.optimizer, [tf.ones_like(v) for v in variables], variables)
    assert_array_equal(thresholds, np.zeros(UNITS))


@pytest.mark.parametrize("surrogate", ["rectangle", "triangle", "epanechnikov"])
def test_straight_through_gradients_are_those_of_the_expectation(surrogate):
    """d/dtheta E[v H(v - theta)] = -theta p(theta) and d/dtheta E[H(v - theta)] = -p(theta)."""
    grid = np.linspace(-6, 6, 240_001)
    density = np.exp(-np.square(grid) / 2) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])
    units = zoo.bottlenecks.JumpReLU(1, threshold=0.8, bandwidth=0.05, surrogate=surrogate)
    units.build((None, 1))
    units.dense.set_weights([np.ones((1, 1)), np.zeros(1)])

    def expectation(theta, power):
        return np.sum(density * grid**power * (grid > theta))

    for power in (0, 1):
        with tf.GradientTape() as tape:
            code = units.draw(np.float32(grid[:, None]), zoo.Noise(0, 0), 0, True)
            values = code.value if power else code.notes["gates"]
            mean = tf.reduce_sum(values[:, 0] * np.float32(density))
        found = float(tape.gradient(mean, units.thresholds.value)[0])
        h = 0.01
        expected = (expectation(0.8 + h, power) - expectation(0.8 - h, power)) / (2 * h)
        assert_allclose(found, expected, rtol=5e-3)


REFUSED = [
    ("top_k_sae", {"target_l0": 99}, "k must be at most"),
    ("batch_top_k_sae", {"target_l0": 99}, "k must be above 0 and at most"),
    ("relu_sae", {"target_l0": 99}, "target of hold_l0 must be at most"),
    ("relu_sae", {"penalty": "l0", "target_l0": 3}, "needs a bottleneck with gates"),
    ("matching_pursuit_sae", {"target_l0": 99}, "k must be at most"),
    ("matryoshka_sae", {"target_l0": 3, "widths": (99,)}, "widths must be at most"),
    ("top_k_sae", {"target_l0": 3, "regularizers": [{"name": "aux_k", "k": 99}]}, "k of aux_k"),
    ("top_k_sae", {"target_l0": 3, "regularizers": ["gate"]}, "needs the bottleneck 'gated'"),
    ("autoencoder", {"hidden": (4,), "regularizers": ["aux_k"]}, "needs a decoder"),
    (
        "autoencoder",
        {"hidden": (4,), "regularizers": [{"name": "l1", "decoder_norms": True}]},
        "norms",
    ),
    ("vae", {"hidden": (4,), "likelihood": "bernoulli"}, None),
]


@pytest.mark.parametrize(("model", "options", "message"), REFUSED)
def test_what_does_not_fit_is_refused_when_a_model_is_made(model, options, message):
    if message is None:
        with pytest.raises(ValueError, match="explained_variance"):
            zoo.Autoencoder(
                (6,),
                zoo.networks.Centred(),
                {"name": "deterministic", "units": 3},
                zoo.networks.Dictionary((6,)),
                objective="explained_variance",
            )
        return
    with pytest.raises(ValueError, match=message):
        zoo.create(model, (6,), latents=12, **options)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_l0_above_the_number_of_units_is_refused_when_a_model_is_made(name):
    with pytest.raises(ValueError, match=f"at most .*{UNITS}"):
        build(name, target_l0=UNITS + 1)


def test_the_geometric_median_survives_a_guess_that_hits_a_row():
    from zoo.recipes.dictionaries import geometric_median

    # The mean is the first row; by symmetry about the second axis the median lies on the first.
    rows = np.array([[0.0, 0], [3, 1], [3, -1], [-6, 0]])
    assert_array_equal(rows.mean(axis=0), rows[0])
    found = geometric_median(rows)
    sums = [
        np.linalg.norm(rows - np.array([t, 0]), axis=1).sum() for t in np.linspace(-7, 4, 100_001)
    ]
    assert np.isfinite(found).all()
    assert_allclose(np.linalg.norm(rows - found, axis=1).sum(), min(sums), rtol=1e-6)


def test_start_puts_b_and_s_where_the_data_lie_and_says_so(capsys):
    x = 10 + activations(1000)
    model = build("top_k")
    found = start(model, x)
    assert_allclose(model.encoder.centre, x.mean(axis=0), rtol=1e-5)
    assert_allclose(model.encoder.scale, np.sqrt(x.var(axis=0).mean()), rtol=1e-5)
    assert_allclose(found.gamma, np.linalg.norm(x.mean(0)) / np.linalg.norm(x.std(0)), rtol=1e-4)
    assert "gamma = " in capsys.readouterr().out
    assert found.dead < 0.01 < found.dead_at_zero
    start(model, x, centre="median", verbose=False)
    fit(model, x)  # the first batch changes nothing more
    assert_allclose(
        model.encoder.scale, np.sqrt(np.square(x - model.encoder.mean).mean()), rtol=1e-4
    )


@pytest.mark.parametrize("name", sorted({*ARCHITECTURES} - {"matching_pursuit", "transcoder"}))
def test_the_encoder_begins_as_the_transposed_atoms(name):
    model = build(name)
    atoms = np.array(model.decoder.atoms).reshape(UNITS, -1)
    assert_allclose(model.bottleneck.dense.kernel, atoms.T, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["relu", "gated", "jump_relu", "batch_top_k", "matryoshka_jump_relu"]
)
def test_a_stated_l0_is_had_from_the_start(name):
    model = build(name)
    start(model, activations(), verbose=False)
    assert_allclose(l0(model.encode(activations())), ACTIVE, rtol=0.01)


def test_a_code_below_its_l0_is_pulled_up():
    """The weight of a penalty is (w + pull clip(log(L0 / target))) / target, w at least `least`."""
    model = build("jump_relu")
    term = model.regularizers[0]
    model.bottleneck.begin_at(3.0)
    forward = one_pass(model, activations())
    count = l0(forward.code.numpy())
    assert 0 < count < ACTIVE / 2
    over = max(np.log(count / ACTIVE), -1)
    w = max(np.log(term.start), np.log(term.least)) + term.gain * over
    expected = (np.exp(w) + term.pull * over) / ACTIVE * count
    assert_allclose(np.mean(term.penalty(forward, training=True)), expected, rtol=0.02)
    assert expected < 0


def test_the_expected_share_of_dead_units_is_that_of_random_directions():
    from zoo.recipes.dictionaries import expected_dead

    rng = np.random.default_rng(0)
    directions = rng.normal(size=(3000, 64))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    mean = rng.normal(size=64)
    for gamma in (1.0, 3.0, 10.0):
        x = rng.normal(size=(500, 64)) + mean * gamma * 8 / np.linalg.norm(mean)
        dead = ~(x @ directions.T > 0).any(axis=0)
        assert_allclose(dead.mean(), expected_dead(gamma, 500), atol=0.03)


def test_matching_pursuit_explains_more_with_each_step():
    """Against the greedy steps in NumPy."""
    model, x = build("matching_pursuit"), activations(32)
    model.encoder.set_offset(activations().mean(0), 1.0)
    features, atoms = np.float64(model.encoder(x)), np.float64(model.decoder.atoms)
    for row, code in zip(features, model.encode(x), strict=True):
        rest, expected = row.copy(), np.zeros(UNITS)
        for _ in range(ACTIVE):
            products = np.where(expected > 0, -np.inf, atoms @ rest)
            unit = products.argmax()
            expected[unit] = max(products[unit], 0)
            rest = rest - expected[unit] * atoms[unit]
        assert_allclose(code, expected, atol=1e-5)
