"""Nothing that was acknowledged is lost, and nothing half applied is ever seen: brink-edge and
brink-control are killed at random points, while writers change zones and an observer asks.

BRINK_CRASH_POINTS is how often each of them is killed (200: the full proof, some minutes);
BRINK_CRASH_SEED repeats the choices of a run, which prints its seed.
"""
import os
import random
import re
import signal
import subprocess
import time

import pytest

import edge_control
from crash_lab import CrashLab, Load, Observer, Resolver, Writer
from zone_model import History

POINTS = int(os.environ.get("BRINK_CRASH_POINTS", 3))
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


def changed_and_served(crash, count):
    """`count` changes that the edge acknowledged, one transaction of the log each; where each begins."""
    offsets = []
    for _ in range(count):
        offsets.append(crash.lab.log_file.stat().st_size)
        acknowledged = crash.writers[0].acknowledged
        crash.writers[0].step()
        assert crash.writers[0].acknowledged == acknowledged + 1, crash.writers[0].notes
    return offsets


def restart_on_damaged_log(crash, damage):
    """Kills the edge, damages its log, starts it with nobody to ask; its log of this start. `damage`
    gets the log's bytes."""
    lab = crash.lab
    os.kill(lab.control_pid(), signal.SIGSTOP)
    lab.kill(lab.edge_pid())
    data = bytearray(lab.log_file.read_bytes())
    lab.log_file.write_bytes(damage(data))
    lab.start_edge()
    return lab.edge_log()


def states_before(crash, count):
    """The last `count` changes may be gone: a history that allows for exactly that."""
    writer = crash.writers[0]
    newest = writer.history.newest_number
    old = History(writer.history.state(newest - count))
    seen = crash.resolver.ask_all(writer.questions())
    fault = old.saw_all(0, seen)
    assert fault is None, fault


@pytest.mark.parametrize("keep", ["a byte", "a header", "half", "all but a byte"])
def test_a_torn_last_transaction_is_cut_off_and_told(lab, keep):
    crash = Crash(lab, "t" + keep[:3].replace(" ", ""), lossless=True)
    offset = changed_and_served(crash, 12)[-1]
    size = lab.log_file.stat().st_size
    left = {"a byte": 1, "a header": 64, "half": (size - offset) // 2,
            "all but a byte": size - offset - 1}[keep]
    log = restart_on_damaged_log(crash, lambda data: data[:offset + left])
    assert (f"{lab.log_file} at byte {offset} of {offset + left}: "
            "an unfinished transaction is cut off") in log
    states_before(crash, 1)
    assert lab.log_file.stat().st_size == offset
    os.kill(lab.control_pid(), signal.SIGCONT)
    crash.check_everything_is_back()
    lab.verify()


def test_a_flipped_bit_in_the_log_is_told_and_what_was_before_it_is_served(lab):
    crash = Crash(lab, "flip", lossless=True)
    offsets = changed_and_served(crash, 12)

    def flip(data):
        data[(offsets[-4] + offsets[-3]) // 2] ^= 4
        return data

    log = restart_on_damaged_log(crash, flip)
    assert re.search(rf"{lab.log_file} at byte {offsets[-4]} of \d+: damaged: \S.*; what follows is "
                     "lost until brink-control publishes again", log), log
    states_before(crash, 4)
    os.kill(lab.control_pid(), signal.SIGCONT)
    crash.check_everything_is_back()
    lab.verify()
    # It is on the disk again as well.
    os.kill(lab.control_pid(), signal.SIGSTOP)
    lab.kill(lab.edge_pid())
    lab.start_edge()
    crash.check_restarted_edge()
    os.kill(lab.control_pid(), signal.SIGCONT)


@pytest.fixture
def small_disk(lab, tmp_path):
    """The edge keeps its image on a file system of 24 MiB of its own; gives its path."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "brink-test", disk], check=True)
    lab.edge_stop()
    lab.start_edge(f"--path.image={disk}/edge.image")
    lab.wait_in_step()
    yield disk
    lab.edge_stop()
    subprocess.run(["umount", disk], check=True)
    lab.start_edge()
    lab.wait_in_step()


def fill(disk):
    """Takes all space; gives the file that has it."""
    path = disk / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                pass
    return path


def test_on_a_full_disk_changes_are_refused_serving_goes_on_and_space_lets_them_in(lab, small_disk):
    crash = Crash(lab, "full", lossless=True)
    with crash.load():
        time.sleep(0.5)
    filler = fill(small_disk)
    bulk = crash.writers[-1]  # what the log's last page has room for is kept
    acknowledged = bulk.acknowledged
    for writer in [bulk, *crash.writers]:
        writer.step()
        for note in writer.notes:
            assert "cannot append" in note and "free space" in note and "edge.image.log" in note
    assert bulk.acknowledged == acknowledged and bulk.stored == 2
    problem = lab.api().get("/brink/v1/status")["publication"]["problem"]
    assert "No space left" in problem
    done = lab.brinkctl("zone", "pause", "filler.test", check=False)
    assert done.returncode == 5 and "No space left" in done.stderr
    crash.check_served()
    assert crash.writers[0].history.floor() < crash.writers[0].history.newest_number
    filler.unlink()
    crash.check_everything_is_back()
    lab.brinkctl("zone", "resume", "filler.test")
    lab.verify()


def test_an_image_that_finds_no_space_is_published_when_there_is(lab, small_disk):
    crash = Crash(lab, "imagefull", lossless=True)
    with crash.load():
        time.sleep(0.3)
    filler = fill(small_disk)
    served = lab.wait_in_step()["served_version"]
    lab.control_stop()
    lab.start_control("--name-server", "ns77.example.net")  # all that is stored is compiled anew
    publication = lab.api().get("/brink/v1/status")["publication"]
    for _ in range(500):
        if "free space there" in publication["problem"]:
            break
        time.sleep(0.02)
        publication = lab.api().get("/brink/v1/status")["publication"]
    assert "edge.image.new" in publication["problem"] and "No space left" in publication["problem"]
    assert publication["served_version"] == served
    crash.check_served()
    filler.unlink()
    crash.check_everything_is_back()
