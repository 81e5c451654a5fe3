"""Zones to ask about: the traps, and zones of delegations, made up from a seed."""
import random
import re

import zone_signing
from trap_zones import NAMES, zone_text

SOA = "{apex} 86400 IN SOA ns1.nic.test. hostmaster.nic.test. 2026010101 1800 900 604800 900\n"


def traps():
    return {name + ".": zone_text(name) for name in NAMES}


def delegations(apex, count, seed, more=(), counts=(1, 2, 2, 2, 3, 4, 6, 13)):
    """A zone that does little but delegate: servers of the child, of a sibling, of the zone itself, outside, with
    addresses of both families, one or none; DS sets; delegations below empty non-terminals; hidden data."""
    pick = random.Random(seed)
    suffix = "." + apex
    lines = [SOA.format(apex=apex), f"{apex} 86400 IN NS ns1.nic.test.\n", f"{apex} 86400 IN NS ns{suffix}\n",
             f"ns{suffix} 86400 IN A 192.0.2.1\n", f"ns{suffix} 86400 IN AAAA 2001:db8::1\n", *more]

    def name(number):
        return f"{''.join(pick.choices('abcdefghijklmnopqrstuvwxyz', k=pick.randrange(2, 9)))}{number}"

    def addresses(host, number):
        lines.extend(
            f"{host} {ttl} IN {kind} {data}\n" for kind, ttl, data in (
                ("A", 172800, f"198.51.{number >> 8 & 255}.{number & 255}"), ("AAAA", 172800, f"2001:db8::{number:x}"),
                ("A", 172800, f"203.0.{number >> 8 & 255}.{number & 255}")) if pick.random() < 0.6)

    cuts = []
    for number in range(count):
        ent = f".{name(number)}" if pick.random() < 0.03 else ""
        cut = f"{name(number)}{ent}{suffix}"
        cuts.append(cut)
        servers = []
        for each in range(pick.choice(counts)):
            way = pick.random()
            if way < 0.45:
                servers.append(f"ns{each}.{cut}")
                addresses(servers[-1], number)
            elif way < 0.6:
                servers.append(f"ns0.{pick.choice(cuts)}")
            elif way < 0.65:
                servers.append(f"ns{suffix}")
            else:
                servers.append(f"ns{each}.{name(number % 50)}.example.")
        for server in sorted(set(servers)):
            lines.append(f"{cut} 172800 IN NS {server}\n")
        if pick.random() < 0.3:
            for digest in range(pick.choice((1, 1, 2))):
                lines.append(f"{cut} 86400 IN DS {number % 65536} 13 2 {pick.randbytes(31).hex()}{digest:02x}\n")
        if pick.random() < 0.02:
            lines.append(f"hidden.{cut} 3600 IN TXT \"hidden\"\n")
    return "".join(lines)


def tld(count=20_000, seed=1):
    apex = "tld."
    own = [f"www.{apex} 3600 IN A 192.0.2.7\n", f"whois.nic.{apex} 3600 IN CNAME www.{apex}\n",
           f"{apex} 3600 IN TXT \"a registry\"\n", f"*.any.{apex} 3600 IN A 192.0.2.8\n"]
    return {apex: delegations(apex, count, seed, own)}


def root(count=1_500, seed=1):
    """As the root is: nothing but delegations, to many servers each. Not ".", which Brink does not serve."""
    return {"rootlike.": delegations("rootlike.", count, seed, counts=(4, 6, 6, 9, 13))}


# ldns reads a TTL before the class alone.
CLASS_FIRST = re.compile(r"\sIN (\d+) ")
# Types that ldns writes by names which Knot does not read.
FORGOTTEN = re.compile(r"\sTYPE(7|8|9|10|26)\s")


def signed_traps(*options):
    """`options` are those of ldns-signzone. What it writes and others do not read is written otherwise, or left out."""
    def signed(zone, text):
        kept = CLASS_FIRST.sub(r" \1 IN ", "\n".join(line for line in text.split("\n") if not FORGOTTEN.search(line)))
        return zone_signing.signed(zone.rstrip("."), kept, *options).replace("br[acket", r"br\091acket")
    return {zone: signed(zone, text) for zone, text in traps().items()}


def signed_tld(count=20_000, seed=1):
    """With opt-out, as registries sign: delegations that are not signed are in no chain."""
    return {zone: zone_signing.signed_by_bind(zone.rstrip("."), text, "-3", "-", "-A", "-H", "0")
            for zone, text in tld(count, seed).items()}


WORLDS = {"traps": traps, "tld": tld, "root": root, "traps-nsec": signed_traps,
          "traps-nsec3": lambda: signed_traps("-n", "-s", "5a17", "-t", "2"), "tld-opt-out": signed_tld}
