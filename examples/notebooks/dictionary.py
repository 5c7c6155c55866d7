# %% [markdown]
# # A dictionary of a network's activations
#
# Train a small classifier, record what one of its layers gives, and learn a sparse dictionary of that. Open
# this file as a notebook in VS Code or with Jupytext; as a script it runs from top to bottom.

# %%
import keras
import numpy as np

import zoo
from zoo.data.activations import record
from zoo.evaluation.splicing import attach
from zoo.recipes.dictionaries import start

# %% [markdown]
# ## The network

# %%
data, test = zoo.data.load("digits", "train"), zoo.data.load("digits", "test")
keras.utils.set_random_seed(0)
network = keras.Sequential(
    [
        keras.Input(data.event_shape),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu", name="middle"),
        keras.layers.Dense(10),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
network.compile("adam", loss, metrics=["accuracy"])
network.fit(data.inputs, data.labels, epochs=30, verbose=0)
print("accuracy:", network.evaluate(test.inputs, test.labels, verbose=0)[1])

# %% [markdown]
# ## What its layer gives
#
# `record` writes to a folder, which `fit` streams: it may be larger than memory.

# %%
recorded = record(network, "middle", data.inputs, "recorded", verbose=False)

# %% [markdown]
# ## The dictionary: 128 atoms, of which 6 explain an example

# %%
model = zoo.create("batch_top_k_sae", (64,), latents=128, target_l0=6, seed=0)
activations = keras.Model(network.inputs, network.get_layer("middle").output)
start(model, activations.predict(data.inputs, verbose=0))
model.compile(zoo.trainer.Adam(2e-3))
model.fit(recorded, batch_size=128, epochs=40, verbose=0)
held_out = activations.predict(test.inputs, verbose=0)
found = zoo.evaluation.evaluate(model, held_out, groups=["dictionary"], verbose=False)["dictionary"]
print(
    f"explained: {found['explained_variance']:.3f} with {found['dictionary_l0']:.1f} atoms an example"
)

# %% [markdown]
# ## Steering: hold an atom high and see what the network says

# %%
codes = model.encode(held_out)
atom = int(np.argmax((codes > 0).mean(axis=0)))
usual = network.predict(test.inputs, verbose=0).argmax(axis=1)
steered = attach(network, "middle", model).steered(test.inputs, {atom: float(codes[:, atom].max())})
changed = np.mean(np.asarray(steered).argmax(axis=1) != usual)
print(f"atom {atom} at its largest changes {100 * changed:.0f} % of the answers")
