"""Reads the statistics segment of brink-edge (dataplane/ipc/stats_segment.h)."""
import pathlib
import struct

MAGIC = 0x5354415453524B42
NAME_SIZE = 64
WORKER_FIXED = 64
HEADER_WORDS = ("names_at", "workers_at", "ports_at", "latency_size", "latency_at", "total_size", "started", "heartbeat", "tsc_hz",
                "snapshot_version", "snapshot_published", "snapshot_names", "snapshot_zones",
                "snapshot_swaps", "snapshot_transactions", "snapshot_refused",
                "snapshot_compactions", "snapshot_log_bytes", "snapshot_size",
                "snapshot_memory_limit", "snapshot_records", "snapshot_records_free",
                "snapshot_heap_bytes", "snapshot_heap_free_bytes", "snapshot_waiting",
                "snapshot_waiting_ns", "snapshot_waiting_workers", "snapshot_visible_ns", "snapshot_visible_max_ns")
ROLES = {1: "dns", 2: "l7"}


def read_stats(path):
    """A copy of the segment: {"header", "workers"}. Each worker has its index, cpu, roles, cycles,
    tcp_connections, counters by name, and latencies: counts by bucket."""
    data = pathlib.Path(path).read_bytes()
    magic, version, counters, workers, ports, stride, process = struct.unpack_from("<Q6I", data)
    header = dict(zip(HEADER_WORDS, struct.unpack_from(f"<{len(HEADER_WORDS)}Q", data, 32)))
    assert magic == MAGIC and header["total_size"] == len(data), path
    after = 32 + 8 * len(HEADER_WORDS)
    header |= {"version": version, "ports": ports, "process_id": process,
               "fallbacks": data[after:after + 256].split(b"\0")[0].decode()}
    names_at, workers_at = header["names_at"], header["workers_at"]
    names = [data[at:at + NAME_SIZE].rstrip(b"\0").decode()
             for at in range(names_at, names_at + NAME_SIZE * counters, NAME_SIZE)]
    # Pairs of 32-bit words: how many latencies of how many buckets; where in a worker, how far apart.
    latencies, buckets = header["latency_size"] & 0xffffffff, header["latency_size"] >> 32
    latency_at, latency_stride = header["latency_at"] & 0xffffffff, header["latency_at"] >> 32
    latency_names = [data[at:at + NAME_SIZE].rstrip(b"\0").decode()
                     for at in range(names_at + NAME_SIZE * counters,
                                     names_at + NAME_SIZE * (counters + latencies), NAME_SIZE)]
    result = {"header": header, "workers": []}
    for at in range(workers_at, workers_at + workers * stride, stride):
        index, cpu, _, roles = struct.unpack_from("<4I", data, at)
        busy, idle, iterations, sleeps, _, connections = struct.unpack_from("<6Q", data, at + 16)
        values = struct.unpack_from(f"<{counters}Q", data, at + WORKER_FIXED)
        result["workers"].append({
            "worker": index, "cpu": cpu, "roles": {n for bit, n in ROLES.items() if roles & bit},
            "busy_cycles": busy, "idle_cycles": idle, "iterations": iterations, "sleeps": sleeps,
            "tcp_connections": connections, "counters": dict(zip(names, values)),
            "latencies": {
                name: struct.unpack_from(f"<{buckets}Q", data, at + latency_at + i * latency_stride + 8)
                for i, name in enumerate(latency_names)}})
    return result


class Stats:
    """One copy of the segment: counters by name, summed over workers and for each."""

    def __init__(self, path):
        segment = read_stats(path)
        header = segment["header"]
        self.version, self.ports = header["version"], header["ports"]
        self.process, self.fallbacks = header["process_id"], header["fallbacks"]
        self.snapshot_version = header["snapshot_version"]
        self.workers = [worker["counters"] for worker in segment["workers"]]
        self.counters = {name: sum(w[name] for w in self.workers) for name in self.workers[0]}

    def __getitem__(self, name):
        return self.counters[name]

    def nonzero(self):
        return {name: value for name, value in self.counters.items() if value}
