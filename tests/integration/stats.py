"""Reads the statistics segment of brink-edge (dataplane/ipc/stats_segment.h)."""
import struct

MAGIC = 0x5354415453524B42
NAME_SIZE = 64
WORKER_FIXED = 64


class Stats:
    """One copy of the segment: counters by name, summed over workers and for each."""

    def __init__(self, path):
        data = open(path, "rb").read()
        (magic, self.version, counters, workers, self.ports, stride, self.process,
         names_at, workers_at, _, total) = struct.unpack_from("<Q6I4Q", data)
        assert magic == MAGIC and total == len(data), path
        self.snapshot_version, = struct.unpack_from("<Q", data, 88)
        self.fallbacks = data[136:392].split(b"\0")[0].decode()
        names = [data[names_at + i * NAME_SIZE:][:NAME_SIZE].rstrip(b"\0").decode()
                 for i in range(counters)]
        self.workers = []
        for i in range(workers):
            values = struct.unpack_from(f"<{counters}Q", data, workers_at + i * stride + WORKER_FIXED)
            self.workers.append(dict(zip(names, values)))
        self.counters = {name: sum(w[name] for w in self.workers) for name in names}

    def __getitem__(self, name):
        return self.counters[name]

    def nonzero(self):
        return {name: value for name, value in self.counters.items() if value}
