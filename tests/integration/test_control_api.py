"""brink-control and brinkctl as real programs, without an edge.

Every change is then stored but not served, and says so.
"""
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
import requests

from control_process import CONTROL, ROOT, Control

EXAMPLE = ROOT / "docs/examples/example.com.zone"
NOT_SERVED_YET = 12001


class FakeEdge:
    """The edge's end of the control socket (dataplane/ipc/control_message.h), spoken by hand."""

    FORMAT = struct.Struct("=IIQQQQIB255s481s3x")
    PROTOCOL = 2
    HELLO, WELCOME, IMAGE, TRANSACTION = 1, 2, 3, 4
    REPLY = 8

    def __init__(self, folder):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(folder / "edge.sock"))
        self.listener.listen()
        self.listener.settimeout(10)

    def welcome(self, version=0):
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(10)
        kind, sequence, _ = self.receive()
        assert kind == self.HELLO
        self.send(self.WELCOME, sequence, version)

    def receive(self):
        message, descriptors, _, _ = socket.recv_fds(self.peer, 1024, 1)
        kind, protocol, sequence, version, _, size, _, _, _, _ = self.FORMAT.unpack(message)
        assert protocol == self.PROTOCOL
        self.payload = b""
        for descriptor in descriptors:
            self.payload = os.pread(descriptor, size, 0)
            os.close(descriptor)
        return kind, sequence, version

    def send(self, kind, sequence, version, status=0, reason=b""):
        self.peer.send(self.FORMAT.pack(kind, self.PROTOCOL, sequence, version, 0, 0, status, 0,
                                        b"", reason))

    def take(self, wanted, magic, status=0, reason=b""):
        kind, sequence, version = self.receive()
        assert kind == wanted
        assert self.payload.startswith(magic)
        self.send(self.REPLY, sequence, version, status, reason)
        return version

    def take_image(self, status=0, reason=b""):
        return self.take(self.IMAGE, b"BRNKIMG1", status, reason)

    def take_transaction(self, status=0, reason=b""):
        return self.take(self.TRANSACTION, b"BRNKTXN1", status, reason)


@pytest.fixture
def control(tmp_path):
    running = Control(tmp_path)
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0, "did not stop cleanly"


def test_a_change_says_that_it_is_not_served_yet(control):
    zone = control.api("POST", "/zones", json={"name": "example.com"})
    assert zone["messages"][0]["code"] == NOT_SERVED_YET
    status = control.ctl_json("status")
    assert status["publication"]["connected"] is False
    assert status["publication"]["wanted_version"] == status["store"]["version"]
    done = control.ctl("zone", "pause", "example.com")
    assert done.returncode == 0
    assert "not served yet" in done.stderr


def test_a_change_is_answered_when_the_edge_serves_it(control):
    edge = FakeEdge(control.folder)
    edge.welcome()
    start = edge.take_image()
    replies = []
    client = threading.Thread(target=lambda: replies.append(
        control.api("POST", "/zones", json={"name": "example.com"})))
    client.start()
    kind, sequence, version = edge.receive()
    assert kind == edge.TRANSACTION and version > start, "what changed, no more"
    assert b"\x07example\x03com\x00" in edge.payload
    time.sleep(0.2)
    assert not replies, "answered before the edge acknowledged"
    edge.send(edge.REPLY, sequence, version)
    client.join(10)
    assert replies[0]["messages"] == []
    assert control.ctl_json("status")["publication"]["in_step"] is True

    # An edge that restarts empty gets the image again; one that refuses both is quoted.
    edge.peer.close()
    edge.welcome()
    assert edge.take_image() == version
    client = threading.Thread(target=lambda: replies.append(control.ctl("zone", "pause",
                                                                        "example.com")))
    client.start()
    edge.take_transaction(status=1, reason=b"a blob is malformed")
    edge.take_image(status=1, reason=b"bad checksum")
    client.join(10)
    assert replies[1].returncode == 5
    assert "bad checksum" in replies[1].stderr


def test_records_live_and_conflict(control):
    zone = control.add_zone("example.com")
    record = {"type": "A", "name": "www", "content": "203.0.113.1", "ttl": 120}
    made = control.api("POST", zone + "/dns_records", json=record)["result"]
    path = f"{zone}/dns_records/{made['id']}"
    assert re.fullmatch("[0-9a-f]{32}", made["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", made["created_on"])
    assert control.api("GET", path)["result"] == made

    again = control.api("POST", zone + "/dns_records", 400, json=record)
    assert again["errors"][0]["code"] == 81057
    alias = dict(record, type="CNAME", content="x.example.net")
    assert control.api("POST", zone + "/dns_records", 400, json=alias)["errors"][0]["code"] == 81053
    text = {"type": "TXT", "name": "t", "content": "x", "proxied": True}
    refused = control.api("POST", zone + "/dns_records", 400, json=text)["errors"][0]
    assert (refused["code"], refused["error_chain"][0]["code"]) == (1004, 9004)

    assert control.api("PATCH", path, json={"proxied": True})["result"]["ttl"] == 1
    assert control.api("DELETE", path, data="{}")["result"] == {"id": made["id"]}
    assert control.api("GET", path, 404)["errors"][0]["code"] == 81044


def test_small_clients_find_what_they_look_for(control):
    control.add_zone("example.com")
    text = requests.get(control.base + "/zones/?name=example.com&per_page=1", timeout=10,
                        headers=control.headers).text
    assert '"result":[{"id":"' in text, "compact, id first"
    assert '"name":"example.com"' in text
    assert len(text) < 7000
    with socket.create_connection(("127.0.0.1", control.port), timeout=10) as raw:
        raw.sendall(b"GET /client/v4/zones HTTP/1.0\r\nAuthorization: "
                    + control.headers["Authorization"].encode() + b"\r\n\r\n")
        answer = b""
        while part := raw.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.0 200") or answer.startswith(b"HTTP/1.1 200")
    assert b"application/json" in answer


def test_settings_reach_the_edge_and_outlive_a_kill(control):
    zone = control.add_zone("example.com")
    edge = FakeEdge(control.folder)
    edge.welcome()
    edge.take_image()
    done = []
    change = threading.Thread(target=lambda: done.append(
        control.api("PATCH", zone + "/settings/ipv6", json={"value": "off"})))
    change.start()
    edge.take_transaction()
    change.join()
    assert done[0]["messages"] == []
    control.process.kill()
    control.process.wait()
    control.start()
    assert control.api("GET", zone + "/settings/ipv6/")["result"]["value"] == "off"


def test_bodies_where_none_belong_are_tolerated(control):
    zone = control.add_zone("example.com")
    record = control.api("POST", zone + "/dns_records/", data=json.dumps(
        {"type": "A", "name": "B\u00fccher", "content": "203.0.113.1"}))["result"]
    assert record["name"] == "xn--bcher-kva.example.com"
    for path in ("/zones/", zone, zone + "/dns_records/" + record["id"]):
        control.api("GET", path, json={"any": "thing"})
    assert control.api("DELETE", zone + "/dns_records/" + record["id"] + "/", data="not even JSON")
    assert control.api("DELETE", zone, json={})["success"]


def test_lists_page_to_their_end(control):
    zone = control.add_zone("example.com")
    posts = [{"type": "TXT", "name": f"t{i}", "content": "x"} for i in range(25)]
    control.api("POST", zone + "/dns_records/batch", json={"posts": posts})
    names, page = [], 1
    while True:
        reply = control.api("GET", f"{zone}/dns_records?per_page=10&page={page}")
        assert reply["result_info"]["total_count"] == 25
        if not reply["result"]:
            break
        names += [record["name"] for record in reply["result"]]
        page += 1
    assert page == 4
    assert len(set(names)) == 25
    assert control.api("GET", zone + "/dns_records?name=T7.example.com")["result_info"]["count"] == 1


def test_a_batch_is_all_or_nothing(control):
    zone = control.add_zone("example.com")
    old = control.api("POST", zone + "/dns_records",
                      json={"type": "A", "name": "a", "content": "203.0.113.1"})["result"]
    failed = control.api("POST", zone + "/dns_records/batch", 400, json={
        "deletes": [{"id": old["id"]}],
        "posts": [{"type": "A", "name": "b", "content": "203.0.113.1"},
                  {"type": "A", "name": "b", "content": "203.0.113.1"}]})
    assert "posts[1]" in failed["errors"][0]["message"]
    left = control.api("GET", zone + "/dns_records")["result"]
    assert [record["id"] for record in left] == [old["id"]]


def without_first_line(text):
    return text.split("\n", 1)[1]


def test_an_export_imports_to_the_same_zone(control, tmp_path):
    done = control.ctl("zone", "import", str(EXAMPLE), "--create", "--activate")
    assert done.returncode == 0, done.stderr
    assert "19 records added" in done.stdout, done.stdout
    first = control.ctl("zone", "export", "example.com").stdout
    copy = tmp_path / "copy.zone"
    copy.write_text(first)
    version = control.ctl_json("status")["store"]["version"]
    assert control.ctl_json("zone", "import", str(copy), "--zone", "example.com")["recs_added"] == 0
    assert control.ctl_json("status")["store"]["version"] == version, "nothing new, no change"

    assert control.ctl("zone", "delete", "example.com").returncode == 0
    assert control.ctl("zone", "import", str(copy), "--zone", "example.com").returncode == 4
    assert control.ctl("zone", "import", str(copy), "--zone", "example.com",
                       "--create").returncode == 0
    second = control.ctl("zone", "export", "example.com").stdout
    serial = re.compile(r"(SOA\t\S+ \S+) \d+")
    assert serial.sub(r"\1", without_first_line(second)) == serial.sub(
        r"\1", without_first_line(first))
    shop = control.ctl_json("record", "show", "shop.example.com")[0]
    assert (shop["type"], shop["proxied"], shop["content"]) == (
        "CNAME", True, "origin.example.com")


def test_a_bad_zone_file_does_not_leave_the_zone_it_was_to_create(control, tmp_path):
    path = tmp_path / "bad.zone"
    path.write_text("$ORIGIN bad.example.\nwww A 203.0.113.1\nshop A 203.0.113.300\n")
    done = control.ctl("zone", "import", str(path), "--create", "--activate")
    assert done.returncode == 1
    assert str(path) in done.stderr and "line 3" in done.stderr
    assert "bad.example" not in control.ctl("zone", "list").stdout


@pytest.mark.parametrize("text, line", [
    ("a 300 A 203.0.113.1\nb 300 A nonsense\n", "line 2"),
    ("a 300 A 203.0.113.1\n\na 300 CNAME b\n", "line 3"),
    ("$INCLUDE /etc/hostname\n", "$INCLUDE"),
    ("a.example.org. 300 A 203.0.113.1\n", "line 1"),
])
def test_a_bad_zone_file_names_its_line_and_changes_nothing(control, tmp_path, text, line):
    control.add_zone("example.com")
    bad = tmp_path / "bad.zone"
    bad.write_text(text)
    done = control.ctl("zone", "import", str(bad), "--zone", "example.com")
    assert done.returncode == 1
    assert line in done.stderr
    assert control.ctl_json("record", "list", "example.com") == []


def test_import_over_tcp_is_limited_and_waits_for_continue(control, tmp_path):
    zone = control.add_zone("example.com")
    small = {"file": ("z", "a 300 A 203.0.113.1\n")}
    reply = control.api("POST", zone + "/dns_records/import", files=small)
    assert reply["result"]["recs_added"] == 1
    assert "timing" in reply
    for lines in (27000, 40000):  # over the limit of a file, over that of a body
        large = {"file": ("z", "; comment\n" * lines)}
        assert control.api("POST", zone + "/dns_records/import", 413, files=large)
    path = tmp_path / "large.zone"
    path.write_text("".join(f"h{i} 300 A 203.0.113.1\n" for i in range(50000)))
    assert path.stat().st_size > 1 << 20
    done = subprocess.run(
        ["curl", "-s", "--unix-socket", control.socket, "-F", f"file=@{path}",
         "-H", "Expect: 100-continue", "http://brink/client/v4" + zone + "/dns_records/import"],
        capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["result"]["recs_added"] == 50000


def test_nothing_acknowledged_is_lost_by_a_kill(control):
    zone = control.add_zone("example.com")
    acknowledged = []
    for i in range(30):
        made = control.api("POST", zone + "/dns_records",
                           json={"type": "A", "name": f"h{i}", "content": "203.0.113.1"})
        acknowledged.append(made["result"]["id"])
    version = control.ctl_json("status")["store"]["version"]
    stop = threading.Event()

    def write_on():
        i = 0
        while not stop.is_set():
            i += 1
            try:
                acknowledged.append(control.api(
                    "POST", zone + "/dns_records",
                    json={"type": "A", "name": f"k{i}", "content": "203.0.113.1"})["result"]["id"])
            except (requests.RequestException, http.client.HTTPException):
                return

    writer = threading.Thread(target=write_on)
    writer.start()
    time.sleep(0.3)
    control.stop(signal.SIGKILL)
    stop.set()
    writer.join()
    control.start()
    kept = {record["id"] for record in control.ctl_json("record", "list", "example.com")}
    assert len(acknowledged) > 30
    assert set(acknowledged) <= kept
    assert control.ctl_json("status")["store"]["version"] > version


def test_slow_clients_hold_nobody_up(control):
    idle = [socket.create_connection(("127.0.0.1", control.port)) for _ in range(40)]
    for connection in idle:
        connection.sendall(b"POST /client/v4/zones HTTP/1.1\r\nHost: x\r\nContent-Le")
    started = time.monotonic()
    control.api("GET", "/zones")
    assert time.monotonic() - started < 2
    more = [socket.create_connection(("127.0.0.1", control.port)) for _ in range(20)]
    more[-1].settimeout(5)
    assert more[-1].recv(100).startswith(b"HTTP/1.1 503"), "over connections-max"
    for connection in idle + more:
        connection.close()


def test_malformed_requests_are_answered(control):
    def ask(text):
        with socket.create_connection(("127.0.0.1", control.port), timeout=10) as raw:
            raw.sendall(text)
            return raw.recv(65536)
    assert b" 400 " in ask(b"NONSENSE\r\n\r\n")
    assert b" 431 " in ask(b"GET / HTTP/1.1\r\nX: " + b"a" * 40000)
    assert b" 413 " in ask(b"POST /client/v4/zones HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n")
    assert b" 404 " in ask(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
    control.api("GET", "/zones")


def test_the_operator_manages_zones(control):
    created = control.ctl_json("zone", "create", "example.com")
    assert created["status"] == "pending"
    reply = requests.post(f"http://127.0.0.1:{control.port}/brink/v1/zones/{created['id']}/activate",
                          timeout=10)
    assert reply.status_code == 403
    assert control.ctl_json("zone", "activate", "example.com", "--force")["status"] == "active"
    assert control.ctl_json("zone", "pause", "example.com")["paused"] is True
    assert control.ctl_json("zone", "resume", "example.com")["paused"] is False
    assert control.ctl_json("zone", "create", "b.test", "--activate")["status"] == "active"
    table = control.ctl("zone", "list").stdout.splitlines()
    assert table[0].split() == ["NAME", "STATUS", "PAUSED", "ID"]
    assert [row.split()[0] for row in table[1:]] == ["b.test", "example.com"]
    again = control.ctl("zone", "create", "example.com")
    assert again.returncode == 1
    assert "already exists" in again.stderr
    assert control.ctl("zone", "show", "absent.test").returncode == 4
    assert control.ctl("zone", "delete", "b.test").returncode == 0


def test_the_operator_sets_records(control):
    control.ctl_json("zone", "create", "example.com", "--activate")
    set_record = ("record", "set", "www.example.com", "A")
    made = control.ctl_json(*set_record, "203.0.113.10", "--proxied")
    assert (made[0]["content"], made[0]["proxied"]) == ("203.0.113.10", True)
    flipped = control.ctl_json(*set_record, "--proxied=off")
    assert (flipped[0]["id"], flipped[0]["proxied"]) == (made[0]["id"], False)
    assert flipped[0]["content"] == "203.0.113.10"
    control.ctl_json("record", "add", "www.example.com", "A", "203.0.113.11")
    assert len(control.ctl_json("record", "show", "www.example.com", "A")) == 2
    only = control.ctl_json(*set_record, "203.0.113.11", "--ttl", "600")
    left = control.ctl_json("record", "show", "www.example.com", "A")
    assert [(record["content"], record["ttl"]) for record in left] == [("203.0.113.11", 600)]
    assert left[0]["id"] == only[0]["id"]
    control.ctl_json("record", "set", "example.com", "MX", "mail.example.com", "--priority=10")
    assert "10 mail.example.com" in control.ctl("record", "list", "example.com").stdout

    refused = control.ctl("record", "set", "www.example.com", "CNAME", "x.example.net")
    assert refused.returncode == 1
    assert "already exists" in refused.stderr
    assert control.ctl("record", "set", "www.example.com", "AAAA", "--proxied").returncode == 4
    assert control.ctl("record", "set", "www.example.com", "A", "--proxied=maybe").returncode == 2
    assert control.ctl("record", "set", "www.elsewhere.test", "A", "203.0.113.1").returncode == 4
    assert control.ctl("record", "delete", "www.example.com").returncode == 2
    assert control.ctl("record", "delete", "www.example.com", "A").returncode == 0
    assert control.ctl("record", "show", "www.example.com").returncode == 4


def test_the_node_tells_what_it_lacks(control):
    assert control.ctl("stats").returncode == 1
    assert "edge.stats" in control.ctl("stats").stderr
    assert "not connected" in control.ctl("status").stdout
    assert control.ctl("snapshot", "show").returncode == 0
    assert control.api("GET", "/ips")["result"]["ipv4_cidrs"] == ["192.0.2.1/32"]


def second_control(control, *options):
    return subprocess.run([CONTROL, "--config", control.folder / "control.conf", *options],
                          capture_output=True, text=True, timeout=20)


def test_a_second_control_does_not_take_the_store(control):
    zone = control.add_zone("example.com")
    second = second_control(control)
    assert second.returncode == 1
    assert f"{control.folder}/control.db: another brink-control uses" in second.stderr
    assert control.api("GET", zone)["result"]["name"] == "example.com"


def test_a_second_control_does_not_take_the_socket(control):
    second = second_control(control, "--store", control.folder / "other.db")
    assert second.returncode == 1
    assert control.socket in second.stderr
    control.api("GET", "/zones")


def test_settings_are_checked(tmp_path):
    conf = tmp_path / "control.conf"
    conf.write_text("edge-address = 192.0.2\nname-server = ns1.brink.test\n")
    done = subprocess.run([CONTROL, "--config", conf, "--check"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "edge-address" in done.stderr and "192.0.2" in done.stderr
    example = subprocess.run(
        [CONTROL, "--config", ROOT / "docs/examples/control.conf", "--check"],
        capture_output=True, text=True)
    assert example.returncode == 0, example.stderr


def test_a_change_waits_for_a_silent_resolver_no_longer_than_it_may(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        control = Control(tmp_path, f"resolver = 127.0.0.1:{silent.getsockname()[1]}",
                          "resolve-wait-ms = 300", "resolve-timeout-ms = 30000")
        try:
            zone = control.add_zone("example.com")
            control.ctl("zone", "activate", "example.com", "--force")
            body = control.api("POST", zone + "/dns_records", json={
                "type": "CNAME", "name": "www", "content": "shop.example.net", "proxied": True})
            assert body["messages"][0]["code"] == NOT_SERVED_YET
            assert silent.recv(512)
            assert control.ctl_json("resolver", "show")["names"][0]["state"] == "unknown"
        finally:
            assert control.stop() == 0


def test_a_stop_answers_a_change_that_waits_for_a_name(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(10)
        control = Control(tmp_path, f"resolver = 127.0.0.1:{silent.getsockname()[1]}",
                          "resolve-wait-ms = 60000", "resolve-timeout-ms = 30000")
        zone = control.add_zone("example.com")
        control.ctl("zone", "activate", "example.com", "--force")
        answers = []
        change = threading.Thread(target=lambda: answers.append(control.api(
            "POST", zone + "/dns_records", json={
                "type": "CNAME", "name": "www", "content": "shop.example.net", "proxied": True})))
        change.start()
        assert silent.recv(512)  # it is being waited for
        assert control.stop() == 0
        change.join(10)
        assert answers and answers[0]["messages"][0]["code"] == NOT_SERVED_YET
