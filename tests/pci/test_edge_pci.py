"""brink-edge with DPDK's PCI drivers on NICs that QEMU emulates: two workers, DNS and HTTP.

On demand: `scripts/test pci`. Each NIC is powered on once, and the class's tests run in order."""
import dataclasses
import shutil

import pytest

from pci_guest import KERNEL, PciLab

from edge_lab import DNS4, DNS6, OWN4, OWN6, WEB4, WEB6

# QEMU spreads flows over virtio's queues itself, and a ring that gets full on the way may never be
# filled again (without rss=on it is): the rings are as long as can be.
VIRTIO = "virtio-net-pci,mq=on,rss=on,rx_queue_size=1024,iommu_platform=on,disable-legacy=on"


@dataclasses.dataclass
class Nic:
    driver: str  # of DPDK
    model: str  # of QEMU, with its options
    queues: int  # pairs that brink-edge finds with two workers
    spreads: bool = False  # flows over its receive queues; the other models have all in the first
    machine: dict = dataclasses.field(default_factory=dict)  # arguments of PciLab.boot


NICS = {
    "e1000": Nic("net_e1000_em", "e1000", 1),
    "e1000e": Nic("net_e1000_em", "e1000e", 1),
    "e1000e-narrow-iommu": Nic("net_e1000_em", "e1000e", 1, machine={"address_bits": 39}),
    "vmxnet3": Nic("net_vmxnet3", "vmxnet3", 2),
    "vmxnet3-ordinary-memory": Nic("net_vmxnet3", "vmxnet3", 2, machine={"huge_pages": 0}),
    "virtio": Nic("net_virtio", VIRTIO, 2, spreads=True, machine={"tap_queues": 2}),
}
BIG = 8 << 20


@pytest.fixture(scope="module", autouse=True)
def needs():
    assert shutil.which("qemu-system-x86_64") and KERNEL.exists(), "run scripts/packages pci first"


@pytest.fixture(scope="class", params=NICS)
def lab(request):
    nic = NICS[request.param]
    with PciLab() as lab:
        lab.nic = nic
        lab.boot(nic.model, **nic.machine)
        yield lab


class TestNic:
    def test_its_driver_is_dpdks_own(self, lab):
        said = f"({lab.nic.driver}): {lab.nic.queues} queue pair(s), station 02:00:00:00:00:02"
        assert said in lab.log()

    @pytest.mark.parametrize("address", [OWN4, OWN6, DNS4, DNS6])
    def test_ping_is_answered(self, lab, address):
        lab.exec("client", "ping", "-c", "3", "-i", "0.2", "-W", "5", address)

    @pytest.mark.parametrize("server", [DNS4, DNS6])
    def test_dns_is_answered(self, lab, server):
        assert lab.dig(server, "www.example.com", "A") == WEB4
        assert lab.dig(server, "www.example.com", "AAAA") == WEB6
        nothing = lab.exec("client", "kdig", f"@{server}", "none.example.com", "+timeout=2",
                           "+retry=1")
        assert "status: NXDOMAIN" in nothing and "ANSWER: 0" in nothing

    @pytest.mark.parametrize("address", [WEB4, WEB6])
    def test_http_reaches_the_origin(self, lab, address):
        assert lab.get("www.example.com", address) == "this is origin-a\n"
        body = lab.get("www.example.com", address, "/big")
        assert len(body) == BIG and set(body) == {"a"}

    def test_both_workers_have_a_share(self, lab):
        for _ in range(24):  # a client port each: all with one worker has a chance of 2 in 2^24
            assert lab.get("app.example.com", WEB4) == "this is origin-b\n"
        stats = lab.segment()
        assert len(stats.workers) == 2
        for worker in stats.workers:
            assert worker["http_responses"] > 0 and worker["tcp_segments_out"] > 0
        assert stats.workers[0]["rx_packets"] > 0
        assert (stats.workers[1]["rx_packets"] > 0) == lab.nic.spreads
        assert {name: value for name, value in stats.nonzero().items()
                if name.startswith("drop_") and "checksum" in name} == {}

    def test_it_stops_cleanly(self, lab):
        assert lab.stop() == 0
        assert "] stopped" in lab.log()
