"""What differs from machine to machine: files and folders, processes and cores, compiled kernels, variables.

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
from searcher.system.forking import OwnLock, kept_once
from searcher.system.globs import glob_regex, paths_regex
from searcher.system.kernels import kernel_library
from searcher.system.machine import instructions, may_have_gpu, memory, processor
from searcher.system.noted import note, noted
from searcher.system.processes import (
    bound_memory,
    cores,
    give_memory_back,
    give_way,
    is_alive,
    keep_freed_memory,
    keep_no_large_memory,
    memory_of,
    on_fork,
    this_process,
)
from searcher.system.programs import as_line, opener, words_of
from searcher.system.threads import one_thread
from searcher.system.variables import number_of, whole_number_of

__all__ = [
    "OwnLock",
    "absolute",
    "as_line",
    "binary",
    "bound_memory",
    "cores",
    "give_memory_back",
    "give_way",
    "glob_regex",
    "instructions",
    "is_alive",
    "is_ours",
    "keep_freed_memory",
    "keep_no_large_memory",
    "kept_once",
    "kernel_library",
    "may_have_gpu",
    "memory",
    "memory_of",
    "named_once",
    "note",
    "noted",
    "number_of",
    "on_fork",
    "one_thread",
    "opener",
    "paths_regex",
    "private",
    "private_folder",
    "processor",
    "renames_over_open_files",
    "shown",
    "spelled",
    "sync_folder",
    "this_process",
    "user_folder",
    "whole_number_of",
    "words_of",
]
