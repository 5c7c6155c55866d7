"""The order of the data: reproducible, complete, and the same for one replica or several."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.conftest import make_vectors
from tests.trainer.tiny import compiled
from zoo.trainer import blocks
from zoo.trainer.blocks import Plan, permutation


def plan(examples=23, batch=4, block=3, mixed=None, replicas=1, shuffle=True, seed=5):
    return Plan(examples, batch, block, mixed or block, replicas, shuffle, seed)


def rows_of(epoch):
    """(steps, batch) row numbers of an epoch's blocks."""
    return np.concatenate([block.rows[: block.steps] for block in epoch])


def test_permutation_is_golden():
    """A run can be resumed years later: these numbers must never change."""
    assert permutation(8, 3, 0).tolist() == [6, 1, 5, 2, 7, 4, 3, 0]
    assert permutation(8, 3, 10).tolist() == [5, 4, 7, 1, 0, 2, 6, 3]


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_permutation_has_everything_once(count):
    assert_array_equal(np.sort(permutation(count, 3, 4)), np.arange(count))


def test_permutation_depends_on_seed_and_step():
    orders = [tuple(permutation(50, seed, step)) for seed in range(3) for step in range(3)]
    assert len(set(orders)) == 9
    assert permutation(50, -1, 0).tolist() == permutation(50, 2**64 - 1, 0).tolist()


def test_first_place_is_uniform():
    firsts = [permutation(5, 0, step)[0] for step in range(2000)]
    assert np.abs(np.bincount(firsts) - 400).max() < 5 * np.sqrt(400)


@pytest.mark.parametrize(
    ("examples", "batch", "block"), [(24, 4, 3), (23, 4, 3), (23, 5, 64), (4, 4, 1)]
)
def test_an_epoch_has_every_row_once(examples, batch, block):
    epoch = list(blocks.index_blocks(plan(examples, batch, block), 0))
    assert len(epoch) == plan(examples, batch, block).blocks
    assert len({part.rows.shape for part in epoch}) == 1
    rows = rows_of(epoch)
    assert rows.shape == (examples // batch, batch)
    assert len(set(rows.ravel())) == rows.size


def test_without_shuffling_rows_come_in_order():
    rows = rows_of(blocks.index_blocks(plan(shuffle=False), 7))
    assert_array_equal(rows.ravel(), np.arange(20))


def test_epochs_differ_and_what_is_left_over_too():
    endless = blocks.all_epochs(lambda step: blocks.index_blocks(plan(), step), plan(), lambda: 0)
    blocks_each = plan().blocks
    orders = [rows_of(itertools.islice(endless, blocks_each)).ravel() for _ in range(12)]
    assert len({tuple(order) for order in orders}) == 12
    assert set(np.concatenate(orders)) == set(range(23))


def test_a_resumed_run_goes_on_with_the_same_order():
    def epochs(start):
        return blocks.all_epochs(
            lambda step: blocks.index_blocks(plan(), step), plan(), lambda: start
        )

    whole = [block.rows for block in itertools.islice(epochs(0), 2 * plan().blocks)]
    resumed = [block.rows for block in itertools.islice(epochs(plan().steps), plan().blocks)]
    assert_array_equal(whole[plan().blocks :], resumed)


@pytest.mark.parametrize(("examples", "batch", "block"), [(400, 16, 4), (391, 16, 5), (70, 70, 1)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_streamed_blocks_have_every_row_once(examples, batch, block, shuffle):
    asked = []

    def read(rows):
        assert (np.diff(rows) > 0).all()
        asked.append(rows)
        return rows[:, None].astype("float32")

    cut = plan(examples, batch, block, shuffle=shuffle)
    epoch = list(blocks.data_blocks(read, cut, 0))
    assert len(epoch) == cut.blocks
    got = np.concatenate([part.batches for part in epoch]).reshape(-1).astype(int)
    assert sum(int(part.steps) for part in epoch) == cut.steps
    assert len(set(got)) == len(got) == cut.steps * batch
    if shuffle:
        assert not np.array_equal(got, np.sort(got))
    else:
        assert_array_equal(got, np.arange(len(got)))
    again = np.concatenate([part.batches for part in blocks.data_blocks(read, cut, 0)])
    assert_array_equal(again.reshape(-1).astype(int), got)


def test_streamed_rows_mix_within_a_block_and_pieces_between():
    cut = plan(examples=1024, batch=64, block=4)
    epoch = [
        part.batches.reshape(-1).astype(int)
        for part in blocks.data_blocks(lambda r: r[:, None], cut, 0)
    ]
    for rows in epoch:
        assert len(set(rows // blocks.PIECE)) == 4
        assert len(set(rows[:64] // blocks.PIECE)) > 1
    other = next(blocks.data_blocks(lambda r: r[:, None], cut, cut.steps)).batches.reshape(-1)
    assert set(other) != set(epoch[0])


@pytest.mark.parametrize("block", [1, 2, 3, 5])
def test_streamed_order_does_not_depend_on_the_block(block):
    """Replicas take a step at a time, and see the batches that one device sees."""
    cuts = [plan(examples=1000, batch=64, block=b, mixed=5) for b in (5, block)]
    whole, cut = (list(blocks.data_blocks(lambda r: r[:, None], c, 7)) for c in cuts)
    assert len(cut) == cuts[1].blocks
    assert_array_equal(*(np.concatenate([part.batches for part in run]) for run in (whole, cut)))
    assert len(set(cut[0].batches[0].ravel() // blocks.PIECE)) > 2


def test_replicas_share_every_batch():
    whole = list(blocks.index_blocks(plan(batch=6), 0))
    shares = list(blocks.per_replica(iter(whole), 0, 3, 3))
    assert len(shares) == 3 * len(whole)
    for number, block in enumerate(whole):
        joined = np.concatenate([s.rows for s in shares[3 * number : 3 * number + 3]], axis=1)
        assert_array_equal(joined, block.rows)


def test_workers_take_their_replicas_shares():
    whole = list(blocks.index_blocks(plan(batch=8, replicas=4), 0))
    first = list(blocks.per_replica(iter(whole), 0, 2, 4))
    second = list(blocks.per_replica(iter(whole), 2, 2, 4))
    assert_array_equal(first[1].rows, whole[0].rows[:, 2:4])
    assert_array_equal(second[0].rows, whole[0].rows[:, 4:6])


def test_one_data_set_serves_all_fits_with_blocks_of_a_shape(monkeypatch):
    made, block_dataset = [], blocks.block_dataset
    monkeypatch.setattr(blocks, "block_dataset", lambda *a: made.append(a[1]) or block_dataset(*a))
    first, second = make_vectors(64, seed=1), make_vectors(48, seed=2)
    model = compiled()
    histories = [
        model.fit(data, batch_size=16, verbose=0, validation_data=data).history
        for data in (first, first, second)
    ]
    assert [type(signature).__name__ for signature in made].count("IndexBlock") == 2
    # The same fits with a data set of their own each.
    fresh = compiled()
    for data, history in zip((first, first, second), histories, strict=True):
        fresh.feed._made.clear()
        assert fresh.fit(data, batch_size=16, verbose=0, validation_data=data).history == history
    assert all(source.generate is None for source, _ in model.feed._made.values())
