"""Time that a CPU was not idle, kernel and interrupts included, and how much of it was a polling
worker's looking for packets in vain."""
import os
import pathlib
import time

TICK = 1 / os.sysconf("SC_CLK_TCK")


def _idle(cpu):
    """Seconds since boot in which the CPU had nothing to run, or was taken away by a hypervisor."""
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{cpu} "):
            fields = [int(word) for word in line.split()[1:]]
            return (fields[3] + fields[4] + fields[7]) * TICK
    raise RuntimeError(f"/proc/stat has no CPU {cpu}")


class CoreTime:
    """Seconds of a CPU's non-idle time while entered, in `busy`, of `elapsed` in all."""

    def __init__(self, cpu):
        self.cpu, self.busy, self.elapsed = cpu, 0.0, 0.0

    def __enter__(self):
        self.at, self.idle = time.monotonic(), _idle(self.cpu)
        return self

    def __exit__(self, *_):
        self.elapsed = time.monotonic() - self.at
        self.busy = max(0.0, self.elapsed - (_idle(self.cpu) - self.idle))


def idle_turn_cycles(stats, windows=5, seconds=0.2):
    """Cycles of one turn of a polling worker (`idle = poll`) that finds nothing: the least of several
    windows without traffic. `stats` gives busy_cycles, idle_cycles, iterations."""
    least = None
    for _ in range(windows):
        before = stats()
        time.sleep(seconds)
        after = stats()
        turns = after["iterations"] - before["iterations"]
        cycles = (after["idle_cycles"] - before["idle_cycles"]) / max(turns, 1)
        least = cycles if least is None else min(least, cycles)
    return least


def idle_polls(before, after, turn_cycles):
    """Seconds that a worker's empty turns took between two readings of its statistics. Each packet
    received is taken for a turn of its own, and what an empty turn took beyond `turn_cycles` counts as
    work: with AF_XDP the kernel's receive path can run within a poll that comes back empty. So the
    worker's work is never put too low."""
    turns = after["iterations"] - before["iterations"]
    empty = max(0, turns - (after["rx_packets"] - before["rx_packets"]))
    cycles = min(empty * turn_cycles, after["idle_cycles"] - before["idle_cycles"])
    return cycles / after["tsc_hz"]
