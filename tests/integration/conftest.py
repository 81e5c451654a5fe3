"""The files that take longest begin first, so that side by side (scripts/test) they end together."""
LONG = ("account_isolation", "dot", "edge_packets", "http", "http2_origin", "https", "origins", "resolve", "smuggling",
        "soak", "stapling", "stopped_worker", "tcp_linux", "trap_rate")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in LONG)
