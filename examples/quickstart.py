"""Train a sparse variational autoencoder, look at what it learned, keep it.

python examples/quickstart.py          scikit-learn's digits, no download
python examples/quickstart.py mnist    any image set of TensorFlow Datasets, a folder or a .npy file
"""

import sys

import numpy as np

import zoo

name = sys.argv[1] if len(sys.argv) > 1 else "digits"
train, test = zoo.data.load(name, "train"), zoo.data.load(name, "test")

model = zoo.create("laplace_vae", input_shape=train.event_shape, latents=10)
model.compile(optimizer="adam")
model.fit(train, epochs=20, batch_size=64, verbose=0)

terms = model.evaluate(test, return_dict=True, verbose=0)
codes = model.encode(test)
pictures = model.reconstruct(test)
new = model.generate(16, seed=0)

zoo.visualization.save_figures(
    "quickstart",
    {
        "reconstructions": zoo.visualization.reconstructions(test.inputs, pictures),
        "samples": zoo.visualization.samples(new),
    },
)
model.save("quickstart/model.keras")
model.export("quickstart/saved_model")

print(model.formula)
print("on test data, in nats:", {term: round(value, 2) for term, value in terms.items()})
print("spread of every unit's code:", np.sort(codes.std(axis=0))[::-1].round(2))
print("written: quickstart/ with pictures, model.keras and saved_model")
