"""Lab: scripts/lab as a Python object, for tests of whole programs.

    with Lab("brink-t1") as lab:
        lab.edge_start(workers="0:dns,1:l7")
        lab.control_start()
        lab.brinkctl("zone", "create", "example.com")
        lab.exec("client", "kdig", "+short", "@192.0.2.129", "www.example.com")

Leaving the block takes everything down, whatever happened in it. Needs root. Each lab has a name of
its own, so that it stands beside others. BRINK_BUILD names the build folder.
"""
import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import socket
import subprocess
import time

from stats import read_stats

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BRINK_BUILD", ROOT / "build")).absolute()
EDGE = BUILD / "dataplane/edge/brink-edge"
BRINKCTL = BUILD / "ctl/cli/brinkctl"
LAB_ARGUMENTS = ("--eal.hugepages=off", "--eal.memory-mb=256")
CLONE_NEWNET = 0x40000000

_serial = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def wait_until(condition, seconds=10):
    """Whether it comes true in that time."""
    deadline = time.monotonic() + seconds
    pause = 0.002  # most things are a moment away; what is not is asked less and less often
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return bool(condition())


def _run(command, check=True, **options):
    """subprocess.run as text; a failure shows what the command said."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True,
               "timeout": 120} | options
    done = subprocess.run([str(word) for word in command], **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                             f"{done.stdout or ''}{done.stderr or ''}")
    return done


class Lab:
    """One lab. `name` begins its namespaces' names: keep it short; by default it is this process's."""

    def __init__(self, name=None):
        self.name = name or f"bk{os.getpid()}-{next(_serial)}"
        self.state = pathlib.Path(f"/run/{self.name}-lab")
        self._processes = []

    def __enter__(self):
        self.down()
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def script(self, *arguments, **options):
        """scripts/lab ARGUMENTS on this lab. Its output goes to files: what it starts may keep it open."""
        environment = os.environ | {"BRINK_LAB": self.name, "BRINK_BUILD": str(BUILD)}
        return _run([ROOT / "scripts/lab", *arguments], env=environment, **options)

    def up(self):
        self.script("up")

    def down(self):
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()
        self.script("down")

    def edge_start(self, workers=None, arguments=()):
        """`arguments` go to brink-edge: ("--l7.clients=20",). Ordinary memory, unless they say other-
        wise: huge pages are the machine's, and who else wants them must not decide a test."""
        self.script("edge-start", *(("--workers", workers) if workers else ()), "--",
                    *LAB_ARGUMENTS, *arguments)

    def edge_stop(self):
        self.script("edge-stop")

    def control_start(self, *arguments):
        self.script("control-start", *arguments)

    def control_stop(self):
        self.script("control-stop")

    def brinkctl(self, *arguments, check=True, **options):
        """What brinkctl --json prints, parsed; with check=False the finished process instead."""
        done = _run([BRINKCTL, "--socket", self.state / "control.sock", "--json", *arguments],
                    check=check, **options)
        if not check:
            return done
        return json.loads(done.stdout) if done.stdout.strip() else None

    def exec(self, host, *command, **options):
        """Runs a command on a host; returns its standard output."""
        return _run(["ip", "netns", "exec", f"{self.name}-{host}", *command], **options).stdout

    def run(self, host, *command, timeout=60, check=True, **options):
        """The finished process of a command on a host, with what it printed as bytes."""
        done = subprocess.run(["ip", "netns", "exec", f"{self.name}-{host}", *map(str, command)],
                              capture_output=True, timeout=timeout, **options)
        assert not check or done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
        return done

    def spawn(self, host, *command, **options):
        """Starts a command on a host; it is killed with the lab at the latest."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", f"{self.name}-{host}", *map(str, command)], **options)
        self._processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self, host):
        """While entered, this thread's new sockets belong to the host."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}-{host}", os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(home)
            os.close(home)
            os.close(there)

    def connect(self, address, port=80, host="client", timeout=10, receive_buffer=None):
        """A TCP connection from a host of the lab."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.inside(host):
            connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            connection.connect((address, port))
        except OSError:
            connection.close()
            raise
        return connection

    def stats(self):
        """The edge's statistics segment, see read_stats()."""
        return read_stats(self.state / "edge.stats")

    def counter(self, name):
        """One counter, summed over the workers."""
        return sum(worker["counters"][name] for worker in self.stats()["workers"])

    @contextlib.contextmanager
    def counted(self, **expected):
        """Counters grow by exactly that much meanwhile, or within 5 s of its end."""
        before = {name: self.counter(name) for name in expected}

        def grown():
            return {name: self.counter(name) - before[name] for name in expected}
        yield
        wait_until(lambda: grown() == expected, 5)
        assert grown() == expected

    def edge_pid(self):
        return int((self.state / "edge.pid").read_text())

    def edge_rss(self):
        """Resident bytes of brink-edge."""
        return int(pathlib.Path(f"/proc/{self.edge_pid()}/statm").read_text().split()[1]) * 4096

    def origin_log(self, origin):
        """Lines of an origin's access log."""
        return (self.state / origin / "access.log").read_text().splitlines()
