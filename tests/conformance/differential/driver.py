"""What test_differential.py and compare_servers share: the four servers with a world's zones, and what is
decided about differences."""
import contextlib
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "integration")]

from compare import FIRST, Comparison  # noqa: E402
from exchange import Server  # noqa: E402
from lab import Lab  # noqa: E402
from peers import PEERS, UDP_SIZE, Peer, file_name  # noqa: E402

V4, V6 = "192.0.2.129", "2001:db8:a::130"
PORT = 5301


# The others add no addresses to a set of more than 13 records, which is BIND's limit, or none at all.
def additional_of_many(difference):
    answer = difference.views["brink"][FIRST["answer"]]
    return difference.field == "additional" and not difference.agreed and len(answer) > 13


# What is rendered before the question is known is compressed against the zone's apex and itself. A response
# that others just get into the message by pointing at the question's labels is truncated.
def nearly_full(difference):
    size = difference.question.size
    limit = 512 if size is None else min(max(size, 512), UDP_SIZE)
    # The owner of a proof is spelled out up to the apex, where others point into the question.
    question = difference.question
    spelled_out = len(question.name) if question.dnssec_ok or question.kind == 47 else 0
    return difference.field == "tc" and difference.ours and all(
        view[-1] > limit - 64 - spelled_out for name, view in difference.views.items() if name != "brink")


def is_signed(text):
    return re.search(r"\sRRSIG\s+SOA\s", text) is not None


# ANY is answered with one RRset of one's own choice (RFC 8482 4.1), with what goes along with that.
def along_with_any(difference):
    return difference.field == "additional" and difference.question.kind == 255


# The CNAMEs that a DNAME loop makes are spelled out, where others compress them, so that a message
# takes fewer of them.
def spelled_out_loop(difference):
    return difference.field == "tc" and difference.ours and b"\x06dnloop" in difference.question.name.lower()


# Where Brink differs from all three on purpose, or is known to.
DECIDED = [
    ("everybody's choice of a set for ANY brings its own addresses", along_with_any),
    ("a message that others fill to the last octets is truncated", nearly_full),
    ("the aliases of a DNAME loop are spelled out", spelled_out_loop),
    ("addresses ride along with however large a set", additional_of_many),
]


@contextlib.contextmanager
def servers(zones):
    """The four, all serving `zones`, {name: text}, as {name: Server}."""
    with tempfile.TemporaryDirectory(prefix="brink-differential-") as folder, Lab() as lab:
        lab.edge_start(workers="1:dns+l7", arguments=("--dns.tcp-per-client=1000",))
        lab.control_start("--ttl-min", "2", "--ttl-max", "604800")
        found = {}
        peers = []
        try:
            for zone, text in zones.items():
                file = pathlib.Path(folder) / f"{file_name(zone)}.zone"
                file.write_text(text)
                signed = ("--presigned",) if is_signed(text) else ()
                lab.brinkctl("zone", "import", file, "--zone", zone, "--create", "--activate", *signed, timeout=600)
            found["brink"] = Server("brink", lab, (V4, 53), (V6, 53))
            for place, name in enumerate(PEERS):
                peers.append(Peer(name, lab, folder, PORT + place, zones))
                found[name] = Server(name, lab, ("127.0.0.1", PORT + place), ("::1", PORT + place))
            yield found
        finally:
            for server in found.values():
                server.close()
            for peer in peers:
                peer.end()


@contextlib.contextmanager
def comparison(zones):
    with servers(zones) as found:
        yield Comparison(found, DECIDED)
