"""brink-edge on a veth among real hosts, in every way to place its workers: DNS, HTTP to real origins,
the box's own traffic."""
import hashlib
import os
import socket

import pytest

from edge_lab import DNS4, DNS6, OWN4, OWN6, WEB4, WEB6, EdgeLab

LAYOUTS = {
    "one worker": [],
    "dns and l7 apart, one queue": ["--workers", "0:dns,1:l7"],
    "l7 owns the queue, dns elsewhere": ["--workers", "1:l7,0:dns"],
    "both on both, one queue": ["--workers", "0:dns+l7,1:dns+l7"],
    "af_packet, two queues": ["--workers", "0:dns+l7,1:dns+l7", "--port",
                              "net_af_packet0,iface=eth0,qpairs=2"],
}


@pytest.fixture(scope="module")
def lab():
    with EdgeLab() as lab:
        yield lab


@pytest.fixture(scope="module", params=LAYOUTS)
def edge(request, lab):
    lab.start(*LAYOUTS[request.param])
    yield lab
    lab.edge_stop()


def test_dns_is_answered_over_both_families(edge):
    for _ in range(5):
        assert edge.dig(DNS4, "www.example.com") == WEB4
        assert edge.dig(DNS6, "www.example.com", "AAAA") == WEB6


def test_http_reaches_the_origin_of_each_name(edge):
    for _ in range(5):
        assert edge.get("www.example.com", WEB4) == "this is origin-a\n"
        assert edge.get("app.example.com", WEB6) == "this is origin-b\n"
    assert "connecting=198.51.100.10\n" in edge.get("www.example.com", WEB4, "/headers")
    assert "connecting=2001:db8:c::10\n" in edge.get("www.example.com", WEB6, "/headers")


def test_big_bodies_pass_whole_both_ways(edge, tmp_path):
    body = os.urandom(3_000_000)
    (tmp_path / "body").write_bytes(body)
    assert edge.get("www.example.com", WEB4, "/upload/x", "-T", str(tmp_path / "body"), "-o",
                    "/dev/null", "-w", "%{http_code}") in ("201", "204")
    edge.get("www.example.com", WEB4, "/upload/x", "-o", str(tmp_path / "back"))
    assert hashlib.sha256((tmp_path / "back").read_bytes()).digest() == hashlib.sha256(body).digest()
    (edge.state / "origin-a/tmp/upload/x").unlink()


def test_many_connections_at_once(edge):
    urls = []
    for i in range(60):
        urls += ["-o", "/dev/null", f"http://app.example.com/?{i}"]
    out = edge.exec("client", "curl", "-sS", "--max-time", "20", "--resolve",
                  f"app.example.com:80:{WEB4}", "-Z", "--parallel-max", "30", "-w", "%{http_code}\n",
                  *urls)
    assert out.split() == ["200"] * 60


def test_the_box_itself_is_the_kernels(edge):
    """Ping, and a TCP server of the kernel's beside the workers' ports."""
    for address in (OWN4, OWN6, DNS4, WEB6):
        assert " 0% packet loss" in edge.exec("client", "ping", "-c3", "-i0.02", "-W2", address)
    with edge.inside("edge"):
        server = socket.create_server((OWN4, 2222))
    server.settimeout(5)
    with server, edge.connect(OWN4, 2222, timeout=5) as near:
        far, _ = server.accept()
        with far:
            far.settimeout(5)
            near.sendall(b"kernel")
            far.sendall(far.recv(100)[::-1])
            assert near.recv(100) == b"lenrek"
    # and the box can open connections itself, from ports that are not the workers'
    assert edge.exec("edge", "curl", "-sS", "--max-time", "5", "http://203.0.113.10/") == "this is origin-a\n"


def test_nothing_is_reset_and_nothing_lost_on_the_way(edge):
    before = edge.segment()
    for _ in range(20):
        edge.get("www.example.com", WEB4)
    after = edge.segment()
    assert after["http_responses"] - before["http_responses"] == 20
    for name in ("tcp_resets_sent", "drop_steer_full", "drop_tx_full", "drop_no_mbuf",
                 "drop_no_neighbour", "drop_tcp_checksum", "http_edge_errors"):
        assert after[name] == before[name], name
