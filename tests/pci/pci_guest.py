"""PciLab: a lab whose edge is a QEMU guest, in which brink-edge has an emulated PCI NIC.

The router's interface `edge` is the guest's tap; everything else is as in EdgeLab. The guest runs
Debian's kernel with an IOMMU on the host's root file system (see guest_init)."""
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from edge_lab import EdgeLab  # noqa: E402
from lab import EDGE  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
# What `scripts/packages pci` unpacked of Debian's kernel.
KERNEL = pathlib.Path(os.environ.get("BRINK_GUEST_KERNEL", "/var/cache/brink/guest-kernel"))
# In the order in which they can be loaded.
MODULES = ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
           "netfs", "fscache", "9pnet", "9pnet_virtio", "9p", "overlay", "tun", "irqbypass",
           "vfio_virqfd", "vfio", "vfio_iommu_type1", "vfio-pci-core", "vfio-pci"]
# Emulation works everywhere; BRINK_GUEST_ACCEL=kvm is faster where KVM boots that kernel.
ACCELERATOR = os.environ.get("BRINK_GUEST_ACCEL", "tcg")
NIC = "0000:00:10.0"
START_LIMIT_S = 150  # power-on to "ready"
STOP_LIMIT_S = 60

CONFIG = """[port]
device = {nic}
[topology]
main-cpu = 0
worker = 0:dns+l7
worker = 1:dns+l7
[address]
own-v4 = 192.0.2.2/28
own-v6 = 2001:db8:e::2/64
gateway-v4 = 192.0.2.1
gateway-v6 = 2001:db8:e::1
[service]
dns = 192.0.2.129
dns = 2001:db8:a::129
proxied = 192.0.2.140
proxied = 2001:db8:a::140
[path]
control-socket = /run/edge.sock
stats = /run/edge.stats
image = {state}/edge.image
"""
ROUTER = [("address", "192.0.2.1/28"), ("address", "2001:db8:e::1/64", "nodad"),
          ("route", "192.0.2.128/25", "via", "192.0.2.2"),
          ("route", "2001:db8:a::/64", "via", "2001:db8:e::2")]


def make_initramfs(folder):
    """Busybox, the modules and guest_init, as an archive; returns its path."""
    tree = folder / "initramfs"
    for name in ("bin", "modules", "proc", "sys", "dev"):
        (tree / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    shutil.copy(HERE / "guest_init", tree / "init")
    for module in MODULES:
        shutil.copy(next(KERNEL.glob(f"lib/modules/*/kernel/**/{module}.ko")), tree / "modules")
    (tree / "modules/order").write_text("".join(f"{module}\n" for module in MODULES))
    archive = folder / "initramfs.cpio"
    with open(archive, "wb") as out:
        names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
        subprocess.run(["/bin/busybox", "cpio", "-o", "-H", "newc"], cwd=tree, input=names.encode(),
                       stdout=out, stderr=subprocess.DEVNULL, check=True, timeout=60)
    return archive


class PciLab(EdgeLab):
    guest = None

    def boot(self, model, tap_queues=1, huge_pages=256, address_bits=48):
        """Powers the guest on with a NIC of that QEMU model and waits until brink-edge is ready.
        An IOMMU of fewer address bits than 48 has no room for DPDK's virtual addresses."""
        self.image("file", self.state / "edge.image", 1)
        (self.state / "edge.conf").write_text(CONFIG.format(nic=NIC, state=self.state))
        (self.state / "guest.conf").write_text(
            f"STATE={self.state}\nEDGE={EDGE}\nNIC={NIC}\nHUGEPAGES={huge_pages}\n")
        self._wire(tap_queues)
        kernel = next(KERNEL.glob("boot/vmlinuz-*"))
        command = [
            "qemu-system-x86_64", "-accel", ACCELERATOR, "-cpu", "max", "-smp", "2",
            "-m", "1536", "-machine", "q35,kernel-irqchip=split",
            "-device", f"intel-iommu,intremap=on,caching-mode=on,aw-bits={address_bits}",
            "-kernel", kernel, "-initrd", make_initramfs(self.state), "-append",
            "console=ttyS0 quiet panic=-1 intel_iommu=on iommu=pt", "-no-reboot", "-nodefaults",
            "-display", "none", "-serial", f"file:{self.state}/console",
            "-virtfs",
            "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
            "-virtfs", f"local,path={self.state},mount_tag=share,security_model=none",
            "-netdev", "tap,id=wire,ifname=edge,script=no,downscript=no"
            + (f",queues={tap_queues}" if tap_queues > 1 else ""),
            "-device", f"{model},netdev=wire,addr=0x10,mac=02:00:00:00:00:02"]
        with open(self.state / "qemu.log", "w") as log:
            self.guest = self.spawn("router", *command, stdout=log, stderr=log)
        self._wait(lambda: "] ready" in self.log(), START_LIMIT_S, "was not ready")

    def stop(self):
        """SIGTERM to brink-edge; returns its exit code when the guest is off."""
        (self.state / "stop").touch()
        self._wait((self.state / "exit").exists, STOP_LIMIT_S, "did not stop")
        self.guest.wait(STOP_LIMIT_S)
        return int((self.state / "exit").read_text())

    def log(self):
        path = self.state / "edge.log"
        return path.read_text() if path.exists() else ""

    def segment(self):
        """A copy of the statistics that is made after this call."""
        (self.state / "edge.stats").unlink(missing_ok=True)
        self._wait((self.state / "edge.stats").exists, 10, "gave no statistics")
        return super().segment()

    def _wire(self, queues):
        """The router's `edge` becomes a tap with the same addresses and routes."""
        self.exec("router", "ip", "link", "delete", "edge")
        self.exec("router", "ip", "tuntap", "add", "edge", "mode", "tap",
                  *(["multi_queue"] if queues > 1 else []))
        self.exec("router", "ip", "link", "set", "edge", "up")
        for what, *words in ROUTER:
            self.exec("router", "ip", *(["-6"] if ":" in words[0] else []), what, "add", *words,
                      "dev", "edge")

    def _wait(self, done, limit_s, what):
        end = time.monotonic() + limit_s
        while not done():
            gone = self.guest.poll() is not None or (self.state / "exit").exists()
            if (gone and not done()) or time.monotonic() > end:
                said = "".join(f"--- {name}\n{path.read_text(errors='replace')}"
                               for name in ("qemu.log", "console", "edge.log")
                               if (path := self.state / name).exists())
                raise AssertionError(f"brink-edge in the guest {what}\n{said}")
            time.sleep(0.1)
