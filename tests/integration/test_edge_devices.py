"""brink-edge on the other kinds of port that need no NIC, and on one that another program holds."""
import time

import pytest

from edge_lab import DNS4, WEB4, EdgeLab
from lab import EDGE, LAB_ARGUMENTS


@pytest.fixture(scope="module")
def lab():
    with EdgeLab() as lab:
        yield lab


@pytest.mark.parametrize("device", ["net_ring0", "net_null0", "net_vhost0,iface={state}/vhost.sock",
                                    "net_memif0,role=server,socket={state}/memif.sock,"
                                    "socket-abstract=no"])
def test_it_starts_and_stops_on_a_device_without_a_wire(lab, device):
    lab.start("--port", device.format(state=lab.state))
    assert lab.segment()["drop_no_mbuf"] == 0
    lab.edge_stop()
    assert not (lab.state / "edge.sock").exists()


def test_it_answers_on_a_tap(lab):
    lab.image("file", lab.state / "edge.image", 1)
    lab.script("edge-start", "--port", "net_tap0,iface=wire0", "--", *LAB_ARGUMENTS,
               "--exception.device=none")
    try:
        lab.exec("edge", "ip", "address", "add", "192.0.2.1/28", "dev", "wire0")
        lab.exec("edge", "ip", "link", "set", "wire0", "up")
        lab.exec("edge", "ip", "route", "add", f"{DNS4}/32", "dev", "wire0")
        answer = lab.exec("edge", "kdig", f"@{DNS4}", "www.example.com", "+short", "+timeout=2")
        assert answer.strip() == WEB4
    finally:
        lab.edge_stop()


def test_where_af_xdp_cannot_be_had_it_takes_a_packet_socket_and_says_so(lab):
    """A queue takes one AF_XDP socket: the first edge has it."""
    lab.start()
    try:
        second = lab.state / "second"
        second.mkdir()
        config = (lab.state / "edge.conf").read_text()
        config = config.replace(str(lab.state), str(second))
        config = config.replace(f"file-prefix = {lab.name}", f"file-prefix = {lab.name}-2")
        (second / "edge.conf").write_text(config)
        with open(second / "log", "w") as log:
            process = lab.spawn("edge", EDGE, "--config", second / "edge.conf", *LAB_ARGUMENTS,
                                "--exception.device=none", stdout=log, stderr=log)
        for _ in range(200):
            text = (second / "log").read_text()
            if "] ready" in text or process.poll() is not None:
                break
            time.sleep(0.1)
        assert "] ready" in text, text
        assert "fallback: " in text and "net_af_packet" in text
        process.terminate()
        assert process.wait(20) == 0
    finally:
        lab.edge_stop()
