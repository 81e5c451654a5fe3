"""How long answers took, as the workers measured it, in the statistics and in brinkctl."""
import dns.message
import dns.query
import pytest

from lab import BRINKCTL, ROOT, Lab

V4, WEB = "192.0.2.129", "192.0.2.140"


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        lab.edge_start(workers="0:dns+l7,1:dns")
        lab.control_start()
        lab.brinkctl("zone", "import", ROOT / "docs/examples/quickstart.zone", "--create", "--activate")
        lab.brinkctl("record", "set", "www.example.com", "A", "--proxied=on")
        yield lab


def count(lab, kind):
    return lab.brinkctl("stats")["latency"][kind]["count"]


def test_every_answer_is_in_the_histogram_of_its_kind(lab):
    udp, tcp, http = (count(lab, kind) for kind in ("dns_udp", "dns_tcp", "http"))
    query = dns.message.make_query("mail.example.com", "A")
    with lab.inside("client"):
        for _ in range(20):
            dns.query.udp(query, V4, timeout=5)
        for _ in range(3):
            dns.query.tcp(query, V4, timeout=5)
    for _ in range(2):
        lab.exec("client", "curl", "-sS", "--max-time", "20", "--resolve", f"www.example.com:80:{WEB}",
                 "http://www.example.com/")
    assert count(lab, "dns_udp") == udp + 20
    assert count(lab, "dns_tcp") == tcp + 3
    assert count(lab, "http") == http + 2
    assert count(lab, "dns_udp") + count(lab, "dns_tcp") == lab.counter("dns_answers")


def test_percentiles_are_in_order_and_workers_add_up(lab):
    stats = lab.brinkctl("stats")
    assert stats["latency"].pop("dns_dot")["count"] == 0, "there is no DNS over TLS here"
    for kind, told in stats["latency"].items():
        points = [told[name] for name in ("p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns")]
        assert points == sorted(points) and points[0] > 0, kind
        assert told["count"] == sum(number for _, number in told["buckets"])
        assert told["count"] == sum(w["latency"][kind]["count"] for w in stats["workers"])
        assert told["max_ns"] == max(w["latency"][kind]["max_ns"] for w in stats["workers"])
    # The proxy waits for an origin on the way; an answer from the snapshot waits for nobody.
    assert stats["latency"]["dns_udp"]["p50_ns"] < stats["latency"]["http"]["max_ns"]


def test_people_see_them_too(lab):
    control = lab.state / "control.sock"
    text = lab.exec("edge", BRINKCTL, "--socket", control, "stats")
    line = next(line for line in text.splitlines() if line.startswith("dns_udp"))
    assert line.split()[1] == "all" and line.split()[3].replace(".", "").isdigit()
    rates = lab.brinkctl("top", "--once", "-i", "0.2")
    assert rates["latency"]["dns_udp"]["count"] == 0, "nobody asked meanwhile"
