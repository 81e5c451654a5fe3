"""The DNS half of the main job, asked from the lab's client by dnspython and kdig, over IPv4 and IPv6,
with the roles on one worker, on two, and on each of two."""
import concurrent.futures
import os
import signal
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from lab import ROOT, Lab

V4, V6 = "192.0.2.129", "2001:db8:a::130"
ZONE = ROOT / "docs/examples/quickstart.zone"
EDGE_V4 = {"192.0.2.140", "192.0.2.141"}
EDGE_V6 = {"2001:db8:a::140", "2001:db8:a::141"}
TOPOLOGIES = {"one worker": "1:dns+l7", "dns and l7 apart": "0:dns,1:l7",
              "both on each": "0:dns+l7,1:dns+l7"}


@pytest.fixture(scope="module", params=TOPOLOGIES.values(), ids=TOPOLOGIES.keys())
def lab(request):
    with Lab() as lab:
        lab.edge_start(workers=request.param)
        lab.control_start()
        lab.brinkctl("zone", "import", ZONE, "--create", "--activate")
        lab.brinkctl("record", "set", "www.example.com", "A", "--proxied=on")
        lab.brinkctl("record", "set", "shop.example.com", "CNAME", "--proxied=on")
        yield lab


def ask(lab, name, rdtype="A", server=V4, edns_version=None, **options):
    query = dns.message.make_query(name, rdtype, **options)
    if edns_version is not None:
        query.use_edns(edns_version)
    with lab.inside("client"):
        return dns.query.udp(query, server, timeout=3)


def texts(section, rdtype=None):
    return {item.to_text() for rrset in section for item in rrset
            if rdtype is None or rrset.rdtype == dns.rdatatype.from_text(rdtype)}


@pytest.mark.parametrize("server", [V4, V6])
def test_dns_only_record_answers_its_own_data(lab, server):
    response = ask(lab, "mail.example.com", server=server)
    assert response.rcode() == dns.rcode.NOERROR and response.flags & dns.flags.AA
    assert texts(response.answer) == {"203.0.113.25"}


@pytest.mark.parametrize("name", ["www.example.com", "shop.example.com", "SHOP.Example.COM"])
def test_proxied_name_answers_the_edge_in_both_families_and_nothing_else(lab, name):
    assert texts(ask(lab, name, "A").answer) == EDGE_V4
    assert texts(ask(lab, name, "AAAA").answer) == EDGE_V6
    for rdtype in ("CNAME", "TXT", "MX"):
        response = ask(lab, name, rdtype)
        assert response.rcode() == dns.rcode.NOERROR and not response.answer
    everything = "".join(ask(lab, name, t).to_text() for t in ("A", "AAAA", "ANY", "CNAME"))
    assert "203.0.113" not in everything and "origin" not in everything


def test_nxdomain_nodata_and_refused(lab):
    missing = ask(lab, "nothing.example.com")
    assert missing.rcode() == dns.rcode.NXDOMAIN
    assert texts(missing.authority, "SOA") and missing.authority[0].ttl <= 1800
    nodata = ask(lab, "mail.example.com", "AAAA")
    assert nodata.rcode() == dns.rcode.NOERROR and not nodata.answer and texts(nodata.authority, "SOA")
    assert ask(lab, "www.example.net").rcode() == dns.rcode.REFUSED


def test_alias_mx_txt_soa_ns(lab):
    chain = ask(lab, "blog.example.com")
    assert texts(chain.answer) == {"mail.example.com.", "203.0.113.25"}
    assert texts(ask(lab, "example.com", "MX").answer) == {"10 mail.example.com."}
    assert texts(ask(lab, "example.com", "TXT").answer) == {'"v=spf1 mx -all"'}
    assert len(texts(ask(lab, "example.com", "SOA").answer)) == 1
    servers = ask(lab, "example.com", "NS")
    assert texts(servers.answer) == {"ns1.example.com.", "ns2.example.com."}
    assert "192.0.2.129" in texts(servers.additional)


def test_edns_is_echoed_and_an_unknown_version_is_badvers(lab):
    response = ask(lab, "www.example.com", use_edns=0, payload=4096, want_dnssec=True)
    assert response.edns == 0 and response.payload == 1232 and response.ednsflags & dns.flags.DO
    assert ask(lab, "www.example.com", use_edns=False).edns == -1
    assert ask(lab, "www.example.com", edns_version=1).rcode() == dns.rcode.BADVERS


def test_large_set_is_truncated_whole_and_fits_with_edns(lab):
    for i in range(12):
        lab.brinkctl("record", "add", "big.example.com", "TXT", f'"{i:02} {"x" * 60}"')
    small = ask(lab, "big.example.com", "TXT", use_edns=False)
    assert small.flags & dns.flags.TC and not small.answer
    assert len(small.to_wire()) <= 512
    whole = ask(lab, "big.example.com", "TXT", use_edns=0, payload=1232)
    assert not whole.flags & dns.flags.TC and len(texts(whole.answer)) == 12


def test_delegation_with_glue(lab):
    lab.brinkctl("record", "add", "sub.example.com", "NS", "ns1.sub.example.com")
    lab.brinkctl("record", "add", "ns1.sub.example.com", "A", "203.0.113.53")
    referral = ask(lab, "www.sub.example.com")
    assert not referral.flags & dns.flags.AA and not referral.answer
    assert texts(referral.authority, "NS") == {"ns1.sub.example.com."}
    assert texts(referral.additional) == {"203.0.113.53"}


def test_wildcard_and_empty_non_terminal(lab):
    lab.brinkctl("record", "add", "*.wild.example.com", "A", "203.0.113.99")
    lab.brinkctl("record", "add", "a.b.deep.example.com", "TXT", '"deep"')
    assert texts(ask(lab, "any.thing.wild.example.com").answer) == {"203.0.113.99"}
    ent = ask(lab, "b.deep.example.com")
    assert ent.rcode() == dns.rcode.NOERROR and not ent.answer
    lab.brinkctl("record", "set", "*.wild.example.com", "A", "--proxied=on")
    assert texts(ask(lab, "x.wild.example.com").answer) == EDGE_V4


def test_change_is_served_when_the_command_returns(lab):
    for i in range(1, 20):
        lab.brinkctl("record", "set", "changing.example.com", "A", f"203.0.113.{100 + i}")
        assert texts(ask(lab, "changing.example.com").answer) == {f"203.0.113.{100 + i}"}


def test_proxied_flag_moves_answer_and_route_together(lab):
    def fetch():
        return lab.exec("client", "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}",
                        "--connect-to", "flip.example.com:80:192.0.2.140:80",
                        "http://flip.example.com/")

    for _ in range(3):
        lab.brinkctl("record", "set", "flip.example.com", "A", "203.0.113.10", "--proxied=on")
        assert texts(ask(lab, "flip.example.com").answer) == EDGE_V4
        assert fetch() == "200"
        lab.brinkctl("record", "set", "flip.example.com", "A", "--proxied=off")
        assert texts(ask(lab, "flip.example.com").answer) == {"203.0.113.10"}
        assert fetch() == "409"


def test_queries_are_answered_by_a_worker_with_the_role(lab):
    before = lab.stats()["workers"]
    for _ in range(20):
        ask(lab, "mail.example.com")
    for old, new in zip(before, lab.stats()["workers"]):
        queries = new["counters"]["dns_queries"] - old["counters"]["dns_queries"]
        assert queries == 0 or "dns" in new["roles"]


def test_no_wrong_and_no_lost_answer_while_images_swap_and_control_is_killed(lab):
    """Four closed-loop clients ask while records change; a client counts what it misses."""
    stop = threading.Event()

    def client(_):
        asked = wrong = lost = 0
        while not stop.is_set():
            asked += 1
            try:
                if texts(ask(lab, "mail.example.com").answer) != {"203.0.113.25"}:
                    wrong += 1
            except dns.exception.Timeout:
                lost += 1
        return asked, wrong, lost

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(client, i) for i in range(4)]
        try:
            for i in range(10):
                lab.brinkctl("record", "set", "churn.example.com", "A", f"203.0.113.{i + 1}")
            os.kill(int((lab.state / "control.pid").read_text()), signal.SIGKILL)
            time.sleep(0.5)
            lab.control_start()
            for i in range(10):
                lab.brinkctl("record", "set", "churn.example.com", "A", f"203.0.113.{i + 51}")
        finally:
            stop.set()
        counts = [future.result() for future in running]
    assert sum(asked for asked, _, _ in counts) > 100
    assert [(wrong, lost) for _, wrong, lost in counts] == [(0, 0)] * 4
    assert texts(ask(lab, "churn.example.com").answer) == {"203.0.113.60"}


def test_edge_without_control_serves_the_last_image(lab):
    workers = ",".join(f"{w['cpu']}:{'+'.join(sorted(w['roles']))}" for w in lab.stats()["workers"])
    lab.brinkctl("record", "set", "last.example.com", "A", "203.0.113.77")
    lab.control_stop()
    lab.edge_stop()
    lab.edge_start(workers=workers)
    assert texts(ask(lab, "last.example.com").answer) == {"203.0.113.77"}
    assert texts(ask(lab, "www.example.com").answer) == EDGE_V4

    # A torn file is refused with its reason; the edge comes up empty and takes the next image.
    lab.edge_stop()
    image = lab.state / "edge.image"
    image.write_bytes(image.read_bytes()[:-100])
    lab.edge_start(workers=workers)
    log = (lab.state / "edge.log").read_text()
    assert "edge.image" in log and "bytes" in log
    assert ask(lab, "last.example.com").rcode() == dns.rcode.REFUSED
    lab.control_start()
    lab.brinkctl("record", "set", "last.example.com", "A", "203.0.113.78")
    assert texts(ask(lab, "last.example.com").answer) == {"203.0.113.78"}
