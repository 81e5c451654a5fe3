"""dpdk-testpmd in 5tswap mode (swap addresses, send back): what a device can carry when nothing is done
with a packet, as the ceiling of what a server behind it can answer."""
import os
import subprocess
import time


class Reflector:
    """testpmd on `device`, with its main thread on CPU `1 - cpu` and its worker on `cpu`; `prefix` is what
    runs it, such as ("ip", "netns", "exec", NAME). It ends with end()."""

    def __init__(self, device, cpu=1, prefix=()):
        self.process = subprocess.Popen(
            [*prefix, "dpdk-testpmd", "--no-pci", "--lcores", f"0@{1 - cpu},1@{cpu}", "--file-prefix",
             f"swap{os.getpid()}", "--in-memory", "--log-level", "4", "--vdev", device,
             "--", "-i", "--forward-mode=5tswap", "--nb-cores=1", "--no-lsc-interrupt"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.process.stdin.write("set promisc all on\nstart\n")
        self.process.stdin.flush()
        self.wait_forwarding()

    def wait_forwarding(self):
        """Until it has read what was typed: its prompt comes before."""
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "5tswap packet forwarding" in line:
                time.sleep(1)  # its prompt is on the way, its worker too
                return
        raise RuntimeError("dpdk-testpmd ended:\n" + "".join(said[-10:]))

    def end(self):
        try:
            self.process.communicate("stop\nquit\n", timeout=20)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
