"""Train on a tf.data pipeline, with augmentation, of the dicts that TensorFlow Datasets gives.

Arrays train faster, since they lie in memory and a step costs next to nothing; a pipeline is for what
arrays cannot do. With TFDS the first lines of the pipeline are `tfds.load("mnist", split="train")`.
"""

import numpy as np
import tensorflow as tf

import zoo

digits = {split: zoo.data.load("digits", split) for split in ("train", "test")}


def pipeline(split: str) -> tf.data.Dataset:
    """{"image": uint8 (8, 8, 1), "label": int64}, as tfds.load gives it."""
    data = digits[split]
    images = np.round(data.inputs * 255).astype(np.uint8)
    return tf.data.Dataset.from_tensor_slices({"image": images, "label": data.labels})


def shifted(example: dict) -> dict:
    """Move a picture by up to one pixel each way."""
    padded = tf.pad(example["image"], [[1, 1], [1, 1], [0, 0]])
    return {**example, "image": tf.image.random_crop(padded, (8, 8, 1), seed=0)}


plain = pipeline("train").shuffle(2000, seed=0).batch(64, drop_remainder=True)
augmented = pipeline("train").shuffle(2000, seed=0).map(shifted).batch(64, drop_remainder=True)
test = pipeline("test").batch(360)
moved = pipeline("test").map(shifted).batch(360)

for title, data in {"plain": plain, "augmented": augmented}.items():
    model = zoo.create("vae", (8, 8, 1), latents=10, hidden=(100,))
    model.compile(optimizer="adam")
    model.fit(data, epochs=6, verbose=0)  # uint8 pictures are divided by 255; labels are left alone
    losses = [model.evaluate(t, return_dict=True, verbose=0)["loss"] for t in (test, moved)]
    print(
        f"trained on {title:9} digits: {losses[0]:.2f} nats on digits, {losses[1]:.2f} on moved ones"
    )
print("codes from a pipeline:", model.encode(test).shape)
