"""The name servers that compare_dns puts beside brink-edge: each in a namespace, in the foreground, with
one worker, on one CPU, with a configuration that does nothing but answer."""
import os
import pathlib
import shutil
import subprocess
import time

from veth_pair import SERVICE, run


def nsd_conf(folder, zones):
    yield f"""server:
  server-count: 1
  ip-address: {SERVICE}
  username: ""
  database: ""
  zonesdir: "{zones}"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  pidfile: "{folder}/pid"
  minimal-responses: yes
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
"""
    for file in zones.iterdir():
        yield f'zone:\n  name: "{file.stem}"\n  zonefile: "{file.name}"\n'


def knot_conf(folder, zones, xdp=""):
    yield f"""server:
  rundir: "{folder}"
  listen: {SERVICE}@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
{xdp}database:
  storage: "{folder}"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{zones}"
    file: "%s.zone"
    journal-content: none
    zonefile-sync: -1
zone:
"""
    for file in zones.iterdir():
        yield f'  - domain: "{file.stem}"\n'


def knot_xdp_conf(folder, zones):
    return knot_conf(folder, zones, xdp="xdp:\n  listen: eth0@53\n")


def named_conf(folder, zones):
    yield f"""options {{
  directory "{folder}";
  pid-file none;
  session-keyfile none;
  managed-keys-directory "{folder}";
  listen-on {{ {SERVICE}; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  minimal-responses yes;
  zone-statistics none;
  notify no;
  allow-transfer {{ none; }};
}};
controls {{ }};
"""
    for file in zones.iterdir():
        yield f'zone "{file.stem}" {{ type primary; file "{file}"; }};\n'


# Name: the program, its configuration, its arguments.
PEERS = {
    "nsd": ("nsd", nsd_conf, ("-d", "-c")),
    "knot": ("knotd", knot_conf, ("-c",)),
    "knot-xdp": ("knotd", knot_xdp_conf, ("-c",)),
    "bind": ("named", named_conf, ("-n", "1", "-f", "-c")),
}


class Missing(Exception):
    """A peer that cannot take part, and why."""


def descendants(process_id):
    """A process and all that it started."""
    children = pathlib.Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return [process_id] + [each for child in children for each in descendants(int(child))]


class Peer:
    """One server of PEERS behind `pair`, serving the zone files of `zones`. It ends with end()."""

    def __init__(self, name, pair, folder, zones):
        program, configuration, arguments = PEERS[name]
        path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
        if not path:
            raise Missing(f"{program} is not installed: scripts/packages compare")
        self.name, self.pair = name, pair
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "conf").write_text("".join(configuration(self.folder, zones)))
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen(
                [*pair.inside(pair.server), "taskset", "-c", str(pair.cpus[pair.server]), path,
                 *arguments, self.folder / "conf"], stdout=log, stderr=log)
        try:
            self.wait_ready(min(file.stem for file in zones.iterdir()))
            self.pin()
        except BaseException:
            self.end()
            raise

    def wait_ready(self, zone):
        for _ in range(300):
            if self.process.poll() is not None:
                raise Missing(f"{self.name} ended at once: " + self.log())
            said = run(*self.pair.inside(self.pair.server), "kdig", f"@{SERVICE}", zone, "SOA",
                       "+timeout=1", "+retry=0", check=False)
            # The record of the answer section: the names in its data need not be of this zone.
            if any(line.startswith(f"{zone}.") for line in said.splitlines()):
                return
            time.sleep(0.2)
        raise Missing(f"{self.name} does not answer for {zone} after a minute: " + self.log())

    def pin(self):
        """Once more, for threads that chose a CPU for themselves."""
        for process in descendants(self.process.pid):
            run("taskset", "-acp", self.pair.cpus[self.pair.server], process)

    def log(self):
        return (self.folder / "log").read_text().strip()[-500:]

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
