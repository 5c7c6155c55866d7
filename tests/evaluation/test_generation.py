import numpy as np
import pytest
import scipy.linalg

from zoo.evaluation import features, generation
from zoo.evaluation.checks import NotComputable
from zoo.evaluation.features import classifier_features, pixels, reference_features
from zoo.evaluation.fingerprint import fingerprint


def test_frechet_distance_equals_the_matrix_root():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)) + 1
    b = rng.normal(size=(150, 4)) @ rng.normal(size=(4, 4))
    c, d = np.cov(a.T), np.cov(b.T)
    shift = ((a.mean(0) - b.mean(0)) ** 2).sum()
    expected = shift + np.trace(c + d - 2 * scipy.linalg.sqrtm(c @ d).real)
    assert generation.frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)
    assert generation.frechet_distance(a, a) == pytest.approx(0, abs=1e-8)
    assert generation.frechet_distance(a, a + 2) == pytest.approx(4 * 4, rel=1e-6)


def test_frechet_distance_of_too_few_examples_is_nan():
    with pytest.warns(UserWarning, match="5 examples cannot fix a covariance of 6 features"):
        assert np.isnan(generation.frechet_distance(np.eye(6), np.eye(6)[:5]))


def test_precision_and_recall_of_a_dropped_mode():
    rng = np.random.default_rng(0)
    real = np.concatenate([rng.normal(0, 1, (200, 2)), rng.normal(50, 1, (200, 2))])
    generated = rng.normal(0, 1, (400, 2))
    precision, recall = generation.precision_recall(real, generated)
    assert precision > 0.9
    assert recall == pytest.approx(0.5, abs=0.06)
    swapped = generation.precision_recall(generated, real)
    assert swapped == (recall, precision)


def test_precision_equals_a_loop_over_all_pairs():
    rng = np.random.default_rng(1)
    real, generated = rng.normal(size=(30, 2)), rng.normal(1, 1.5, size=(25, 2))
    covered = 0
    for g in generated:
        distances = np.linalg.norm(real - g, axis=1)
        radii = [np.sort(np.linalg.norm(real - r, axis=1))[3] for r in real]
        covered += (distances <= radii).any()
    assert generation.precision_recall(real, generated)[0] == pytest.approx(covered / 25)


def test_nearest_training_examples():
    train = np.arange(10.0)[:, None] * [[3.0, 4.0]]
    indices, distances = generation.nearest(train[[7, 2]] + [[0.3, 0.4]], train, k=2)
    assert indices.tolist() == [[7, 8], [2, 3]]
    np.testing.assert_allclose(distances, [[0.5, 4.5], [0.5, 4.5]])


def test_copies_of_training_examples_are_seen():
    rng = np.random.default_rng(0)
    train, real = rng.normal(size=(300, 5)), rng.normal(size=(100, 5))
    copies = generation.scores(real, train[:100] + 1e-3, train)
    fresh = generation.scores(real, rng.normal(size=(100, 5)), train)
    assert copies["training_distance_ratio"] < 0.01
    assert fresh["training_distance_ratio"] == pytest.approx(1, abs=0.25)
    assert abs(fresh["kernel_distance"]) < 0.1


def test_held_out_examples_from_the_training_set_have_no_ratio():
    train = np.random.default_rng(0).normal(size=(100, 300)).astype(np.float32)
    with pytest.warns(UserWarning, match="held-out examples are training examples"):
        found = generation.scores(train[:50], train[50:] + 1, train, neighbours=1)
    assert np.isnan(found["training_distance_ratio"])


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="same width"):
        generation.scores(np.zeros((9, 2)), np.zeros((9, 3)))
    with pytest.raises(NotComputable, match="at least 4"):
        generation.precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(NotComputable, match="needs 4 references"):
        generation.nearest(np.zeros((3, 2)), np.zeros((3, 2)), k=4)


def stripes(n, seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    x = (20 * rng.random((n, 8, 8, 1))).astype(np.uint8)
    x[labels == 0, 2] += 200
    x[labels == 1, :, 2] += 200
    return x, labels


def test_classifier_features_tell_the_classes_apart():
    x, labels = stripes(200, 0)
    describe = classifier_features(x, labels, width=8, epochs=4, batch_size=20)
    held_out, truth = stripes(100, 1)
    features = describe(held_out)
    assert features.shape == (100, 8)
    centres = np.stack([describe(x)[labels == c].mean(0) for c in (0, 1)])
    named = np.argmin(((features[:, None] - centres) ** 2).sum(-1), axis=1)
    assert np.mean(named == truth) == 1
    assert np.square(describe(x)).mean() == pytest.approx(1, rel=1e-4)
    again = classifier_features(x, labels, width=8, epochs=4, batch_size=20)(held_out)
    np.testing.assert_allclose(features, again, atol=1e-5)


def test_reference_features_are_those_of_the_data(tmp_path, monkeypatch):
    """Kept on disk, found again by another process, and made anew for other data or a damaged file."""
    x, labels = stripes(40, 0)
    first = reference_features(x, labels, tmp_path)
    (path,) = tmp_path.iterdir()
    trained = []
    monkeypatch.setattr(
        features, "classifier_features", lambda *a: trained.append(1) or classifier_features(*a)
    )
    assert reference_features(x, labels, tmp_path) is first
    features._KEPT.clear()  # as another process begins
    again = reference_features(x, labels, tmp_path)
    assert again.fingerprint == first.fingerprint and not trained
    np.testing.assert_array_equal(again(x), first(x))
    other = reference_features(x[::-1], labels, tmp_path)
    assert other.fingerprint != first.fingerprint and len(trained) == 1
    features._KEPT.clear()
    path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_allclose(reference_features(x, labels, tmp_path)(x), first(x), atol=1e-5)
    assert len(trained) == 2
    features._KEPT.clear()
    (tmp_path / "file").write_text("")
    assert reference_features(x, labels, tmp_path / "file" / "below")(x).shape == (40, 64)


@pytest.mark.parametrize("event", [(5,), (12, 3), (6, 6, 2), (4, 6, 6, 1)])
def test_classifier_features_of_every_rank(event):
    x = np.random.default_rng(0).random((24, *event), np.float32)
    describe = classifier_features(x, np.arange(24) % 2, width=5, epochs=1, batch_size=12)
    assert describe(x).shape == (24, 5) and describe(x).dtype == np.float32


def test_fingerprints_differ_where_the_content_does():
    x = np.arange(30_000.0).reshape(15_000, 2)
    changed = x.copy()
    changed[-1, 0] = 0
    names = {fingerprint(x), fingerprint(changed), fingerprint(x[:-1]), fingerprint(x.astype("f4"))}
    assert len(names) == 4
    assert fingerprint(x) == fingerprint(x.copy()) != fingerprint(x, x)


def test_classifier_features_need_two_classes():
    with pytest.raises(NotComputable, match="one class only"):
        classifier_features(np.zeros((10, 4)), np.zeros(10))


def test_pixels_are_the_flattened_examples():
    assert pixels(np.full((2, 2, 2, 1), 255, np.uint8)).tolist() == [[1.0] * 4] * 2


def test_examples_that_stand_there_several_times_are_covered_by_themselves():
    few = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32) * 100
    sample = np.repeat(few, 6, axis=0)
    found = generation.precision_recall(sample, sample)
    assert found == (1.0, 1.0)
