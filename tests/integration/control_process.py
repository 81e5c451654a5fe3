"""brink-control as a real process, and brinkctl to talk to it. BRINK_BUILD names the build folder."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BRINK_BUILD", ROOT / "build"))
CONTROL = BUILD / "ctl/daemon/brink-control"
BRINKCTL = BUILD / "ctl/cli/brinkctl"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Control:
    """One brink-control in a folder of its own. Nobody answers where its resolver should be."""

    def __init__(self, folder, *settings):
        self.folder = folder
        self.socket = str(folder / "control.sock")
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/client/v4"
        self.process = None
        (folder / "control.conf").write_text(f"""
store = {folder}/control.db
api-socket = {self.socket}
listen = 127.0.0.1:{self.port}
edge-socket = {folder}/edge.sock
stats-file = {folder}/edge.stats
edge-address = 192.0.2.1
edge-address = 2001:db8::1
name-server = ns1.brink.test
name-server = ns2.brink.test
connections-max = 50
user-requests-max = 1000000
address-requests-max = 1000000
""" + "\n".join(settings or ["resolver = 127.0.0.1:1"]))
        self.start()
        self.operator_token = self.ctl("token", "create", "tests", "--operator").stdout.strip()
        self.headers = {"Authorization": "Bearer " + self.operator_token}

    def start(self):
        log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(
            [CONTROL, "--config", self.folder / "control.conf"], stderr=log)
        log.close()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.ctl("status").returncode == 0:
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.02)
        raise AssertionError("brink-control did not start")

    def stop(self, signum=signal.SIGTERM):
        self.process.send_signal(signum)
        return self.process.wait(10)

    def ctl(self, *arguments):
        return subprocess.run([BRINKCTL, "--socket", self.socket, *arguments],
                              capture_output=True, text=True, timeout=60)

    def ctl_json(self, *arguments):
        done = self.ctl(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def api(self, method, path, status=200, **options):
        reply = requests.request(method, self.base + path, timeout=30, headers=self.headers,
                                 **options)
        assert reply.status_code == status, reply.text
        if status == 204:
            assert reply.content == b""
            return None
        body = reply.json()
        assert body["success"] == (status == 200)
        return body

    def add_zone(self, name):
        return "/zones/" + self.api("POST", "/zones", json={"name": name})["result"]["id"]
