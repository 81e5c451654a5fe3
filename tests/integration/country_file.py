"""A country database in MaxMind's DB format 2.0 (https://maxmind.github.io/MaxMind-DB/), small: networks
of IPv4 and IPv6 and the code of each."""
import ipaddress
import struct

NOTHING = None


def _text(value):
    assert len(value) < 29
    return bytes([2 << 5 | len(value)]) + value.encode()


def _map(**members):
    return bytes([7 << 5 | len(members)]) + b"".join(_text(name) + value for name, value in members.items())


def _number(kind, value, size):
    head = bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])
    return head + value.to_bytes(size, "big")


def country_file(networks):
    """`networks`: {"192.0.2.0/24": "DE"}. The octets of the file."""
    nodes, data = [[NOTHING, NOTHING]], b""
    for text, code in networks.items():
        network = ipaddress.ip_network(text)
        bits, length = int(network.network_address), network.prefixlen + (96 if network.version == 4 else 0)
        at = 0
        for i in range(length - 1):
            side = bits >> (127 - i) & 1
            if nodes[at][side] is NOTHING:
                nodes[at][side] = len(nodes)
                nodes.append([NOTHING, NOTHING])
            at = nodes[at][side]
        nodes[at][bits >> (128 - length) & 1] = ("data", len(data))
        data += _map(country=_map(iso_code=_text(code)))
    tree = b""
    for node in nodes:
        for child in node:
            if child is NOTHING:
                child = len(nodes)
            elif isinstance(child, tuple):
                child = len(nodes) + 16 + child[1]
            tree += struct.pack(">I", child)
    metadata = _map(node_count=_number(6, len(nodes), 4), record_size=_number(5, 32, 2),
                    ip_version=_number(5, 6, 2), database_type=_text("Test-Country"),
                    languages=bytes([0, 4]), description=_map(), binary_format_major_version=_number(5, 2, 2),
                    binary_format_minor_version=_number(5, 0, 2), build_epoch=_number(9, 1_700_000_000, 8))
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + metadata
