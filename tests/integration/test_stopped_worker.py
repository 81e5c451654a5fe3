"""A worker of brink-edge that does not go on, and a brink-edge that does not: changes are published and
answered all the same, what cannot be freed is told and limited, and everything catches up."""
import os
import signal
import subprocess

import pytest

from crash_lab import CrashLab, Resolver, Writer
from lab import BRINKCTL, wait_until
from stopped_thread import stopped, threads

SEED = 1
MEMORY_MAX_MB = 6


@pytest.fixture(scope="module")
def lab():
    with CrashLab() as lab:
        lab.edge_start(workers="0:dns+l7,1:dns+l7",
                       arguments=[f"--snapshot.memory-max-mb={MEMORY_MAX_MB}"])
        lab.start_control("--acknowledge-timeout-ms", "1500")
        yield lab


def worker_thread(lab, index):
    """DPDK numbers its threads as the edge does its workers; the main thread has another name."""
    named = {name: i for name, i in threads(lab.edge_pid()).items() if "-worker-" in name}
    assert len(named) == 2, named
    return named[sorted(named)[index]]


def steered_elsewhere(lab, question):
    """A resolver whose questions a stopped worker does not get."""
    for _ in range(50):
        resolver = Resolver(lab)
        try:
            resolver.ask(*question, timeout=0.5)
            return resolver
        except TimeoutError:
            resolver.close()
    raise AssertionError("the worker that runs answers nobody")


def check_served(writer, resolver):
    floor = writer.history.floor()
    fault = writer.history.saw_all(floor, resolver.ask_all(writer.questions()))
    assert fault is None, fault


def waiting(lab):
    return lab.stats()["header"]["snapshot_waiting"]


def test_a_stopped_worker_holds_up_memory_and_nothing_else(lab):
    few, many = Writer("few", lab.api(), SEED), Writer("many", lab.api(), SEED, bulk=True)
    for writer in [few] * 5 + [many] * 2:
        writer.step()
    assert wait_until(lambda: waiting(lab) == 0, 20), "everything is freed while all workers run"

    with stopped(worker_thread(lab, 1)):
        other = steered_elsewhere(lab, few.questions()[0])
        for _ in range(20):
            few.step()
            check_served(few, other)
        assert few.stored == 0, few.notes

        assert wait_until(lambda: lab.stats()["header"]["snapshot_waiting_ns"] > 1_000_000_000, 20), "waiting is told"
        assert waiting(lab) >= 20
        assert lab.stats()["header"]["snapshot_waiting_workers"] == 1 << 1
        assert wait_until(lambda: "no sign of worker 1" in lab.edge_log(), 20), lab.edge_log()

        fitting = 0
        while not many.stored:
            many.step()
            fitting += 1
            assert fitting < 100, "the limit is never reached"
        note, = many.notes
        assert "memory" in note and "snapshot.memory-max-mb" in note, note
        assert lab.stats()["header"]["snapshot_size"] <= MEMORY_MAX_MB << 20
        problem = lab.api().get("/brink/v1/status")["publication"]["problem"]
        assert "snapshot.memory-max-mb" in problem
        check_served(few, other)
        check_served(many, other)
        assert many.history.floor() < many.history.newest_number, "what was refused is not visible"

    # The refused change gets in by itself, and there is room for more.
    lab.wait_in_step()
    many.history.served(many.history.newest_number)
    resolver = Resolver(lab)
    check_served(many, resolver)
    assert wait_until(lambda: waiting(lab) == 0, 20), "what waited is freed"
    for _ in range(fitting + 1):
        many.step()
    few.step()
    assert (many.stored, few.stored) == (1, 0), few.notes
    check_served(many, resolver)
    check_served(few, resolver)
    lab.verify()


def test_a_stopped_edge_is_told_and_goes_on_where_it_was(lab):
    writer = Writer("stop", lab.api(), SEED)
    for _ in range(5):
        writer.step()
    assert writer.stored == 0
    pid = lab.edge_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(3):
            writer.step()
        assert writer.stored == 3, "stored, and said not to be served"
        publication = lab.api().get("/brink/v1/status")["publication"]
        assert "did not answer in time" in publication["problem"] and not publication["in_step"]
        told = subprocess.run([BRINKCTL, "--socket", lab.state / "control.sock", "status"],
                              capture_output=True, text=True, check=True, timeout=30).stdout
        assert "not in step" in told and "did not answer in time" in told
        assert wait_until(lambda: lab.api().get("/brink/v1/stats")["heartbeat_age_ms"] > 2000, 20), "its age is told"
    finally:
        os.kill(pid, signal.SIGCONT)
    lab.wait_in_step()
    assert lab.edge_pid() == pid
    writer.resolve()
    writer.history.served(writer.history.newest_number)
    check_served(writer, Resolver(lab))
    writer.step()
    assert writer.stored == 3
    lab.verify()
