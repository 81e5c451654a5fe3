"""Zone files: what is legal must be taken, whatever an operator's other server made of it; what is not must be
refused by its line, and harm nothing."""
import pytest
import requests

from control_process import Control

SOA = "@ 3600 IN SOA ns1 host 2026010101 3600 900 604800 600\n@ 3600 IN NS ns1\nns1 3600 IN A 192.0.2.1\n"

# What is legal, by the RFC that says so.
LEGAL = [
    ("data of no octets (RFC 3597 5)", "x 60 IN TYPE65281 \\# 0"),
    ("a list of no prefixes (RFC 3123 4)", "x 60 IN APL"),
    ("NULL of no octets (RFC 1035 3.3.10)", "x 60 IN NULL \\# 0"),
    ("known types in generic form (RFC 3597 5)", "x 60 IN A \\# 4 c0000201"),
    ("names in generic form (RFC 3597 5)", "x 60 IN CNAME \\# 3 016100"),
    ("class before TTL (RFC 1035 5.1)", "x IN 60 A 192.0.2.1"),
    ("no class (RFC 1035 5.1)", "x 60 A 192.0.2.1"),
    ("no owner (RFC 1035 5.1)", "x 60 IN A 192.0.2.1\n  60 IN A 192.0.2.2"),
    ("parentheses (RFC 1035 5.1)", "x 60 IN MX ( 10\n mail )"),
    ("a comment in parentheses (RFC 1035 5.1)", "x 60 IN MX ( 10 ; ten )\n mail )"),
    ("escapes (RFC 1035 5.1)", "a\\.b\\032c\\;d 60 IN TXT \"a\\\"b\\\\c\\009\""),
    ("text without quotes (RFC 1035 5.1)", "x 60 IN TXT one two"),
    ("another origin (RFC 1035 5.1)", "$ORIGIN sub.trap.test.\nx 60 IN A 192.0.2.1"),
    ("glue at the delegation itself (RFC 1034 4.2.1)", "sub 60 IN NS sub\nsub 60 IN A 192.0.2.1"),
    ("hidden data at a delegation (RFC 1034 4.2.1)", "sub 60 IN NS ns1\nsub 60 IN TXT \"was here before\""),
    ("hidden data below (RFC 1034 4.2.1)", "sub 60 IN NS ns1\na.sub 60 IN MX 1 a.sub"),
    ("an alias to itself (RFC 1034 3.6.2)", "x 60 IN CNAME x"),
    ("a TTL of 0 (RFC 2181 8)", "x 0 IN A 192.0.2.1"),
    ("the largest TTL (RFC 2181 8)", "x 2147483647 IN A 192.0.2.1"),
    ("a set of 40,000 octets (RFC 1035 4.2.2)", "\n".join(f"x 60 IN TYPE65300 \\# 400 {i:0>800x}" for i in range(97))),
    ("a set of nearly 64 KiB (RFC 1035 4.2.2)", "\n".join(f"x 60 IN TYPE65300 \\# 490 {i:0>980x}" for i in range(119))),
    ("text of 2,000 octets (RFC 1035 3.3.14)", "x 60 IN TXT " + f'"{"y" * 247}" ' * 8),
    ("a record twice (RFC 2181 5)", "x 60 IN A 192.0.2.1\nX 60 IN A 192.0.2.1"),
    ("a set of two TTLs (RFC 2181 5.2)", "x 60 IN A 192.0.2.1\nx 70 IN A 192.0.2.2"),
    ("a DNAME beside data (RFC 6672 2.4)", "x 60 IN DNAME y\nx 60 IN A 192.0.2.1"),
    ("a DNAME at the apex (RFC 6672 2.3)", "@ 60 IN DNAME y.example."),
    ("the root as mail exchange (RFC 7505 3)", "x 60 IN MX 0 ."),
    ("a wildcard delegation (RFC 4592 4.2)", "*.x 60 IN NS ns1"),
    ("a wildcard DNAME (RFC 4592 4.4)", "*.x 60 IN DNAME y"),
    ("a name of 255 octets (RFC 1035 2.3.4)", ".".join(["a" * 63] * 3 + ["b" * 51]) + " 60 IN A 192.0.2.1"),
    ("units of time, as servers write them", "x 1h30m IN A 192.0.2.1"),
]

# What is refused, and what is said of it. KEY and NXT stood beside a CNAME in the DNSSEC of RFC 2535; RFC 4034 has
# only RRSIG and NSEC there, which the server makes itself, and NSD and Knot refuse KEY as well.
REFUSED = [
    ("an alias beside KEY (RFC 4035 2.5)", "x 60 IN CNAME ns1\nx 60 IN KEY 0 3 5 AQID", "line 5", "CNAME"),
    ("an alias beside NXT (RFC 4035 2.5)", "x 60 IN CNAME ns1\nx 60 IN NXT a A", "line 5", "NXT"),
    ("an alias beside DNSKEY (RFC 4035 2.5)", "x 60 IN CNAME ns1\nx 60 IN DNSKEY 256 3 13 AQID", "line 5", "CNAME"),
    ("an alias at a delegation (RFC 1034 3.6.2)", "x 60 IN CNAME ns1\nx 60 IN NS ns1", "line 5", "CNAME"),
    ("a DNAME at a delegation (RFC 6672 2.3)", "x 60 IN DNAME a\nx 60 IN NS ns1", "line 5", "NS"),
    ("a proxied alias to itself", "x 60 IN CNAME x ; cf_tags=cf-proxied:true", "line 4", "itself"),
    ("a set that no message holds (RFC 1035 4.2.2)",
     "\n".join(f"x 60 IN TYPE65300 \\# 490 {i:0>980x}" for i in range(140)), "line 123", "60000 octets"),
    ("text beyond the node's limit of a record", "x 60 IN TXT " + f'"{"y" * 250}" ' * 9, "line 4", "text-size-max"),
    ("text beyond the node's limit of a name", "\n".join(f'x 60 IN TXT "{i}" ' + f'"{"y" * 240}" ' * 8
                                                         for i in range(5)), "line 8", "text-total-max"),
]

# Data that is no data of its type, and once ended the process.
BROKEN = ["A \\# 0", "A \\# 2 0102", "A \\# 5 0102030405", "AAAA \\# 0", "AAAA \\# 4 01020304", "CNAME \\# 0",
          "CNAME \\# 1 03", "CNAME \\# 2 c000", "CNAME \\# 3 410000", "NS \\# 0", "PTR \\# 0", "DNAME \\# 0",
          "MX \\# 0",
          "MX \\# 1 00", "MX \\# 2 0001", "MX \\# 4 00010161", "SRV \\# 0", "SRV \\# 4 00000000",
          "SRV \\# 6 000000000000", "URI \\# 0", "URI \\# 1 00", "TXT \\# 0", "TXT \\# 2 0500", "CAA \\# 0", "DS \\# 0",
          "HTTPS \\# 0", "LOC \\# 0", "HIP \\# 0", "NAPTR \\# 0", "SSHFP \\# 1 01", "SOA \\# 0",
          "SOA \\# 10 00000000000000000000", "A \\# 4 010203", "A \\# 4 01020304 05", "A \\# -1 01", "A \\#", "A \\# 4",
          "TYPE65300 \\# 70000 00", "TYPE65300 \\# 99999999999999999999 00"]


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    control = Control(tmp_path_factory.mktemp("imports"), "ttl-min = 2", "ttl-max = 2147483647")
    yield control
    assert control.process.poll() is None
    control.stop()


def import_file(control, zone, text):
    return requests.post(f"{control.base}{zone}/dns_records/import", headers=control.headers, timeout=30,
                         files={"file": ("zone", text)}).json()


def export_records(control, zone):
    """The records of an export, without those that every zone has."""
    text = requests.get(f"{control.base}{zone}/dns_records/export", headers=control.headers, timeout=30).text
    return {line for line in text.splitlines() if not line.startswith(";;") and "\tSOA\t" not in line}


@pytest.mark.parametrize("text", [pytest.param(text, id=what) for what, text in LEGAL])
def test_what_is_legal_is_taken_and_given_again(control, text):
    zone = control.add_zone("trap.test")
    try:
        reply = import_file(control, zone, SOA + text + "\n")
        assert reply["success"], reply["errors"]
        exported = export_records(control, zone)
    finally:
        control.api("DELETE", zone)
    assert len(exported) > 1
    zone = control.add_zone("trap.test")
    try:
        reply = import_file(control, zone, "\n".join(exported))
        assert reply["success"], reply["errors"]
        assert export_records(control, zone) == exported
    finally:
        control.api("DELETE", zone)


@pytest.mark.parametrize("text,line,said", [pytest.param(*case, id=what) for what, *case in REFUSED])
def test_what_is_not_taken_is_refused_with_its_reason(control, text, line, said):
    zone = control.add_zone("trap.test")
    try:
        reply = import_file(control, zone, SOA + text + "\n")
        assert not reply["success"]
        message = reply["errors"][0]["error_chain"][0]["message"]
        assert message.startswith(line) and said in message
        assert control.api("GET", zone + "/dns_records")["result"] == []
    finally:
        control.api("DELETE", zone)


def test_an_operator_allows_longer_texts(tmp_path):
    control = Control(tmp_path, "text-size-max = 65535", "text-total-max = 131072")
    try:
        zone = control.add_zone("trap.test")
        reply = import_file(control, zone, SOA + "x 60 IN TXT " + f'"{"y" * 250}" ' * 80 + "\n")
        assert reply["success"], reply["errors"]
        exported = export_records(control, zone)
        assert any(line.count("y") == 20_000 for line in exported)
        reply = import_file(control, zone, "\n".join(exported))
        assert reply["success"] and reply["result"]["recs_added"] == 0
    finally:
        control.stop()


def test_the_api_adds_nothing_that_a_delegation_hides(control):
    """What a file brought along stays, and can be changed in place."""
    zone = control.add_zone("trap.test")
    try:
        assert import_file(control, zone, SOA + "sub 60 IN NS sub\nsub 60 IN A 192.0.2.1\n")["success"]
        control.api("POST", zone + "/dns_records", status=400,
                    json={"name": "sub", "type": "TXT", "content": "x", "ttl": 60})
        glue, = control.api("GET", zone + "/dns_records?type=A&name=sub.trap.test")["result"]
        control.api("PATCH", f"{zone}/dns_records/{glue['id']}", json={"content": "192.0.2.2"})
    finally:
        control.api("DELETE", zone)


@pytest.mark.parametrize("data", BROKEN)
def test_broken_data_is_refused_by_its_line(control, data):
    zone = control.add_zone("trap.test")
    try:
        owner = "@" if data.startswith("SOA") else "x"
        reply = import_file(control, zone, f"$TTL 60\nwww A 192.0.2.1\n{owner} {data}\n")
        assert not reply["success"] and reply["errors"][0]["error_chain"][0]["message"].startswith("line 3")
        assert control.api("GET", zone + "/dns_records")["result"] == []
    finally:
        control.api("DELETE", zone)


def test_a_ttl_of_0_is_brought_into_the_range_that_is_allowed(control):
    """And said: TTLs below `ttl-min`, which is 2 at least, are not served."""
    zone = control.add_zone("trap.test")
    reply = import_file(control, zone, "x 0 IN A 192.0.2.1\n")
    assert any("allowed range" in note["message"] for note in reply["messages"])
    assert control.api("GET", zone + "/dns_records")["result"][0]["ttl"] == 2
    control.api("DELETE", zone)


def test_the_root_is_not_served(control):
    assert control.api("POST", "/zones", status=400, json={"name": "."})["errors"][0]["code"] == 1049
