"""Brink's TCP against the kernel's: tcp_tun_peer behind a TUN device, real sockets in front of it.

Two network namespaces of this run's own: the sockets live in one, the TUN device in the other, which
forwards between them and drops packets at random when a test asks for it. Needs root.
Run with: pytest tests/integration/test_tcp_linux.py   (BRINK_BUILD names the build folder)
"""
import ctypes
import os
import pathlib
import select
import socket
import struct
import subprocess
import threading
import time
import zlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BRINK_BUILD", ROOT / "build"))
PEER = BUILD / "dataplane/tcp/tcp_tun_peer"
CLIENT, ROUTER = f"brink-t-c{os.getpid()}", f"brink-t-r{os.getpid()}"
CLIENT_V4, CLIENT_V6 = "192.0.2.1", "2001:db8:1::1"
PEER_V4, PEER_V6 = "198.51.100.2", "2001:db8:2::2"
BLOCK = bytes((i * 7 + (i >> 8)) & 0xFF for i in range(65536))
MEGABYTE = 1_000_000

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(not PEER.exists(), reason="tcp_tun_peer is not built"),
]


def sh(command, **kwargs):
    return subprocess.run(command.split(), check=True, capture_output=True, text=True, **kwargs)


def inside(namespace, command, **kwargs):
    return sh(f"ip netns exec {namespace} {command}", **kwargs)


class Namespace:
    """While entered, this thread's new sockets belong to the namespace."""

    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, name):
        self.path = f"/var/run/netns/{name}"

    def _set(self, fd):
        if self.libc.setns(fd, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        target = os.open(self.path, os.O_RDONLY)
        self._set(target)
        os.close(target)

    def __exit__(self, *_):
        self._set(self.home)
        os.close(self.home)


@pytest.fixture(scope="module")
def network():
    peer = None
    try:
        for name in (CLIENT, ROUTER):
            sh(f"ip netns add {name}")
            inside(name, "ip link set lo up")
        sh(f"ip link add c0 netns {CLIENT} type veth peer name r0 netns {ROUTER}")
        peer = subprocess.Popen(
            ["ip", "netns", "exec", ROUTER, str(PEER), "t0"], stdout=subprocess.PIPE, text=True)
        assert peer.stdout.readline() == "ready\n"
        for command in (
            f"ip addr add {CLIENT_V4}/24 dev c0", f"ip addr add {CLIENT_V6}/64 dev c0 nodad",
            "ip link set c0 up",
        ):
            inside(CLIENT, command)
        for command in (
            "ip addr add 192.0.2.254/24 dev r0", "ip addr add 2001:db8:1::fe/64 dev r0 nodad",
            "ip link set r0 up", "ip addr add 198.51.100.1/24 dev t0",
            "ip addr add 2001:db8:2::1/64 dev t0 nodad", "ip link set t0 up txqueuelen 5000",
            "sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv6.conf.all.forwarding=1",
            "nft add table inet loss",
            "nft add chain inet loss forward { type filter hook forward priority 0 ; }",
        ):
            inside(ROUTER, command)
        inside(CLIENT, "ip route add default via 192.0.2.254")
        inside(CLIENT, "ip -6 route add default via 2001:db8:1::fe")
        yield
        assert peer.poll() is None, "the peer died"
    finally:
        if peer is not None:
            peer.kill()
            peer.wait()
        for name in (CLIENT, ROUTER):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.fixture
def loss(network):
    def set_percent(percent):
        inside(ROUTER, "nft flush chain inet loss forward")
        if percent:
            inside(ROUTER, "nft add rule inet loss forward meta l4proto tcp "
                           f"numgen random mod 1000 < {int(percent * 10)} drop")

    yield set_percent
    set_percent(0)


def new_socket(v6=False, **options):
    with Namespace(CLIENT):
        s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
    s.settimeout(45)
    for option, value in options.items():
        level = socket.IPPROTO_TCP if option.startswith("TCP") else socket.SOL_SOCKET
        s.setsockopt(level, getattr(socket, option), value)
    return s


def dial(port, v6=False, **options):
    s = new_socket(v6, **options)
    s.connect((PEER_V6 if v6 else PEER_V4, port))
    return s


def read_all(s):
    crc, size = 0, 0
    while data := s.recv(1 << 18):
        crc, size = zlib.crc32(data, crc), size + len(data)
    return crc, size


def pattern_crc(size):
    crc = 0
    for offset in range(0, size, len(BLOCK)):
        crc = zlib.crc32(BLOCK[: min(len(BLOCK), size - offset)], crc)
    return crc


def upload(size, port=9, **kwargs):
    s = dial(port, **kwargs)
    for offset in range(0, size, len(BLOCK)):
        s.sendall(BLOCK[: min(len(BLOCK), size - offset)])
    s.shutdown(socket.SHUT_WR)
    answer = b""
    while data := s.recv(100):
        answer += data
    s.close()
    assert answer == b"%d %d\n" % (pattern_crc(size), size)


def download(size, **kwargs):
    s = dial(19, **kwargs)
    s.sendall(b"%d\n" % size)
    assert read_all(s) == (pattern_crc(size), size)
    s.close()


def echo(size, **kwargs):
    s = dial(7, **kwargs)

    def send():
        for offset in range(0, size, len(BLOCK)):
            s.sendall(BLOCK[: min(len(BLOCK), size - offset)])
        s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    assert read_all(s) == (pattern_crc(size), size)
    sender.join()
    s.close()


@pytest.mark.parametrize("v6", [False, True])
def test_options_are_agreed(network, v6):
    s = dial(7, v6=v6)
    s.sendall(b"x")
    assert s.recv(1) == b"x"
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    options, scales = info[5], info[6]
    assert options & 0x7 == 0x7  # timestamps, SACK, window scale
    assert scales & 0xF > 0 and scales >> 4 > 0
    mss = struct.unpack_from("<I", info, 16)[0]
    assert mss == (1440 if v6 else 1460) - 12
    s.close()


def test_100_megabytes_to_us(network):
    upload(100 * MEGABYTE)


def test_100_megabytes_from_us(network):
    download(100 * MEGABYTE)


@pytest.mark.parametrize("v6", [False, True])
def test_echo_both_ways_at_once(network, v6):
    echo(10 * MEGABYTE, v6=v6)


@pytest.mark.parametrize("percent", [1, 5])
@pytest.mark.parametrize("transfer", [upload, download, echo])
def test_loss_costs_no_byte(loss, percent, transfer):
    loss(percent)
    transfer(3 * MEGABYTE)


@pytest.mark.parametrize("congestion", [b"reno", b"bbr", b"cubic"])
def test_loss_with_each_congestion_control_of_the_kernel(loss, congestion):
    loss(2)
    try:
        upload(2 * MEGABYTE, TCP_CONGESTION=congestion)
    except (PermissionError, FileNotFoundError):
        pytest.skip("not allowed in this namespace")


def test_without_sack_and_timestamps(loss):
    for name in ("sack", "timestamps", "window_scaling"):
        inside(CLIENT, f"sysctl -qw net.ipv4.tcp_{name}=0")
    try:
        loss(1)
        upload(MEGABYTE)
        download(MEGABYTE)
    finally:
        for name in ("sack", "timestamps", "window_scaling"):
            inside(CLIENT, f"sysctl -qw net.ipv4.tcp_{name}=1")


def test_small_segments(network):
    with_mss = {"TCP_MAXSEG": 300}
    download(200_000, **with_mss)
    upload(200_000, **with_mss)


def test_half_close_by_the_kernel(network):
    s = dial(9)
    s.sendall(b"abc")
    s.shutdown(socket.SHUT_WR)
    assert s.recv(100) == b"%d 3\n" % zlib.crc32(b"abc")
    assert s.recv(1) == b""
    s.close()


def test_half_close_by_us(network):
    s = dial(23)
    assert s.recv(100) == b"hello\n"
    assert s.recv(1) == b""
    for _ in range(20):
        s.sendall(BLOCK)  # the other direction stays open
    s.shutdown(socket.SHUT_WR)
    wait_for_state(s, {7})  # closed
    s.close()


def wait_for_state(s, states, seconds=5):
    end = time.monotonic() + seconds
    while s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] not in states:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_reset_by_us(network):
    s = dial(22)
    s.sendall(b"x")
    with pytest.raises(ConnectionResetError):
        s.recv(1)
    s.close()


def test_reset_by_the_kernel_frees_the_connection(network):
    for _ in range(50):
        s = dial(7)
        s.sendall(BLOCK)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    echo(1000)


def test_zero_window_of_ours(network):
    begin = time.monotonic()
    upload(5 * MEGABYTE, port=21)
    assert time.monotonic() - begin > 2.5


def test_zero_window_of_the_kernel(network):
    s = dial(19, SO_RCVBUF=20000)
    s.sendall(b"%d\n" % (2 * MEGABYTE))
    time.sleep(2.5)  # the window closes and is probed
    assert read_all(s) == (pattern_crc(2 * MEGABYTE), 2 * MEGABYTE)
    s.close()


def test_many_connections_at_once(network):
    sockets = [dial(7) for _ in range(500)]
    for i, s in enumerate(sockets):
        s.sendall(b"%06d" % i * 100)
    for i, s in enumerate(sockets):
        data = b""
        while len(data) < 600:
            data += s.recv(600)
        assert data == b"%06d" % i * 100
    for s in sockets:
        s.close()


def test_connections_in_a_row(network):
    for _ in range(1000):
        s = dial(9)
        s.sendall(b"q")
        s.shutdown(socket.SHUT_WR)
        assert s.recv(100)
        s.close()


def test_connections_in_a_row_with_loss(loss):
    loss(3)
    threads = [threading.Thread(target=lambda: results.append(upload(20_000))) for _ in range(60)]
    results = []
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 60


# ---- active open: the peer connects to a listener of the kernel and relays ----

@pytest.fixture
def listener(network):
    s = new_socket(SO_REUSEADDR=1)
    s.bind((CLIENT_V4, 0))
    s.listen(16)
    yield s
    s.close()


def relay_to(port, address=CLIENT_V4):
    s = dial(30)
    s.sendall(f"{address} {port}\n".encode())
    return s


def test_relay_passes_both_directions(listener, loss):
    loss(1)
    near = relay_to(listener.getsockname()[1])
    far, _ = listener.accept()
    far.settimeout(45)

    def serve():
        far.sendall(BLOCK * 30)
        far.shutdown(socket.SHUT_WR)

    def ask():
        near.sendall(BLOCK * 30)
        near.shutdown(socket.SHUT_WR)

    threads = [threading.Thread(target=serve), threading.Thread(target=ask)]
    results = {}
    reader = threading.Thread(target=lambda: results.update(far=read_all(far)))
    for t in (*threads, reader):
        t.start()
    results["near"] = read_all(near)
    for t in (*threads, reader):
        t.join()
    expected = (pattern_crc(30 * 65536), 30 * 65536)
    assert results == {"near": expected, "far": expected}
    near.close()
    far.close()


def test_connect_is_refused(network):
    s = relay_to(9)  # nobody listens there
    assert s.recv(100) == b"refused\n"
    s.close()


def test_connect_times_out_after_19_seconds(network):
    inside(ROUTER, "nft add rule inet loss forward tcp dport 4444 drop")
    begin = time.monotonic()
    s = relay_to(4444)
    assert s.recv(100) == b"timeout\n"
    assert 18.5 < time.monotonic() - begin < 20.5
    inside(ROUTER, "nft flush chain inet loss forward")
    s.close()


def test_reset_of_the_origin_reaches_the_client(listener):
    near = relay_to(listener.getsockname()[1])
    far, _ = listener.accept()
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    with pytest.raises(ConnectionResetError):
        near.recv(1)
    near.close()


def test_unknown_segments_are_answered_with_reset(network):
    # A connection the stack does not know: the kernel's SYN-ACK answer to a forged SYN would do;
    # simpler, an established one whose peer has been aborted.
    s = dial(22)
    s.sendall(b"x")
    select.select([s], [], [], 5)
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        for _ in range(10):
            s.sendall(b"y")
            time.sleep(0.05)
    s.close()
