"""What the HTTP benchmarks share: the lab with one zone behind a running edge, and figures."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from certificates import Certificates  # noqa: E402
from lab import BUILD, Lab  # noqa: E402,F401

HOST = "www.example.com"
EDGE, ORIGIN, PROXY = "192.0.2.140", "203.0.113.10", "203.0.113.74"
ZONE = """$TTL 300
@   IN SOA ns1 hostmaster 1 10000 2400 604800 1800
@   IN NS  ns1
ns1 IN A   192.0.2.129
www IN A   203.0.113.10
"""
# With two CPUs or more: housekeeping, clients and origins on the first, the worker on the second.
CLIENT_CPU, WORKER_CPU = (0, 1) if os.cpu_count() > 1 else (0, 0)


def start_edge(lab, *arguments):
    lab.edge_start(workers=f"{WORKER_CPU}:dns+l7", arguments=arguments)
    fill_edge(lab)


def fill_edge(lab):
    """Control, the zone, and a certificate for HOST, which `lab.made` has; origins are asked in plain HTTP."""
    lab.control_start()
    zone = lab.state / "example.com.zone"
    zone.write_text(ZONE)
    lab.brinkctl("zone", "import", zone, "--zone", "example.com", "--create", "--activate", "--proxied")
    lab.brinkctl("settings", "set", "example.com", "ssl", "flexible")
    lab.brinkctl("settings", "set", "example.com", "max_upload", 5000)
    (lab.state / "made").mkdir()
    lab.made = Certificates(lab.state / "made", "Perf CA")
    lab.made.leaf(HOST, name="www")
    lab.brinkctl("certificate", "add", "example.com", lab.made.folder / "www.pem", "--key",
                 lab.made.folder / "www.key")
