"""Runs brink-edge on a port that reads frames from one file and writes what it sends to another:
every input frame is accounted for exactly, and what comes out is compared as bytes."""
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from scapy.utils import RawPcapReader, RawPcapWriter

from stats import Stats

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BRINK_BUILD", ROOT / "build"))
EDGE_MAC = "02:70:63:61:70:00"  # of the first pcap port of a process
PEER_MAC = "02:00:00:00:00:99"

ZONE = """@ 300 SOA ns1 host 1 7200 3600 604800 300
@ 300 NS ns1
ns1 300 A 192.0.2.129
www 300 A 192.0.2.140
"""

CONF = """[eal]
hugepages = off
file-prefix = brink-pcap-{pid}
memory-mb = 128
[port]
device = net_pcap0,rx_pcap={dir}/in.pcap,tx_pcap={dir}/out.pcap
{port}
[topology]
worker = 0:dns+l7
idle-sleep-max-us = 100
[address]
own-v4 = 192.0.2.2/28
own-v6 = 2001:db8:e::2/64
gateway-v4 = 192.0.2.1
gateway-v6 = 2001:db8:e::1
neighbour = 192.0.2.1=02:00:00:00:00:99
neighbour = 2001:db8:e::1=02:00:00:00:00:99
[service]
dns = 192.0.2.129
dns = 2001:db8:a::129
proxied = 192.0.2.140
proxied = 2001:db8:a::140
[exception]
device = none
echo-rate = 0
[l7]
clients = 64
requests = 16
origins = 16
buffer-mb = 4
drain-s = 0
[path]
control-socket = {dir}/edge.sock
stats = {dir}/edge.stats
image = {dir}/edge.image
"""


def run_edge(frames, port=""):
    """Gives the Stats after all `frames` (bytes) were taken in, and the list of frames sent."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with RawPcapWriter(str(folder / "in.pcap"), linktype=1) as out:
            for frame in frames:
                out.write(frame)
        (folder / "zone").write_text(ZONE)
        subprocess.run([BUILD / "tests/lab_image", "file", folder / "edge.image", "1",
                        "example.com.", folder / "zone"], check=True)
        (folder / "edge.conf").write_text(CONF.format(dir=folder, pid=os.getpid(), port=port))
        log = open(folder / "log", "w+")
        edge = subprocess.Popen([BUILD / "dataplane/edge/brink-edge", "--config",
                                 folder / "edge.conf"], stderr=log, stdout=log)
        try:
            stats = wait_for_frames(edge, folder / "edge.stats", len(frames))
        except BaseException:
            edge.kill()
            edge.wait()
            log.seek(0)
            print(log.read())
            raise
        edge.send_signal(signal.SIGTERM)
        assert edge.wait(10) == 0, (folder / "log").read_text()
        assert not (folder / "edge.sock").exists() and not (folder / "edge.stats").exists()
        sent = [bytes(data) for data, _ in RawPcapReader(str(folder / "out.pcap"))] \
            if (folder / "out.pcap").stat().st_size > 24 else []
        return stats, sent


def wait_for_frames(edge, path, count):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert edge.poll() is None, f"brink-edge ended with {edge.returncode}"
        if path.exists() and Stats(path)["rx_packets"] == count:
            time.sleep(0.1)  # what answers it is a turn later
            return Stats(path)
        time.sleep(0.02)
    raise AssertionError(f"took in {Stats(path).nonzero()} of {count} frames")
