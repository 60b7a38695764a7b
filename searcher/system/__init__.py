"""What differs from machine to machine: files and folders, processes and cores, compiled kernels.

Everything that only some systems have is asked for here, and has its fallback here.

Imports: errors.
"""

from searcher.system.files import (
    absolute,
    binary,
    is_ours,
    named_once,
    private,
    private_folder,
    renames_over_open_files,
    shown,
    spelled,
    sync_folder,
    user_folder,
)
from searcher.system.globs import glob_regex, paths_regex
from searcher.system.kernels import kernel_library
from searcher.system.processes import cores, on_fork

__all__ = [
    "absolute",
    "binary",
    "cores",
    "glob_regex",
    "is_ours",
    "kernel_library",
    "named_once",
    "on_fork",
    "paths_regex",
    "private",
    "private_folder",
    "renames_over_open_files",
    "shown",
    "spelled",
    "sync_folder",
    "user_folder",
]
