"""A brink-edge on one end of a memif, or of another device, for the benchmarks of this folder: started
from a folder with an image of its own, read through its statistics segment, ended with the benchmark."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/integration"))
from stats import read_stats  # noqa: E402

BUILD = pathlib.Path(os.environ.get("BRINK_BUILD", ROOT / "build"))
SERVER_MAC = "02:00:00:00:00:01"
LOAD_MEBIBYTES = 128  # of memory that dns_load needs


def ensure_hugepages(count=512):
    """Asks the kernel for 2 MiB pages; returns how many there are. Without them DPDK still runs."""
    path = pathlib.Path("/proc/sys/vm/nr_hugepages")
    if int(path.read_text()) < count:
        path.write_text(str(count))
    mounts = pathlib.Path("/proc/mounts").read_text()
    if "hugetlbfs" not in mounts:
        os.makedirs("/dev/hugepages", exist_ok=True)
        subprocess.run(["mount", "-t", "hugetlbfs", "none", "/dev/hugepages"], check=True)
    return int(path.read_text())


def free_hugepages():
    """2 MiB pages that nobody has."""
    path = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
    return int(path.read_text()) if path.exists() else 0


def totals(segment):
    """Counters, turns and cycles summed over the workers of a statistics segment, and of its header how
    often the image was swapped, the TSC's frequency and the fallbacks."""
    header = segment["header"]
    total = {"swaps": header["snapshot_swaps"], "tsc_hz": header["tsc_hz"],
             "fallbacks": header["fallbacks"]}
    for worker in segment["workers"]:
        for name, value in worker["counters"].items():
            total[name] = total.get(name, 0) + value
        for name in ("busy_cycles", "idle_cycles", "iterations"):
            total[name] = total.get(name, 0) + worker[name]
    return total


def busiest_thread(process_id, cpu):
    """Of those threads of a process that CPU `cpu` alone may run, the one that has used most of its time."""
    return int(max((thread for thread in pathlib.Path(f"/proc/{process_id}/task").iterdir()
                    if f"\nCpus_allowed_list:\t{cpu}\n" in (thread / "status").read_text()),
                   key=lambda thread: sum(map(int, (thread / "stat").read_text().rsplit(")", 1)[1]
                                              .split()[11:13]))).name)


def poll_ahead(process_id, cpu):
    """Gives the thread that polls on `cpu` a real-time class. Not the others: what polls for ever would starve
    them."""
    subprocess.run(["chrt", "-f", "-p", "1", str(busiest_thread(process_id, cpu))], check=True)


class Edge:
    """brink-edge with one worker (`roles`) on CPU `cpu`: memif server, unless `device` names another
    device. `prefix` is what runs it, such as ("ip", "netns", "exec", NAME)."""

    def __init__(self, image, cpu=1, roles="dns", device=None, prefix=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="brink-perf-"))
        self.socket = self.folder / "memif.sock"
        self.stats_path = self.folder / "stats"
        self.control_socket = self.folder / "edge.sock"
        shutil.copy(image, self.folder / "image") if image else None
        (self.folder / "edge.conf").write_text(f"""
[eal]
file-prefix = perf{os.getpid()}
[port]
device = {device or self.memif()}
[topology]
main-cpu = {1 - cpu}
worker = {cpu}:{roles}
idle = poll
[address]
own-v4 = 192.0.2.2/28
gateway-v4 = 192.0.2.1
neighbour = 192.0.2.1=02:00:00:00:00:02
[service]
dns = 192.0.2.129
[exception]
device = none
[path]
control-socket = {self.control_socket}
stats = {self.stats_path}
image = {self.folder}/image
[log]
level = warning
""")
        self.log = open(self.folder / "edge.log", "w")
        self.process = subprocess.Popen(
            [*prefix, BUILD / "dataplane/edge/brink-edge", "--config", self.folder / "edge.conf"],
            stdout=self.log, stderr=self.log)
        self.wait_ready()

    def memif(self):
        return (f"net_memif0,role=server,socket={self.socket},socket-abstract=no,rsize=10,"
                f"mac={SERVER_MAC}")

    def wait_ready(self):
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError("brink-edge ended:\n" + (self.folder / "edge.log").read_text())
            if self.stats_path.exists() and self.control_socket.exists():
                return
            time.sleep(0.1)
        raise RuntimeError("brink-edge is not ready after a minute")

    def stats(self):
        """totals() of its statistics segment."""
        return totals(read_stats(self.stats_path))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)


class Load:
    """dns_load against the memif at `socket`, or on another `device`, running until its time is over or
    finish() ends it."""

    def __init__(self, socket=None, cpu=0, echo=False, device=None, prefix=(), **options):
        device = device or f"net_memif0,role=client,socket={socket},socket-abstract=no,rsize=10"
        command = [*prefix, BUILD / "perf/dns_load"]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        if echo:
            command.append("--echo")
        command += ["--", "--no-pci", "--lcores", f"0@{cpu}", "--file-prefix", f"load{os.getpid()}",
                    "--log-level", "4", "--vdev", device]
        if free_hugepages() < LOAD_MEBIBYTES // 2:
            command += ["--no-huge", "--no-shconf", "-m", str(LOAD_MEBIBYTES)]
        else:
            command += ["--in-memory"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def finish(self, early=False):
        """Its JSON line."""
        if early:
            self.process.send_signal(signal.SIGTERM)
        output, said = self.process.communicate(timeout=600)
        lines = output.strip().splitlines()
        if not lines or not lines[-1].startswith("{"):
            raise RuntimeError("dns_load gave no result: " + said)
        return json.loads(lines[-1])


def load(socket=None, **options):
    return Load(socket, **options).finish()


def make_image(path, names, per_zone=10):
    subprocess.run([BUILD / "perf/make_image", path, str(names), str(per_zone)], check=True)
