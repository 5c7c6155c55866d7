import gzip
import socket
import threading
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds

from zoo.data import load, preparation, tfds_reading


def idx(path, header):
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


class ZooTinySprites(tfds.core.GeneratorBasedBuilder):
    """A set as dSprites is stored: binary bytes, factors, no test split."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(4, 5, 1)),
                    "label_size": tfds.features.ClassLabel(num_classes=3),
                    "label_turn": tfds.features.ClassLabel(num_classes=7),
                    "value_turn": tfds.features.Scalar(np.float32),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(21):
            pixels = np.zeros((4, 5, 1), np.uint8)
            pixels[number % 3, number % 5] = 1
            yield (
                number,
                {
                    "image": pixels,
                    "label_size": number % 3,
                    "label_turn": number % 7,
                    "value_turn": number / 7,
                },
            )


class ZooTinyPhotos(tfds.core.GeneratorBasedBuilder):
    """Colour pictures of several sizes, two image features, a validation split."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "left": tfds.features.Image(shape=(None, None, 3)),
                    "right": tfds.features.Image(shape=(None, None, 3)),
                    "kind": tfds.features.ClassLabel(names=["red", "blue"]),
                }
            ),
            supervised_keys=("left", "kind"),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(12), "validation": self._generate_examples(4)}

    def _generate_examples(self, n):
        for number in range(n):
            pixels = np.zeros((4 + number, 6, 3), np.uint8)
            pixels[..., 2 * (number % 2)] = 200
            yield number, {"left": pixels, "right": 255 - pixels, "kind": number % 2}


class ZooTinyGreys(tfds.core.GeneratorBasedBuilder):
    """Smooth grey pictures of all shades with a label, as many as several reads take."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(12, 12, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(1500), "test": self._generate_examples(1600)}

    def _generate_examples(self, n):
        down, right = np.mgrid[:12, :12]
        for number in range(n):
            slope, across, shift = np.random.default_rng(number).random(3)
            wave = np.sin(slope * down / 2 + across * right / 2 + 7 * shift)
            pixels = np.round(127.5 * (1 + wave)).astype(np.uint8)[..., None]
            yield number, {"image": pixels, "label": number % 10}


@pytest.fixture(scope="module")
def greys(tmp_path_factory):
    """Where the set of grey pictures is prepared."""
    data_dir = tmp_path_factory.mktemp("greys")
    load("zoo_tiny_greys", "test", data_dir=data_dir, limit=2)
    return data_dir


@pytest.mark.long
def test_mnist_is_the_original(mnist_data_dir, mnist_files):
    data = load("mnist", "test", data_dir=mnist_data_dir)
    pictures = idx(mnist_files / "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = idx(mnist_files / "t10k-labels-idx1-ubyte.gz", 8)
    assert data.inputs.shape == (10_000, 28, 28, 1) and data.inputs.dtype == np.uint8
    ours = np.column_stack([data.inputs.reshape(-1, 784), data.labels])
    theirs = np.column_stack([pictures, labels])
    np.testing.assert_array_equal(*(x[np.lexsort(x.T)] for x in (ours, theirs)))
    assert data.classes == tuple("0123456789") and data.factors is None


def test_splits_and_limit(greys):
    head = load("zoo_tiny_greys", data_dir=greys, limit=1200)
    assert len(head) == 1200
    sliced = load("zoo_tiny_greys", "train[:80%]", data_dir=greys)
    np.testing.assert_array_equal(sliced.inputs, head.inputs)
    again = load("zoo_tiny_greys", data_dir=greys, limit=100)
    np.testing.assert_array_equal(again.labels, head.labels[:100])
    for split in ("valid", "train[:x", "train+nothing"):
        with pytest.raises(ValueError, match="'zoo_tiny_greys' has "):
            load("zoo_tiny_greys", split, data_dir=greys)
    with pytest.raises(
        ValueError, match=r"split 'train\[:0\]' of 'zoo_tiny_greys' holds no examples"
    ):
        load("zoo_tiny_greys", "train[:0]", data_dir=greys)
    with pytest.raises(ValueError, match="grayscale must be True or False; received 'no'"):
        load("zoo_tiny_greys", data_dir=greys, grayscale="no")


def test_static_binarization_is_one_bernoulli_draw(greys):
    options = {"data_dir": greys}
    grey = load("zoo_tiny_greys", "test", **options).inputs
    static, again = (
        load("zoo_tiny_greys", "test", binarize="static", **options).inputs for _ in range(2)
    )
    np.testing.assert_array_equal(static, again)
    np.testing.assert_array_equal(np.unique(static), [0, 255])
    np.testing.assert_array_equal(static[grey == 0], 0)
    np.testing.assert_array_equal(static[grey == 255], 255)
    for low in range(1, 255, 32):  # the share of white pixels is the pixel's value
        within = (grey >= low) & (grey < low + 32)
        expected, n = grey[within].mean() / 255, within.sum()
        assert abs(static[within].mean() / 255 - expected) < 4 * np.sqrt(0.25 / n)
    few = load("zoo_tiny_greys", "test", binarize="static", limit=1100, **options).inputs
    np.testing.assert_array_equal(few, static[:1100])
    threshold = load("zoo_tiny_greys", "test", binarize="threshold", **options).inputs
    np.testing.assert_array_equal(threshold, np.where(grey > 127, 255, 0))
    with pytest.raises(ValueError, match="binarize must be"):
        load("zoo_tiny_greys", "test", binarize="dynamic", **options)
    with pytest.raises(ValueError, match="'zoo_tiny_greys' has splits of its own"):
        load("zoo_tiny_greys", "test", test_fraction=0.5, **options)


def test_size_and_file_above_the_memory_limit(greys, tmp_path):
    link = tmp_path / "data"
    link.mkdir()
    (link / "zoo_tiny_greys").symlink_to(greys / "zoo_tiny_greys")
    options = {"data_dir": link, "limit": 300, "size": (6, 6)}
    mapped = load("zoo_tiny_greys", "test", memory_limit=1000, **options)
    assert isinstance(mapped.inputs, np.memmap) and mapped.event_shape == (6, 6, 1)
    in_memory = load("zoo_tiny_greys", "test", **options)
    for _ in range(2):  # written, then found
        np.testing.assert_array_equal(mapped.inputs, in_memory.inputs)
        np.testing.assert_array_equal(mapped.labels, in_memory.labels)
        mapped = load("zoo_tiny_greys", "test", memory_limit=1000, **options)
    full = load("zoo_tiny_greys", "test", data_dir=link, limit=300).inputs
    blocks = full.reshape(300, 6, 2, 6, 2).mean((2, 4))
    assert np.corrcoef(blocks.ravel(), mapped.inputs.ravel())[0, 1] > 0.97


def test_set_without_test_split_is_cut(tmp_path, no_network):
    options = {"data_dir": tmp_path, "test_fraction": 1 / 3}
    train, test = (load("zoo_tiny_sprites", split, **options) for split in ("train", "test"))
    assert len(train) == 14 and len(test) == 7
    assert train.factor_names == ("size", "turn") and train.labels is None
    factors = np.concatenate([train.factors, test.factors])
    assert {*map(tuple, factors)} == {(n % 3, n % 7) for n in range(21)}
    pictures = np.concatenate([train.inputs, test.inputs])
    assert {*np.unique(pictures)} == {0, 255}  # stored as 0 and 1
    np.testing.assert_array_equal(pictures.any((2, 3)).argmax(1), factors[:, 0])
    assert len(load("zoo_tiny_sprites", "all", data_dir=tmp_path)) == 21
    for limit in (1 << 30, 100):  # in memory and in a file
        numbers = load("zoo_tiny_sprites", scale=0.5, memory_limit=limit, **options).inputs
        assert numbers.dtype == np.float32
        np.testing.assert_array_equal(numbers, train.inputs / 255 * 2)
    for scale, highest in ((None, 255), (255, 1), (None, 255)):  # a file each
        pictures = load("zoo_tiny_sprites", scale=scale, memory_limit=100, **options).inputs
        assert isinstance(pictures, np.memmap) and pictures.max() == highest
    with pytest.raises(ValueError, match="binarize='static' needs pixels"):
        load("zoo_tiny_sprites", scale=1, binarize="static", **options)


def test_prepared_set_is_read_without_its_builder(tmp_path, no_network, monkeypatch):
    first = load("zoo_tiny_sprites", data_dir=tmp_path)
    monkeypatch.setattr(preparation, "known_sets", lambda: ["mnist"])
    again = load("zoo_tiny_sprites", data_dir=tmp_path)
    np.testing.assert_array_equal(again.inputs, first.inputs)
    np.testing.assert_array_equal(again.factors, first.factors)
    with pytest.raises(ValueError, match="Unknown data set 'zoo_tiny_sprites'"):
        load("zoo_tiny_sprites", data_dir=tmp_path / "elsewhere")


def test_a_set_that_another_process_prepares_meanwhile_is_read(tmp_path, no_network, monkeypatch):
    """Two runs that begin at once both prepare their set, and one finds it there."""
    alone = ZooTinySprites._generate_examples
    others = []

    def both(builder):
        if not others:
            others.append(None)
            others[0] = load("zoo_tiny_sprites", data_dir=tmp_path)
        return alone(builder)

    monkeypatch.setattr(ZooTinySprites, "_generate_examples", both)
    mine = load("zoo_tiny_sprites", data_dir=tmp_path)
    np.testing.assert_array_equal(mine.inputs, others[0].inputs)
    np.testing.assert_array_equal(mine.factors, others[0].factors)


def test_pictures_of_several_sizes_and_two_features(tmp_path, no_network):
    with pytest.raises(ValueError, match="left, right can be image_key"):
        load("zoo_tiny_photos", data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"differ in size: give size=\(height, width\)"):
        load("zoo_tiny_photos", data_dir=tmp_path, image_key="left")
    options = {"data_dir": tmp_path, "image_key": "left", "size": (3, 3)}
    train, test = (load("zoo_tiny_photos", split, **options) for split in ("train", "test"))
    assert train.inputs.shape == (12, 3, 3, 3) and len(test) == 4  # the validation split
    np.testing.assert_array_equal(train.inputs[:, 1, 1, 0] == 200, train.labels == 0)
    assert train.classes == ("red", "blue")
    grey = load("zoo_tiny_photos", grayscale=True, **options)
    expected = np.where(train.labels == 0, round(200 * 0.2989), round(200 * 0.114))
    np.testing.assert_array_equal(grey.inputs[:, 1, 1, 0], expected)


@pytest.mark.parametrize(
    ("name", "label", "factors"),
    [
        ("dsprites", "label_shape", "shape scale orientation x_position y_position"),
        ("shapes3d", "label_shape", "floor_hue wall_hue object_hue scale shape orientation"),
        ("smallnorb", "label_category", "category elevation azimuth lighting"),
        ("mnist", "label", ""),
        ("celeb_a", None, ""),
        ("omniglot", "label", ""),
    ],
)
def test_factors_are_features_of_the_published_sets(name, label, factors, tmp_path):
    builder = preparation.open_builder(name, tmp_path)
    columns = tfds_reading._columns(builder, None)
    assert columns.image == "image" and columns.label == label
    assert columns.factors == tuple(f"label_{factor}" for factor in factors.split())
    assert {*columns.factors} <= {*builder.info.features}


def test_unprepared_set_without_a_network_is_told_at_once(tmp_path, no_network):
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte\.gz") as error:
        load("mnist", data_dir=tmp_path)
    assert time.perf_counter() - start < 5
    assert "'mnist' is not prepared" in str(error.value)
    assert "storage.googleapis.com cannot be reached" in str(error.value)
    assert "\n" not in str(error.value)


def test_host_that_never_answers_is_told_in_seconds(tmp_path, no_network, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setenv("https_proxy", proxy)
        monkeypatch.setattr(preparation, "PROBE_SECONDS", 0.5)
        start = time.perf_counter()
        with pytest.raises(ValueError, match=r"did not answer within 0\.5 s"):
            load("mnist", data_dir=tmp_path)
        assert time.perf_counter() - start < 4


@pytest.mark.parametrize(
    ("status", "trouble"), [(503, "answers HTTP 503"), (403, None), (200, None)]
)
def test_host_that_fails_is_told_from_one_that_answers(status, trouble, no_network, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

        threading.Thread(target=answer, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        found = preparation._unreachable("http://data.example.org/file.gz")
    assert found == (trouble and f"data.example.org {trouble}")


def test_some_files_missing_fails_fast_and_names_them(tmp_path, mnist_files, no_network):
    manual = tmp_path / "manual"
    manual.mkdir()
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        (manual / name).symlink_to(mnist_files / name)
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte\.gz, t10k-labels") as error:
        load("mnist", data_dir=tmp_path / "data", manual_dir=manual)
    assert time.perf_counter() - start < 10
    assert "train-images" not in str(error.value)


def test_wrong_file_in_manual_dir_is_told(tmp_path, no_network):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(b"not this file")
    with pytest.raises(ValueError, match="wrong checksum"):
        load("mnist", data_dir=tmp_path / "data", manual_dir=tmp_path)


def test_manual_dir_must_exist(tmp_path):
    with pytest.raises(ValueError, match="manual_dir must be an existing folder"):
        load("mnist", data_dir=tmp_path, manual_dir=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ag_news_subset", "has no pictures: its features are .*title.*. Expected an image set"),
        ("MNIST", "Did you mean 'mnist'"),
        ("emnist/nothing", "Its configs: byclass, bymerge, balanced, letters"),
        ("mnist:9.9.9", "only: 3.0.1"),
        ("cifra10", "Did you mean 'cifar10'"),
        ("imagenet_2012", "Did you mean 'imagenet2012'"),
    ],
)
def test_what_tfds_cannot_give_is_refused_before_any_download(name, message, tmp_path, no_network):
    start = time.perf_counter()
    with pytest.raises(ValueError, match=message):
        load(name, data_dir=tmp_path)
    assert time.perf_counter() - start < 5
    assert not (tmp_path / "downloads").exists()
