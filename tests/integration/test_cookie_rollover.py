"""Secrets of DNS cookies replaced on a running edge: no client is asked to start over, no restart."""
import os
import signal

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

from lab import ROOT, Lab, wait_until

V4 = "192.0.2.129"
OLD, NEW, OTHER = "1" * 32, "2" * 32, "3" * 32


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    secrets = tmp_path_factory.mktemp("cookies") / "secrets"
    secrets.write_text(f"# of this test\n{OLD}\n")
    with Lab() as lab:
        lab.secrets = secrets
        lab.edge_start(workers="1:dns+l7", arguments=(f"--dns.cookie-secret-file={secrets}",))
        lab.control_start()
        lab.brinkctl("zone", "import", ROOT / "docs/examples/quickstart.zone", "--create", "--activate")
        yield lab


def fresh_cookie(lab, shown=bytes(8)):
    """The cookie that the edge answers `shown` with."""
    query = dns.message.make_query("example.com", "SOA", use_edns=0,
                                   options=[dns.edns.GenericOption(10, shown)])
    with lab.inside("client"):
        response = dns.query.udp(query, V4, timeout=5)
    assert response.rcode() == dns.rcode.NOERROR
    return next(option.to_wire() for option in response.options if option.otype == 10)


def is_good(lab, cookie):
    good, bad = lab.counter("dns_cookie_good"), lab.counter("dns_cookie_bad")
    fresh_cookie(lab, cookie)
    good, bad = lab.counter("dns_cookie_good") - good, lab.counter("dns_cookie_bad") - bad
    assert good + bad == 1
    return good == 1


def roll(lab, *step, **options):
    return lab.brinkctl("cookie-secret", *step, **options)


def test_a_rollover_keeps_every_cookie_good(lab, tmp_path):
    process = lab.edge_pid()
    old = fresh_cookie(lab)
    (tmp_path / "new").write_text(NEW + "\n")
    roll(lab, "add", tmp_path / "new")
    assert is_good(lab, old)
    roll(lab, "activate")
    assert is_good(lab, old), "the secret before is still taken"
    new = fresh_cookie(lab)
    roll(lab, "drop")
    assert is_good(lab, new)
    assert not is_good(lab, old)
    assert lab.secrets.read_text().split("\n")[1:] == [NEW, ""]
    assert lab.edge_pid() == process


def test_a_file_is_read_again_on_demand_and_on_sighup(lab):
    lab.secrets.write_text(f"{OTHER}\n{NEW}\n")
    before = roll(lab, "show")["report"]
    cookie = fresh_cookie(lab)
    assert roll(lab, "reload")["report"] != before
    assert is_good(lab, cookie)
    lab.secrets.write_text(f"{OTHER}\n")
    os.kill(lab.edge_pid(), signal.SIGHUP)
    assert wait_until(lambda: "also takes" not in roll(lab, "show")["report"], 20)
    assert not is_good(lab, cookie)


def test_a_bad_file_is_named_and_changes_nothing(lab):
    before = roll(lab, "show")["report"]
    cookie = fresh_cookie(lab)
    lab.secrets.write_text(f"{NEW}\n\n{NEW[:-1]}\n")
    done = roll(lab, "reload", check=False)
    assert done.returncode == 1
    assert f"{lab.secrets}:3" in done.stderr and "32 hexadecimal digits" in done.stderr
    assert NEW[:-1] not in done.stderr
    os.kill(lab.edge_pid(), signal.SIGHUP)
    log = lab.state / "edge.log"
    assert wait_until(lambda: log.read_text().count(f"{lab.secrets}:3") == 2, 20)
    assert roll(lab, "show")["report"] == before
    assert is_good(lab, cookie)
    assert NEW not in log.read_text() and OTHER not in log.read_text()


def test_a_step_that_cannot_be_is_refused(lab, tmp_path):
    lab.secrets.write_text(f"{OTHER}\n")
    roll(lab, "reload")
    for step, why in ((("activate",), "only one secret"), (("drop",), "only one secret")):
        done = roll(lab, *step, check=False)
        assert done.returncode == 1 and why in done.stderr
    (tmp_path / "short").write_text("1234")
    done = roll(lab, "add", tmp_path / "short", check=False)
    assert done.returncode == 1 and "32 hexadecimal digits" in done.stderr
    assert lab.secrets.read_text() == f"{OTHER}\n"
