"""One brink-edge in the lab from start to stop: fallbacks, image swaps under load, restarts without a
control process, and a stop that leaves nothing behind."""
import os
import pathlib
import subprocess
import threading
import time

import pytest

from edge_lab import DNS4, WEB4, EdgeLab
from lab import EDGE

@pytest.fixture(scope="module")
def lab():
    with EdgeLab() as lab:
        yield lab


@pytest.fixture
def one_edge(lab):
    lab.start()
    yield lab
    lab.edge_stop()


def test_fallbacks_are_told(lab):
    lab.start("--workers", "0:dns,1:l7")
    try:
        assert "queue pair(s) for 2 workers" in lab.segment().fallbacks
        assert "fallback: " in lab.log()
    finally:
        lab.edge_stop()


def test_an_image_is_swapped_while_queries_run(one_edge):
    lab = one_edge
    stop, answers, failures = threading.Event(), [], []

    def ask():
        while not stop.is_set():
            answer = lab.dig(DNS4, "version.example.com", "TXT")
            (answers if answer else failures).append(answer)

    thread = threading.Thread(target=ask)
    thread.start()
    for version in range(2, 12):
        lab.publish(version)
        assert lab.dig(DNS4, "version.example.com", "TXT") == f'"{version}"', "served when acknowledged"
    stop.set()
    thread.join()
    assert failures == [] and len(answers) > 5
    seen = [int(answer.strip('"')) for answer in answers]
    assert seen == sorted(seen), "never backwards"
    time.sleep(0.4)
    assert lab.segment().snapshot_version == 11


def test_it_restarts_with_what_it_served_and_nobody_to_ask(lab):
    lab.start(version=1)
    lab.publish(5)
    lab.edge_stop()
    lab.start(version=0)  # no image is put there by the test
    try:
        assert lab.dig(DNS4, "version.example.com", "TXT") == '"5"'
        assert lab.get("www.example.com", WEB4) == "this is origin-a\n"
    finally:
        lab.edge_stop()


@pytest.mark.parametrize("damage", ["absent", "truncated", "flipped"])
def test_without_a_good_image_it_starts_and_refuses_until_one_comes(lab, damage):
    image = lab.state / "edge.image"
    lab.image("file", image, 1)
    data = bytearray(image.read_bytes())
    if damage == "absent":
        image.unlink()
    elif damage == "truncated":
        image.write_bytes(data[:-100])
    else:
        data[len(data) // 2] ^= 1
        image.write_bytes(data)
    lab.start(version=0)
    try:
        status = lab.exec("client", "kdig", f"@{DNS4}", "www.example.com", "+timeout=2")
        assert "status: REFUSED" in status
        lab.publish(3)
        assert lab.dig(DNS4, "www.example.com") == WEB4
    finally:
        lab.edge_stop()


def test_a_stop_leaves_nothing_behind(lab):
    lab.start()
    assert "brink0" in lab.exec("edge", "ip", "-brief", "link")
    began = time.monotonic()
    lab.edge_stop()
    assert time.monotonic() - began < 5
    links = lab.exec("edge", "ip", "link")
    assert "brink0" not in links and "xdp" not in links
    assert lab.log().rstrip().endswith("stopped")
    for name in ("edge.sock", "edge.stats", "edge.pid"):
        assert not (lab.state / name).exists(), name
    assert not pathlib.Path(f"/var/run/dpdk/{lab.name}").exists()


def test_a_stop_lets_a_response_end(lab):
    lab.start()
    client = lab.spawn("client", "curl", "-sS", "--max-time", "20", "--limit-rate", "4M", "--resolve",
                       f"app.example.com:80:{WEB4}", "-o", "/dev/null", "-w", "%{size_download}",
                       "http://app.example.com/big", stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)
    time.sleep(0.7)
    lab.edge_stop()
    out, err = client.communicate(timeout=20)
    assert (out, client.returncode) == ("8388608", 0), err


def test_an_idle_edge_leaves_its_cores_to_others(one_edge):
    process = one_edge.edge_pid()

    def ticks():
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(1)
    before = ticks()
    time.sleep(2)
    used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / 2
    assert used < 0.4, f"{used:.0%} of a core"
    assert one_edge.dig(DNS4, "www.example.com") == WEB4


def test_a_replaced_gateway_is_found_out(one_edge):
    """Its station address changes; workers follow what the kernel learns from its next ARP."""
    lab = one_edge
    assert lab.get("www.example.com", WEB4) == "this is origin-a\n"
    link = lab.exec("router", "cat", "/sys/class/net/edge/address").strip()
    lab.exec("router", "ip", "link", "set", "edge", "address", "02:00:00:00:77:77")
    try:
        # Frames to the old address are not the router's any more.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                assert lab.get("www.example.com", WEB4, "/", "--max-time", "2") == "this is origin-a\n"
                break
            except AssertionError:
                time.sleep(1)
        else:
            raise AssertionError("the new gateway was never found")
    finally:
        lab.exec("router", "ip", "link", "set", "edge", "address", link)


def test_a_bad_setting_is_refused_by_name(lab):
    done = subprocess.run(["ip", "netns", "exec", f"{lab.name}-edge", EDGE,
                           "--port.device", "auto:eth0", "--service.dns", "192.0.2"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "service.dns = 192.0.2: not an IP address (give one IPv4 or IPv6 address)" in done.stderr


def test_a_second_up_is_harmless_and_status_tells(one_edge):
    one_edge.script("up")
    status = one_edge.script("status").stdout
    assert "edge: running" in status and "origin-a: running" in status
    assert one_edge.get("www.example.com", WEB4) == "this is origin-a\n"
