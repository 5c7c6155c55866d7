import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from zoo.evaluation.merging import nearest
from zoo.evaluation.unlabelled import balance, neighbour_agreement, seed_agreement


def test_neighbour_agreement_is_the_adjusted_share_of_pairs():
    random = np.random.default_rng(3)
    examples = random.normal(size=(300, 4)) + 6 * np.eye(4)[np.arange(300) % 4]
    near = nearest(examples, neighbours=7)
    apart = np.arange(300) % 4
    mixed = random.integers(0, 4, 300)
    for clusters in (apart, mixed, np.where(random.random(300) < 0.8, apart, mixed)):
        together = [clusters[i] == clusters[j] for i in range(300) for j in near[i]]
        chance = sum((clusters == k).mean() ** 2 for k in range(4))
        expected = (np.mean(together) - chance) / (1 - chance)
        assert neighbour_agreement(clusters, near) == pytest.approx(expected, rel=1e-9)
    assert neighbour_agreement(apart, near) > 0.95
    assert abs(neighbour_agreement(mixed, near)) < 0.1
    assert neighbour_agreement(np.zeros(300, int), near) == 0


def test_agreement_is_the_mean_over_pairs():
    random = np.random.default_rng(0)
    first, second, third = (random.integers(0, 10, 500) for _ in range(3))
    found = seed_agreement([first, second, third])
    pairs = [(first, second), (first, third), (second, third)]
    expected = np.mean([normalized_mutual_info_score(a, b) for a, b in pairs])
    assert found == pytest.approx(expected, rel=1e-6)
    assert seed_agreement([first, (first + 3) % 10]) == pytest.approx(1)
    assert seed_agreement([np.zeros(9, int), np.zeros(9, int)]) == 0
    assert seed_agreement([np.zeros(9, int), np.ones(9, int)]) == 0


def test_balance_is_entropy_over_that_of_even_shares():
    assert balance(np.repeat(np.arange(10), 7), 10) == pytest.approx(1)
    assert balance(np.repeat([2, 5], 7), 10) == pytest.approx(np.log(2) / np.log(10))
    assert balance(np.zeros(9, int), 10) == 0
    with pytest.raises(ValueError, match=r"below classes=5.*received 9"):
        balance(np.arange(10), 5)
