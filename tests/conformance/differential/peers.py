"""NSD, Knot and BIND as packaged, each on a port of the loopback of one of the lab's hosts, with the same zone
files, configured to do nothing but answer: no rate limits, no refusals, 1,232 octets over UDP."""
import pathlib
import shutil
import subprocess
import time

import dns.message
import dns.query

UDP_SIZE = 1232


def file_name(zone):
    return "root" if zone == "." else zone.rstrip(".")


def nsd_conf(folder, port, zones):
    yield f"""server:
  server-count: 1
  ip-address: 127.0.0.1@{port}
  ip-address: ::1@{port}
  port: {port}
  username: ""
  database: ""
  zonesdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  ipv4-edns-size: {UDP_SIZE}
  ipv6-edns-size: {UDP_SIZE}
  minimal-responses: yes
  refuse-any: no
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
"""
    for zone in zones:
        yield f'zone:\n  name: "{zone}"\n  zonefile: "{file_name(zone)}.zone"\n'


def knot_conf(folder, port, zones):
    yield f"""server:
  rundir: "{folder}"
  listen: [ 127.0.0.1@{port}, ::1@{port} ]
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: {UDP_SIZE}
  tcp-idle-timeout: 60
database:
  storage: "{folder}"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{folder}"
    semantic-checks: off
    journal-content: none
    zonefile-sync: -1
zone:
"""
    for zone in zones:
        yield f'  - domain: "{zone}"\n    file: "{file_name(zone)}.zone"\n'


def named_conf(folder, port, zones):
    yield f"""options {{
  directory "{folder}";
  pid-file none;
  session-keyfile none;
  managed-keys-directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 port {port} {{ ::1; }};
  recursion no;
  allow-query {{ any; }};
  allow-transfer {{ none; }};
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses no-auth;
  minimal-any no;
  notify no;
  zone-statistics none;
  check-integrity no;
  check-names primary ignore;
  check-mx ignore;
  check-mx-cname ignore;
  check-srv-cname ignore;
  check-sibling no;
  check-wildcard no;
  check-dup-records ignore;
  max-records-per-type 0;
  max-types-per-name 0;
  max-udp-size {UDP_SIZE};
  edns-udp-size {UDP_SIZE};
  tcp-idle-timeout 600;
}};
controls {{ }};
"""
    for zone in zones:
        yield f'zone "{zone}" {{ type primary; file "{folder}/{file_name(zone)}.zone"; }};\n'


# Name: the program, its configuration, its arguments.
PEERS = {
    "nsd": ("nsd", nsd_conf, ("-d", "-c")),
    "knot": ("knotd", knot_conf, ("-c",)),
    "bind": ("named", named_conf, ("-n", "1", "-f", "-c")),
}


class Missing(Exception):
    """A server that is not installed."""


class Peer:
    """One of PEERS on `host` of `lab`. `zones`: names and texts. It ends with end()."""

    def __init__(self, name, lab, folder, port, zones, host="client"):
        program, configuration, arguments = PEERS[name]
        path = shutil.which(program, path="/usr/bin:/usr/sbin")
        if not path:
            raise Missing(f"{program} is not installed: scripts/packages")
        self.name, self.lab, self.port = name, lab, port
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        for zone, text in zones.items():
            (self.folder / f"{file_name(zone)}.zone").write_text(text)
        (self.folder / "conf").write_text("".join(configuration(self.folder, port, zones)))
        with open(self.folder / "log", "w") as log:
            self.process = lab.spawn(host, path, *arguments, self.folder / "conf", stdout=log, stderr=log)
        self.wait_ready(zones, host)

    def wait_ready(self, zones, host):
        with self.lab.inside(host):
            for zone in zones:
                query = dns.message.make_query(zone, "SOA")
                deadline = time.monotonic() + 60
                while True:
                    assert self.process.poll() is None, f"{self.name} ended at once: {self.log()}"
                    try:
                        if dns.query.udp(query, "127.0.0.1", port=self.port, timeout=1).answer:
                            break
                    except (dns.exception.Timeout, OSError):
                        pass
                    assert time.monotonic() < deadline, f"{self.name} does not serve {zone}: {self.log()}"
                    time.sleep(0.1)

    def log(self):
        return (self.folder / "log").read_text()[-2000:]

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
