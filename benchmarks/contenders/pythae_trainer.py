"""pythae's own trainer, its VAE with the same networks (a Normal prior throughout: it has no other)."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import os
import tempfile
from collections.abc import Callable

from benchmarks.contenders.torch_loop import _modules
from benchmarks.workloads import K, Workload


def prepare(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """A round of `BaseTrainer.train` on the workload's rows; float32 only, as pythae has no bfloat16."""
    del precision
    torch, nn, _ = _modules()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, VAE, AEConfig, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    logging.disable(logging.WARNING)
    data = torch.from_numpy(workload.data())
    data = data.permute(0, 3, 1, 2).contiguous() if workload.conv else data.flatten(1)
    event = tuple(data.shape[1:])
    body, width, decoder = _networks(nn, workload)

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.body = body
            self.embedding = nn.Linear(width, workload.latents)
            self.log_covariance = nn.Linear(width, workload.latents)

        def forward(self, x):
            h = self.body(x)
            return ModelOutput(embedding=self.embedding(h), log_covariance=self.log_covariance(h))

    class KSparseEncoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(workload.size, workload.latents) * 0.01)
            self.bias = nn.Parameter(torch.zeros(workload.latents))

        def forward(self, x):
            z = x @ self.weight + self.bias
            smallest = z.detach().topk(K, dim=1).values[:, -1:]
            return ModelOutput(embedding=torch.where(z >= smallest, z, torch.zeros_like(z)))

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.body = decoder

        def forward(self, z):
            y = self.body(z)
            if workload.conv:
                y = y[:, :, 2:-2, 2:-2]
            y = torch.sigmoid(y) if workload.likelihood == "bernoulli" else y
            return ModelOutput(reconstruction=y)

    class TiedDecoder(BaseDecoder):
        def __init__(self, encoder):
            super().__init__()
            self.source = [encoder]
            self.bias = nn.Parameter(torch.zeros(workload.size))

        def forward(self, z):
            return ModelOutput(reconstruction=z @ self.source[0].weight.T + self.bias)

    loss = "bce" if workload.likelihood == "bernoulli" else "mse"
    if workload.model == "k_sparse":
        encoder = KSparseEncoder()
        config = AEConfig(input_dim=event, latent_dim=workload.latents)
        model = AE(config, encoder, TiedDecoder(encoder))
    else:
        config = VAEConfig(input_dim=event, latent_dim=workload.latents, reconstruction_loss=loss)
        model = VAE(config, Encoder(), Decoder())
    settings = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        num_epochs=workload.epochs,
        per_device_train_batch_size=workload.batch,
        learning_rate=1e-3,
        no_cuda=os.environ.get("BENCHMARKS_DEVICE") != "gpu",
    )
    rows = BaseDataset(data, torch.zeros(len(data)))

    def run() -> None:
        quiet = io.StringIO()
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            BaseTrainer(model=model, train_dataset=rows, training_config=settings).train()

    return run


def _networks(nn, workload: Workload):
    if workload.conv:
        a, b, c = workload.hidden
        body = nn.Sequential(
            nn.Conv2d(1, a, 4, 2, 1), nn.ReLU(), nn.Conv2d(a, b, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(b, c, 4, 2, 2), nn.ReLU(), nn.Flatten(),
        )  # fmt: skip
        decoder = nn.Sequential(
            nn.Linear(workload.latents, 16 * c), nn.ReLU(), nn.Unflatten(1, (c, 4, 4)),
            nn.ConvTranspose2d(c, b, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(b, a, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(a, 1, 4, 2, 1),
        )  # fmt: skip
        return body, 16 * c, decoder
    sizes = [workload.size, *workload.hidden]
    body = [m for a, b in itertools.pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    sizes = [workload.latents, *workload.hidden[::-1]]
    up = [m for a, b in itertools.pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    last = workload.hidden[0] if workload.hidden else workload.latents
    return (
        nn.Sequential(*body),
        sizes[1] if workload.hidden else 0,
        nn.Sequential(*up, nn.Linear(last, workload.size)),
    )
