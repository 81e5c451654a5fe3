"""Names outside the served zones, and delegations, with real programs: brink-control asks a scripted
resolver on its own host, and what it learns reaches the edge without any call of the API."""
import json
import os
import subprocess
import time

import pytest

from lab import ROOT, Lab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

ORIGIN_A, ORIGIN_B = "203.0.113.10", "203.0.113.74"
RESOLVER = "127.0.0.1:5353"
PARENT = "127.0.0.2"  # a name server of the zones above, on port 53
DNS, WEB = "192.0.2.129", "192.0.2.140"
SOA = "example.net. 1 SOA ns.example.net. host.example.net. 1 2 3 4 1"
SETTINGS = [
    "--resolver", RESOLVER, "--origin-allow", "203.0.113.0/24", "--origin-allow", "127.0.0.2",
    "--resolve-ttl-min", "1", "--resolve-timeout-ms", "200", "--resolve-attempts", "2",
    "--activation-first", "1", "--activation-interval-max", "2", "--activation-failures-max", "3",
    "--log-level", "debug"]


class Script:
    """What the scripted server says. Each change is complete before the server can read it."""

    def __init__(self, lab):
        self.path, self.log_path = lab.state / "dns.json", lab.state / "dns.log"
        self.said = {}
        self.write()

    def write(self):
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.said))
        fresh.rename(self.path)

    def say(self, question, *answer, **more):
        self.said[question] = {"answer": list(answer), **more}
        self.write()

    def nothing(self, question, rcode="NOERROR"):
        self.say(question, rcode=rcode, authority=[SOA])

    def addresses(self, name, *addresses, ttl=1):
        self.say(f"{name} A", *[f"{name}. {ttl} A {each}" for each in addresses])
        self.nothing(f"{name} AAAA")

    def asked(self):
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]


def start_resolver(lab, script):
    places = [RESOLVER, f"{PARENT}:53"]
    process = lab.spawn("edge", "/usr/bin/python3", ROOT / "tests/integration/scripted_dns.py",
                        script.path, script.log_path, *places, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture(scope="module")
def world():
    with Lab() as lab:
        script = Script(lab)
        start_resolver(lab, script)
        lab.edge_start()
        lab.control_start(*SETTINGS)
        lab.brinkctl("zone", "create", "example.com", "--activate")
        yield lab, script


def eventually(what, seconds=30):
    """The first true value of what(), which may take as long."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.1)


def get(lab, name):
    """Body of GET http://name/ through the edge, or the status of an error."""
    out = lab.exec("client", "curl", "-sS", "-m", "10", "--resolve", f"{name}:80:{WEB}",
                   "-w", "\n%{http_code}", f"http://{name}/")
    body, status = out.rsplit("\n", 1)
    return body.strip() if status == "200" else int(status)


def dig(lab, name, kind="A"):
    return sorted(lab.exec("client", "kdig", f"@{DNS}", name, kind, "+short").split())


def resolved(lab, name):
    names = lab.brinkctl("resolver", "show")["names"]
    return next((each for each in names if each["name"] == name), None)


def stored_version(lab):
    return lab.brinkctl("status")["store"]["version"]


def test_a_proxied_alias_works_when_its_creation_returns_and_follows_its_target(world):
    lab, script = world
    script.addresses("shop.example.net", ORIGIN_A)
    lab.brinkctl("record", "add", "www.example.com", "CNAME", "shop.example.net", "--proxied")
    assert get(lab, "www.example.com") == "this is origin-a"
    script.addresses("shop.example.net", ORIGIN_B)
    assert eventually(lambda: get(lab, "www.example.com") == "this is origin-b")
    assert any(version["resolved"] for version in lab.brinkctl("snapshot", "history")["versions"])


def test_an_answer_that_is_the_same_makes_no_version(world):
    lab, script = world
    script.addresses("steady.example.net", ORIGIN_A)
    lab.brinkctl("record", "add", "steady.example.com", "CNAME", "steady.example.net", "--proxied")
    before = stored_version(lab)
    script.addresses("steady.example.net", ORIGIN_A, ttl=2)
    questions = len(script.asked())
    assert eventually(lambda: len([each for each in script.asked()[questions:]
                                   if each["question"] == "steady.example.net A"]) >= 2)
    assert stored_version(lab) == before


def test_a_flattened_apex_answers_with_what_its_target_has(world):
    lab, script = world
    script.say("apex.example.net A", "apex.example.net. 1 CNAME lb.example.net.",
               f"lb.example.net. 1 A {ORIGIN_A}")
    script.nothing("apex.example.net AAAA")
    lab.brinkctl("record", "add", "example.com", "CNAME", "apex.example.net")
    assert dig(lab, "example.com") == [ORIGIN_A]
    script.say("apex.example.net A", "apex.example.net. 1 CNAME lb.example.net.",
               f"lb.example.net. 1 A {ORIGIN_A}", f"lb.example.net. 1 A {ORIGIN_B}")
    assert eventually(lambda: dig(lab, "example.com") == [ORIGIN_A, ORIGIN_B])
    script.nothing("apex.example.net A", rcode="NXDOMAIN")
    assert eventually(lambda: dig(lab, "example.com") == [])


def test_a_truncated_answer_is_asked_for_again_over_tcp(world):
    lab, script = world
    script.addresses("large.example.net", ORIGIN_A)
    script.say("large.example.net A", f"large.example.net. 60 A {ORIGIN_A}", truncate=True)
    lab.brinkctl("record", "add", "large.example.com", "CNAME", "large.example.net", "--proxied")
    assert get(lab, "large.example.com") == "this is origin-a"
    assert "tcp" in {each["transport"] for each in script.asked()
                     if each["question"] == "large.example.net A"}


@pytest.mark.parametrize("failure", [{"rcode": "SERVFAIL"}, {"silent": True}, {"rcode": "REFUSED"}],
                         ids=["servfail", "timeout", "refused"])
def test_a_failure_keeps_the_last_good_answer(world, failure):
    lab, script = world
    label = next(iter(failure.values())) if "rcode" in failure else "silent"
    name, target = f"{label}.example.com".lower(), f"{label}.example.net".lower()
    script.addresses(target, ORIGIN_A)
    lab.brinkctl("record", "add", name, "CNAME", target, "--proxied")
    assert get(lab, name) == "this is origin-a"
    script.say(f"{target} A", **failure)
    assert eventually(lambda: resolved(lab, target)["problem"])
    assert resolved(lab, target)["state"] == "stale"
    assert get(lab, name) == "this is origin-a"
    script.addresses(target, ORIGIN_B)
    assert eventually(lambda: get(lab, name) == "this is origin-b")


def test_a_target_that_fails_is_published_without_and_follows(world):
    lab, script = world
    script.say("late.example.net A", rcode="SERVFAIL")
    script.say("late.example.net AAAA", rcode="SERVFAIL")
    lab.brinkctl("record", "add", "late.example.com", "CNAME", "late.example.net", "--proxied")
    assert get(lab, "late.example.com") == 530
    script.addresses("late.example.net", ORIGIN_A)
    assert eventually(lambda: get(lab, "late.example.com") == "this is origin-a")


def test_a_loop_outside_is_an_error_page(world):
    lab, script = world
    for kind in ("A", "AAAA"):
        script.say(f"loop.example.net {kind}", "loop.example.net. 9 CNAME pool.example.net.",
                   "pool.example.net. 9 CNAME loop.example.net.")
    lab.brinkctl("record", "add", "loop.example.com", "CNAME", "loop.example.net", "--proxied")
    assert get(lab, "loop.example.com") == 530
    assert "loop" in resolved(lab, "loop.example.net")["problem"]


def test_a_name_that_turns_to_the_inside_is_refused_and_seen(world):
    lab, script = world
    script.addresses("rebind.example.net", ORIGIN_A)
    lab.brinkctl("record", "add", "rebind.example.com", "CNAME", "rebind.example.net", "--proxied")
    assert get(lab, "rebind.example.com") == "this is origin-a"
    script.addresses("rebind.example.net", "127.0.0.1", "192.168.0.1", WEB)
    assert eventually(lambda: get(lab, "rebind.example.com") == 530)
    assert sorted(resolved(lab, "rebind.example.net")["refused"]) == ["127.0.0.1", WEB, "192.168.0.1"]
    assert lab.brinkctl("resolver", "show")["counters"]["addresses_refused"] >= 3


def test_names_that_are_answered_as_they_stand_are_not_asked_for(world):
    lab, script = world
    lab.brinkctl("record", "add", "plain.example.com", "CNAME", "plain.example.net")
    assert lab.exec("client", "kdig", f"@{DNS}", "plain.example.com", "CNAME", "+short").strip() == \
        "plain.example.net."
    assert resolved(lab, "plain.example.net") is None
    assert "plain.example.net A" not in {each["question"] for each in script.asked()}


def delegate(script, zone, *servers):
    parent = zone.split(".", 1)[1]
    script.say(f"{parent} NS", f"{parent}. 60 NS ns.{parent}.")
    script.say(f"ns.{parent} A", f"ns.{parent}. 60 A {PARENT}")
    script.nothing(f"ns.{parent} AAAA")
    if servers:
        script.say(f"{zone} NS @{PARENT}",
                   authority=[f"{zone}. 60 NS {server}" for server in servers])
    else:
        script.say(f"{zone} NS @{PARENT}", rcode="NXDOMAIN", aa=True,
                   authority=[f"{parent}. 60 SOA ns.{parent}. host.{parent}. 1 2 3 4 5"])


def status(lab, zone):
    return lab.brinkctl("zone", "show", zone)["status"]


RIGHT = ("ns1.example.net.", "NS2.example.net.")


def test_a_zone_is_active_while_its_parent_delegates_it_here(world):
    lab, script = world
    zone = "shop.parent.test"
    delegate(script, zone)
    lab.brinkctl("zone", "create", zone)
    lab.brinkctl("record", "add", f"www.{zone}", "A", ORIGIN_A, "--proxied")
    assert lab.brinkctl("zone", "activate", zone)["activation"]["result"] == \
        "the parent does not delegate the zone"
    assert status(lab, zone) == "pending"
    assert dig(lab, f"www.{zone}") == [ORIGIN_A]
    delegate(script, zone, *RIGHT)
    assert eventually(lambda: status(lab, zone) == "active")
    assert get(lab, f"www.{zone}") == "this is origin-a"
    assert any(each["address"] == PARENT and not each["recursion"] for each in script.asked()
               if each["question"] == f"{zone} NS")
    delegate(script, zone, "ns.elsewhere.test.")
    assert eventually(lambda: status(lab, zone) == "moved")
    assert dig(lab, f"www.{zone}") == [ORIGIN_A]
    delegate(script, zone, *RIGHT)
    assert lab.brinkctl("zone", "activate", zone)["status"] == "active"
    assert dig(lab, f"www.{zone}") != [ORIGIN_A]


def test_what_an_operator_vouches_for_stays_active(world):
    lab, script = world
    zone = "forced.parent.test"
    delegate(script, zone)
    lab.brinkctl("zone", "create", zone)
    assert lab.brinkctl("zone", "activate", zone, "--force")["status"] == "active"
    for _ in range(4):
        state = lab.brinkctl("zone", "activate", zone)
        assert state["status"] == "active" and state["activation"]["forced"]


def test_a_parent_that_gives_no_answer_takes_nothing_away(world):
    lab, script = world
    zone = "quiet.parent.test"
    delegate(script, zone, *RIGHT)
    lab.brinkctl("zone", "create", zone)
    assert lab.brinkctl("zone", "activate", zone)["status"] == "active"
    script.say(f"{zone} NS @{PARENT}", silent=True)
    for _ in range(4):
        state = lab.brinkctl("zone", "activate", zone)
        assert state["status"] == "active"
        assert state["activation"]["result"].startswith("not known: ")


def test_a_signed_zone_is_active_while_its_parent_has_its_ds(world):
    lab, script = world
    zone = "signed.parent.test"
    delegate(script, zone, *RIGHT)
    lab.brinkctl("zone", "create", zone)
    assert lab.brinkctl("dnssec", "enable", zone)["status"] == "pending"

    def check(*records):
        script.say(f"{zone} DS @{PARENT}", *[f"{zone}. 60 DS {each}" for each in records], aa=True,
                   authority=[] if records else [f"parent.test. 60 SOA ns.{zone}. h.{zone}. 1 2 3 4 5"])
        return lab.brinkctl("dnssec", "check", zone)

    assert check()["status"] == "pending"
    own = lab.brinkctl("dnssec", "ds", zone)[0].split(" DS ")[1]
    assert check("1 13 2 " + "ab" * 32)["status"] == "error"
    state = check("1 13 2 " + "ab" * 32, own)
    assert state["status"] == "active" and state["keys"][0]["ds_shown"]
    script.say(f"{zone} DS @{PARENT}", silent=True)
    state = lab.brinkctl("dnssec", "check", zone)
    assert state["status"] == "active"
    assert state["result"].startswith("The parent could not be asked: ")
    assert all(not each["recursion"] for each in script.asked() if each["question"] == f"{zone} DS")
    assert check()["status"] == "pending"


def test_a_restart_without_a_resolver_begins_with_the_last_known_addresses():
    with Lab() as lab:
        script = Script(lab)
        server = start_resolver(lab, script)
        lab.edge_start()
        lab.control_start(*SETTINGS)
        script.addresses("shop.example.net", ORIGIN_B)
        lab.brinkctl("zone", "create", "example.com", "--activate")
        lab.brinkctl("record", "add", "www.example.com", "CNAME", "shop.example.net", "--proxied")
        lab.brinkctl("record", "add", "example.com", "CNAME", "shop.example.net")
        assert get(lab, "www.example.com") == "this is origin-b"
        server.kill()
        server.wait()
        lab.control_stop()
        lab.edge_stop()
        (lab.state / "edge.image").unlink()
        lab.edge_start()
        lab.control_start(*SETTINGS)
        assert eventually(lambda: dig(lab, "example.com") == [ORIGIN_B])
        assert get(lab, "www.example.com") == "this is origin-b"
        assert eventually(lambda: resolved(lab, "shop.example.net")["problem"])
        assert resolved(lab, "shop.example.net")["state"] == "stale"
        assert get(lab, "www.example.com") == "this is origin-b"
        # A change that depends on it does not wait for an answer that does not come.
        lab.brinkctl("record", "add", "b.example.com", "CNAME", "shop.example.net", "--proxied")
        assert get(lab, "b.example.com") == "this is origin-b"
