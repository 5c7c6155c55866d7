#!/usr/bin/env bash
#SBATCH --job-name=latent-zoo
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --time=08:00:00
#SBATCH --requeue
# sbatch docs/cluster/slurm.sh RUN_DIR [more arguments of latent-zoo train]
# One worker a node; the run folder must be on storage that all nodes see. A requeued job resumes.
set -euo pipefail
run_dir="$1"
shift
export RUN_DIR="$run_dir" ARGUMENTS="$*" PORT=4000
srun bash -c '
    workers=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/.*/\"&:$PORT\"/" | paste -sd,)
    export TF_CONFIG="{\"cluster\": {\"worker\": [$workers]}, \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
    latent-zoo train --strategy=multi_worker --run_dir="$RUN_DIR" --resume $ARGUMENTS'
