"""Server processes: started on a core of their own, asked for the time and memory they use, ended.

For Linux: cores are given by `sched_setaffinity`, and figures are read from `/proc`.
"""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 30.0  # SQLite's log may be long by then


CORES = sorted(os.sched_getaffinity(0))


def pin_driver() -> None:
    """Keep this process, and the database that it starts, off the server's core."""
    if len(CORES) > 1:
        os.sched_setaffinity(0, {CORES[1]})


@contextmanager
def server_core() -> Iterator[None]:
    """What is started meanwhile has the first core; nothing is pinned where there is only one."""
    if len(CORES) > 1:
        os.sched_setaffinity(0, {CORES[0]})
    try:
        yield
    finally:
        pin_driver()


def allow_files(number: int) -> None:
    """Let this process, and those that it starts, have so many files and sockets open.

    Raises RuntimeError where the machine does not allow it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number:
        raise RuntimeError(f"needs {number:,} open files, and {hard:,} are allowed (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all below it, the ended ones too.

    From `/proc/*/stat` (proc(5)): field 4 is the parent, 14 to 17 are the times of the process and
    of those of its children that it has waited for, in clock ticks.
    """
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue  # ended meanwhile; its time is in its parent's
        fields = text.rpartition(")")[2].split()
        one = int(stat.parent.name)
        parents[one] = int(fields[1])
        ticks[one] = sum(map(int, fields[11:15]))
    total = sum(ticks[one] for one in parents if _is_below(one, pid, parents))
    return total / os.sysconf("SC_CLK_TCK")


def _is_below(process: int, root: int, parents: Mapping[int, int]) -> bool:
    while process != root and process in parents:
        process = parents[process]
    return process == root


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process takes, in bytes: `rss` with all that it shares, `pss` with its part of it."""

    rss: int
    pss: int


def memory(pid: int) -> Memory:
    """The memory of one process: Rss and Pss of `/proc/PID/smaps_rollup` (proc(5)), in kB there."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.partition(":")[0]: line.split()[1] for line in lines[1:]}
    return Memory(rss=int(found["Rss"]) * 1024, pss=int(found["Pss"]) * 1024)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class Server:
    """A running server."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def cpu_seconds(self) -> float:
        """The time that it has used so far."""
        return cpu_seconds(self.process.pid)

    def memory(self) -> Memory:
        """What it takes at the moment."""
        return memory(self.process.pid)

    def last_words(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """Ask it to end, then insist."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)


def launch(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    program: str = sys.executable,
) -> Server:
    """Start `python <command> --host … --port …`; what it prints goes to `log`.

    Settings of Cohort that this process was started with are no part of its environment.
    """
    port = free_port()
    own = {key: value for key, value in os.environ.items() if not key.startswith("COHORT_")}
    with log.open("wb") as output, server_core():
        process = subprocess.Popen(
            [program, *command, "--host", HOST, "--port", str(port)],
            cwd=ROOT,
            env={**own, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Server(name, port, process, log)


async def ready(server: Server) -> None:
    """Wait until it accepts connections.

    Raises RuntimeError, with the end of its log, if it does not within START_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection(HOST, server.port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise RuntimeError(f"{server.name} did not start:\n{server.last_words()}")
