#!/bin/bash
# Smooth adversarial training on four machines with eight GPUs each, by Slurm: sbatch examples/slurm.sh
# Not run here: no Slurm and no GPU were at hand. Every machine needs Satin set up (npm run setup) in the same folder.
#SBATCH --job-name=satin
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=48:00:00
# A signal two minutes before the time is over: all ranks stop after the same step, and rank 0 writes a checkpoint.
#SBATCH --signal=TERM@120
#SBATCH --requeue
set -euo pipefail

recipe=${1:-cifar10-resnet18}
run=${2:-runs/$recipe}

# One rank a task. Rank, size and the machine of rank 0 come from srun's own variables. --resume begins a run that was
# never begun, and goes on with one that was, on another number of ranks too.
# --kill-on-bad-exit: a rank that fails ends the step at once; the others would end by themselves within a minute.
srun --kill-on-bad-exit=1 ./satin train "$recipe" --device cuda --out "$run" --resume
