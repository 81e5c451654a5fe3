"""The lab from Python: commands on its hosts, brink-edge with an image, its statistics."""
import os
import pathlib
import subprocess

from stats import Stats

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BRINK_BUILD", ROOT / "build"))
NAME = os.environ.get("BRINK_LAB", "brink")
STATE = pathlib.Path(f"/run/{NAME}-lab")

DNS4, DNS6 = "192.0.2.129", "2001:db8:a::129"
WEB4, WEB6 = "192.0.2.140", "2001:db8:a::140"
OWN4, OWN6 = "192.0.2.2", "2001:db8:e::2"

ZONE = """@ 300 SOA ns1 host {version} 7200 3600 604800 300
@ 300 NS ns1
ns1 300 A 192.0.2.129
www 300 A 192.0.2.140
www 300 AAAA 2001:db8:a::140
app 300 A 192.0.2.141
version 60 TXT "{version}"
"""
ROUTES = ["www.example.com.=203.0.113.10", "app.example.com.=203.0.113.74"]


class Lab:
    def script(self, *arguments, check=True):
        return subprocess.run([ROOT / "scripts/lab", *arguments], check=check, text=True,
                              capture_output=True, timeout=60)

    def on(self, host, *command, check=True, timeout=30):
        done = subprocess.run([ROOT / "scripts/lab", "exec", host, *command], text=True,
                              capture_output=True, timeout=timeout)
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def popen(self, host, *command):
        return subprocess.Popen(["ip", "netns", "exec", f"{NAME}-{host}", *command], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def image(self, how, target, version):
        zone = STATE / "zone"
        zone.write_text(ZONE.format(version=version))
        subprocess.run([BUILD / "tests/lab_image", how, target, str(version), "example.com.", zone,
                        *ROUTES], check=True, timeout=30)

    def start_edge(self, *arguments, version=1):
        if version:
            self.image("file", STATE / "edge.image", version)
        self.script("edge-start", *arguments)

    def stop_edge(self):
        self.script("edge-stop")

    def publish(self, version):
        self.image("publish", STATE / "edge.sock", version)

    def stats(self):
        return Stats(STATE / "edge.stats")

    def log(self):
        return (STATE / "edge.log").read_text()

    def dig(self, server, name, kind="A"):
        return self.on("client", "kdig", f"@{server}", name, kind, "+short", "+timeout=2",
                       "+retry=1").strip()

    def get(self, name, address, path="/", *options):
        where = f"[{address}]" if ":" in address else address
        return self.on("client", "curl", "-sS", "-g", "--max-time", "20", "--resolve",
                       f"{name}:80:{where}", f"http://{name}{path}", *options)
