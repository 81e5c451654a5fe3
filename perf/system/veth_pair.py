"""A wire for one server: two namespaces and a veth between them, whose ends do their work where a NIC's
interrupts would: what arrives at either end is handled on that end's CPU.

A veth by itself handles a packet on the CPU of whoever sent it: the generator would pay for the server's
receive path and the server for the generator's. There are two ways to the right CPU. steer_to_cpu() is
for servers with sockets: their fastest (it gives them 10 to 20 % more than the other). poll_on_cpu() is
for AF_XDP, which receives before packet steering."""
import os
import pathlib
import subprocess

COALESCE_US = 50  # that an end's kernel thread waits for more, as a NIC's interrupts do (i40e's default)
CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:02", "02:00:00:00:00:01"
SERVICE = "192.0.2.129"


def run(*words, check=True):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr or done.stdout}")
    return done.stdout


def napi_threads(interface=""):
    """Ids of the kernel threads that poll `interface`, of every namespace; "" means any interface."""
    found = set()
    for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().startswith(f"napi/{interface}"):
                found.add(int(comm.parent.name))
        except OSError:
            pass  # it ended meanwhile
    return found


def poll_on_cpu(prefix, interface, cpu):
    """Packets that arrive at `interface` of the namespace that `prefix` enters are handled by a kernel
    thread on `cpu`, ahead of its ordinary threads. The peer's TSO must be off: the kernel's own packets
    do not pass NAPI otherwise."""
    run(*prefix, "ethtool", "-K", interface, "gro", "on")
    before = napi_threads(interface[:4])
    run(*prefix, "sh", "-c", f"echo 1 > /sys/class/net/{interface}/threaded")
    threads = napi_threads(interface[:4]) - before
    if not threads:
        raise RuntimeError(f"{interface}: the kernel made no NAPI thread (Linux 5.12 is the least)")
    for thread in threads:
        os.sched_setaffinity(thread, {cpu})
        os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(1))


def coalesce(prefix, interface, microseconds=COALESCE_US):
    """What arrives at `interface` is taken up together, so long after the last time. Otherwise its kernel
    thread sleeps after every packet, and who sends the next pays for waking it on another CPU: a third of what an
    answer costs a server with sockets."""
    run(*prefix, "sh", "-c", f"echo 2 > /sys/class/net/{interface}/napi_defer_hard_irqs;"
                             f"echo {microseconds * 1000} > /sys/class/net/{interface}/gro_flush_timeout")


def steer_to_cpu(prefix, interface, cpu):
    """Packets that arrive at `interface` of the namespace that `prefix` enters are handled in a software
    interrupt of `cpu`."""
    run(*prefix, "ethtool", "-K", interface, "gro", "off")
    run(*prefix, "sh", "-c", f"echo 0 > /sys/class/net/{interface}/threaded;"
                             f"echo {1 << cpu:x} > /sys/class/net/{interface}/queues/rx-0/rps_cpus")


class VethPair:
    """Namespaces NAME-c and NAME-s. In the server's there are the service's address and a route to any
    client; nothing on the wire has to be asked for by ARP. The server's end is steered, unless `xdp`."""

    def __init__(self, name, client_cpu, server_cpu, xdp=False):
        self.xdp = xdp
        self.client, self.server = f"{name}-c", f"{name}-s"
        self.cpus = {self.client: client_cpu, self.server: server_cpu}

    def inside(self, namespace):
        return ("ip", "netns", "exec", namespace)

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

    def up(self):
        for namespace in self.cpus:
            run("ip", "netns", "add", namespace)
        run("ip", "link", "add", "eth0", "address", CLIENT_MAC, "netns", self.client, "type", "veth",
            "peer", "name", "eth0", "address", SERVER_MAC, "netns", self.server)
        for namespace in self.cpus:
            run("ip", "-n", namespace, "link", "set", "lo", "up")
            run(*self.inside(namespace), "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1",
                "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0")
            run(*self.inside(namespace), "ethtool", "-K", "eth0", "tso", "off", "gso", "off")
            run("ip", "-n", namespace, "link", "set", "eth0", "up")
        poll_on_cpu(self.inside(self.client), "eth0", self.cpus[self.client])
        coalesce(self.inside(self.client), "eth0")
        to_cpu = poll_on_cpu if self.xdp else steer_to_cpu
        to_cpu(self.inside(self.server), "eth0", self.cpus[self.server])
        ip = ("ip", "-n", self.server)
        run(*ip, "address", "add", "192.0.2.2/28", "dev", "eth0")
        run(*ip, "address", "add", f"{SERVICE}/32", "dev", "lo")
        run(*ip, "neighbour", "add", "192.0.2.1", "lladdr", CLIENT_MAC, "dev", "eth0", "nud", "permanent")
        run(*ip, "route", "add", "default", "via", "192.0.2.1", "dev", "eth0")

    def close_kernel(self):
        """The server's kernel drops what arrives: with a packet socket it gets a copy of everything, and
        would answer too."""
        chain = 'add chain netdev brink ingress { type filter hook ingress device "eth0" priority 0; '
        run(*self.inside(self.server), "nft", f"add table netdev brink; {chain}policy drop; }}")

    def down(self):
        for namespace in self.cpus:
            if pathlib.Path(f"/run/netns/{namespace}").exists():
                run("ip", "netns", "del", namespace, check=False)
