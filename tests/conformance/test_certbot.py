"""certbot with its plugin for the API, as packaged, gets a certificate from pebble by DNS-01: the
challenge's TXT record goes through brink-control to brink-edge, which pebble asks as the domain's
authoritative server."""
import json
import subprocess

import pytest
from clients import CONTROL, run
from lab import Lab, wait_until

DNS = "192.0.2.129"
API = "127.0.0.1:8053"
DIRECTORY = "https://127.0.0.1:14000/dir"


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        lab.edge_start(workers="0:dns+l7")
        # certbot, pebble and the API on one host: the API listens on loopback.
        lab.script("control-start")
        lab.control_stop()
        lab.spawn("client", CONTROL, "--config", lab.state / "control.conf", f"--listen={API}",
                  stderr=open(lab.state / "control.log", "a"))
        assert wait_until(lambda: lab.brinkctl("status", check=False).returncode == 0)
        lab.brinkctl("zone", "create", "example.com", "--activate")
        lab.brinkctl("record", "set", "www.example.com", "A", "203.0.113.10")
        yield lab


@pytest.fixture(scope="module")
def pebble(lab):
    folder = lab.state / "pebble"
    folder.mkdir()
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    (folder / "config.json").write_text(json.dumps({"pebble": {
        "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
        "certificate": str(folder / "cert.pem"), "privateKey": str(folder / "key.pem"),
        "httpPort": 5002, "tlsPort": 5001}}))
    # It refuses one nonce in twenty for exercise, and certbot gives up at the second refusal in a row.
    lab.spawn("client", "env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "pebble", "-config", folder / "config.json",
              "-dnsserver", f"{DNS}:53", stdout=open(folder / "log", "w"), stderr=subprocess.STDOUT)
    assert wait_until(lambda: "Listening on" in (folder / "log").read_text())
    return folder


def certbot(lab, pebble, *domains):
    credentials = pebble / "credentials.ini"
    token = lab.brinkctl("token", "create", "certbot", "--permissions", "Zone Read,DNS Write",
                         "--zones", "example.com")
    credentials.write_text(f"dns_cloudflare_api_token = {token['value']}\n")
    credentials.chmod(0o600)
    return lab.exec(
        "client", "env", f"REQUESTS_CA_BUNDLE={pebble}/cert.pem",
        f"CLOUDFLARE_API_URL=http://{API}/client/v4",
        "certbot", "certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email",
        "--server", DIRECTORY, "--config-dir", str(pebble / "conf"), "--work-dir", str(pebble / "work"),
        "--logs-dir", str(pebble / "logs"), "--dns-cloudflare",
        "--dns-cloudflare-credentials", str(credentials), "--dns-cloudflare-propagation-seconds", "0",
        *(word for domain in domains for word in ("-d", domain)))


def test_a_certificate_by_dns_01(lab, pebble):
    said = certbot(lab, pebble, "example.com", "*.example.com")
    assert "Successfully received certificate" in said, said
    text = run("openssl", "x509", "-noout", "-text", "-in",
               pebble / "conf/live/example.com/fullchain.pem")
    assert "DNS:*.example.com" in text and "DNS:example.com" in text
    left = lab.brinkctl("record", "list", "example.com")
    assert not [record for record in left if record["name"].startswith("_acme-challenge")], \
        "the challenges are taken away again"
