#!/bin/bash
# Distributed training on four nodes with eight GPUs each, with Slurm: sbatch examples/slurm.sh
# Not run here: neither Slurm nor a GPU was available. Every node needs Satin installed (npm run setup) in the same folder.
#SBATCH --job-name=satin
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=48:00:00
# Sends a signal two minutes before the time limit: all ranks stop after the same step, and rank 0 writes a checkpoint.
#SBATCH --signal=TERM@120
#SBATCH --requeue
set -euo pipefail

recipe=${1:-cifar10-resnet18-pang}
run=${2:-runs/$recipe}

# One rank per task. Rank, world size, the node of rank 0 and the GPU (SLURM_LOCALID) come from srun's environment variables.
# --resume-or-start starts a new run, or resumes an existing one, also with another world size; a requeued job resumes without it.
# --kill-on-bad-exit: if a rank fails, the step ends at once; otherwise the other ranks exit by themselves within a minute.
srun --kill-on-bad-exit=1 ./satin train "$recipe" --device cuda --out "$run" --resume-or-start
