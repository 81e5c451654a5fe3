"""Soak: everything at once, for as long as asked. Clients over TLS with HTTP/1.1 and HTTP/2, near ones and
some behind a line that loses 5 % of all packets; bodies whose hash is known, short and very long; origins
over HTTP/1.1 and HTTP/2, one of which is killed over and over; a certificate replaced and a record
changed each second. Whatever goes wrong and is not the killed origin's doing is an error.
"""
import hashlib
import os
import random
import re
import socket
import ssl
import subprocess
import threading
import time

from certificates import Certificates
from lab import wait_until

V4 = "192.0.2.140"
NEAR, FAR = "198.51.100.10", "198.51.100.11"  # clients
STEADY, FRAIL, FAR_ORIGIN = "203.0.113.74", "203.0.113.77", "203.0.113.76"
# Hosts by how the edge speaks to their origin.
OVER_HTTP1, OVER_HTTP2, OVER_LOSS, KILLED = "www.one.test", "www.two.test", "far.two.test", "frail.two.test"
SIZES = (0, 1, 1000, 65_536, 1 << 20, 5_000_000)
SIZES_WITH_LOSS = SIZES[:-1]
LOSS_PERCENT = 5
MEBIBYTE = 1 << 20
NGINX = """daemon off; master_process off; pid {dir}/{name}.pid; error_log {dir}/{name}.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 0; keepalive_requests 10000;
  client_body_temp_path {dir}/{name}-body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{
    {listen} ssl_certificate {dir}/two.test.pem; ssl_certificate_key {dir}/two.test.key;
    root {dir}/html;
    location /upload/ {{ dav_methods PUT DELETE; create_full_put_path on; }}
  }}
}}
"""


def digest(path):
    """SHA-256 of a file of any size."""
    return subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True).stdout[:64]


class Failed(Exception):
    """What a client should not have seen."""


class Soak:
    """`long_bytes`: size of the longest bodies, which go alone; while all else goes on they are a sixteenth
    of that. run() blocks; then look at `errors` and `report()`."""

    def __init__(self, lab, folder, long_bytes):
        self.lab, self.folder = lab, folder
        self.made = Certificates(folder, "Soak CA")
        self.errors, self.done, self.resident = [], {}, []
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.bodies = {}  # by size: hash
        self._make_files()
        self.long = self._random_file("long", long_bytes)
        self.medium = self._random_file("medium", long_bytes // 16)
        self._start_lab()

    # ---- the lab ----

    def _make_files(self):
        html = self.folder / "html"
        (html / "upload").mkdir(parents=True)
        for size in SIZES:
            data = os.urandom(size)
            (html / f"body-{size}").write_bytes(data)
            self.bodies[size] = hashlib.sha256(data).hexdigest()

    def _random_file(self, name, size):
        """Its path and hash."""
        path = self.folder / name
        with open(path, "wb") as file:
            for at in range(0, size, MEBIBYTE):
                file.write(random.randbytes(min(MEBIBYTE, size - at)))
        return path, digest(path)

    def _start_lab(self):
        lab = self.lab
        lab.exec("client", "ip", "address", "add", f"{FAR}/24", "dev", "eth0")
        for address in (FRAIL, FAR_ORIGIN):
            lab.exec("origin-b", "ip", "address", "add", f"{address}/26", "dev", "eth0")
        lab.exec("router", "nft", "add table ip soak; "
                 "add chain ip soak forward { type filter hook forward priority 0; }; " + "; ".join(
                     f"add rule ip soak forward ip {side} {{ {FAR}, {FAR_ORIGIN} }} "
                     f"numgen random mod 1000 < {10 * LOSS_PERCENT} drop" for side in ("saddr", "daddr")))
        for zone in ("one.test", "two.test"):
            self.made.leaf(zone, f"*.{zone}", name=zone)
        subprocess.run(["cp", "-r", f"{self.folder}/html/.", lab.state / "origin-a/html/"], check=True)
        self._origin("steady", f"listen {STEADY}:443 ssl http2; listen {FAR_ORIGIN}:443 ssl http2;")
        self.frail = self._origin("frail", f"listen {FRAIL}:443 ssl http2;")
        lab.edge_start(arguments=("--l7.body-max-mb=4096",))
        lab.control_start()
        for zone, mode in (("one.test", "flexible"), ("two.test", "full")):
            lab.brinkctl("zone", "create", zone)
            lab.brinkctl("zone", "activate", zone, "--force")
            lab.brinkctl("settings", "set", zone, "ssl", mode)
            lab.brinkctl("settings", "set", zone, "max_upload", 4096)
            lab.brinkctl("certificate", "add", zone, self.folder / f"{zone}.pem", "--key", self.folder / f"{zone}.key")
        for host, address in ((OVER_HTTP1, "203.0.113.10"), (OVER_HTTP2, STEADY), (OVER_LOSS, FAR_ORIGIN),
                              (KILLED, FRAIL)):
            lab.brinkctl("record", "add", host, "A", address, "--proxied")

    def _origin(self, name, listen):
        config = self.folder / f"{name}.conf"
        config.write_text(NGINX.format(dir=self.folder, name=name, listen=listen))
        pid = self.folder / f"{name}.pid"
        pid.unlink(missing_ok=True)
        process = self.lab.spawn("origin-b", "nginx", "-c", config, "-e", self.folder / f"{name}.log",
                                 stderr=subprocess.DEVNULL)
        assert wait_until(pid.exists)
        return process

    # ---- clients ----

    def curl(self, version, host, path, *options, client=NEAR, timeout=3600, **more):
        """curl's output; Failed, with what curl saw, when it or the status says so."""
        done = self.lab.run(
            "client", "curl", "-sSv", version, "--interface", client, "-m", timeout,
            "--cacert", self.folder / "ca.pem", "--resolve", f"{host}:443:{V4}", "-H", "Expect:", "-w", "%{http_code} %header{cf-error-origin}", *options,
            f"https://{host}{path}", timeout=timeout + 20, check=False, **more)
        said = done.stdout.decode(errors="replace")
        if done.returncode != 0 or said[:1] != "2":
            seen = [line for line in done.stderr.decode().splitlines() if line[:1] not in "{}"]
            raise Failed(f"curl {version} {host}{path}: exit {done.returncode}, {said}\n" + "\n".join(seen[-30:]))

    @staticmethod
    def size(host, client):
        return random.choice(SIZES_WITH_LOSS if host == OVER_LOSS or client == FAR else SIZES)

    def fetch(self, version, host, client=NEAR):
        size = self.size(host, client)
        got = self.folder / f"got-{threading.get_ident()}"
        got.unlink(missing_ok=True)
        self.curl(version, host, f"/body-{size}", "-o", got, client=client)
        if digest(got) != self.bodies[size]:
            raise Failed(f"{version} {host}/body-{size} from {client}: another body")

    def store(self, version, host, path, source, wanted, client=NEAR):
        """There and back."""
        target = f"/upload/{path}-{threading.get_ident()}"
        got = self.folder / f"back-{threading.get_ident()}"
        self.curl(version, host, target, "-T", source, "-o", os.devnull, client=client)
        self.curl(version, host, target, "-o", got, client=client)
        if digest(got) != wanted:
            raise Failed(f"{version} {host}{target} from {client}: another body came back")
        self.curl(version, host, target, "-X", "DELETE", client=client)

    def store_short(self, version, host, client=NEAR):
        size = self.size(host, client)
        self.store(version, host, f"short-{size}", self.folder / f"html/body-{size}", self.bodies[size], client)

    def store_medium(self, version, host):
        self.store(version, host, "medium", *self.medium)

    def store_long(self, version, host):
        self.store(version, host, "long", *self.long)

    def load(self, option, host):
        time.sleep(1)  # or nothing else would get a turn
        done = self.lab.run("client", "h2load", "-n", 2000, "-c", 8, "-m", 1 if option == "--h1" else 16, option,
                            "--connect-to", f"{V4}:443", f"https://{host}/body-1000", timeout=300, check=False)
        said = done.stdout.decode()
        if "2000 succeeded, 0 failed, 0 errored, 0 timeout" not in said or "2000 2xx" not in said:
            raise Failed(f"h2load {option} {host}: {said[-700:]}")

    def ask_killed(self, version):
        """Its answers are whole and right, or say whose fault it is; or they end visibly."""
        try:
            self.fetch(version, KILLED)
        except Failed as failed:
            # 18, 56 and 92: a body that was cut short.
            if not re.search(r"exit 0, 52\d origin|exit (18|56|92), 200", str(failed)):
                raise

    # ---- what happens meanwhile ----

    def kill_origin(self):
        time.sleep(2)
        self.frail.kill()
        self.frail.wait()
        time.sleep(0.3)
        self.frail = self._origin("frail", f"listen {FRAIL}:443 ssl http2;")

    def change(self):
        """A certificate and a record; both are there for whoever asks afterwards."""
        time.sleep(1)
        self.made.leaf("one.test", "*.one.test", name="next")
        self.lab.brinkctl("certificate", "replace", "one.test", "one.test", self.folder / "next.pem", "--key",
                          self.folder / "next.key")
        if self.shown("one.test") != ssl.PEM_cert_to_DER_cert(self.made.read("next.pem")):
            raise Failed("a certificate that was replaced is still shown")
        address = f"192.0.2.{random.randrange(1, 100)}"
        self.lab.brinkctl("record", "set", "changing.one.test", "A", address)
        said = self.lab.exec("client", "kdig", "+short", "@192.0.2.129", "changing.one.test", "A").strip()
        if said != address:
            raise Failed(f"changing.one.test is {said} and not {address}")

    def shown(self, zone):
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        with context.wrap_socket(self.lab.connect(V4, 443), server_hostname=f"www.{zone}") as connection:
            return connection.getpeercert(binary_form=True)

    def watch(self):
        time.sleep(0.5)
        self.resident.append(self.lab.edge_rss())

    # ---- the run ----

    def _repeat(self, name, action, *arguments):
        while not self.stopping.is_set():
            try:
                action(*arguments)
            except (Failed, AssertionError, OSError, socket.timeout, subprocess.TimeoutExpired) as error:
                with self.lock:
                    self.errors.append(f"{name}: {error}")
                time.sleep(0.1)
            with self.lock:
                self.done[name] = self.done.get(name, 0) + 1

    def run(self, seconds):
        http1, http2 = "--http1.1", "--http2"
        tasks = [("load over HTTP/1.1", self.load, "--h1", OVER_HTTP1),
                 ("load over HTTP/2", self.load, "--npn-list=h2", OVER_HTTP2)]
        for version in (http1, http2):
            tasks += [(f"fetch {version} {host}", self.fetch, version, host) for host in (OVER_HTTP1, OVER_HTTP2)]
            tasks += [(f"store {version}", self.store_short, version, OVER_HTTP2),
                      (f"fetch {version} with loss", self.fetch, version, OVER_HTTP2, FAR),
                      (f"fetch {version} with loss at the origin", self.fetch, version, OVER_LOSS),
                      (f"store {version} with loss", self.store_short, version, OVER_LOSS, FAR),
                      (f"killed origin {version}", self.ask_killed, version)]
        tasks += [("long body --http1.1", self.store_medium, http1, OVER_HTTP1),
                  ("long body --http2", self.store_medium, http2, OVER_HTTP2),
                  ("origin killed", self.kill_origin), ("changes", self.change), ("memory", self.watch)]
        threads = [threading.Thread(target=self._repeat, args=task) for task in tasks]
        for thread in threads:
            thread.start()
        self.stopping.wait(seconds)
        self.stopping.set()
        for thread in threads:
            thread.join()

    def grown(self):
        """Resident bytes, from the highest in the second quarter to the highest in the last."""
        quarter = max(len(self.resident) // 4, 1)
        return max(self.resident[-quarter:]) - max(self.resident[quarter:2 * quarter] or self.resident)

    def report(self):
        lines = [f"{count:8} {name}" for name, count in sorted(self.done.items())]
        shown = ("http_requests", "http_edge_errors", "http_truncated", "http_origin_retries", "http2_sessions",
                 "tls_handshakes", "http2_faults", "http2_floods", "http_bad_requests", "drop_tcp_no_memory",
                 "tcp_pool_waits")
        lines += [f"{self.lab.counter(name):8} {name}" for name in shown]
        lines.append(f"resident {self.resident[0] >> 20} MiB first, {max(self.resident) >> 20} at most, "
                     f"{self.resident[-1] >> 20} last; {self.grown() / MEBIBYTE:+.1f} MiB from the second quarter on")
        return "\n".join(lines + [f"{len(self.errors)} errors", *self.errors[:20]])
