#!/bin/sh
# The studies on one graphics card, the most valuable runs first. Stop it at any time, by Ctrl-C or a time limit: finished runs
# have their records, the others resume from their last checkpoint when it is started again.
#
#   studies/on-a-card.sh FOLDER-OF-CIFAR-10 OUT [RUNS-BESIDE-EACH-OTHER]
set -eu
data=$1 out=$2 parallel=${3:-6}
cd "$(dirname "$0")/.."
study() {
  ./satin study "$@" --scale cifar-resnet18 --device cuda --precision bfloat16 --parallel "$parallel" \
    --data-dir "$data" --out "$out" ${NOTE:+--note "$NOTE"}
}
study activations --arms relu,silu --seeds 3
study gradient-quality --seeds 1
study activations --arms relu,silu,gelu,softplus\(10\),smooth-relu,elu,softplus --seeds 3
study gradient-quality --seeds 3
study relu-remedies --arms relu,silu,relu-pgd-7,silu-pgd-7,relu-2x,relu-4x --seeds 3
study activations --arms relu,silu --seeds 5
study gradient-quality --seeds 5
study gradient-norm --seeds 3
study relu-remedies --seeds 3
