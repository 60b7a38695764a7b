"""Run a program as on a CPU of a lesser class: in every library that it loads, CPUID says nothing of what that lacks.

    python benchmarks/as_cpu.py AVX2 python benchmarks/encode.py --dtypes int8,fp32

So all contenders obey, ONNX Runtime too, which knows no switch for it. Instructions of the libraries below this
Python's prefix are found by objdump (a minute), and replaced as they are loaded (as_cpu.c says how); Linux on x86-64
with a C compiler. Under pytest with `-p no:faulthandler`, whose handler is for the same signal. It is this machine's clock and
width all the same: what a class of CPU lacks is right, its speed is not.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import searcher

# Where CPUID tells of what came with AVX-512 and after it: leaf, part, register (Intel's manual, volume 2A), bits by name.
PLACES = {
    (7, 0, "ebx"): {"F": 16, "DQ": 17, "IFMA": 21, "PF": 26, "ER": 27, "CD": 28, "BW": 30, "VL": 31},
    (7, 0, "ecx"): {"VBMI": 1, "VBMI2": 6, "VNNI": 11, "BITALG": 12, "VPOPCNTDQ": 14},
    (7, 0, "edx"): {
        "4VNNIW": 2, "4FMAPS": 3, "VP2INTERSECT": 8, "AMX-BF16": 22, "FP16": 23, "AMX-TILE": 24, "AMX-INT8": 25,
    },
    (7, 1, "eax"): {"AVX-VNNI": 4, "BF16": 5, "AMX-FP16": 21, "AVX-IFMA": 23},
    (7, 1, "edx"): {"AVX-VNNI-INT8": 4, "AVX-NE-CONVERT": 5, "AVX-VNNI-INT16": 10, "AVX10": 19},
}  # fmt: skip
ICE_LAKE = {"F", "DQ", "IFMA", "CD", "BW", "VL", "VBMI", "VBMI2", "VNNI", "BITALG", "VPOPCNTDQ"}
KEEPS = {"AVX512-VNNI": ICE_LAKE, "AVX-VNNI": {"AVX-VNNI"}, "AVX2": set()}  # of these, by class
REGISTERS = ("eax", "ebx", "ecx", "edx")


def hides(name: str) -> str:
    """What as_cpu.c wants to know of a class."""
    words = []
    for (leaf, part, register), bits in PLACES.items():
        gone = sum(1 << bit for feature, bit in bits.items() if feature not in KEEPS[name])
        words.append(f"{leaf:x} {part:x} {REGISTERS.index(register):x} {gone:x}")
    return " ".join(words)


def libraries() -> set[Path]:
    """The shared libraries of this Python's packages, and searcher's own, which may lie elsewhere."""
    folders = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")} | {Path(searcher.__file__).parent}
    return {file.resolve() for folder in folders for file in folder.rglob("*.so*") if b"\x0f\xa2" in file.read_bytes()}


def addresses(file: Path) -> list[str]:
    """Of its CPUID instructions, in hexadecimal."""
    with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", str(file)], stdout=subprocess.PIPE) as dump:
        found = subprocess.run(["grep", "-w", "cpuid$"], stdin=dump.stdout, capture_output=True, text=True, check=False)
    return [line.split(":")[0].strip() for line in found.stdout.splitlines()]


def main() -> None:
    """Find, build and become the program."""
    name, *command = sys.argv[1:] or [""]
    if name not in KEEPS or not command:
        raise SystemExit(f"as_cpu.py CLASS COMMAND…: {name!r} is no class with a command; classes: {', '.join(KEEPS)}")
    folder = Path(tempfile.mkdtemp())
    places, auditor = folder / "places", folder / "as_cpu.so"
    with ThreadPoolExecutor() as pool:
        files = sorted(libraries(), key=lambda file: -file.stat().st_size)
        found = zip(files, pool.map(addresses, files), strict=True)
        places.write_text("".join(f"{file}\t{' '.join(at)}\n" for file, at in found if at))
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(auditor), str(source)], check=True)
    limits = {"LD_AUDIT": str(auditor), "AS_CPU_PLACES": str(places), "AS_CPU_HIDES": hides(name), "AS_CPU": name}
    os.execvpe(command[0], command, os.environ | limits)


if __name__ == "__main__":
    main()
