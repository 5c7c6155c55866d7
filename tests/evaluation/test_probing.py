import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from zoo.evaluation import probing
from zoo.evaluation.checks import NotComputable


def ring(n, seed):
    """Two classes that a circle separates: k-NN reads them, a linear classifier cannot."""
    rng = np.random.default_rng(seed)
    radius = np.where(np.arange(n) % 2, 1.0, 3.0) + 0.1 * rng.normal(size=n)
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), np.arange(n) % 2


@pytest.fixture(scope="module")
def gaussians():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 900)
    return np.eye(3)[labels] * 2 + rng.normal(size=(900, 3)), labels


def test_a_circle_is_read_by_neighbours_alone():
    found = probing.scores(*ring(200, 0), *ring(400, 1), labels_per_class=())
    assert found["knn"] == 1
    assert found["logistic_regression"] < 0.7


def test_values_are_those_of_scikit_learn(gaussians):
    codes, labels = gaussians
    train, test = slice(0, 600), slice(600, 900)
    found = probing.scores(
        codes[test],
        labels[test],
        codes[train],
        labels[train],
        strengths=(0.1,),
        labels_per_class=(),
    )
    scaler = StandardScaler().fit(codes[train])
    model = LogisticRegression(C=0.1).fit(scaler.transform(codes[train]), labels[train])
    assert found["logistic_regression"] == pytest.approx(
        model.score(scaler.transform(codes[test]), labels[test])
    )
    nearest = KNeighborsClassifier(5).fit(codes[train], labels[train])
    assert found["knn"] == pytest.approx(nearest.score(codes[test], labels[test]))


def test_the_regularisation_is_chosen_on_held_out_training_data():
    # Every unit tells a little, and a quarter of the training labels is wrong: weak regularisation
    # learns the wrong ones too.
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2
    codes = rng.normal(size=(600, 80)) + 0.4 * labels[:, None]
    flipped = np.where(rng.random(200) < 0.25, 1 - labels[:200], labels[:200])
    chosen, strong, weak = (
        probing.logistic_regression(codes[:200], flipped, codes[200:], strengths=strengths)
        for strengths in ((1000.0, 0.001), (0.001,), (1000.0,))
    )
    assert np.mean(strong == labels[200:]) > np.mean(weak == labels[200:]) + 0.1
    np.testing.assert_array_equal(chosen, strong)


def test_more_labels_help(gaussians):
    found = probing.scores(*gaussians, labels_per_class=(1, 100), strengths=(1.0,))
    assert 1 / 3 < found["few_label_1"] < found["few_label_100"]


def test_missing_labels_are_nan_with_a_warning(gaussians):
    with pytest.warns(UserWarning, match="few_label_1000 is NaN"):
        found = probing.scores(*gaussians, labels_per_class=(1000,))
    assert np.isnan(found["few_label_1000"])


def test_constant_codes_score_as_the_largest_class():
    labels = np.array([0] * 80 + [1] * 20)
    found = probing.scores(np.ones((100, 3)), labels, labels_per_class=())
    assert found["logistic_regression"] == pytest.approx(0.8)


def test_unknown_test_classes_count_as_wrong(gaussians):
    codes, labels = gaussians
    seen = labels < 2
    with pytest.warns(UserWarning, match="1 classes have no training label"):
        found = probing.scores(codes, labels, codes[seen], labels[seen], labels_per_class=())
    assert found["knn"] <= seen.mean()


def test_intervals_and_seed(gaussians):
    first, again = (
        probing.scores(*gaussians, labels_per_class=(2,), draws=2, bootstrap=50, seed=1)
        for _ in range(2)
    )
    assert first == again
    assert first["knn"]["low"] < first["knn"]["value"] < first["knn"]["high"]


def test_bad_input(gaussians):
    codes, labels = gaussians
    with pytest.raises(NotComputable, match="one class only"):
        probing.scores(codes, np.zeros(900))
    with pytest.raises(NotComputable, match="class with 1 examples"):
        probing.scores(codes, np.r_[np.zeros(899), 1])
    with pytest.raises(ValueError, match="need labels_train"):
        probing.scores(codes, labels, codes)
    with pytest.raises(ValueError, match="3 units of the test codes; received 2"):
        probing.scores(codes, labels, codes[:, :2], labels)
    with pytest.raises(NotComputable, match="needs more than 9 examples"):
        probing.scores(codes[:9], np.arange(9) % 3)
