# %% [markdown]
# # Your own data
#
# A table of numbers and a folder of pictures, from the file to codes. Open this file as a notebook in VS
# Code or with Jupytext; as a script it runs from top to bottom.

# %%
from pathlib import Path

import numpy as np
from PIL import Image

import zoo

# %% [markdown]
# ## A table
#
# Three sensors that follow one hidden state, in very different units. In your own work this file exists
# already.

# %%
random = np.random.default_rng(0)
state = random.normal(size=600)
columns = [20 + 5 * state, 1013 + 8 * state, 0.002 * state**2]
table = np.column_stack(columns) + random.normal(size=(600, 3)) * [0.5, 0.8, 0.0002]
kinds = np.where(state > 0, "warm", "cold")
lines = [f"{a:.4f},{b:.3f},{c:.6f},{kind}" for (a, b, c), kind in zip(table, kinds, strict=True)]
Path("sensors.csv").write_text("\n".join(["celsius,hectopascal,bar,label", *lines]))

# %% [markdown]
# `standardize=True` brings the columns to one scale within the model; everything that goes in and comes out
# stays in your units.

# %%
train, test = zoo.data.load("sensors.csv", "train"), zoo.data.load("sensors.csv", "test")
model = zoo.create(
    "vae",
    train.event_shape,
    latents=1,
    hidden=(32,),
    likelihood={"name": "normal", "scale": 0.2},
    standardize=True,
    seed=0,
)
model.compile(zoo.trainer.Adam(2e-3))
model.fit(train, epochs=60, batch_size=32, verbose=0)
again = model.reconstruct(test)
print("errors by column:", np.abs(again - test.inputs).mean(axis=0).round(4))

# %% [markdown]
# The rows that fit worst are anomalies. Here is one that breaks the pattern: warm, but at the pressure of a
# cold day.

# %%
odd = np.array([[30.0, 997.0, 0.004]], np.float32)
print(
    "score of usual rows:",
    np.median(model.score(test)).round(1),
    "of the odd one:",
    model.score(odd).round(1),
)

# %% [markdown]
# ## A folder of pictures
#
# `pictures/CLASS/NAME.png`; classes and splits are read from the names of the folders.

# %%
for name, slope in (("rising", 1), ("falling", -1)):
    Path("pictures", name).mkdir(parents=True, exist_ok=True)
    for number in range(60):
        grid = np.mgrid[:16, :16]
        stripe = np.abs(grid[0] + slope * grid[1] - 15 * (slope > 0) - random.normal()) < 2
        Image.fromarray((stripe * 255).astype("uint8")).save(f"pictures/{name}/{number}.png")

pictures = zoo.data.load("pictures", "train", grayscale=True)
model = zoo.create("autoencoder", pictures.event_shape, latents=2, hidden=(64,), seed=0)
model.compile(zoo.trainer.Adam(2e-3))
model.fit(pictures, epochs=40, batch_size=16, verbose=0)
codes = model.encode(pictures)
print(pictures.classes, "codes", codes.shape)
figure = zoo.visualization.code_scatter(codes, pictures.labels)
figure.savefig("codes.png")
