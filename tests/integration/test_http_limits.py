"""What the HTTP half does at its limits: more is refused and counted, what is there goes on."""
import hashlib
import os
import subprocess
import threading

import pytest

from lab import Lab
from test_http import (SCRIPTED, V4, ZONE, assert_edge_page, name, scripted, start_scripted_origin,
                       wait_until, wire)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

CLIENTS, REQUESTS, ORIGINS = 20, 8, 12
STOPPED, ACTIVE = 24, 8


def start(lab, clients, requests, origins):
    """A lab whose edge has so many slots and 2 MiB of buffers."""
    start_scripted_origin(lab)
    lab.edge_start(workers="0:dns,1:l7", arguments=(
        f"--l7.clients={clients}", f"--l7.requests={requests}", f"--l7.origins={origins}",
        "--l7.body-max-mb=2", "--l7.buffer-mb=2"))
    lab.control_start()
    (lab.state / "example.com.zone").write_text(ZONE)
    lab.brinkctl("zone", "import", lab.state / "example.com.zone", "--zone", "example.com",
                 "--create", "--activate")
    lab.brinkctl("record", "set", name("www"), "A", "203.0.113.10", "--proxied")


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        start(lab, CLIENTS, REQUESTS, ORIGINS)
        yield lab


def answers(http):
    try:
        return http.get(name("www"), "/cdn-cgi/trace").response().status == 200
    except (OSError, EOFError):
        return False


def test_connections_over_the_limit_are_refused_and_counted(lab):
    connections = [wire(lab, SCRIPTED, timeout=5) for _ in range(CLIENTS)]
    assert all(answers(http) for http in connections)
    refused = []
    for _ in range(10):
        try:
            refused.append(wire(lab, SCRIPTED, timeout=2))
        except OSError:
            pass
    assert not any(answers(http) for http in refused)
    assert lab.counter("drop_http_client_limit") + lab.counter("drop_tcp_backlog") >= 10
    assert all(answers(http) for http in connections), "those inside the limit go on"
    for http in connections + refused:
        http.connection.close()
    assert wait_until(lambda: sum(w["tcp_connections"] for w in lab.stats()["workers"]) == 0)
    with wire(lab, SCRIPTED) as http:
        assert answers(http)


def test_requests_over_the_limit_are_503_and_counted(lab):
    before = lab.counter("http_overloaded")
    waiting = [wire(lab, SCRIPTED).get(name("www"), "/silent") for _ in range(REQUESTS)]
    assert wait_until(lambda: lab.counter("tcp_connected") >= REQUESTS)
    with wire(lab, SCRIPTED) as http:
        assert_edge_page(http.get(name("www"), "/echo").response(), 503, 503, "edge")
        assert http.closed()
    assert lab.counter("http_overloaded") == before + 1
    for http in waiting:
        http.reset()
    assert wait_until(lambda: lab.counter("http_client_aborts") >= REQUESTS)
    with wire(lab, SCRIPTED) as http:
        assert http.get(name("www"), "/echo").response().status == 200


@pytest.mark.parametrize("zone_mib, mib", [(1, 1), (100, 2)])
def test_body_over_the_limit_of_the_zone_or_the_edge_is_413(lab, zone_mib, mib):
    lab.brinkctl("settings", "set", "example.com", "max_upload", zone_mib)
    limit = mib << 20
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/echo", f"Content-Length: {limit}", method="POST")
        http.send(bytes(limit))
        assert http.response().status == 200
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/echo", f"Content-Length: {limit + 1}", method="POST")
        assert_edge_page(http.response(), 413, 413, "edge")
    with wire(lab, SCRIPTED) as http:
        http.get(name("www"), "/echo", "Transfer-Encoding: chunked", method="POST")
        try:
            http.send(b"%x\r\n" % limit + b"x" * limit + b"\r\n1\r\nx\r\n0\r\n\r\n")
        except OSError:
            pass
        assert http.response().status == 413


def test_a_stop_waits_for_responses_in_progress(lab):
    size = 24 << 20
    idle = wire(lab, SCRIPTED)
    assert answers(idle)
    with wire(lab, SCRIPTED, receive_buffer=65536, timeout=20) as http:
        http.get(name("www"), f"/big?{size}")
        http.more()
        stopping = threading.Thread(target=lab.edge_stop)
        stopping.start()
        assert idle.closed(), "nothing is owed to an idle connection"
        assert len(http.response().body) == size
    stopping.join(15)
    assert not stopping.is_alive()
    assert "client connection(s) open" not in (lab.state / "edge.log").read_text()


@pytest.fixture
def roomy():
    """Slots for everybody, so that only the buffers are short."""
    with Lab() as lab:
        start(lab, 64, 64, 64)
        yield lab


def start_download(lab, size):
    """Ends with code 28 when less than 64 KiB/s came for five seconds."""
    return lab.spawn("client", "curl", "-sS", "-m", 60, "--speed-limit", 65536, "--speed-time", 5,
                     "--resolve", f"{name('www')}:{SCRIPTED}:{V4}",
                     f"http://{name('www')}:{SCRIPTED}/big?{size}",
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def outcomes(downloads):
    """Exit code, hash and what curl says of each; read together, or they would wait for us."""
    results = [None] * len(downloads)

    def read(i, process):
        output, said = process.communicate()
        results[i] = (process.returncode, hashlib.sha256(output).hexdigest(), said.decode())

    threads = [threading.Thread(target=read, args=each) for each in enumerate(downloads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_clients_that_stop_reading_starve_nobody(roomy):
    lab, size = roomy, 16 << 20
    stopped = [wire(lab, SCRIPTED).get(name("www"), "/big?33554432") for _ in range(STOPPED)]
    assert wait_until(lambda: lab.counter("tcp_connected") >= STOPPED)
    assert wait_until(lambda: lab.counter("tcp_pool_waits") > 0), "the buffers are short"

    results = outcomes([start_download(lab, size) for _ in range(ACTIVE)])
    whole = hashlib.sha256(bytes(range(256)) * (size // 256)).hexdigest()
    assert [result[:2] for result in results] == [(0, whole)] * ACTIVE, results

    # They are the client's to end, or the edge's after a minute without progress.
    assert lab.counter("http_client_aborts") == 0
    assert sum(w["tcp_connections"] for w in lab.stats()["workers"]) >= 2 * STOPPED
    for http in stopped:
        http.reset()
    assert wait_until(lambda: lab.counter("http_client_aborts") == STOPPED)
    assert len(scripted(lab, f"/big?{size}")) == size
