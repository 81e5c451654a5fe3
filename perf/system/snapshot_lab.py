"""What the snapshot benchmarks share: a lab whose record store is filled with synthetic zones, memory of
processes, clients of DNS and of the API that ask one question after the other, and NSD and Knot with the same zones."""
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from lab import BUILD, EDGE, LAB_ARGUMENTS, Lab  # noqa: E402,F401

import dns_servers  # noqa: E402

DNS = "192.0.2.129"
REFUSED, NOERROR = 5, 0


def pss(process_id):
    """Proportional share of the memory of a process and all that it started, with its huge pages,
    which the kernel's own sum leaves out."""
    total = 0
    for process in dns_servers.descendants(process_id):
        text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        total += sum(1024 * int(size) for size in
                     re.findall(r"^(?:Pss|Private_Hugetlb|Shared_Hugetlb): +(\d+)", text, re.M))
    return total


def scrambled(number):
    """As support/synthetic_zones.cc has it."""
    return number * 2654435761 % 0xFFFFFFFF


def host_name(index, per_zone=10):
    return f"h{index}.customer-zone-{scrambled(index // per_zone)}.com"


def www_name(index):
    return f"www.domain-{scrambled(index)}.com"


def query(name, number=0):
    """For A records of `name`."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return number.to_bytes(2, "big") + b"\0\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


class Client:
    """Asks `address` from a host of the lab."""

    def __init__(self, lab, address=DNS, host="client"):
        with lab.inside(host):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, 53))
        self.number = 0

    def ask(self, name, timeout=1.0):
        """The response; None after `timeout`."""
        self.number = self.number + 1 & 0xFFFF
        self.socket.settimeout(timeout)
        try:
            self.socket.send(query(name, self.number))
            while True:
                response = self.socket.recv(4096)
                if response[:2] == self.number.to_bytes(2, "big"):
                    return response
        except OSError:  # late, or nobody is there yet
            return None

    def wait(self, name, rcode=NOERROR, timeout=600.0, alive=lambda: True):
        """Asks until the response has `rcode`; returns when that was."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and alive():
            response = self.ask(name, 0.005)
            if response and response[3] & 15 == rcode:
                return time.monotonic()
            if response is None:
                time.sleep(0.002)
        raise RuntimeError(f"no answer for {name}")


class Api:
    """One kept connection to brink-control's socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))

    def send(self, method, target, body=None):
        content = json.dumps(body).encode() if body is not None else b""
        self.socket.sendall(f"{method} {target} HTTP/1.1\r\nHost: brink\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
                            .encode() + content)

    def receive(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length"))
        while len(body) < size:
            body += self.socket.recv(65536)
        result = json.loads(body)
        assert result["success"], result
        return result

    def ask(self, method, target, body=None):
        self.send(method, target, body)
        return self.receive()


class SnapshotLab(Lab):
    """A lab in which the first packet finds its way: no address has to be resolved on the way to
    the edge or back."""

    def up(self):
        super().up()
        for host, device, other, other_device, address in (
                ("router", "edge", "edge", "eth0", "192.0.2.2"),):
            mac = self.exec(other, "cat", f"/sys/class/net/{other_device}/address").strip()
            self.exec(host, "ip", "neighbour", "replace", address, "lladdr", mac, "dev", device,
                      "nud", "permanent")
        self.router_mac = self.exec("router", "cat", "/sys/class/net/edge/address").strip()

    def edge_arguments(self):
        return (*LAB_ARGUMENTS, f"--address.neighbour=192.0.2.1={self.router_mac}")

    def start(self):
        """brink-edge without an image; leaves its settings for restart()."""
        self.edge_start(workers="1:dns+l7", arguments=self.edge_arguments()[len(LAB_ARGUMENTS):])

    def restart(self, ahead=False):
        """Another brink-edge with the image and log that are there; returns the process at once.
        `ahead`: of whatever else the machine does."""
        return self.spawn("edge", *(("chrt", "-f", "1") if ahead else ()), EDGE, "--config", self.state / "edge.conf", *self.edge_arguments(),
                          stdout=subprocess.DEVNULL, stderr=open(self.state / "edge.log", "w"))

    def fill_store(self, names, shape):
        """For a brink-control to be started."""
        subprocess.run([BUILD / "perf/fill_store", self.state / "control.db", str(names), shape],
                       check=True)

    def make_image(self, names, shape):
        """For a brink-edge to be started."""
        subprocess.run([BUILD / "perf/make_image", self.state / "edge.image", str(names), shape],
                       check=True)

    def make_zone_files(self, names, shape):
        folder = self.state / "zones"
        folder.mkdir()
        subprocess.run([BUILD / "perf/make_zone_files", folder, str(names), shape], check=True)
        return folder

    def control_pid(self):
        return int((self.state / "control.pid").read_text())

    def wait_served(self, timeout=600):
        """Until the edge serves what the store has."""
        for _ in range(int(timeout * 5)):
            if self.brinkctl("status")["publication"]["in_step"]:
                return
            time.sleep(0.2)
        raise RuntimeError("not served in time")


class LoopbackPeer(dns_servers.Peer):
    """A server of dns_servers.PEERS that answers on the lab's origin-b alone; `first_answer_s` is how
    long it took to answer for `name`."""

    server = "origin-b"
    cpus = {"origin-b": 1}

    def __init__(self, kind, lab, zones, name):
        self.lab, self.question = lab, name
        lab.exec(self.server, "ip", "address", "replace", dns_servers.SERVICE + "/32", "dev", "lo")
        folder = lab.state / "peers"
        folder.mkdir(exist_ok=True)
        shutil.rmtree(folder / kind, ignore_errors=True)
        self.started = time.monotonic()
        super().__init__(kind, self, folder, zones)

    def inside(self, host):
        return ("ip", "netns", "exec", f"{self.lab.name}-{host}")

    def wait_ready(self, _):
        client = Client(self.lab, dns_servers.SERVICE, self.server)
        try:
            answered = client.wait(self.question, alive=lambda: self.process.poll() is None)
        except RuntimeError as error:
            raise dns_servers.Missing(f"{self.name}: {error}: {self.log()}") from error
        self.first_answer_s = answered - self.started


def settled_pss(*process_ids):
    """Of all of them, when it has stopped changing."""
    last, since = None, time.monotonic()
    for _ in range(120):
        now = sum(pss(each) for each in process_ids)
        if last is not None and abs(now - last) < 1 << 20 and time.monotonic() - since > 2:
            return now
        if last is None or abs(now - last) >= 1 << 20:
            last, since = now, time.monotonic()
        time.sleep(0.5)
    return last


def go_ahead(*process_ids):
    """Gives all their threads a real-time class."""
    for process in process_ids:
        subprocess.run(["chrt", "-a", "-f", "-p", "1", str(process)], check=True)


def figures(seconds, unit):
    ordered = sorted(seconds)
    return {"p50": statistics.median(ordered) * unit, "p99": ordered[len(ordered) * 99 // 100] * unit,
            "max": ordered[-1] * unit}


def machine():
    """What else the machine was doing."""
    return {"load_average": os.getloadavg()[0], "cpus": os.cpu_count()}
