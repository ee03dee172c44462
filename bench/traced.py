"""`python -m bench.traced COUNTER WHAT …`: run WHAT and count what SQLite runs for it.

SQLite works inside of the server's process, where nobody else can count. COUNTER is a file that
holds the number. WHAT is a script, or `-m` and a module, as for `python` itself; it is not changed
by this, so that every server is counted in the same way.
"""

import mmap
import runpy
import sqlite3
import struct
import sys
import threading
from pathlib import Path
from typing import Any

NUMBER = struct.Struct("<q")


def read(counter: Path) -> int:
    """The number in a counter's file."""
    return int(NUMBER.unpack(counter.read_bytes())[0])


def count_statements(counter: Path) -> None:
    """From now on each new SQLite connection adds its statements to the counter."""
    counter.write_bytes(NUMBER.pack(0))
    with counter.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), NUMBER.size)
    lock = threading.Lock()
    total = 0

    def note(sql: str) -> None:
        nonlocal total
        with lock:
            total += 1
            NUMBER.pack_into(memory, 0, total)

    original = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = original(*arguments, **options)
        connection.set_trace_callback(note)
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]


def main() -> None:
    """Count, and run what the arguments name as if Python had been told to run it."""
    count_statements(Path(sys.argv[1]))
    what = sys.argv[2:]
    sys.path.insert(0, str(Path.cwd()))
    if what[0] == "-m":
        sys.argv = what[1:]
        runpy.run_module(what[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = what
        runpy.run_path(what[0], run_name="__main__")


if __name__ == "__main__":
    main()
