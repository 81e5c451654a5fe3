"""OCSP stapling with real programs: `openssl ocsp` is the responder of the certificates' authority, `openssl s_client
-status` says what a client is shown. brink-control asks; nobody asks because of a handshake."""
import os
import subprocess

import pytest

from certificates import Certificates
from lab import Lab, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4 = "192.0.2.140"
ZONE = "example.com"
RESPONDER, PORT = "127.0.0.2", 2560
URL = f"http://{RESPONDER}:{PORT}/"
MUST_STAPLE = "tlsfeature=status_request"
GOOD, REVOKED = "V\t491231235959Z\t", "R\t491231235959Z\t250101000000Z"


class Authority(Certificates):
    """An authority with a responder."""

    def stapled(self, host, *more, url=URL):
        """A chain for the host, with its issuer, that names the responder; its folder and name."""
        self.count += 1
        path = self.folder / host
        self.request(f"/CN={host}", host)
        (self.folder / "ocsp.cnf").write_text("\n".join([
            f"subjectAltName=DNS:{host}", "basicConstraints=critical,CA:FALSE",
            f"authorityInfoAccess=OCSP;URI:{url}", *more]) + "\n")
        self.openssl("x509", "-req", "-in", f"{path}.csr", "-CA", self.folder / "ca.pem", "-CAkey",
                     self.folder / "ca.key", "-set_serial", str(0x1000 + self.count), "-days", "90",
                     "-extfile", self.folder / "ocsp.cnf", "-out", f"{path}.pem")
        with open(f"{path}.pem", "a") as chain:
            chain.write(self.authority)
        return path

    def say(self, status):
        """What the responder will say of all that was issued."""
        lines = [f"{status}\t{0x1000 + number:04X}\tunknown\t/CN={number}\n" for number in range(1, self.count + 1)]
        (self.folder / "index.txt").write_text("".join(lines))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Lab() as lab:
        lab.made = Authority(tmp_path_factory.mktemp("authority"), "Edge CA")
        lab.other = Authority(tmp_path_factory.mktemp("other"), "Other CA")
        lab.edge_start(workers="0:dns,1:l7")
        lab.control_start("--origin-allow", "127.0.0.2", "--resolver", "127.0.0.1:1")
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        yield lab
        lab.edge_stop()


@pytest.fixture
def lab(world):
    world.responder = None
    yield world
    stop(world)
    for certificate in world.brinkctl("certificate", "list", ZONE):
        world.brinkctl("certificate", "delete", ZONE, certificate["id"])


def respond(lab, status=GOOD, signer=None):
    """Starts the responder; another authority may sign for it."""
    signer = signer or lab.made
    lab.made.say(status)
    folder = lab.made.folder
    lab.responder = lab.spawn(
        "edge", "openssl", "ocsp", "-port", PORT, "-index", folder / "index.txt", "-CA", folder / "ca.pem",
        "-rsigner", signer.folder / "ca.pem", "-rkey", signer.folder / "ca.key", "-nmin", "30",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stop(lab):
    if lab.responder:
        lab.responder.kill()
        lab.responder.wait()
        lab.responder = None


def upload(lab, chain):
    return lab.brinkctl("certificate", "add", ZONE, f"{chain}.pem", "--key", f"{chain}.key")["id"]


def stapling(lab, certificate):
    return lab.brinkctl("certificate", "show", ZONE, certificate)["stapling"]


def stapling_when(lab, certificate, status):
    wait_until(lambda: stapling(lab, certificate)["status"] == status, 40)
    found = stapling(lab, certificate)
    assert found["status"] == status, found
    return found


def client(lab, host, *options):
    """What openssl s_client says of a handshake."""
    return lab.run("client", "openssl", "s_client", "-connect", f"{V4}:443", "-servername", host, "-CAfile",
                   lab.made.folder / "ca.pem", *options, input=b"", check=False).stdout.decode(errors="replace")


def client_when(lab, host, pattern, *options):
    """The snapshot is published after the store has it."""
    wait_until(lambda: pattern in client(lab, host, "-status", *options))
    said = client(lab, host, "-status", *options)
    assert pattern in said, said
    return said


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_good_response_is_stapled(lab, version):
    host = f"good.{ZONE}"
    chain = lab.made.stapled(host)
    respond(lab)
    one = upload(lab, chain)
    found = stapling_when(lab, one, "good")
    assert found["responder"] == URL and found["problem"] == "" and not found["must_staple"]
    assert found["this_update"] < found["next_fetch"] < found["next_update"], "long before its time is over"
    said = client_when(lab, host, "OCSP Response Status: successful", version)
    assert "Cert Status: good" in said and "Verify return code: 0 (ok)" in said
    stop(lab)
    assert "Cert Status: good" in client(lab, host, "-status", version), "nobody is asked for a handshake"
    text = lab.brinkctl("certificate", "list", ZONE)
    assert [each["stapling"]["status"] for each in text] == ["good"]


def test_who_does_not_ask_gets_none(lab):
    host = f"quiet.{ZONE}"
    chain = lab.made.stapled(host)
    respond(lab)
    stapling_when(lab, upload(lab, chain), "good")
    client_when(lab, host, "Cert Status: good")
    said = client(lab, host)
    assert "OCSP" not in said and "New, TLSv1.3" in said


def test_a_responder_that_is_down_is_asked_again(lab):
    host = f"late.{ZONE}"
    chain = lab.made.stapled(host)
    one = upload(lab, chain)
    found = stapling_when(lab, one, "failed")
    assert found["failures"] >= 1 and "cannot connect to 127.0.0.2 port 2560" in found["problem"]
    assert "OCSP response: no response sent" in client(lab, host, "-status")
    respond(lab)
    found = stapling_when(lab, one, "good")
    assert found["failures"] == 0 and found["problem"] == ""
    client_when(lab, host, "Cert Status: good")


def test_a_wrong_signature_is_not_stapled(lab):
    host = f"forged.{ZONE}"
    chain = lab.made.stapled(host)
    respond(lab, signer=lab.other)
    one = upload(lab, chain)
    found = stapling_when(lab, one, "failed")
    assert "signed neither by the issuer nor by whom the issuer lets do it" in found["problem"]
    assert "OCSP response: no response sent" in client(lab, host, "-status")
    assert found["problem"] in (lab.state / "control.log").read_text()


def test_a_revoked_certificate_is_reported_and_stapled_as_it_is(lab):
    host = f"revoked.{ZONE}"
    chain = lab.made.stapled(host)
    respond(lab, REVOKED)
    one = upload(lab, chain)
    stapling_when(lab, one, "revoked")
    client_when(lab, host, "Cert Status: revoked")
    assert f"certificate {one} is revoked" in (lab.state / "control.log").read_text()


def test_must_staple_is_told(lab):
    host = f"must.{ZONE}"
    chain = lab.made.stapled(host, MUST_STAPLE)
    one = upload(lab, chain)
    found = stapling_when(lab, one, "failed")
    assert found["must_staple"]
    respond(lab)
    assert stapling_when(lab, one, "good")["must_staple"]
    client_when(lab, host, "Cert Status: good")


def test_a_response_survives_both_programs(lab):
    host = f"kept.{ZONE}"
    chain = lab.made.stapled(host)
    respond(lab)
    one = upload(lab, chain)
    before = stapling_when(lab, one, "good")
    client_when(lab, host, "Cert Status: good")
    stop(lab)
    lab.control_stop()
    lab.edge_stop()
    lab.edge_start(workers="0:dns,1:l7")
    client_when(lab, host, "Cert Status: good")
    lab.control_start("--origin-allow", "127.0.0.2", "--resolver", "127.0.0.1:1")
    assert stapling(lab, one) == before


def test_only_addresses_that_may_be_asked_are(lab):
    host = f"inside.{ZONE}"
    chain = lab.made.stapled(host, url="http://127.0.0.3:2560/")
    found = stapling_when(lab, upload(lab, chain), "failed")
    assert "127.0.0.3 is not public" in found["problem"]


def test_a_certificate_that_names_nobody_is_left_alone(lab):
    lab.made.leaf(f"plain.{ZONE}", name="plain")
    one = upload(lab, lab.made.folder / "plain")
    found = stapling_when(lab, one, "none")
    assert found["next_fetch"] is None and found["failures"] == 0
