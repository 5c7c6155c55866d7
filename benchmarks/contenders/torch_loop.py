"""PyTorch by hand: data in memory, fused Adam, nothing between the steps."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Callable

from benchmarks.workloads import K, Workload


def prepare(
    workload: Workload, precision: str, threads: int, compiled: bool = False
) -> Callable[[], None]:
    """A round of a hand-written loop on the workload's rows."""
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # as TensorFlow does; without it dead units halve the speed
    torch.manual_seed(0)
    device = "cuda" if os.environ.get("BENCHMARKS_DEVICE") == "gpu" else "cpu"
    data = torch.from_numpy(workload.data()).to(device)
    data = data.permute(0, 3, 1, 2).contiguous() if workload.conv else data.reshape(len(data), -1)
    model = (_KSparse if workload.model == "k_sparse" else _VAE)(workload).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss_of = torch.compile(model) if compiled else model
    cast = contextlib.nullcontext
    if precision == "bfloat16":

        def cast():
            return torch.autocast(device, torch.bfloat16)

    def run() -> None:
        for _ in range(workload.epochs):
            order = torch.randperm(len(data), device=device)
            total = torch.zeros((), device=device)
            for first in range(0, len(data) - workload.batch + 1, workload.batch):
                x = data[order[first : first + workload.batch]]
                optimizer.zero_grad(set_to_none=True)
                with cast():
                    loss = loss_of(x)
                loss.backward()
                optimizer.step()
                total += loss.detach()
            total.item()

    return run


def prepare_compiled(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """The same with `torch.compile`."""
    return prepare(workload, precision, threads, compiled=True)


def _modules():
    import torch
    from torch import nn
    from torch.nn import functional

    return torch, nn, functional


def _KSparse(workload: Workload):
    torch, nn, _ = _modules()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(workload.size, workload.latents) * 0.01)
            self.code_bias = nn.Parameter(torch.zeros(workload.latents))
            self.bias = nn.Parameter(torch.zeros(workload.size))

        def forward(self, x):
            z = x @ self.weight + self.code_bias
            smallest = z.detach().topk(K, dim=1, sorted=False).values.amin(1, keepdim=True)
            z = torch.where(z >= smallest, z, torch.zeros_like(z))
            y = z @ self.weight.T + self.bias
            return (y.float() - x).square().sum(1).mean()

    return Model()


def _VAE(workload: Workload):
    torch, nn, functional = _modules()

    def mlp(sizes):
        layers = []
        for a, b in itertools.pairwise(sizes):
            layers += [nn.Linear(a, b), nn.ReLU()]
        return layers

    def networks():
        if not workload.conv:
            encoder = mlp([workload.size, *workload.hidden])
            encoder.append(nn.Linear(workload.hidden[-1], 2 * workload.latents))
            decoder = mlp([workload.latents, *workload.hidden[::-1]])
            decoder.append(nn.Linear(workload.hidden[0], workload.size))
            return nn.Sequential(*encoder), nn.Sequential(*decoder)
        a, b, c = workload.hidden
        encoder = nn.Sequential(
            nn.Conv2d(1, a, 4, 2, 1), nn.ReLU(), nn.Conv2d(a, b, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(b, c, 4, 2, 2), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * c, 2 * workload.latents),
        )  # fmt: skip
        decoder = nn.Sequential(
            nn.Linear(workload.latents, 16 * c), nn.ReLU(), nn.Unflatten(1, (c, 4, 4)),
            nn.ConvTranspose2d(c, b, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(b, a, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(a, 1, 4, 2, 1),
        )  # fmt: skip
        return encoder, decoder

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = networks()

        def forward(self, x):
            loc, raw = self.encoder(x).float().chunk(2, dim=1)
            scale = functional.softplus(raw + math.log(math.e - 1)) + 1e-6
            noise = torch.randn_like(loc)
            z = loc + scale * noise
            y = self.decoder(z).float()
            if workload.conv:
                y = y[:, :, 2:-2, 2:-2]
            if workload.likelihood == "bernoulli":
                error = functional.binary_cross_entropy_with_logits(y, x, reduction="none")
            else:
                error = (y - x).square()
            kl = self.divergence(loc, scale, z, noise)
            return (error.flatten(1).sum(1) + kl.sum(1)).mean()

        @staticmethod
        def divergence(loc, scale, z, noise):
            if workload.model == "vae":
                return 0.5 * (loc**2 + scale**2 - 1) - scale.log()
            if workload.estimator == "sampled":
                log_q = -0.5 * noise**2 - scale.log() - 0.5 * math.log(2 * math.pi)
                return log_q + z.abs() + math.log(2)
            ratio = loc / scale
            mean = math.sqrt(2 / math.pi) * scale * torch.exp(-0.5 * ratio**2)
            mean = mean + loc * torch.erf(ratio / math.sqrt(2))
            entropy = 0.5 * math.log(2 * math.pi * math.e) + scale.log()
            return mean + math.log(2) - entropy

    return Model()
