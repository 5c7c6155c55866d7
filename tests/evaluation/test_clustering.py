import itertools

import numpy as np
import pytest
from sklearn import metrics

from zoo.evaluation import clustering
from zoo.evaluation.checks import NotComputable


def test_one_to_one_is_the_best_of_all_permutations():
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(0, 4, (2, 60))
    best = max(
        np.mean(np.array(names)[clusters] == labels) for names in itertools.permutations(range(4))
    )
    assert clustering.one_to_one_accuracy(labels, clusters) == pytest.approx(best)


def test_spare_clusters_count_as_wrong_in_one_to_one_only():
    labels = np.array([0, 0, 0, 1, 1, 1])
    clusters = np.array([5, 5, 9, 7, 7, 7])
    assert clustering.one_to_one_accuracy(labels, clusters) == pytest.approx(5 / 6)
    assert clustering.majority_accuracy(labels, clusters) == 1


def test_names_do_not_matter():
    labels = np.array([2, 0, 1, 1, 0, 2])
    found = clustering.compare(labels, np.array(["c", "a", "b", "b", "a", "c"]))
    assert found == {"one_to_one_accuracy": 1, "majority_accuracy": 1, "nmi": 1, "ari": 1}


def test_measures_equal_their_formulas():
    labels = np.array([0, 0, 0, 1, 1, 1])
    clusters = np.array([0, 0, 1, 1, 1, 1])
    found = clustering.compare(labels, clusters)
    joint = np.array([2, 1, 3]) / 6
    information = (
        np.log(joint) * joint - joint * np.log([1 / 2 * 1 / 3, 1 / 2 * 2 / 3, 1 / 2 * 2 / 3])
    ).sum()
    entropies = np.log(2), -(np.log(1 / 3) / 3 + 2 * np.log(2 / 3) / 3)
    assert found["nmi"] == pytest.approx(information / np.mean(entropies))
    # Pairs that agree: 1 within the first class, 3 within the second.
    expected = 6 * 7 / 15
    assert found["ari"] == pytest.approx((4 - expected) / ((6 + 7) / 2 - expected))


def test_independent_clusters_score_near_chance():
    rng = np.random.default_rng(0)
    found = clustering.compare(rng.integers(0, 5, 20_000), rng.integers(0, 5, 20_000))
    assert found["one_to_one_accuracy"] == pytest.approx(0.2, abs=0.02)
    assert found["nmi"] == pytest.approx(0, abs=1e-3)
    assert found["ari"] == pytest.approx(0, abs=1e-3)


def test_a_collapse_into_one_cluster_tells_nothing():
    found = clustering.compare(np.arange(30) % 3, np.zeros(30))
    assert found["one_to_one_accuracy"] == pytest.approx(1 / 3)
    assert found["nmi"] == found["ari"] == 0


def test_one_class_in_one_cluster_is_nan_with_a_warning():
    with pytest.warns(UserWarning, match="one class and one cluster"):
        found = clustering.compare(np.zeros(5), np.ones(5))
    assert np.isnan(found["nmi"]) and np.isnan(found["ari"])


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    return 10 * np.eye(3)[labels] + rng.normal(size=(120, 3)), labels


def test_separate_classes_are_found(blobs):
    found = clustering.scores(*blobs, bootstrap=20)
    for way in ("kmeans", "argmax"):
        assert found[f"{way}_one_to_one_accuracy"] == {"value": 1, "low": 1, "high": 1}
        assert found[f"{way}_silhouette"] == pytest.approx(metrics.silhouette_score(*blobs))
    assert found["label_silhouette"] == found["kmeans_silhouette"]


def test_further_clusters_are_compared_too(blobs):
    codes, labels = blobs
    found = clustering.scores(codes, labels, clusters={"model": (labels + 1) % 3})
    assert found["model_one_to_one_accuracy"] == 1


def test_bad_input(blobs):
    codes, labels = blobs
    with pytest.raises(ValueError, match="clusters must match the 120 examples; received 7"):
        clustering.compare(labels, np.zeros(7))
    with pytest.raises(NotComputable, match="one class only"):
        clustering.scores(codes, np.zeros(120))
    with pytest.raises(NotComputable, match="3 different codes"):
        clustering.scores(np.zeros((120, 2)), labels)
    with pytest.raises(NotComputable, match="no examples"):
        clustering.compare([], [])
    with pytest.warns(UserWarning, match="silhouette is NaN"):
        assert np.isnan(clustering.silhouette(codes, np.zeros(120)))
