"""Where the cycles of a thread go: samples of the CPU's clock, taken by perf, by the folder of the code that
they met, since namespaces follow folders. What the compiler has made part of its caller counts there."""
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

TOOL = "perf"
# Of what is not ours: the library's file, and what to call it. The first that fits.
LIBRARIES = (("librte_net_memif", "memif driver"), ("librte_", "DPDK"), ("libcrypto", "OpenSSL"), ("libssl", "OpenSSL"),
             ("libnghttp2", "nghttp2"), ("libIPSec_MB", "libipsec-mb"), ("libc.so", "libc (copies)"), ("[kernel", "kernel"))
_LINE = re.compile(r"\s*([0-9.]+)%\s+(\S+)\s+\[[.k]\]\s+(.*?)\s*$")
_FOLDER = re.compile(r"brink::(dns|l7|ctl)::(?!\(anonymous)([a-z0-9_]+)::|brink::([a-z0-9_]+)::")


def step_of(library, symbol, functions):
    """The folder, or the library, that code is part of; `functions`: with the function's name."""
    found = _FOLDER.search(symbol)
    if found:
        folder = f"{found[1]}/{found[2]}" if found[1] else f"dataplane/{found[3]}"
        name = re.sub(r"\(anonymous namespace\)::", "", symbol[found.end():])
        return f"{folder} {re.split('[(<]', name)[0]}" if functions else folder
    return next((name for begin, name in LIBRARIES if library.startswith(begin)), "others")


class Profile:
    """Samples of a thread while entered, or of a whole `command`, which is then run at once."""

    def __init__(self, thread=None, command=None):
        if not shutil.which(TOOL):
            raise SystemExit("a budget needs perf: scripts/packages compare")
        self.folder = tempfile.TemporaryDirectory(prefix="brink-perf-")
        self.file = pathlib.Path(self.folder.name) / "samples"
        self.record = [TOOL, "record", "-q", "-k", "CLOCK_MONOTONIC", "-e", "cpu-clock", "-F", "3989", "-o", self.file]
        self.thread, self.output = thread, None
        if command:
            self.output = subprocess.run([*self.record, "--", *command], check=True, stdout=subprocess.PIPE,
                                         text=True).stdout

    def __enter__(self):
        # The thread may go ahead of whatever else the machine does.
        self.process = subprocess.Popen(["chrt", "-f", "2", *self.record, "-t", str(self.thread)])
        time.sleep(0.2)  # until it samples
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def shares(self, began=None, ended=None, functions=False, leave_out=()):
        """Steps and their shares, the largest first; of the time between two readings of the steady clock, where
        these are given. `leave_out`: steps that are not asked about."""
        window = ["--time", f"{began:.6f},{ended:.6f}"] if began else []
        said = subprocess.run([TOOL, "report", "-i", self.file, "--stdio", "--no-children", "-g", "none", "--percentage",
                               "relative", "-F", "overhead,dso,sym", "-w", "8,40,400", *window], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        shares = {}
        for found in filter(None, map(_LINE.match, said.splitlines())):
            step = step_of(found[2], found[3], functions)
            if step not in leave_out:
                shares[step] = shares.get(step, 0) + float(found[1])
        total = sum(shares.values())
        return {step: share / total for step, share in sorted(shares.items(), key=lambda each: -each[1])}


def table(title, shares, cycles, least=0.01):
    """Prints cycles by step; returns them. What is below `least` of all is `others`."""
    steps = {step: round(share * cycles) for step, share in shares.items() if share >= least and step != "others"}
    steps["others"] = round(cycles) - sum(steps.values())
    print(f"{title}: {cycles:.0f} cycles")
    for step, its in steps.items():
        print(f"  {step:<44} {its:>6}  {100 * its / cycles:5.1f} %")
    return steps
