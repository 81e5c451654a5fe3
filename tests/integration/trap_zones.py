"""The zones of tests/zones, which are made of what servers get wrong, with the records that are too many
to write down. Every server takes them, but for `OCCLUDED`, which NSD refuses.

Signed zones: `zone_text` is the place where a test gets a zone's text from, before it is signed.
"""
import pathlib

ZONES = pathlib.Path(__file__).resolve().parents[1] / "zones"
NAMES = ("trap.test", "child.trap.test", "other.test")
LONG_CHAIN = 40

# What a DNAME hides (RFC 6672 2.4).
OCCLUDED = "hidden.dn.trap.test. 3600 IN A 192.0.2.72\n"


def address(number):
    return f"192.0.2.{number}"


def _many(owner, kind, data):
    return "".join(f"{owner}.trap.test. 3600 IN {kind} {each}\n" for each in data)


def large_sets():
    """Sets beyond 512 octets, beyond 1,232, beyond 4,096, and so large that what stands behind them in a
    message cannot be pointed at (RFC 1035 4.1.4)."""
    mail = [f"a-rather-long-name-of-a-mail-exchanger-{i}.smx.trap.test." for i in range(40)]
    return (_many("s512", "TXT", (f'"record {i} of twenty, thirty-two octets"' for i in range(20))) +
            _many("s1232", "A", (f"203.0.{i // 200}.{i % 200}" for i in range(100))) +
            _many("s5000", "TYPE65300", (f"\\# 200 {i:02x}{'00' * 199}" for i in range(24))) +
            _many("s16000", "TYPE65300", (f"\\# 490 {i:02x}{'00' * 489}" for i in range(31))) +
            _many("s60000", "TYPE65300", (f"\\# 490 {i:02x}{'00' * 489}" for i in range(119))) +
            _many("tos16000", "CNAME", ["s16000.trap.test."]) +
            _many("smx", "MX", (f"{i} {name}" for i, name in enumerate(mail))) +
            "".join(f"{name} 3600 IN A {address(i)}\n" for i, name in enumerate(mail)))


def far_sets():
    """Aliases of 240 octets that lead to an MX set, so that the last of its exchanges stand where no pointer
    reaches; and their addresses, which would point there. And one with more addresses than fit beside it."""
    def link(number):
        return ".".join([f"far{number}".ljust(56, "-") + "x"] * 4) + ".trap.test."
    far = [f"{'a' * 63}.{'b' * 63}.{str(i).ljust(59, '-')}c.far.trap.test." for i in range(70)]
    half = [f"{i}.half.trap.test." for i in range(120)]
    return ("far.trap.test. 3600 IN CNAME " + link(1) + "\n" +
            "".join(f"{link(i)} 3600 IN CNAME {link(i + 1)}\n" for i in range(1, 15)) +
            "".join(f"{link(15)} 3600 IN MX {i} {name}\n" for i, name in enumerate(far)) +
            _many("half", "MX", (f"{i} {name}" for i, name in enumerate(half))) +
            "".join(f"{name} 3600 IN A {address(i)}\n{name} 3600 IN A 198.51.100.{i}\n"
                    for names in (far, half) for i, name in enumerate(names)))


def deepest_zone():
    """Zone z.: as many aliases as a chain may have, of names as long as names may be, and behind them as large
    a set with addresses as there may be. Its text, and the first alias."""
    def link(number):
        return ".".join([str(number).ljust(63, "-")[:size - 1] + "x" for size in (63, 63, 63, 59)]) + ".z."
    far = [f"{'a' * 63}.{'b' * 63}.{str(i).ljust(59, '-')}c.far.z." for i in range(70)]
    return ("z. 3600 IN SOA ns.z. host.z. 2026010101 3600 900 604800 600\nz. 3600 IN NS ns.z.\n"
            "ns.z. 3600 IN A 192.0.2.1\n" +
            "".join(f"{link(i)} 3600 IN CNAME {link(i + 1)}\n" for i in range(16)) +
            "".join(f"{link(16)} 3600 IN MX {i} {name}\n" for i, name in enumerate(far)) +
            "".join(f"{name} 3600 IN A {address(i)}\n{name} 3600 IN A 198.51.100.{i}\n"
                    for i, name in enumerate(far))), link(0)


def long_chain():
    return ("".join(f"long{i}.trap.test. 3600 IN CNAME long{i + 1}.trap.test.\n"
                    for i in range(1, LONG_CHAIN)) +
            f"long{LONG_CHAIN}.trap.test. 3600 IN A {address(40)}\n")


def zone_text(name):
    text = (ZONES / f"{name}.zone").read_text()
    return text + large_sets() + far_sets() + long_chain() if name == "trap.test" else text
