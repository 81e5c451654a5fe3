"""Questions made from zones: every name with every type, then names beside, above and below them, and messages of
all kinds, as many as are wanted. The same seed makes the same questions."""
import dataclasses
import random
import struct

import dns.name
import dns.rdatatype

TYPES = [dns.rdatatype.from_text(kind) for kind in (
    "A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "DS", "SRV", "PTR", "CAA", "HTTPS", "SVCB", "TLSA", "DNAME",
    "DNSKEY", "NAPTR", "LOC", "TYPE65280", "TYPE65300")]
ANY = 255
SIGNING = (dns.rdatatype.RRSIG, dns.rdatatype.NSEC3)
LETTERS = range(ord("a"), ord("z") + 1)
SIZES = (0, 512, 600, 1232, 4096, 65535)


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    name: bytes  # wire form
    kind: int
    klass: int = 1
    flags: int = 0
    size: int | None = None  # of EDNS; None: without
    dnssec_ok: bool = False
    version: int = 0
    options: bytes = b""
    tcp: bool = False
    v6: bool = False

    def to_wire(self):
        """Without the ID."""
        opt = b"" if self.size is None else b"\0" + struct.pack(
            "!HHBBHH", 41, self.size, 0, self.version, 0x8000 if self.dnssec_ok else 0,
            len(self.options)) + self.options
        return struct.pack("!HHHHH", self.flags, 1, 0, 0, 1 if opt else 0) + self.name + struct.pack(
            "!HH", self.kind, self.klass) + opt

    def to_text(self):
        """As kdig would ask it, nearly."""
        text = f"{to_text(self.name)} {dns.rdatatype.to_text(dns.rdatatype.RdataType.make(self.kind))}"
        words = [f"CLASS{self.klass}" if self.klass != 1 else "", f"flags={self.flags:#06x}" if self.flags else "",
                 f"+bufsize={self.size}" if self.size is not None else "", "+dnssec" if self.dnssec_ok else "",
                 f"+edns={self.version}" if self.version else "",
                 f"options={self.options.hex()}" if self.options else "",
                 "+tcp" if self.tcp else "", "-6" if self.v6 else ""]
        return " ".join([text, *filter(None, words)])

    def simpler(self):
        """Questions of which one may show the same difference, the simplest first."""
        changes = [dict(flags=0), dict(klass=1), dict(options=b""), dict(version=0), dict(dnssec_ok=False),
                   dict(size=None, dnssec_ok=False, version=0, options=b""), dict(size=1232), dict(tcp=False),
                   dict(v6=False), dict(name=self.name.lower())]
        everything = {key: value for change in changes for key, value in change.items()}
        found = [dataclasses.replace(self, **everything | dict(size=None))]
        found += [dataclasses.replace(self, **change) for change in changes
                  if self.size is not None or "size" not in change]
        return [question for question in found if question != self]


def to_text(name):
    return dns.name.from_wire(name, 0)[0].to_text()


def labels_of(name):
    """Of a name in wire form, without the root's."""
    labels, at = [], 0
    while name[at]:
        labels.append(name[at:at + 1 + name[at]])
        at += 1 + name[at]
    return labels


def join(labels):
    return b"".join(labels) + b"\0"


class Generator:
    """Questions about zones: {name: text}. `dnssec_share`: how many of those with EDNS set DO."""

    def __init__(self, zones, seed=1, tcp_share=0.02, dnssec_share=0.2):
        self.random = random.Random(seed)
        self.tcp_share, self.dnssec_share = tcp_share, dnssec_share
        self.apexes = [dns.name.from_text(zone).to_wire() for zone in zones]
        names = {}
        for zone, text in zones.items():
            for name, kind in owners(text, zone):
                if kind in SIGNING:  # their owners may be hashes
                    continue
                names.setdefault(name, set()).add(kind)
        self.kinds = names
        self.names = sorted(names)

    def take(self, count):
        """`count` questions: first every name with its own types and the usual ones, if that many are wanted."""
        whole = len(self.names) * (len(TYPES) + 1)
        made = 0
        if whole <= count:
            for name in self.names:
                for kind in sorted({*TYPES, ANY, *self.kinds[name]}):
                    made += 1
                    yield Question(name, kind, size=1232, dnssec_ok=self.dnssec_share > 0.5)
        for _ in range(count - made):
            yield self.any_question()

    def any_question(self):
        pick = self.random
        name = self.any_name()
        kind = self.any_type(name)
        tcp, v6 = pick.random() < self.tcp_share, pick.random() < 0.5
        if pick.random() < 0.7:  # the usual client's
            size = pick.choice((None, 1232, 4096))
            return Question(name, kind, size=size, tcp=tcp, v6=v6,
                            dnssec_ok=size is not None and pick.random() < self.dnssec_share)
        size = pick.choice((None, *SIZES))
        return Question(
            name, kind, klass=pick.choice((1,) * 12 + (4, 254, 255, 0)), tcp=tcp, v6=v6, size=size,
            flags=sum(bit for bit in (0x0100, 0x0010, 0x0020, 0x0400, 0x0040, 0x0080, 0x0200) if pick.random() < 0.2),
            dnssec_ok=size is not None and pick.random() < 0.5,
            version=pick.choice((0,) * 20 + (1, 255)) if size is not None else 0,
            options=pick.choice((b"",) * 4 + (struct.pack("!HH3s", 65001, 3, b"abc"), struct.pack("!HH", 12, 0))))

    def any_type(self, name):
        own = sorted(self.kinds.get(name, ()))
        if own and self.random.random() < 0.4:
            return self.random.choice(own)
        if self.random.random() < 0.05:
            return self.random.choice((ANY, self.random.randrange(256, 65536), self.random.randrange(1, 110)))
        return self.random.choice(TYPES)

    def any_name(self):
        pick = self.random
        labels = labels_of(pick.choice(self.names))
        way = pick.random()
        if way < 0.35:
            pass
        elif way < 0.55:  # below
            labels = [self.any_label() for _ in range(pick.choice((1, 1, 1, 2, 3)))] + labels
        elif way < 0.70:  # beside
            labels = [self.any_label()] + labels[1:]
        elif way < 0.78:  # above: empty non-terminals, the apex, names outside
            labels = labels[pick.randrange(len(labels) + 1):]
        elif way < 0.84:  # a letter off
            labels = [self.changed(labels[0])] + labels[1:] if labels else labels
        elif way < 0.88:
            labels = [b"\x01*"] + labels[pick.choice((0, 1)):]
        elif way < 0.92:  # a label out, or in, somewhere
            at = pick.randrange(len(labels) + 1)
            labels = labels[:at] + ([] if pick.random() < 0.5 else [self.any_label()]) + labels[at + 1:]
        elif way < 0.96:  # long
            while sum(map(len, labels)) < 190:
                labels = [self.any_label(pick.randrange(1, 64))] + labels
        else:
            labels = [self.any_label() for _ in range(pick.randrange(1, 4))]
        name = join(labels)
        if len(name) > 255:
            name = pick.choice(self.names)
        if pick.random() < 0.2:
            name = bytes(octet ^ pick.choice((0, 0x20)) if octet | 0x20 in LETTERS else octet for octet in name)
        return name

    def any_label(self, size=None):
        size = size or self.random.choice((1, 2, 3, 5, 8, 13))
        alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
        if self.random.random() < 0.03:
            return bytes([size]) + self.random.randbytes(size)
        return bytes([size]) + bytes(self.random.choices(alphabet, k=size))

    def changed(self, label):
        at = self.random.randrange(1, len(label))
        return label[:at] + bytes([self.random.choice(b"abcxyz059-*")]) + label[at + 1:]


def owners(text, zone):
    """(name in wire form and lower case, type) of a zone file of one line a record, with all TTLs or none."""
    origin = dns.name.from_text(zone)
    found = origin
    for line in text.split("\n"):
        if line.startswith("$ORIGIN"):
            origin = dns.name.from_text(line.split()[1])
        if not line or line[0] in "$;":
            continue
        fields = line.split()
        if not line[0].isspace():
            owner = fields.pop(0)
            found = origin if owner == "@" else dns.name.from_text(owner, origin)
        while fields[0].isdigit() or fields[0] == "IN":
            fields.pop(0)
        yield found.to_wire().lower(), int(dns.rdatatype.from_text(fields[0]))
