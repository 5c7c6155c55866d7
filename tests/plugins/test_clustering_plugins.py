import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, special
from sklearn.metrics import adjusted_rand_score
from zoo_plugins.voters import Voters

import zoo
from zoo.networks.views import STRENGTHS, view

PICTURE = (9, 9, 1)


class Fixed:
    """A noise whose uniform numbers are all one value, or rows of given ones."""

    def __init__(self, value=0.5):
        self.value = value

    def fold(self, name):
        return self

    def uniform(self, batch, *event):
        return tf.broadcast_to(tf.constant(self.value, tf.float32), (batch, *event))


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((32, *PICTURE)).astype("float32")


def build(name, **options):
    keras.utils.set_random_seed(0)
    return zoo.create(name, PICTURE, seed=1, **options)


def record(model, pictures, noise=None):
    """A forward pass outside training, in which views change nothing unless `noise` says so."""
    forward = model.forward(tf.constant(pictures), zoo.noise.Noise(0, 0), False)
    return dataclasses.replace(forward, noise=noise or Fixed())


def log_softmax(code, dense):
    return special.log_softmax(code @ dense.kernel.numpy() + dense.bias.numpy(), axis=-1)


def test_the_middle_view_is_the_picture(pictures):
    assert_allclose(view(tf.constant(pictures), Fixed()), pictures, atol=1e-6)


def test_an_unknown_strength_of_a_view_is_refused(pictures):
    with pytest.raises(ValueError, match=r"Unknown view 'wild'. Known: weak, medium, strong"):
        view(tf.constant(pictures), Fixed(), "wild")


def test_views_are_affine_maps(pictures):
    numbers = np.array([0.9, 0.2, 0.7, 0.3, 0.8, 0.1], "float32")
    seen = view(tf.constant(pictures[:1]), Fixed(numbers), "strong").numpy()[0, ..., 0]
    turn, zoom, shear, shift = STRENGTHS["strong"]
    angle, x, y, slant, right, down = 2 * numbers - 1
    angle = np.deg2rad(turn) * angle
    # In (row, column) order, as SciPy has it.
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    sheared = rotation @ np.array([[1, 0], [shear * slant, 1]])
    matrix = sheared @ np.diag([1 + zoom * y, 1 + zoom * x])
    offset = 4 + shift * 9 * np.array([down, right]) - matrix @ [4, 4]
    expected = ndimage.affine_transform(
        pictures[0, ..., 0], matrix, offset, order=1, mode="constant"
    )
    inside = slice(2, 7)
    assert_allclose(seen[inside, inside], expected[inside, inside], atol=1e-4)


def test_views_pass_gradients(pictures):
    inputs = tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(view(inputs, zoo.noise.Noise(0, 0)))
    assert float(tf.reduce_max(tf.abs(tape.gradient(total, inputs)))) > 0.5


def test_voters_find_classes_that_the_codes_tear_apart():
    random = np.random.default_rng(0)
    truth, half = random.integers(0, 3, 1200), random.integers(0, 2, 1200)
    # The codes show six islands; in the pictures the two of a class lie side by side.
    codes = np.stack([5.0 * truth, 50.0 * half], axis=1) + random.random((1200, 2))
    examples = np.stack([6.0 * truth, half + random.random(1200)], axis=1)
    voters = Voters(3, (12, 15))
    voters.build((None, 2))
    agreement = voters.fit(codes.astype("float32"), examples)
    votes = voters(tf.constant(codes, tf.float32)).numpy()
    assert votes.shape == (1200, 2, 3) and agreement == 1
    for voter in range(2):
        assert adjusted_rand_score(truth, votes[:, voter].argmax(axis=-1)) == 1
    for centres in voters.centres:  # the same far from 0
        centres.assign_add(tf.fill(tf.shape(centres), 30_000.0))
    assert_array_equal(voters(tf.constant(codes + 30_000.0, tf.float32)), votes)


def test_invariant_information_is_the_formula(pictures):
    options = {"heads": (4, 6), "classes": 4, "filters": (4,), "dense": (8,), "latents": 5}
    model = build("invariant_autoencoder", balance=2.0, **options)
    part, forward = model.regularizers[0], record(model, pictures)
    log_p = model.encode(pictures) @ part.dense.kernel.numpy() + part.dense.bias.numpy()
    expected = []
    for logits in np.split(log_p, [4], axis=-1):
        p = special.softmax(logits, axis=-1)
        even, unsure = special.entr(p.mean(axis=0)).sum(), special.entr(p).sum(axis=-1).mean()
        expected.append(-0.1 * (2 * even - unsure))
    assert_allclose(part.penalty(forward), np.mean(expected), rtol=1e-4)
    moved = record(model, pictures, zoo.noise.Noise(0, 0))
    assert float(part.penalty(moved)) > np.mean(expected)


def small_teacher(**options):
    options = {
        "heads": (3, 7),
        "classes": 3,
        "filters": (4,),
        "dense": (8,),
        "latents": 5,
        **options,
    }
    return build("invariant_autoencoder", **options)


def test_before_merging_the_first_head_of_the_classes_decides(pictures):
    model = small_teacher(heads=(7, 3))
    dense, code = model.classifier.dense, model.encode(pictures)
    logits = code @ dense.kernel.numpy() + dense.bias.numpy()
    assert_array_equal(model.cluster(pictures), logits[:, 7:].argmax(axis=-1))
    many = np.random.default_rng(1).random((300, *PICTURE)).astype("float32")
    model.classifier.voters.cells = (20,) * 5
    with pytest.raises(ValueError, match="at least 20 rows"):
        model.classifier.merge(model.encode(many)[:10], many[:10])


def test_self_training_is_the_formula(pictures):
    many = np.random.default_rng(1).random((300, *PICTURE)).astype("float32")
    teachers = [small_teacher(cells=(8,)), small_teacher(cells=(9,), latents=4)]
    for teacher in teachers:
        teacher.classifier.merge(teacher.encode(many), many)
    options = {"filters": (4,), "dense": (8,), "latents": 5, "bootstrap": 0.25}
    student = build("invariant_autoencoder", teacher=teachers, **options)
    part = student.regularizers[0]
    part.threshold = 0.95
    part.dense.kernel.assign(30 * part.dense.kernel)
    log_p = log_softmax(student.encode(pictures), part.dense)
    names = np.stack([teacher.cluster(pictures) for teacher in teachers], axis=1)
    agreed = names[:, 0] == names[:, 1]
    assert 0 < agreed.sum() < len(agreed)
    rows = np.arange(len(pictures))
    taught = -log_p[rows, names[:, 0]] * agreed
    own = -log_p.max(axis=-1) * (np.exp(log_p.max(axis=-1)) > 0.95)
    assert 0 < (own > 0).sum() < len(own)
    assert_allclose(
        part.penalty(record(student, pictures)), 0.75 * taught + 0.25 * own, rtol=1e-3, atol=1e-5
    )


def test_a_trained_teacher_is_saved_without_its_optimizer(pictures, tmp_path, recwarn):
    many = np.random.default_rng(1).random((300, *PICTURE)).astype("float32")
    teacher = small_teacher(cells=(8,))
    teacher.compile("adam")
    teacher.fit(many, epochs=1, batch_size=100, verbose=0)
    teacher.classifier.merge(teacher.encode(many), many)
    options = {"filters": (4,), "dense": (8,), "latents": 5}
    student = build("invariant_autoencoder", teacher=teacher, **options)
    student.compile("adam")
    student.fit(many, epochs=1, batch_size=100, verbose=0)
    student.save(tmp_path / "student.keras")
    again = zoo.load_model(tmp_path / "student.keras")
    assert not [str(w.message) for w in recwarn if "optimizer" in str(w.message)]
    (kept,) = again.regularizers[0].teachers
    assert kept.optimizer is None and not kept.trainable_variables
    assert (again.cluster(pictures) == student.cluster(pictures)).all()
    assert (kept.cluster(pictures) == teacher.cluster(pictures)).all()


def test_a_teacher_takes_over_the_names_of_another():
    many = np.random.default_rng(1).random((300, *PICTURE)).astype("float32")
    teacher = small_teacher(cells=(8,))
    codes = teacher.encode(many)
    teacher.classifier.merge(codes, many)
    own = teacher.cluster(many)
    other = np.array([2, 0, 1])[own]
    other[:9] = 0
    teacher.classifier.follow(codes, other)
    assert_array_equal(teacher.cluster(many), np.array([2, 0, 1])[own])


def test_a_teacher_is_frozen_and_saved_along(pictures, tmp_path):
    teacher = small_teacher(cells=(8, 9))
    many = np.random.default_rng(1).random((300, *PICTURE)).astype("float32")
    teacher.classifier.merge(teacher.encode(many), many)
    expected = teacher.cluster(pictures)
    before = [v.numpy() for v in teacher.variables]
    teacher.save(tmp_path / "teacher.keras")
    student = build(
        "invariant_autoencoder",
        teacher=str(tmp_path / "teacher.keras"),
        filters=(4,),
        dense=(8,),
        latents=5,
    )
    teacher = student.regularizers[0].teachers[0]
    student.compile()
    student.fit(pictures, batch_size=16, verbose=0)
    for variable, value in zip(teacher.variables, before, strict=True):
        assert_array_equal(variable.numpy(), value)
    student.save(tmp_path / "student.keras")
    loaded = keras.saving.load_model(tmp_path / "student.keras")
    assert_array_equal(loaded.cluster(pictures), student.cluster(pictures))
    assert_array_equal(loaded.regularizers[0].teachers[0].cluster(pictures), expected)
    assert not loaded.regularizers[0].teachers[0].trainable_variables


def test_mutual_information_is_a_cross_entropy(pictures):
    model = build("info_ae", networks="mlp", latents=4, critic=(4,), generator=(6,), classifier=())
    part, forward = model.regularizers[0], record(model, pictures)
    made, dense = forward.generated, model.regularizers[0].classifier.layers[-1]
    rows, label = np.arange(len(pictures)), made.label.numpy().argmax(axis=-1)
    again = model.encode(made.picture.numpy())
    expected = -log_softmax(made.code.numpy(), dense)[rows, label]
    expected = expected - log_softmax(again, dense)[rows, label]
    assert_allclose(part.penalty(forward), expected, rtol=1e-4)


def test_consistency_of_the_same_view_is_the_entropy(pictures):
    model = build(
        "info_ae_robust", networks="mlp", latents=4, critic=(4,), generator=(6,), classifier=()
    )
    part = next(r for r in model.regularizers if r.name == "consistency")
    part.pictures = "data"
    log_p = log_softmax(model.encode(pictures), model.classifier.classifier.layers[-1])
    entropy = special.entr(np.exp(log_p)).sum(axis=-1)
    assert_allclose(part.penalty(record(model, pictures)), entropy, rtol=1e-4)


def test_the_terms_of_the_robust_form_have_the_weights_that_are_asked_for():
    small = {"networks": "mlp", "latents": 4, "critic": (4,), "generator": (6,), "classifier": ()}

    def terms(**options):
        model = build("info_ae_robust", **small, **options)
        parts = model.regularizers
        found = {(p.name.rstrip("_2"), getattr(p, "pictures", "")): p.get_config() for p in parts}
        return {
            key: (float(config["weight"]), config.get("view"))
            for key, config in found.items()
            if key[0] in ("consistency", "code_discriminator", "self_training")
        }

    data, generated = ("consistency", "data"), ("consistency", "generated")
    critic, lesson = ("code_discriminator", ""), ("self_training", "")
    assert terms() == {data: (3, "medium"), generated: (1, "weak"), critic: (1, None)}
    changed = terms(consistency=0.5, class_critic=2.0, view="strong")
    assert changed == {data: (0.5, "strong"), generated: (1, "weak"), critic: (2, None)}
    assert terms(consistency=0, class_critic=0.0) == {generated: (1, "weak")}
    teacher = build("info_ae", **small)
    assert terms(teacher=teacher, view="weak") == {lesson: (10, "weak")}
    both = terms(teacher=teacher, consistency=1.0, class_critic=1.0)
    assert both == {data: (1, "medium"), critic: (1, None), lesson: (10, "medium")}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("invariant_autoencoder", {"heads": (5, 20)}, "one of them exactly 10"),
        ("adversarial_autoencoder", {"regularizers": ["invariant_information"]}, "of pictures"),
    ],
)
def test_what_does_not_fit_is_refused(name, options, message):
    shape = PICTURE if name == "invariant_autoencoder" else (6,)
    with pytest.raises(ValueError, match=message if shape == PICTURE else "moves and turns"):
        zoo.create(name, shape, **options)
