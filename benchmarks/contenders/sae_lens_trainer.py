"""SAELens's own trainer of sparse dictionaries, called step by step as its `fit` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.workloads import ATOMS, Workload


def prepare(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """A round of training steps on the workload's rows, shuffled anew in each epoch; float32 only."""
    del precision
    import torch
    from sae_lens import (
        BatchTopKTrainingSAE,
        BatchTopKTrainingSAEConfig,
        JumpReLUTrainingSAE,
        JumpReLUTrainingSAEConfig,
        TopKTrainingSAE,
        TopKTrainingSAEConfig,
    )
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    held = {"jumprelu_sparsity_loss_mode": "quadratic", "target_l0": float(ATOMS)}
    kinds = {
        "top_k_sae": (TopKTrainingSAE, TopKTrainingSAEConfig, {"k": ATOMS}),
        "batch_top_k_sae": (BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig, {"k": ATOMS}),
        "jump_relu_sae": (JumpReLUTrainingSAE, JumpReLUTrainingSAEConfig, held),
    }
    data = torch.from_numpy(workload.data())
    cls, config, options = kinds[workload.model]

    def batches() -> Iterator[torch.Tensor]:
        while True:
            order = torch.randperm(len(data))
            for first in range(0, len(data), workload.batch):
                yield data[order[first : first + workload.batch]]

    # The learning rate is constant; where it would end must be said all the same.
    size = {"total_training_samples": 10**9, "train_batch_size_samples": workload.batch}
    trainer = SAETrainer(
        SAETrainerConfig(lr_end=3e-5, **size),
        cls(config(d_in=workload.size, d_sae=workload.latents, **options)),
        batches(),
    )

    def run() -> None:
        for _ in range(workload.epochs * len(data) // workload.batch):
            trainer.maybe_reset_sparsity()
            trainer.step(next(trainer.data_provider))
            trainer.n_training_steps += 1

    return run
