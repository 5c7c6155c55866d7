"""What a folder gives for a picture is what Pillow shows of it, in every mode, turn and number of pages."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, ImageSequence, features

from zoo.data import decoding, load

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 13), np.uint8)
COLOUR = RNG.integers(0, 256, (9, 13, 3), np.uint8)
ALPHA = RNG.integers(0, 256, (9, 13, 1), np.uint8)


def folder(place, *images, suffix="png", **options):
    """A folder of the images, twice where there is one, since a set needs two."""
    place.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images * (2 if len(images) == 1 else 1)):
        image.save(place / f"{number}.{suffix}", **options)
    return place


def first(place, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(place, "all", **options).inputs[0]


def over(image, background):
    """`image` on a ground, in floats: alpha * colour + (1 - alpha) * ground."""
    rgba = np.asarray(image.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    ground = Image.new("RGB", (1, 1), background).getpixel((0, 0))
    return alpha * rgba[..., :3] + (1 - alpha) * np.array(ground)


def palette_with(transparency):
    image = Image.fromarray(COLOUR).quantize(16)
    image.info["transparency"] = transparency
    return image


TRANSPARENT = {
    "RGBA": (Image.fromarray(np.concatenate([COLOUR, ALPHA], -1)), "png", {}),
    "LA": (Image.fromarray(np.concatenate([GREY[..., None], ALPHA], -1)), "png", {}),
    "RGBA-webp": (
        Image.fromarray(np.concatenate([COLOUR, ALPHA], -1)),
        "webp",
        {"lossless": True, "exact": True},
    ),
    "RGBA-tiff": (Image.fromarray(np.concatenate([COLOUR, ALPHA], -1)), "tif", {}),
    "P-index": (palette_with(3), "png", {"transparency": 3}),
    "P-bytes": (palette_with(bytes(range(0, 256, 16))), "png", {}),
    "P-gif": (palette_with(2), "gif", {"transparency": 2}),
    "L-key": (Image.fromarray(GREY // 64 * 64), "png", {"transparency": 64}),
    "RGB-key": (Image.fromarray(COLOUR // 128), "png", {"transparency": (0, 1, 0)}),
}


@pytest.mark.parametrize("background", ["white", "black", "#3050f0"])
@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparent_pixels_show_the_ground(name, background, tmp_path):
    image, suffix, options = TRANSPARENT[name]
    place = folder(tmp_path / "a", image, suffix=suffix, **options)
    with Image.open(place / f"0.{suffix}") as stored:
        expected = over(stored, background)
    found = first(place, background=background, grayscale=False, scale=255)
    if name in ("LA", "L-key"):  # read grey, and its ground too
        grey = first(place, background=background, scale=255)
        luma = np.asarray(Image.fromarray(np.rint(expected).astype(np.uint8)).convert("L"))
        np.testing.assert_allclose(grey[..., 0], luma, atol=2)
    assert np.abs(found - expected).max() <= 1.5
    with pytest.warns(UserWarning, match=f"transparent pictures are laid on {background}"):
        load(place, "all", background=background, scale=255)


def test_what_is_told_is_told_again_of_a_folder_that_is_kept_in_a_file(tmp_path):
    place = folder(tmp_path / "a", TRANSPARENT["RGBA"][0])
    for _ in range(2):  # written, then found
        with pytest.warns(UserWarning, match="transparent pictures are laid on white"):
            load(place, "all", data_dir=tmp_path / "cache", memory_limit=10)


@pytest.mark.parametrize("grey", ["grey", "#808080", (128, 128, 128), [128, 128, 128]])
def test_a_colour_in_any_form(grey, tmp_path):
    clear = Image.fromarray(np.zeros((4, 4, 4), np.uint8))
    found = first(folder(tmp_path, clear), background=grey)
    np.testing.assert_array_equal(found, np.full((4, 4, 3), 128))


@pytest.mark.parametrize("mode", ["PA", "La", "RGBa"])
def test_modes_that_few_files_have(mode, tmp_path, monkeypatch):
    """Files of these modes are rare (TIFF with premultiplied alpha): Pillow's object is given directly."""
    source = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}[mode]
    image = TRANSPARENT[source][0]
    image = image.quantize(16).convert("PA") if mode == "PA" else image.convert(mode)
    if mode == "PA":
        image.putalpha(Image.fromarray(ALPHA[..., 0]))
    path = folder(tmp_path, Image.fromarray(GREY)) / "0.png"
    back = image.convert(source) if mode != "PA" else image
    monkeypatch.setattr(decoding, "_open", lambda path: image.copy())
    picture = decoding.decode(path)
    assert picture.transparent and picture.grey == (mode == "La")
    expected = over(back, "white")
    assert np.abs(np.asarray(picture.image.convert("RGB")) - expected).max() <= 1.5


def test_opaque_alpha_is_no_transparency(tmp_path):
    place = folder(tmp_path, Image.fromarray(COLOUR).convert("RGBA"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(load(place, "all").inputs[0], COLOUR)


@pytest.mark.parametrize("background", ["no colour", (1, 2), 3.5, "#ffffff00", None, (1, 2, 3, 4)])
def test_background_is_an_opaque_colour(background, tmp_path):
    place = folder(tmp_path, Image.fromarray(GREY))
    with pytest.raises(ValueError, match="background must be a colour"):
        load(place, background=background)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("orientation", [0, *range(1, 9), 9])
def test_pictures_are_upright(orientation, suffix, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    place = folder(tmp_path, Image.fromarray(COLOUR), suffix=suffix, exif=exif, **options)
    with Image.open(place / f"0.{suffix}") as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    assert expected.shape[:2] == ((13, 9) if 5 <= orientation <= 8 else (9, 13))
    np.testing.assert_array_equal(first(place), expected)
    turned = first(place, size=(6, 5))
    np.testing.assert_array_equal(
        turned, Image.fromarray(expected).resize((5, 6), Image.Resampling.LANCZOS)
    )


def test_turned_and_upright_photographs_have_one_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = Image.fromarray(GREY)
    folder(tmp_path, upright)
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "2.png", exif=exif)
    np.testing.assert_array_equal(load(tmp_path, "all").inputs, np.stack([GREY[..., None]] * 3))


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *[(mode, "png") for mode in ("1", "L", "P", "RGB")],
        *[(mode, "tif") for mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr")],
        *[
            ("CMYK", "jpg"),
            ("L", "pgm"),
            ("RGB", "ppm"),
            ("1", "pbm"),
            ("RGB", "tga"),
            ("P", "gif"),
        ],
    ],
)
def test_modes_without_alpha_are_what_pillow_shows(mode, suffix, tmp_path):
    place = folder(tmp_path, Image.fromarray(COLOUR).convert(mode), suffix=suffix)
    with Image.open(place / f"0.{suffix}") as stored:
        grey = stored.mode in ("1", "L")
        expected = np.asarray(stored.convert("L" if grey else "RGB"))
    found = first(place)
    assert found.dtype == np.uint8 and found.shape[-1] == (1 if grey else 3)
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)


@pytest.mark.parametrize("suffix", ["png", "gif", "tif", "bmp"])
def test_grey_palettes_are_grey(suffix, tmp_path):
    image = Image.fromarray(GREY // 16 * 16).quantize(16)
    place = folder(tmp_path, image, suffix=suffix)
    with Image.open(place / f"0.{suffix}") as stored:
        expected = np.asarray(stored.convert("RGB"))
    found = first(place)
    assert found.shape == (9, 13, 1)
    np.testing.assert_array_equal(np.repeat(found, 3, -1), expected)


def test_what_pillow_cannot_turn_into_rgb_is_refused_by_name(tmp_path, monkeypatch):
    place = folder(tmp_path, Image.fromarray(COLOUR).convert("CMYK"), suffix="tif")

    def convert(self, mode):
        raise ValueError("conversion from LAB to RGB not supported")

    monkeypatch.setattr(Image.Image, "convert", convert)
    with pytest.raises(
        ValueError, match=r"0.tif cannot be turned into grey or RGB: conversion from"
    ):
        load(place, "all")


DEEP = {
    "I;16": (RNG.integers(0, 65536, (9, 13)).astype("<u2"), "png", 65535),
    "I;16-tiff": (RNG.integers(0, 65536, (9, 13)).astype("<u2"), "tif", 65535),
    "I;16B": (RNG.integers(0, 65536, (9, 13)).astype(">u2"), "tif", 65535),
    "I": (RNG.integers(0, 1 << 20, (9, 13)).astype(np.int32), "tif", 1 << 20),
    "F": (RNG.random((9, 13)).astype(np.float32), "tif", 1),
    "12 bits": (RNG.integers(0, 4096, (9, 13)).astype("<u2"), "png", 4095),
}


@pytest.mark.parametrize("name", DEEP)
def test_more_than_8_bits_need_a_scale(name, tmp_path):
    values, suffix, white = DEEP[name]
    place = folder(tmp_path, Image.fromarray(values), suffix=suffix)
    with pytest.raises(ValueError, match=r"0\.\w+ has pixels of more than 8 bits; expected scale="):
        load(place)
    found = first(place, scale=white)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[..., 0], values / white, rtol=1e-6)
    small = first(place, scale=white, size=(4, 5))[..., 0]
    floats = Image.fromarray(values.astype(np.float32))
    expected = np.asarray(floats.resize((5, 4), Image.Resampling.LANCZOS)) / white
    inside = (expected >= values.min() / white) & (expected <= values.max() / white)
    np.testing.assert_allclose(small[inside], expected[inside], rtol=1e-5)
    assert small.min() >= values.min() / white and small.max() <= values.max() / np.float32(white)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_are_upright(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    place = folder(tmp_path, Image.fromarray(DEEP["I;16"][0]), exif=exif)
    with Image.open(place / "0.png") as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    np.testing.assert_allclose(first(place, scale=1)[..., 0], expected)


def test_deep_and_shallow_are_not_mixed_and_nan_is_refused(tmp_path):
    place = folder(tmp_path / "a", Image.fromarray(DEEP["I;16"][0]), Image.fromarray(GREY))
    with pytest.raises(ValueError, match=r"1.png and .*0.png differ in depth"):
        load(place, "all", scale=65535)
    values = DEEP["F"][0].copy()
    values[2, 3] = np.nan
    place = folder(tmp_path / "b", Image.fromarray(values), suffix="tif")
    with pytest.raises(ValueError, match=r"\d.tif holds NaN"):
        load(place, "all", scale=1)


def sixteen_bits(path, pixels, kind, clear=()):
    """A PNG of 16 bits a channel, which Pillow cannot write; `clear` is a colour that is transparent."""

    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    key = chunk(b"tRNS", np.array(clear, ">u2").tobytes()) if clear else b""
    content = key + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    content = chunk(b"IHDR", header) + content
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def test_colours_of_16_bits_are_said_to_be_reduced(tmp_path):
    pixels = RNG.integers(0, 65536, (5, 6, 3))
    for number in range(2):
        sixteen_bits(tmp_path / f"{number}.png", pixels, kind=2)
    with pytest.warns(UserWarning, match="16 bits a channel are read as their upper 8"):
        data = load(tmp_path, "all")
    np.testing.assert_array_equal(data.inputs[0], pixels >> 8)


@pytest.mark.filterwarnings("ignore:.*upper 8")
def test_colours_of_16_bits_have_the_white_of_16_bits(tmp_path):
    pixels = RNG.integers(0, 65536, (5, 6, 3))
    for number in range(2):
        sixteen_bits(tmp_path / f"{number}.png", pixels, kind=2)
    found = load(tmp_path, "all", scale=65535).inputs[0]
    np.testing.assert_allclose(found, pixels / 65535, atol=1 / 255)
    with pytest.raises(ValueError, match=r"scale=4095 does not fit .* upper 8 a channel"):
        load(tmp_path, "all", scale=4095)
    place = folder(tmp_path / "plain", Image.fromarray(GREY))
    with pytest.raises(ValueError, match="it has 8 bits a channel"):
        load(place, "all", scale=65535)


@pytest.mark.parametrize("form", ["P6", "P3"])
def test_colours_of_16_bits_in_a_netpbm_file_are_said_to_be_reduced(form, tmp_path):
    pixels = RNG.integers(0, 65536, (5, 6, 3))
    body = pixels.astype(">u2").tobytes() if form == "P6" else str(pixels.ravel())[1:-1].encode()
    for number in range(2):
        (tmp_path / f"{number}.ppm").write_bytes(f"{form} 6 5 65535\n".encode() + body)
    with pytest.warns(UserWarning, match="16 bits a channel are read as their upper 8"):
        data = load(tmp_path, "all")
    np.testing.assert_allclose(data.inputs[0], pixels / 257, atol=1)


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3)])
def test_a_transparent_colour_of_16_bits_is_refused(kind, channels, tmp_path):
    """Pillow keeps its 16 bits beside grey of 16 and colours of 8: it would find no pixel, or others."""
    pixels = RNG.integers(0, 65536, (5, 6, channels))
    clear = pixels[0, 0].tolist()
    for number in range(2):
        sixteen_bits(tmp_path / f"{number}.png", pixels, kind, clear)
    with pytest.raises(ValueError, match=r"\d\.png has a transparent colour of 16 bits"):
        load(tmp_path, "all", scale=65535)


def frames_of(count, size=(9, 13)):
    return [
        Image.fromarray(RNG.integers(0, 256, (*size, 3), np.uint8)).quantize(8).convert("RGB")
        for _ in range(count)
    ]


@pytest.mark.parametrize("suffix", ["tif", "gif", "png", *filter(features.check, ["webp", "avif"])])
def test_pages_and_frames_are_examples_or_refused(suffix, tmp_path):
    images = frames_of(4)
    options = {"lossless": True} if suffix == "webp" else {}
    for number in range(3):
        images[0].save(
            tmp_path / f"{number}.{suffix}", save_all=True, append_images=images[1:], **options
        )
    with pytest.raises(ValueError, match=rf"\.{suffix} holds 4 pages or frames: give frames='all'"):
        load(tmp_path, "all")
    with Image.open(tmp_path / f"0.{suffix}") as stored:
        expected = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(stored)]
    data = load(tmp_path, "all", frames="all", grayscale=False)
    assert len(data) == 12
    np.testing.assert_array_equal(data.inputs, np.concatenate([np.stack(expected)] * 3))
    assert len(load(tmp_path, "all", frames="first", grayscale=False)) == 3
    assert len(load(tmp_path, "train", frames="all", limit=5, grayscale=False)) == 5


def test_frames_of_a_file_stay_in_one_split(tmp_path):
    for number in range(10):
        images = [Image.fromarray(np.full((4, 4), 20 * number + f, np.uint8)) for f in range(3)]
        images[0].save(tmp_path / f"{number}.tif", save_all=True, append_images=images[1:])
    parts = [load(tmp_path, split, frames="all") for split in ("train", "test")]
    files = [{*(part.inputs[:, 0, 0, 0] // 20).tolist()} for part in parts]
    assert [len(part) for part in parts] == [24, 6] and not files[0] & files[1]


def test_second_picture_of_a_photograph_is_no_page(tmp_path):
    images = frames_of(2)
    for number in range(2):
        images[0].save(tmp_path / f"{number}.mpo", "MPO", save_all=True, append_images=images[1:])
        (tmp_path / f"{number}.mpo").rename(tmp_path / f"{number}.jpg")
    assert len(load(tmp_path, "all")) == 2


@pytest.mark.parametrize("frames", ["each", 3, True])
def test_frames_is_a_word(frames, tmp_path):
    with pytest.raises(ValueError, match="frames must be 'all', 'first' or None"):
        load(folder(tmp_path, Image.fromarray(GREY)), frames=frames)


MASKS = (RNG.random((6, 8, 8)) < 0.3).astype(np.uint8)


@pytest.mark.parametrize("form", ["1", "L of 0 and 1", "L of 0 and 255", "palette"])
def test_masks_are_black_and_white_as_in_an_array(form, tmp_path):
    np.save(tmp_path / "masks.npy", MASKS)
    made = {
        "1": lambda mask: Image.fromarray(mask.astype(bool)),
        "L of 0 and 1": Image.fromarray,
        "L of 0 and 255": lambda mask: Image.fromarray(mask * 255),
        "palette": lambda mask: Image.fromarray(mask * 255).quantize(2),
    }[form]
    place = folder(tmp_path / "masks", *map(made, MASKS))
    of_folder, of_file = load(place, "all").inputs, load(tmp_path / "masks.npy", "all").inputs
    np.testing.assert_array_equal(of_folder[..., 0], 255 * MASKS)
    np.testing.assert_array_equal(of_file, of_folder)


def test_meaning_of_bytes_is_that_of_the_whole_folder(tmp_path):
    """A split of a few dark pictures is as the others: it depends on no draw."""
    dark = [Image.fromarray(mask) for mask in MASKS]
    folder(tmp_path / "train", *dark, Image.fromarray(GREY[:8, :8]))
    folder(tmp_path / "test", *dark)
    np.testing.assert_array_equal(load(tmp_path, "test").inputs.max(), 1)
    assert load(tmp_path).inputs.max() == GREY[:8, :8].max()


def test_classes_as_pixels_are_refused_until_their_scale_is_said(tmp_path):
    classes = RNG.integers(0, 12, (3, 8, 8), np.uint8)
    place = folder(tmp_path, *map(Image.fromarray, classes))
    with pytest.raises(ValueError, match=r"bytes of at most 11.*Say scale=255"):
        load(place, "all")
    for scale in (1, "none", 11, 0.5):
        found = load(place, "all", scale=scale).inputs
        assert found.dtype == np.float32
        divisor = 1 if scale == "none" else scale
        np.testing.assert_allclose(found[..., 0], classes / divisor, rtol=1e-6)
    np.testing.assert_array_equal(load(place, "all", scale=255).inputs[..., 0], classes)


def test_decompression_bomb_is_refused_in_one_line(tmp_path, monkeypatch):
    place = folder(tmp_path, Image.fromarray(GREY))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9)
    with pytest.raises(ValueError, match=r"0.png cannot be read as a picture"):
        load(place, "all")
