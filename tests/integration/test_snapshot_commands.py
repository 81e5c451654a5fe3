"""brinkctl snapshot: what an operator sees of what is served, and the way back, with every program
running and kdig as the witness."""
import json
import re
import subprocess
import time

import pytest

from lab import BRINKCTL, Lab

DNS4 = "192.0.2.129"
EDGE = ["192.0.2.140", "192.0.2.141"]
ZONE = """$ORIGIN example.com.
$TTL 300
@ SOA ns1 host 1 7200 3600 604800 900
@ NS ns1
@ MX 10 mail
ns1 A 192.0.2.129
mail A 203.0.113.25
www A 203.0.113.10
www A 203.0.113.11
alias CNAME mail
*.wild TXT "anything"
a.empty A 203.0.113.30
sub NS ns.sub
sub NS ns.example.net.
ns.sub A 203.0.113.53
"""


class Operator(Lab):
    def ctl(self, *arguments):
        """brinkctl for people: the finished process."""
        return subprocess.run([BRINKCTL, "--socket", self.state / "control.sock",
                               *map(str, arguments)], capture_output=True, text=True, timeout=60)

    def refused(self, *arguments, code=1):
        done = self.ctl(*arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr

    def dig(self, name, kind="A"):
        return sorted(self.exec("client", "kdig", f"@{DNS4}", name, kind, "+short", "+timeout=2",
                                "+retry=1").split())

    def status_of(self, name):
        answer = self.exec("client", "kdig", f"@{DNS4}", name, "+timeout=2", "+retry=1")
        return re.search(r"status: (\w+)", answer).group(1)

    def version(self):
        return self.brinkctl("status")["store"]["version"]

    def show(self, name):
        return self.brinkctl("snapshot", "show", name)

    def await_statistics(self):
        """The edge writes them a few times a second: those of what it serves now."""
        deadline = time.monotonic() + 10
        while (header := self.stats()["header"])["snapshot_version"] != self.version():
            assert time.monotonic() < deadline, header
            time.sleep(0.05)
        return header

    def load(self, zone, text):
        path = self.state / f"{zone}.zone"
        path.write_text(text)
        self.brinkctl("zone", "import", path, "--zone", zone, "--create", "--activate")


@pytest.fixture(scope="module")
def lab():
    with Operator() as lab:
        lab.edge_start()
        lab.control_start("--history-versions-max", "40")
        lab.load("example.com", ZONE)
        lab.brinkctl("record", "set", "www.example.com", "A", "--proxied=on")
        yield lab


def data(owner, kind, part="records"):
    sets = {rrset["type"]: rrset for rrset in owner["rrsets"]}
    return sorted(record["data"] for record in sets[kind][part])


def test_show_tells_what_is_served(lab):
    lab.await_statistics()
    result = lab.brinkctl("snapshot", "show")
    assert result["edge"]["zones"] == 1 and result["edge"]["names"] == 8
    assert result["publication"]["served_version"] == lab.version()
    text = lab.ctl("snapshot", "show").stdout
    for label in ("stored", "compiled", "served", "memory", "log", "waiting for workers"):
        assert re.search(f"^{label}  ", text, re.M), text
    assert f"version {lab.version()}" in text and "names" in text


def test_a_proxied_name_has_the_edges_addresses_and_a_route_to_its_origins(lab):
    result = lab.show("WWW.example.com")
    owner = result["answers"]
    assert result["standing"] == "exact" and result["served_version"] == lab.version()
    assert data(owner, "A") == lab.dig("www.example.com") == EDGE
    assert "203.0.113" not in json.dumps(owner["rrsets"])
    assert {origin["address"] for origin in owner["route"]["origins"]} == {"203.0.113.10",
                                                                          "203.0.113.11"}
    assert owner["route"]["zone"] == "example.com"
    soa = lab.exec("client", "kdig", f"@{DNS4}", "example.com", "SOA", "+short").split()
    assert result["zone"]["serial"] == int(soa[2])
    text = lab.ctl("snapshot", "show", "www.example.com").stdout
    assert "the name itself answers" in text and "origins 203.0.113.10, 203.0.113.11" in text


def test_an_unproxied_name_has_its_own_data(lab):
    owner = lab.show("mail.example.com")["answers"]
    assert data(owner, "A") == ["203.0.113.25"] == lab.dig("mail.example.com")
    assert owner["route"] is None
    alias = lab.show("alias.example.com")["answers"]["rrsets"][0]
    assert (alias["type"], alias["target"]) == ("CNAME", "mail.example.com.")
    apex = lab.show("example.com")["answers"]
    assert apex["flags"] == ["apex"]
    assert data(apex, "MX") == ["10 mail.example.com."]
    assert data(apex, "MX", "optional_additional") == ["203.0.113.25"]
    text = lab.ctl("snapshot", "show", "mail.example.com").stdout
    assert "none: the name is not proxied" in text
    assert re.search(r"answer +mail\.example\.com\. +300 +A +203\.0\.113\.25", text), text


def test_a_cut_has_its_servers_and_their_glue(lab):
    for name in ("sub.example.com", "deep.below.sub.example.com"):
        result = lab.show(name)
        assert result["standing"] == "delegation"
        owner = result["answers"]
        assert (owner["name"], owner["flags"]) == ("sub.example.com.", ["cut"])
        assert data(owner, "NS") == ["ns.example.net.", "ns.sub.example.com."]
        assert data(owner, "NS", "required_additional") == ["203.0.113.53"]
    assert "+ required" in lab.ctl("snapshot", "show", "sub.example.com").stdout


def test_a_wildcard_answers_for_what_is_not_there(lab):
    result = lab.show("x.y.wild.example.com")
    assert result["standing"] == "wildcard"
    assert result["answers"]["name"] == "*.wild.example.com."
    assert result["answers"]["flags"] == ["wildcard"]
    assert data(result["answers"], "TXT") == ['"anything"']
    text = lab.ctl("snapshot", "show", "x.y.wild.example.com").stdout
    assert "the wildcard *.wild.example.com. answers" in text


@pytest.mark.parametrize("name, standing, above, says", [
    ("absent.example.com", "nxdomain", "example.com.", "no wildcard covers it"),
    ("empty.example.com", "empty", "example.com.", "empty non-terminal"),
    ("www.example.org", "refused", None, "no served zone encloses it"),
])
def test_what_is_absent_is_said_so(lab, name, standing, above, says):
    result = lab.show(name)
    assert (result["standing"], result["answers"]) == (standing, None)
    assert result["nearest_above"] == above
    text = lab.ctl("snapshot", "show", name).stdout
    assert says in text
    if above:
        assert "SOA ns1.example.com. host.example.com." in text


def test_history_tells_what_each_version_changed(lab):
    lab.brinkctl("record", "set", "h1.example.com", "A", "203.0.113.41")
    lab.brinkctl("record", "set", "h1.example.com", "A", "203.0.113.42")
    lab.brinkctl("record", "delete", "h1.example.com", "A")
    newest = lab.version()
    versions = lab.brinkctl("snapshot", "history", "--limit", "3")["versions"]
    assert [version["version"] for version in versions] == [newest, newest - 1, newest - 2]
    did = [{mark: version["zones"][0][mark] for mark in ("added", "changed", "removed")}
           for version in versions]
    assert did == [{"added": 0, "changed": 0, "removed": 1}, {"added": 0, "changed": 1, "removed": 0},
                   {"added": 1, "changed": 0, "removed": 0}]
    lines = lab.ctl("snapshot", "history", "--limit", "1").stdout.splitlines()
    assert re.fullmatch(rf"{newest} +\S+T\S+Z +example\.com -1", lines[1]), lines
    older = lab.brinkctl("snapshot", "history", "--before", newest, "--limit", "1")["versions"]
    assert older[0]["version"] == newest - 1


def test_a_zone_goes_back_alone(lab):
    lab.load("other.test", "@ 300 NS ns1\nns1 300 A 192.0.2.129\na 300 A 203.0.113.61\n")
    lab.brinkctl("record", "set", "mail.example.com", "A", "203.0.113.26")
    before = lab.version()
    serial = lab.show("other.test")["zone"]["serial"]
    lab.brinkctl("record", "set", "a.other.test", "A", "203.0.113.62")
    lab.brinkctl("record", "set", "mail.example.com", "A", "203.0.113.27")

    dry = lab.brinkctl("snapshot", "rollback", before, "--zone", "other.test", "--dry-run")
    assert (dry["dry_run"], dry["version"]) == (True, None)
    assert lab.dig("a.other.test") == ["203.0.113.62"] and lab.version() == before + 2
    done = lab.brinkctl("snapshot", "rollback", before, "--zone", "other.test")
    assert done["zones"] == dry["zones"]
    assert [zone["name"] for zone in done["zones"]] == ["other.test"]
    assert done["version"] == lab.version()
    assert lab.dig("a.other.test") == ["203.0.113.61"], "served when the command returns"
    assert lab.dig("mail.example.com") == ["203.0.113.27"]
    assert lab.show("other.test")["zone"]["serial"] > serial
    only = lab.brinkctl("snapshot", "history", "--zone", "other.test", "--limit", "1")
    assert only["versions"][0]["version"] == done["version"]


def test_everything_goes_back_and_forth(lab):
    before = lab.version()
    mail, www = lab.dig("mail.example.com"), lab.show("www.example.com")["answers"]
    lab.load("new.test", "@ 300 NS ns1\nns1 300 A 192.0.2.129\na 300 A 203.0.113.71\n")
    lab.brinkctl("record", "set", "www.example.com", "A", "--proxied=off")
    lab.brinkctl("record", "delete", "mail.example.com", "A")
    lab.brinkctl("zone", "delete", "other.test")
    after = lab.version()
    assert lab.dig("a.other.test") == [] and lab.dig("a.new.test") == ["203.0.113.71"]

    done = lab.ctl("snapshot", "rollback", before)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^new\.test +deleted", done.stdout, re.M)
    assert re.search(r"^other\.test +created", done.stdout, re.M)
    assert lab.dig("mail.example.com") == mail and lab.dig("www.example.com") == EDGE
    assert lab.show("www.example.com")["answers"] == www, "its route as well"
    assert lab.dig("a.other.test") == ["203.0.113.61"]
    assert lab.status_of("a.new.test") == "REFUSED"

    lab.brinkctl("snapshot", "rollback", after)
    assert lab.dig("a.new.test") == ["203.0.113.71"]
    assert lab.status_of("a.other.test") == "REFUSED"
    assert lab.status_of("mail.example.com") == "NXDOMAIN"
    again = lab.ctl("snapshot", "rollback", lab.version())
    assert again.returncode == 0 and "Nothing differs" in again.stderr and again.stdout == ""


def test_compact_and_verify_report(lab):
    compactions = lab.stats()["header"]["snapshot_compactions"]
    assert f"version {lab.version()}, " in lab.brinkctl("snapshot", "compact")["report"]
    deadline = time.monotonic() + 10
    while lab.stats()["header"]["snapshot_compactions"] == compactions:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    report = lab.ctl("snapshot", "verify")
    assert report.returncode == 0, report.stderr
    assert report.stdout.startswith("sound; served: version ")
    assert f"on disk: version {lab.version()}" in report.stdout


def test_others_are_answered_while_the_edge_is_silent(lab):
    """A job waits for the edge; whoever asks for something else does not."""
    job = None
    lab.exec("edge", "kill", "-STOP", lab.edge_pid())
    try:
        job = subprocess.Popen([BRINKCTL, "--socket", lab.state / "control.sock", "snapshot",
                                "verify"], stdout=subprocess.PIPE, text=True)
        assert lab.ctl("record", "list", "example.com").returncode == 0
        assert lab.ctl("snapshot", "history").returncode == 0
        assert job.poll() is None, "it still waits"
    finally:
        lab.exec("edge", "kill", "-CONT", lab.edge_pid())
    out, _ = job.communicate(timeout=30)
    assert job.returncode == 0 and out.startswith("sound; ")


def test_refusals_name_what_is_wrong(lab):
    newest = lab.version()
    refused = lab.refused("snapshot", "rollback", newest + 1)
    assert f"{newest + 1}: the history does not hold this version" in refused
    assert f"to {newest}" in refused
    assert "absent.test" in lab.refused("snapshot", "rollback", newest - 1, "--zone", "absent.test",
                                        code=4)
    assert "absent.test" in lab.refused("snapshot", "history", "--zone", "absent.test", code=4)
    assert "is not a number" in lab.refused("snapshot", "rollback", "yesterday", code=2)
    assert "limit=0" in lab.refused("snapshot", "history", "--limit", "0")
    assert "name=a..b" in lab.refused("snapshot", "show", "a..b")
    assert "use that zone, or delete it first" in lab.refused("zone", "create", "example.com")
    assert lab.version() == newest, "nothing was changed"


def test_old_versions_are_forgotten_but_not_what_is_needed(lab):
    for i in range(45):
        lab.brinkctl("record", "set", "count.example.com", "TXT", f'"{i}"')
    deadline = time.monotonic() + 30
    while True:
        history = lab.brinkctl("snapshot", "history", "--limit", "1000")
        if len(history["versions"]) == 40:
            break
        assert time.monotonic() < deadline, history["oldest"]
        time.sleep(0.5)
    oldest = history["oldest"]
    assert oldest == lab.version() - 40
    assert f"from {oldest} to " in lab.refused("snapshot", "rollback", oldest - 1)
    images = lab.await_statistics()["snapshot_swaps"]
    lab.brinkctl("snapshot", "rollback", oldest)
    assert lab.dig("count.example.com", "TXT") == ['"4"']
    assert lab.await_statistics()["snapshot_swaps"] == images, "a transaction, no whole image"


def test_without_an_edge_every_command_says_so(lab):
    lab.edge_stop()
    for command in (("show", "www.example.com"), ("compact",), ("verify",)):
        said = lab.refused("snapshot", *command)
        assert "edge.sock" in said and "start brink-edge" in said, said
    assert "unknown" in lab.ctl("snapshot", "show").stdout
    done = lab.ctl("snapshot", "rollback", lab.version() - 1)
    assert done.returncode == 0 and "not served yet" in done.stderr
    lab.control_stop()
    assert "control.sock" in lab.refused("snapshot", "verify", code=3)
