"""The training loop's machinery: blocks of steps, the fused optimizer, strategies."""

from zoo.trainer.block_trainer import BlockTrainer
from zoo.trainer.optimizers import Adam

__all__ = ["Adam", "BlockTrainer"]
