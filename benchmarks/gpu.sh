#!/bin/sh
# On a machine with an NVIDIA card and `pip install '.[gpu]'`: what imgsort makes of it, in under five
# minutes, with nothing to download. The pictures of the last two come from memory (tmpfs).
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
export TMPDIR="${TMPDIR:-/dev/shm}"
"$python" benchmarks/gpu.py --backbone resnet50
"$python" -m imgsort bench --backbone resnet50 --random-weights --device gpu --batch-size 128 \
    --count 2048 --rounds 1
"$python" -m imgsort bench --backbone efficientnet-lite0 --null-network --count 4000
