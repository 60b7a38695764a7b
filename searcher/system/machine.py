"""The machine: its processor by name, the instructions of it that our kernels know, its memory, perhaps a GPU."""

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["instructions", "may_have_gpu", "memory", "processor"]

# As /proc/cpuinfo calls them, and as people do.
KNOWN = {
    "amx_tile": "AMX", "avx512_bf16": "AVX512-BF16", "avx512_vnni": "AVX512-VNNI", "avx512f": "AVX-512",
    "avx_vnni": "AVX-VNNI", "avx2": "AVX2", "asimd": "NEON", "bf16": "BF16", "i8mm": "I8MM",
}  # fmt: skip


# What the drivers of NVIDIA's and AMD's GPUs, and Windows' for its Linux, show of themselves.
GPU_DEVICES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/nvhost-gpu", "/dev/kfd", "/dev/dxg")


def processor() -> str:
    """What the processor calls itself, else its architecture."""
    for line in _cpuinfo():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def instructions() -> list[str]:
    """Which of those that matter here it has; none where the system does not say."""
    for line in _cpuinfo():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            has = set(value.split())
            return [called for flag, called in KNOWN.items() if flag in has]
    return []


def memory() -> int | None:
    """Bytes of memory that there are for this process, a container's bound included; None where that is not told."""
    found = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for bound in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):  # "max" for none
        with suppress(OSError, ValueError):
            found.append(int(Path(bound).read_text(encoding="ascii")))
    return min((size for size in found if size > 0), default=None)


def may_have_gpu() -> bool:
    """False only where there surely is none that torch could use: on Linux, without the device of any driver."""
    return sys.platform != "linux" or any(map(os.path.exists, GPU_DEVICES))


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux
        return []
