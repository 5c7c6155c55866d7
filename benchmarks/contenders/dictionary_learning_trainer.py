"""dictionary_learning's own trainers of sparse dictionaries, as its `trainSAE` calls them."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workloads import ATOMS, Workload


def prepare(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """A round of training steps on the workload's rows, shuffled anew in each epoch; float32 only."""
    del precision
    import torch
    from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
    from dictionary_learning.trainers.jumprelu import JumpReluTrainer
    from dictionary_learning.trainers.top_k import TopKTrainer

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    trainers = {
        "top_k_sae": (TopKTrainer, {"k": ATOMS}),
        "batch_top_k_sae": (BatchTopKTrainer, {"k": ATOMS}),
        "jump_relu_sae": (JumpReluTrainer, {"target_l0": float(ATOMS)}),
    }
    data = torch.from_numpy(workload.data())
    cls, options = trainers[workload.model]
    trainer = cls(
        steps=10**6,  # its learning rate warms up and stays
        activation_dim=workload.size,
        dict_size=workload.latents,
        layer=0,
        lm_name="none",
        device="cpu",
        seed=0,
        **options,
    )
    steps = iter(range(10**9))

    def run() -> None:
        for _ in range(workload.epochs):
            order = torch.randperm(len(data))
            for first in range(0, len(data), workload.batch):
                trainer.update(next(steps), data[order[first : first + workload.batch]])

    return run
