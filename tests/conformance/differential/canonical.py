"""A response as what can be compared: header fields, and sections as sets with compression undone and
names in lower case. Written for speed: a million questions have four million of them."""
import struct

HEADER = struct.Struct("!HHHHHH")
FIXED = struct.Struct("!HHIH")  # type, class, TTL, data length
OPT, SOA, NAPTR = 41, 6, 35

# Where names stand in data: octets before the first, how many.
NAMES = {2: (0, 1), 3: (0, 1), 4: (0, 1), 5: (0, 1), 6: (0, 2), 7: (0, 1), 8: (0, 1), 9: (0, 1), 12: (0, 1),
         14: (0, 2), 15: (2, 1), 17: (0, 2), 18: (2, 1), 21: (2, 1), 26: (2, 2), 33: (6, 1), 36: (2, 1),
         39: (0, 1), 46: (18, 1), 47: (0, 1), 64: (2, 1), 65: (2, 1)}

FLAGS = {"aa": 0x0400, "tc": 0x0200, "rd": 0x0100, "ra": 0x0080, "z": 0x0040, "ad": 0x0020, "cd": 0x0010}
FIELDS = ("rcode", *FLAGS, "opcode", "edns", "question", "answer", "authority", "additional")


class Malformed(Exception):
    pass


def read_name(wire, at, known):
    """The name at `at`, uncompressed and in lower case, and where it ends. `known`: names of this message by
    their place."""
    length = wire[at]
    if length >= 0xc0:  # most names are nothing but a pointer
        target = (length & 0x3f) << 8 | wire[at + 1]
        name = known.get(target)
        if name is None:
            if target >= at:
                raise Malformed("a pointer that does not point back")
            name = known[target] = read_name(wire, target, known)[0]
        return name, at + 2
    start = at
    while 0 < length < 64:
        at += 1 + length
        length = wire[at]
    if length == 0:
        name = known[start] = wire[start:at + 1].lower()
        return name, at + 1
    if length < 0xc0:
        raise Malformed("a label of unknown type")
    rest, end = read_name(wire, at, known)
    name = known[start] = wire[start:at].lower() + rest
    return name, end


def read_data(wire, kind, at, size, known):
    end = at + size
    where = NAMES.get(kind)
    if where is None or size == 0:
        data = wire[at:end]
        return data.lower() if kind == NAPTR else data
    before, count = where
    parts = [wire[at:at + before]]
    at += before
    for _ in range(count):
        name, at = read_name(wire, at, known)
        parts.append(name)
    if at > end:
        raise Malformed("a name beyond its record's data")
    parts.append(b"\0\0\0\0" + wire[at + 4:end] if kind == SOA else wire[at:end])  # each server has its own serial
    return b"".join(parts)


def view(wire):
    """Of a response, by FIELDS, and its size; a tuple of which "malformed" is the first if it cannot be read."""
    try:
        return read(wire)
    except (Malformed, IndexError, RecursionError, struct.error) as fault:
        return ("malformed", str(fault)) + (None,) * (len(FIELDS) - 2) + (len(wire),)


def read(wire):
    _, flags, *counts = HEADER.unpack_from(wire)
    at, known = 12, {}
    questions = []
    for _ in range(counts[0]):
        start = at
        _, at = read_name(wire, at, known)
        questions.append(wire[start:at + 4])  # octet by octet
        at += 4
    edns = None
    rcode = flags & 0xf
    sections = []
    for count in counts[1:]:
        section = set()
        for _ in range(count):
            owner, at = read_name(wire, at, known)
            kind, klass, ttl, size = FIXED.unpack_from(wire, at)
            at += 10
            if at + size > len(wire):
                raise Malformed("data beyond the message")
            if kind == OPT:
                edns = (ttl >> 16 & 0xff, ttl & 0xffff)
                rcode |= ttl >> 24 << 4
            else:
                record = (owner, kind, klass, ttl, read_data(wire, kind, at, size, known))
                if record in section:
                    raise Malformed("a record twice")
                section.add(record)
            at += size
        sections.append(frozenset(section))
    if at != len(wire):
        raise Malformed("octets left over")
    return (rcode, *(bool(flags & bit) for bit in FLAGS.values()), flags >> 11 & 0xf, edns, tuple(questions),
            *sections, len(wire))
