"""brinkctl's certificates, authorities and origin pulls, as a real program against a real
brink-control."""
import json
import os

import pytest

from certificates import Certificates
from control_process import Control

ZONE = "example.com"


@pytest.fixture
def control(tmp_path):
    running = Control(tmp_path)
    assert running.ctl("zone", "create", ZONE).returncode == 0
    yield running
    assert running.stop() == 0, "did not stop cleanly"


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    return Certificates(folder)


def files(made, *hosts, name="leaf"):
    """A new certificate: the arguments that name its file and that of its key."""
    made.leaf(*hosts, name=name)
    return str(made.folder / f"{name}.pem"), "--key", str(made.folder / f"{name}.key")


def done(control, *arguments):
    """What a command prints that succeeds and has nothing to complain about but that no edge runs here."""
    ran = control.ctl(*arguments)
    complaints = [line for line in ran.stderr.splitlines()
                  if "not served yet: brink-edge cannot be reached" not in line]
    assert (ran.returncode, complaints) == (0, []), ran.stderr
    return ran.stdout


def refused(control, code, said, *arguments):
    ran = control.ctl(*arguments)
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stdout + ran.stderr
    assert said in ran.stderr
    return ran.stderr


def secrets_of(key):
    """The lines of a key that tell it."""
    return [line for line in key.splitlines() if not line.startswith("-----")]


# --- certificate


def test_a_certificate_is_added_shown_replaced_and_deleted(control, made):
    leaf = files(made, ZONE, "*." + ZONE)
    shown = done(control, "certificate", "add", ZONE, *leaf, "--type", "sni_custom")
    assert f"hosts     {ZONE}, *.{ZONE}\n" in shown and "type      sni_custom\n" in shown
    one = control.ctl_json("certificate", "list", ZONE)[0]
    assert one["status"] == "active"
    table = done(control, "certificate", "list", ZONE).splitlines()
    assert table[0].split() == ["ID", "STATUS", "EXPIRES", "STAPLING", "ISSUER", "HOSTS"]
    assert table[1].startswith(one["id"]) and table[1].endswith(f"{ZONE}, *.{ZONE}")
    for name in (one["id"], ZONE):
        assert control.ctl_json("certificate", "show", ZONE, name) == one

    www = files(made, "www." + ZONE, name="www")
    done(control, "certificate", "replace", ZONE, ZONE, *www, "--bundle", "force")
    now = control.ctl_json("certificate", "show", ZONE, "www." + ZONE)
    assert (now["id"], now["hosts"], now["bundle_method"]) == (one["id"], ["www." + ZONE], "force")

    assert one["id"] in done(control, "certificate", "delete", ZONE, "www." + ZONE)
    assert control.ctl_json("certificate", "list", ZONE) == []
    refused(control, 4, "certificate list", "certificate", "show", ZONE, one["id"])


def test_a_renewal_goes_with_the_key_that_is_there_or_is_refused(control, made):
    leaf = files(made, ZONE)
    done(control, "certificate", "add", ZONE, *leaf)
    renewed = made.folder / "renewed.pem"
    made.openssl("x509", "-req", "-in", made.folder / "leaf.csr", "-CA", made.folder / "ca.pem",
                 "-CAkey", made.folder / "ca.key", "-set_serial", "9", "-days", "300",
                 "-extfile", made.folder / "leaf.cnf", "-out", renewed)
    before = control.ctl_json("certificate", "show", ZONE, ZONE)
    done(control, "certificate", "replace", ZONE, ZONE, str(renewed))
    after = control.ctl_json("certificate", "show", ZONE, ZONE)
    assert after["expires_on"] > before["expires_on"]
    foreign, _, _ = files(made, ZONE, name="foreign")
    refused(control, 1, "not the one of the certificate", "certificate", "replace", ZONE, ZONE, foreign)
    assert control.ctl_json("certificate", "show", ZONE, ZONE) == after


def test_a_host_of_several_certificates_names_none_of_them(control, made):
    for name in ("one", "other"):
        done(control, "certificate", "add", ZONE, *files(made, ZONE, name=name))
    refused(control, 2, "write the id", "certificate", "delete", ZONE, ZONE)
    assert len(control.ctl_json("certificate", "list", ZONE)) == 2


def test_what_is_no_certificate_for_the_zone_is_refused_with_its_reason(control, made, tmp_path):
    chain, option, key = files(made, ZONE)
    outside = files(made, "example.org", name="outside")
    refused(control, 1, "does not lie in the zone", "certificate", "add", ZONE, *outside)
    refused(control, 1, "not the one of the certificate", "certificate", "add", ZONE, chain, option, outside[2])
    refused(control, 1, "bundle_method", "certificate", "add", ZONE, chain, option, key, "--bundle", "best")
    refused(control, 4, "no zone", "certificate", "add", "example.net", chain, option, key)
    refused(control, 6, "cannot be read", "certificate", "add", ZONE, str(tmp_path / "none"), option, key)
    refused(control, 6, "cannot be read", "certificate", "add", ZONE, chain, option, str(tmp_path / "none"))
    done(control, "certificate", "add", ZONE, chain, option, key)
    refused(control, 1, "already", "certificate", "add", ZONE, chain, option, key)


@pytest.mark.parametrize("noun", ["certificate", "origin-pull"])
def test_a_key_comes_from_a_file_of_its_owner_alone(control, made, noun):
    chain, option, key = files(made, ZONE)
    text = made.read("leaf.key")
    refused(control, 2, "--key", noun, "add", ZONE, chain)
    for given in ([f"--key={text}"], ["--key", text]):
        said = refused(control, 2, "", noun, "add", ZONE, chain, *given)
        assert not any(line in said for line in secrets_of(text))
    os.chmod(key, 0o644)
    refused(control, 6, f"chmod o= {key}", noun, "add", ZONE, chain, option, key)
    assert "[]" in done(control, noun, "list", ZONE, "--json")
    os.chmod(key, 0o640)
    done(control, noun, "add", ZONE, chain, option, key)


def test_no_command_shows_a_key(control, made):
    leaf = files(made, ZONE)
    secret = secrets_of(made.read("leaf.key"))
    said = done(control, "certificate", "add", ZONE, *leaf, "--json")
    said += done(control, "origin-pull", "add", ZONE, *leaf, "--json")
    for noun in ("certificate", "origin-pull"):
        said += done(control, noun, "list", ZONE, "--json")
    said += done(control, "log", "--json")
    assert ZONE in said and not any(line in said for line in secret)


def test_completion_knows_certificates_and_authorities(control, made):
    def words(*line):
        return done(control, "completion", "words", "--", "--socket", control.socket, *line).split()

    leaf = files(made, ZONE)
    pulled = json.loads(done(control, "origin-pull", "add", ZONE, *leaf, "--json"))["id"]
    shown = json.loads(done(control, "certificate", "add", ZONE, *leaf, "--json"))["id"]
    done(control, "ca", "add", "Shops", str(made.folder / "ca.pem"))
    assert words("certificate", "show", ZONE, "") == [shown]
    assert words("origin-pull", "delete", ZONE, "") == [pulled]
    assert words("ca", "delete", "S") == words("ca", "hosts", ZONE, "--authority", "") == ["Shops"]
    assert words("certificate", "show", "example.net", "") == []


# --- ca


def test_an_authority_is_added_asked_for_and_deleted(control, made):
    pem = str(made.folder / "ca.pem")
    assert "issuer    CN=Test CA,O=Tests\n" in done(control, "ca", "add", "Shops", pem)
    assert [each["name"] for each in control.ctl_json("ca", "list")] == ["Shops"]
    assert done(control, "ca", "list").splitlines()[1].startswith("Shops ")
    hosts = ("ca", "hosts", ZONE, "--authority", "Shops")
    assert done(control, *hosts) == ""
    assert done(control, *hosts, "www." + ZONE, ZONE).split() == [ZONE, "www." + ZONE]
    assert done(control, *hosts).split() == [ZONE, "www." + ZONE]
    assert done(control, "ca", "hosts", ZONE) == "", "another authority"
    refused(control, 1, "hostname_associations", "ca", "delete", "Shops")
    assert control.ctl_json(*hosts, "--none") == {"hostnames": []}
    assert done(control, "ca", "delete", "Shops") == "deleted authority Shops\n"
    assert control.ctl_json("ca", "list") == []


def test_hosts_may_ask_for_certificates_that_the_node_issues(control):
    assert done(control, "ca", "hosts", ZONE, "www." + ZONE).split() == ["www." + ZONE]
    assert control.ctl_json("ca", "hosts", ZONE) == {"hostnames": ["www." + ZONE]}
    done(control, "ca", "hosts", ZONE, "--none")
    assert control.ctl_json("ca", "hosts", ZONE) == {"hostnames": []}


def test_wrong_authorities_and_hosts_are_refused(control, made):
    leaf, _, _ = files(made, ZONE)
    refused(control, 1, "authorit", "ca", "add", "Leaf", leaf)
    refused(control, 4, "ca list", "ca", "delete", "Nobody")
    refused(control, 4, "ca list", "ca", "hosts", ZONE, "--authority", "Nobody")
    refused(control, 1, "does not lie in the zone", "ca", "hosts", ZONE, "www.example.org")
    refused(control, 2, "--none", "ca", "hosts", ZONE, "www." + ZONE, "--none")
    for name in ("one", "other"):
        folder = made.folder / name
        folder.mkdir()
        Certificates(folder, name)
        done(control, "ca", "add", "Twins", str(folder / "ca.pem"))
    refused(control, 2, "write the id", "ca", "delete", "Twins")


# --- origin-pull


def test_origin_pulls_are_turned_on_and_off(control, made):
    without = control.ctl("origin-pull", "on", ZONE)
    assert without.stdout == f"zone {ZONE}: authenticated origin pulls are on\n"
    assert "has no certificate to show" in without.stderr
    assert control.ctl_json("origin-pull", "list", ZONE) == {"enabled": True, "certificates": []}
    assert "serial    1268\n" in done(control, "origin-pull", "add", ZONE, *files(made, ZONE))
    listed = control.ctl_json("origin-pull", "list", ZONE)["certificates"]
    lines = done(control, "origin-pull", "list", ZONE).splitlines()
    assert lines[0].endswith(" on") and lines[2].endswith(listed[0]["id"])
    assert done(control, "origin-pull", "off", ZONE).endswith(" off\n")
    assert control.ctl_json("origin-pull", "list", ZONE)["enabled"] is False
    assert listed[0]["id"] in done(control, "origin-pull", "delete", ZONE, listed[0]["id"])
    assert json.loads(done(control, "origin-pull", "list", ZONE, "--json"))["certificates"] == []
    refused(control, 4, listed[0]["id"], "origin-pull", "delete", ZONE, listed[0]["id"])
    refused(control, 4, "no zone", "origin-pull", "on", "example.net")
