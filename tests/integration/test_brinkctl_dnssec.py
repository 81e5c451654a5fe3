"""brinkctl dnssec, as a real program against a real brink-control without an edge."""
import base64
import json
import os
import re

import pytest

from control_process import Control

ZONE = "example.com"


@pytest.fixture
def control(tmp_path):
    running = Control(tmp_path)
    assert running.ctl("zone", "create", ZONE).returncode == 0
    yield running
    assert running.stop() == 0, "did not stop cleanly"


def done(control, *arguments):
    """What a command prints that succeeds. Changes have a note on standard error: no edge is there."""
    ran = control.ctl("dnssec", *arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def refused(control, code, said, *arguments):
    ran = control.ctl("dnssec", *arguments)
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stdout + ran.stderr
    assert said in ran.stderr, ran.stderr


def key_file(tmp_path, mode=0o600):
    path = tmp_path / "Kexample.com.+013+00001.private"
    secret = base64.b64encode(os.urandom(31).rjust(32, b"\x01")).decode()
    path.write_text("Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
                    f"PrivateKey: {secret}\n")
    path.chmod(mode)
    return path, secret


def test_a_zone_is_signed_shown_and_leaves(control):
    assert "status    disabled\n" in done(control, "status", ZONE)
    refused(control, 1, "dnssec enable", "ds", ZONE)
    shown = done(control, "enable", ZONE)
    assert "status    pending\n" in shown and "to do     wait until " in shown
    records = done(control, "ds", ZONE)
    assert re.fullmatch(r"example\.com\. 3600 IN DS \d+ 13 2 [0-9A-F]{64}\n", records)
    assert json.loads(done(control, "ds", ZONE, "--json")) == [records.strip()]
    keys = json.loads(done(control, "keys", ZONE, "--json"))
    assert [key["role"] for key in keys] == ["csk"]
    assert "published,signs-keys,signs-zone" in done(control, "keys", ZONE)
    assert "status    pending-disabled\n" in done(control, "disable", ZONE)
    assert "removed at the registrar" in done(control, "status", ZONE)


def test_options_choose_keys_and_denial(control):
    shown = json.loads(done(control, "enable", ZONE, "--algorithm", "ED25519", "--split", "--nsec3",
                            "--json"))
    assert (shown["key_type"], shown["split_keys"], shown["denial"]) == ("ED25519", True, "nsec3")
    assert sorted(key["role"] for key in shown["keys"]) == ["ksk", "zsk"]
    refused(control, 1, '"ksk" or "zsk"', "rollover", ZONE)
    assert json.loads(done(control, "rollover", ZONE, "zsk", "--json"))["rollovers_asked"] == ["zsk"]
    assert json.loads(done(control, "enable", ZONE, "--nsec3=off", "--json"))["denial"] == "nsec"


def test_a_key_is_brought_along(control, tmp_path):
    path, secret = key_file(tmp_path, 0o644)
    refused(control, 6, "everybody can read", "import-key", ZONE, str(path))
    path.chmod(0o600)
    ran = control.ctl("dnssec", "import-key", ZONE, str(path), "--json")
    assert ran.returncode == 0 and secret not in ran.stdout + ran.stderr
    key = json.loads(ran.stdout)
    assert key["state"] == "spare"
    refused(control, 1, "has a key with this algorithm", "import-key", ZONE, str(path))
    shown = json.loads(done(control, "enable", ZONE, "--json"))
    assert [each["id"] for each in shown["keys"]] == [key["id"]]
    refused(control, 1, "in use", "delete-key", ZONE, key["id"])
    assert secret not in (control.folder / "log").read_text()


def test_the_parent_is_asked_and_nobody_answers(control):
    done(control, "enable", ZONE)
    shown = done(control, "check", ZONE)
    assert "parent    The parent could not be asked: " in shown and "status    pending\n" in shown
    refused(control, 1, "not asked for any DS records", "ds-seen", ZONE)


def test_keys_survive_a_restart(control):
    done(control, "enable", ZONE)
    before = done(control, "keys", ZONE)
    assert control.stop() == 0
    control.start()
    assert done(control, "keys", ZONE) == before
