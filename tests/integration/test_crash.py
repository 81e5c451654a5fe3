"""Nothing that was acknowledged is lost, and nothing half applied is ever seen: brink-edge and
brink-control are killed at random points, while writers change zones and an observer asks.

BRINK_CRASH_POINTS is how often each of them is killed (200: the full proof, some minutes);
BRINK_CRASH_SEED repeats the choices of a run, which prints its seed.
"""
import os
import random
import re
import signal
import time

import pytest

import edge_control
from crash_lab import CrashLab, Load, Observer, Resolver, Writer

POINTS = int(os.environ.get("BRINK_CRASH_POINTS", 5))
SEED = os.environ.get("BRINK_CRASH_SEED") or str(random.randrange(1 << 32))
POLICIES = ["always", "interval", "never"]
FILLER_NAMES = 20_000  # so that an image takes its time
REPLAYED = re.compile(r"version (\d+), \d+ zones, \d+ names from \S+, (\d+) transaction\(s\) from its log")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    print(f"BRINK_CRASH_SEED={SEED}")
    with CrashLab() as lab:
        lab.start_edge()
        lab.start_control()
        filler = tmp_path_factory.mktemp("crash") / "zone"
        filler.write_text("".join(f"h{i} 300 A 192.0.2.{i % 256}\n" for i in range(FILLER_NAMES)))
        lab.brinkctl("zone", "import", filler, "--zone", "filler.test", "--create", "--activate")
        yield lab


class Crash:
    """Writers and an observer of one test, and what befell the programs."""

    def __init__(self, lab, name, lossless):
        self.lab = lab
        self.random = random.Random(f"{SEED} {name}")
        self.writers = [Writer(f"{name}{i}", lab.api(), SEED) for i in range(2)]
        self.writers.append(Writer(f"{name}-bulk", lab.api(), SEED, bulk=True))
        self.observer = Observer(lab, self.writers, SEED, lossless)
        self.resolver = Resolver(lab)
        self.counts = {"points": 0, "replayed": 0, "torn": 0}

    def load(self):
        return Load(self.writers, self.observer)

    def wait_for_a_point(self):
        """Some moment of the writers' work; returns what was going on."""
        what = self.random.choice(["any", "bulk", "bulk", "compact", "image"])
        time.sleep(self.random.uniform(0.05, 0.3))
        if what == "bulk":
            self._wait_for_bulk()
            time.sleep(self.random.uniform(0, 0.3))
        elif what == "compact":
            with edge_control.compacting(self.lab.state / "edge.sock"):
                time.sleep(self.random.uniform(0, 0.03))
        elif what == "image":
            # Other settings: all that is stored has to be compiled anew. Writers may be cut off.
            self.lab.control_stop()
            self.lab.start_control("--name-server", f"ns{self.random.randrange(1000)}.example.net")
            time.sleep(self.random.uniform(0, 0.3))
        return what

    def _wait_for_bulk(self):
        bulk = self.writers[-1]
        before, deadline = bulk.texts, time.monotonic() + 2
        while bulk.texts == before and time.monotonic() < deadline:
            time.sleep(0.001)

    def check_served(self):
        """Each writer's names, all of them, are as some state that may be seen has them."""
        for writer in self.writers:
            floor = writer.history.floor()
            seen = self.resolver.ask_all(writer.questions())
            fault = writer.history.saw_all(floor, seen)
            assert fault is None, fault
        assert self.observer.faults == []

    def check_restarted_edge(self):
        """It answers with nobody to ask, tells what it replayed, and finds itself sound."""
        log = self.lab.edge_log()
        replayed = REPLAYED.search(log)
        assert replayed and "damaged" not in log and "lost" not in log, log
        self.counts["replayed"] += int(replayed[2])
        self.counts["torn"] += "an unfinished transaction is cut off" in log
        self.check_served()
        found = self.lab.verify()
        assert re.fullmatch(r"served: version (\d+), .* on disk: version \1, .* of the log", found), found

    def check_everything_is_back(self):
        self.lab.wait_in_step()
        for writer in self.writers:
            writer.resolve()
            writer.history.served(writer.history.newest_number)
        self.check_served()

    def report(self):
        total = {name: sum(getattr(writer, name) for writer in self.writers)
                 for name in ("acknowledged", "stored", "unknown")}
        print(f"{self.counts}, changes {total}, observer asked {self.observer.asked}, "
              f"lost {self.observer.lost}")
        assert total["acknowledged"] > self.counts["points"]
        assert self.observer.asked > 10 * self.counts["points"]


@pytest.mark.parametrize("victims", ["edge", "control", "edge control"])
def test_nothing_acknowledged_is_lost_by_a_kill(lab, victims):
    victims = victims.split()
    crash = Crash(lab, "".join(victim[0] for victim in victims), lossless=victims == ["control"])
    for point in range(POINTS):
        with crash.load() as load:
            what = crash.wait_for_a_point()
            crash.random.shuffle(victims)
            for victim in victims:
                lab.kill(lab.edge_pid() if victim == "edge" else lab.control_pid())
                time.sleep(crash.random.choice([0, 0.01]))
            load.stop_writers()
            time.sleep(0.05)
        print(f"point {point}: {what}, then kill {' '.join(victims)}", flush=True)
        crash.counts["points"] += 1
        if "edge" in victims:
            if "control" not in victims:
                os.kill(lab.control_pid(), signal.SIGSTOP)
            lab.start_edge(f"--snapshot.log-sync={crash.random.choice(POLICIES)}",
                           "--snapshot.log-sync-interval-ms=200", "--snapshot.log-size-max-mb=1")
            crash.check_restarted_edge()
        if "control" in victims:
            lab.start_control()
        else:
            os.kill(lab.control_pid(), signal.SIGCONT)
        crash.check_everything_is_back()
    crash.report()
