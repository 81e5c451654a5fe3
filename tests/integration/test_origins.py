"""Origins that are slow, silent or gone: idle connections that nginx closes, address families that do not
answer, addresses that refuse. Real programs on both sides."""
import os
import pathlib
import subprocess
import threading
import time

import pytest

from lab import ROOT, Lab, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

EDGE, ZONE = "192.0.2.140", "example.com"
IDLE, STATED, SCRIPTED = 2086, 2095, 8880
SILENT_V4, SILENT_V6 = "203.0.113.195", "2001:db8:1a::66"
PROXIED = [
    ("www", "A", "203.0.113.10"),
    ("four", "A", "203.0.113.10"), ("four", "AAAA", SILENT_V6),
    ("six", "A", SILENT_V4), ("six", "AAAA", "2001:db8:1a::10"),
    ("shut", "A", "203.0.113.74"),
    ("slow", "A", "203.0.113.11"),
]
NGINX = """daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type text/plain; keepalive_requests 100000;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{ listen %d; keepalive_timeout 2s; return 200 "$connection\\n"; }}
  server {{ listen %d; keepalive_timeout 60s 3s; return 200 "$connection\\n"; }}
}}
""" % (IDLE, STATED)


def name(label):
    return f"{label}.{ZONE}"


def spawn_scripted(lab, host, log):
    origin = lab.spawn(host, "/usr/bin/python3", ROOT / "tests/integration/scripted_origin.py", SCRIPTED,
                       lab.state / log, stdout=subprocess.PIPE, text=True)
    assert origin.stdout.readline() == "ready\n"
    return origin


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        folder = pathlib.Path(tmp_path_factory.mktemp("nginx"))
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder))
        lab.spawn("origin-a", "nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log")
        lab.exec("router", "ip", "route", "add", "blackhole", f"{SILENT_V4}/32")
        lab.exec("router", "ip", "-6", "route", "add", "blackhole", f"{SILENT_V6}/128")
        lab.exec("origin-a", "ip", "address", "add", "203.0.113.11/26", "dev", "eth0")
        spawn_scripted(lab, "origin-a", "scripted.log")
        lab.edge_start(workers="0:dns,1:l7", arguments=("--l7.origin-requests=4",))
        lab.control_start()
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        for label, rdtype, content in PROXIED:
            lab.brinkctl("record", "add", name(label), rdtype, content, "--proxied")
        yield lab


def curl(lab, label, path="/", port=80, *options):
    """What `options` have curl write."""
    return subprocess.run(
        ["ip", "netns", "exec", f"{lab.name}-client", "curl", "-sS", "-m", "30", "--connect-to",
         f"::{EDGE}:", *options, f"http://{name(label)}:{port}{path}"], capture_output=True, text=True).stdout


def status(lab, label, path="/", port=80, *options):
    return curl(lab, label, path, port, "-o", "/dev/null", "-w", "%{http_code}", *options)


# ---- idle connections ----


def test_reused_connections_never_fail(lab):
    """Requests of all pauses around nginx's two seconds, some of them such as may not be repeated."""
    codes = []

    def ask(pause, options):
        end = time.monotonic() + 25
        while time.monotonic() < end:
            codes.append(status(lab, "www", "/", IDLE, *options))
            time.sleep(pause)

    threads = [threading.Thread(target=ask, args=(pause, options))
               for pause, options in [(0.4, ()), (1.9, ("-X", "POST", "-d", "x")), (1.97, ()),
                                      (2.03, ("-X", "POST", "-d", "x"))]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) > 60 and set(codes) == {"200"}, codes


def test_what_is_idle_for_long_is_closed_by_the_edge(lab):
    """The origin's own close taught it: with one client, every pause shows which connection is used."""
    time.sleep(3)  # whatever was there is closed by nginx
    first = curl(lab, "www", "/", IDLE)
    time.sleep(1)
    assert curl(lab, "www", "/", IDLE) == first
    time.sleep(1.85)
    retries = lab.counter("http_origin_retries")
    second = curl(lab, "www", "/", IDLE)
    assert second != first
    assert lab.counter("http_origin_retries") == retries


def test_keep_alive_is_believed(lab):
    first = curl(lab, "www", "/", STATED)
    time.sleep(1.5)
    assert curl(lab, "www", "/", STATED) == first
    time.sleep(2.7)
    assert curl(lab, "www", "/", STATED) != first, "four fifths of three seconds"


# ---- families ----


@pytest.mark.parametrize("label", ["four", "six"])
def test_a_silent_family_delays_nobody(lab, label):
    races = lab.counter("http_origin_races_won")
    for _ in range(12):
        code, seconds = curl(lab, label, "/echo", SCRIPTED, "-H", "Connection: close", "-o", "/dev/null", "-w",
                             "%{http_code} %{time_total}").split()
        assert code == "200"
        assert float(seconds) < 10, "a connect timeout takes 19 s"
    assert lab.counter("http_origin_races_won") >= races


# ---- addresses that refuse ----


def test_a_refusing_address_is_left_alone_and_found_again(lab):
    for _ in range(5):
        assert status(lab, "shut", "/echo", SCRIPTED) == "521"
    before = lab.counter("http_origin_ejected")
    for _ in range(3):
        assert status(lab, "shut", "/echo", SCRIPTED) == "521"
    assert lab.counter("http_origin_ejections") >= 1
    assert lab.counter("http_origin_ejected") > before
    spawn_scripted(lab, "origin-b", "scripted-b.log")
    assert wait_until(lambda: status(lab, "shut", "/echo", SCRIPTED) == "200", 30)
    assert {status(lab, "shut", "/echo", SCRIPTED) for _ in range(5)} == {"200"}


# ---- limits ----


def test_requests_over_the_limit_of_an_origin(lab):
    for _ in range(4):
        lab.spawn("client", "curl", "-sS", "-m", "20", "--connect-to", f"::{EDGE}:",
                  f"http://{name('slow')}:{SCRIPTED}/slow", stdout=subprocess.DEVNULL)

    def are_under_way():
        return lab.exec("origin-a", "ss", "-Htn", "state", "established", "sport", "=", f":{SCRIPTED}",
                        "src", "203.0.113.11").count("\n") >= 4
    assert wait_until(are_under_way)
    pages = []

    def is_refused():
        pages.append(curl(lab, "slow", "/echo", SCRIPTED, "-i"))
        return pages[-1].startswith("HTTP/1.1 530 ")
    assert wait_until(is_refused), pages[-3:]
    assert "cf-error-type: 1200" in pages[-1]
    assert lab.counter("http_origin_busy") >= 1
    assert status(lab, "www", "/echo", SCRIPTED) == "200", "another origin has its own"
    assert wait_until(lambda: status(lab, "slow", "/echo", SCRIPTED) == "200")
