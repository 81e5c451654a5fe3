"""Who may do what, over real sockets: TLS, tokens, limits, the audit log, brinkctl from afar."""
import json
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest

from control_process import BRINKCTL, Control


def make_certificate(folder, name="localhost"):
    """A certificate that is its own issuer, for localhost and 127.0.0.1."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", folder / "api.key", "-out", folder / "api.pem", "-days", "1",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True, timeout=60)
    os.chmod(folder / "api.key", 0o600)


class TlsControl(Control):
    def __init__(self, folder, settings=""):
        make_certificate(folder)
        super().__init__(folder, f"""
api-certificate = {folder}/api.pem
api-key = {folder}/api.key
{settings}""")
        self.url = f"https://localhost:{self.port}"

    def curl(self, path, *arguments, token=None):
        """Status, headers (lower case) and body."""
        command = ["curl", "-s", "-D", "-", "--cacert", self.folder / "api.pem", *arguments]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        done = subprocess.run(command + [self.url + path], capture_output=True, text=True,
                              timeout=30)
        assert done.returncode == 0, done.stderr
        head, body = done.stdout.split("\n\n", 1)
        lines = [line.split(":", 1) for line in head.splitlines()[1:]]
        headers = {name.lower(): value.strip() for name, value in lines}
        return int(head.split()[1]), headers, json.loads(body)

    def remote(self, token, *arguments, **more):
        """brinkctl over TLS."""
        environment = dict(os.environ, BRINK_TOKEN=token)
        return subprocess.run(
            [BRINKCTL, "--server", self.url, "--ca", self.folder / "api.pem", *arguments],
            capture_output=True, text=True, timeout=60, env=environment, **more)

    def token(self, *arguments):
        done = self.ctl("token", "create", *arguments)
        assert done.returncode == 0, done.stderr
        assert "only time" in done.stderr
        return done.stdout.strip()


@pytest.fixture
def control(tmp_path):
    running = TlsControl(tmp_path)
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0, "did not stop cleanly"


def test_curl_shows_a_token_over_tls(control):
    control.ctl("zone", "create", "a.test")
    control.ctl("zone", "create", "b.test")
    token = control.token("ci", "--permissions", "Zone Read,DNS Write", "--zones", "a.test")
    status, headers, body = control.curl("/client/v4/user/tokens/verify", token=token)
    assert (status, body["result"]["status"]) == (200, "active")
    assert headers["x-ratelimit-limit"] == "1000000"
    assert [z["name"] for z in control.curl("/client/v4/zones", token=token)[2]["result"]] == [
        "a.test"]
    status, _, body = control.curl("/client/v4/zones")
    assert (status, body["errors"][0]["code"]) == (403, 10000)
    status, _, body = control.curl("/client/v4/zones", token="x" * 40)
    assert (status, body["errors"][0]["code"]) == (403, 9109)
    status, _, body = control.curl("/client/v4/zones", "-H", "Authorization: Basic eA==")
    assert (status, body["errors"][0]["code"]) == (400, 6003)
    assert body["errors"][0]["error_chain"][0]["code"] == 6111
    assert control.curl("/client/v4/ips")[0] == 200


def test_the_legacy_key_counts(control):
    done = control.ctl("user", "create", "a@example.com")
    assert done.returncode == 0, done.stderr
    key = done.stdout.strip()
    headers = ["-H", "X-Auth-Email: a@example.com", "-H"]
    status, _, body = control.curl("/client/v4/user", *headers, f"X-Auth-Key: {key}")
    assert (status, body["result"]["email"]) == (200, "a@example.com")
    status, _, body = control.curl("/client/v4/user", *headers, "X-Auth-Key: " + "0" * 37)
    assert (status, body["errors"][0]["code"]) == (403, 9103)
    another = control.ctl("user", "key", "a@example.com").stdout.strip()
    assert control.curl("/client/v4/user", *headers, f"X-Auth-Key: {key}")[0] == 403
    assert control.curl("/client/v4/user", *headers, f"X-Auth-Key: {another}")[0] == 200


def test_brinkctl_works_from_afar(control, tmp_path):
    token = control.token("operator", "--operator")
    assert control.remote(token, "zone", "create", "a.test", "--activate").returncode == 0
    done = control.remote(token, "record", "set", "www.a.test", "A", "203.0.113.1", "--proxied")
    assert done.returncode == 0, done.stderr
    assert "www.a.test" in control.remote(token, "record", "list", "a.test").stdout
    assert control.remote(token, "status").returncode == 0
    assert "is active" in control.remote(token, "token", "verify").stdout

    path = tmp_path / "token"
    path.write_text(token + "\n")
    os.chmod(path, 0o600)
    done = subprocess.run(
        [BRINKCTL, "zone", "list", "--server", control.url, "--token-file", path, "--ca",
         tmp_path / "api.pem"], capture_output=True, text=True, timeout=60)
    assert "a.test" in done.stdout, done.stderr
    assert control.remote("wrong", "zone", "list").returncode == 1
    assert "9109" in control.remote("wrong", "zone", "list").stderr
    untrusted = subprocess.run([BRINKCTL, "zone", "list", "--server", control.url],
                               capture_output=True, text=True, timeout=60)
    assert untrusted.returncode == 3
    assert "certificate verify failed" in untrusted.stderr


def test_a_narrow_token_stays_narrow(control):
    control.ctl("account", "create", "shop")
    control.ctl("zone", "create", "shop.test", "--account", "shop")
    control.ctl("zone", "create", "home.test")
    token = control.token("shop", "--account", "shop", "--permissions",
                          "Zone Read,DNS Write,Account Settings Read")
    assert "home.test" not in control.remote(token, "zone", "list").stdout
    assert "shop.test" in control.remote(token, "zone", "list").stdout
    assert control.remote(token, "zone", "show", "home.test").returncode == 4
    done = control.remote(token, "zone", "activate", "shop.test", "--force")
    assert (done.returncode, "Node Write" in done.stderr) == (1, True)
    assert control.remote(token, "record", "add", "shop.test", "A", "203.0.113.1").returncode == 0
    assert control.remote(token, "log").returncode == 1
    log = control.remote(token, "log", "--account", "shop").stdout
    assert "home.test" not in log
    assert "shop.test" in log


def test_a_token_is_rolled_and_deleted(control):
    token = control.token("ci", "--permissions", "Zone Read")
    rolled = control.ctl("token", "roll", "ci").stdout.strip()
    assert control.remote(token, "zone", "list").returncode == 1
    assert control.remote(rolled, "zone", "list").returncode == 0
    shown = control.ctl("token", "show", "ci").stdout
    assert "Zone Read" in shown
    assert rolled not in shown
    assert control.ctl("token", "delete", "ci").returncode == 0
    assert control.remote(rolled, "zone", "list").returncode == 1
    assert control.ctl("token", "delete", "ci").returncode == 4
    expired = control.token("old", "--permissions", "Zone Read", "--expires",
                            "2020-01-01T00:00:00Z")
    assert "expired" in control.remote(expired, "zone", "list").stderr
    elsewhere = control.token("away", "--permissions", "Zone Read", "--from", "192.0.2.0/24")
    assert "127.0.0.1" in control.remote(elsewhere, "zone", "list").stderr


def test_no_secret_is_in_store_or_log(control):
    token = control.token("ci", "--permissions", "Zone Read")
    control.remote(token, "zone", "list")
    control.stop()
    for path in control.folder.iterdir():
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path
    assert (control.folder / "control.db.key").stat().st_mode & 0o777 == 0o600


def test_the_log_tells_who_changed_what(control):
    token = control.token("ci", "--operator")
    control.ctl("zone", "create", "a.test")
    control.remote(token, "record", "set", "www.a.test", "A", "203.0.113.1")
    control.remote(token, "record", "set", "www.a.test", "A", "203.0.113.2")
    entries = control.ctl_json("log", "--zone", "a.test")
    assert [e["resource"]["type"] for e in entries][-1] == "zone"
    assert entries[-1]["actor"]["type"] == "operator"
    assert entries[-1]["actor"]["id"] == str(os.getuid())
    assert entries[0]["actor"]["name"] == "token ci"
    assert entries[0]["actor"]["ip"] == "127.0.0.1"
    assert entries[0]["newValueJson"]["content"] == "203.0.113.2"
    assert "203.0.113.2" in control.ctl("log", "--limit", "5").stdout
    assert len(control.ctl_json("log", "--limit", "1")) == 1
    assert control.ctl_json("log", "--since", "2100-01-01") == []


def test_the_log_is_as_safe_as_the_change(control):
    control.ctl("zone", "create", "a.test")
    control.stop(signal.SIGKILL)
    control.start()
    assert control.ctl_json("log", "--zone", "a.test")[0]["action"]["type"] == "create"


def test_a_new_certificate_drops_no_connection(control):
    context = ssl.create_default_context(cafile=control.folder / "api.pem")
    request = b"GET /client/v4/ips HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def connect(trusted):
        raw = socket.create_connection(("127.0.0.1", control.port), timeout=10)
        return trusted.wrap_socket(raw, server_hostname="localhost")

    with connect(context) as old:
        old.sendall(request)
        assert b" 200 " in old.recv(65536)
        make_certificate(control.folder)
        control.process.send_signal(signal.SIGHUP)
        fresh = ssl.create_default_context(cafile=control.folder / "api.pem")
        for _ in range(200):
            try:
                connect(fresh).close()
                break
            except ssl.SSLCertVerificationError:
                time.sleep(0.05)
        else:
            pytest.fail("the new certificate is not in use")
        old.sendall(request)
        assert b" 200 " in old.recv(65536)


def test_a_client_that_does_not_shake_hands_holds_nobody_up(control):
    silent = [socket.create_connection(("127.0.0.1", control.port)) for _ in range(20)]
    half = socket.create_connection(("127.0.0.1", control.port))
    half.sendall(b"\x16\x03\x01\x02\x00\x01")
    assert control.curl("/client/v4/ips")[0] == 200
    for connection in silent + [half]:
        connection.close()


def test_too_many_requests_are_told_when_to_come_back(tmp_path):
    control = TlsControl(tmp_path, "login-failures-max = 2\n")
    try:
        assert control.curl("/client/v4/zones", token="wrong")[0] == 403
        assert control.curl("/client/v4/zones", token="wrong")[0] == 403
        status, headers, body = control.curl("/client/v4/zones", token="wrong")
        assert (status, body["success"]) == (429, False)
        assert int(headers["retry-after"]) > 0
        assert headers["x-ratelimit-remaining"] == "0"
        assert {"x-ratelimit-limit", "x-ratelimit-reset"} <= headers.keys()
        assert control.ctl("zone", "list").returncode == 0, "the socket is exempt"
    finally:
        assert control.stop() == 0


def test_plain_http_stays_on_the_host(tmp_path):
    control = Control(tmp_path)
    control.stop()
    path = tmp_path / "control.conf"
    path.write_text(path.read_text().replace(f"127.0.0.1:{control.port}",
                                             f"0.0.0.0:{control.port}"))
    done = subprocess.run([control.process.args[0], "--config", path], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 1
    assert "api-certificate" in done.stderr
