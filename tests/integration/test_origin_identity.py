"""How edge and origins know each other: nginx that lets in only who shows a certificate (authenticated origin pulls at
their three levels), and origins whose certificates a private authority has signed (a zone's own trust)."""
import os
import subprocess

import pytest

from certificates import Certificates
from lab import EDGE, Lab
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4, ORIGIN = "192.0.2.140", "203.0.113.74"
ZONE = "example.com"
HOST, OTHER = f"www.{ZONE}", f"api.{ZONE}"
NGINX = """daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{
    listen 443 ssl;
    ssl_certificate {dir}/origin.pem; ssl_certificate_key {dir}/origin.key;
    ssl_verify_client on; ssl_client_certificate {dir}/ca.pem;
    location / {{ return 200 "$ssl_client_s_dn\\n"; }}
  }}
}}
"""


def issue(made, name):
    made.leaf(name, name=name)
    (made.folder / f"{name}.key").chmod(0o600)
    return made.folder / f"{name}.pem", made.folder / f"{name}.key"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("private"), "Private CA")
        lab.public = Certificates(tmp_path_factory.mktemp("public"), "Public CA")
        folder = lab.made.folder
        lab.made.leaf(f"*.{ZONE}", name="origin")
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder))
        lab.spawn("origin-b", "nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log")
        pem, key = issue(lab.made, "operator.test")
        lab.edge_start(workers="0:dns,1:l7", arguments=(
            f"--tls.origin-trust-file={lab.public.folder / 'ca.pem'}", f"--tls.origin-pull-certificate={pem}",
            f"--tls.origin-pull-key={key}"))
        lab.control_start()
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        lab.brinkctl("settings", "set", ZONE, "ssl", "origin_pull")  # HTTPS to origins, whatever clients speak
        for host in (HOST, OTHER):
            lab.brinkctl("record", "add", host, "A", ORIGIN, "--proxied")
        yield lab
        lab.edge_stop()


def get(lab, host=HOST):
    with Wire(lab.connect(V4, 80)) as http:
        answer = http.get(host, "/").response()
        body = answer.body if isinstance(answer.body, str) else answer.body.decode(errors="replace")
        return answer.status, body.strip()


@pytest.fixture
def trusting(lab):
    """The zone trusts its origins' private authority."""
    one = lab.brinkctl("origin-trust", "add", ZONE, lab.made.folder / "ca.pem")["id"]
    yield one
    lab.brinkctl("origin-trust", "delete", ZONE, one)


def test_the_operators_certificate_opens_where_the_zone_wants_it(lab, trusting):
    assert get(lab)[0] == 400, "nginx wants a certificate"
    lab.brinkctl("settings", "set", ZONE, "tls_client_auth", "on")
    try:
        assert get(lab) == (200, "CN=operator.test")
    finally:
        lab.brinkctl("settings", "set", ZONE, "tls_client_auth", "off")
    assert get(lab)[0] == 400


def test_the_host_comes_before_the_zone_and_the_zone_before_the_operator(lab, trusting):
    lab.brinkctl("settings", "set", ZONE, "tls_client_auth", "on")
    of_zone, of_host = issue(lab.made, "zone.test"), issue(lab.made, "host.test")
    zone_id = lab.brinkctl("origin-pull", "add", ZONE, of_zone[0], "--key", of_zone[1])["id"]
    host_id = lab.brinkctl("origin-pull", "add", ZONE, of_host[0], "--key", of_host[1], "--hosts")["id"]
    try:
        assert get(lab) == get(lab, OTHER) == (200, "CN=operator.test")
        lab.brinkctl("origin-pull", "on", ZONE)
        assert get(lab) == get(lab, OTHER) == (200, "CN=zone.test")
        lab.brinkctl("origin-pull", "on", ZONE, HOST, "--certificate", host_id)
        assert get(lab) == (200, "CN=host.test")
        assert get(lab, OTHER) == (200, "CN=zone.test")
        lab.brinkctl("origin-pull", "off", ZONE, HOST)
        assert get(lab)[0] == 400, "this host shows none, whatever the others do"
        lab.brinkctl("origin-pull", "follow", ZONE, HOST)
        assert get(lab) == (200, "CN=zone.test")
    finally:
        lab.brinkctl("origin-pull", "off", ZONE)
        lab.brinkctl("origin-pull", "delete", ZONE, zone_id)
        lab.brinkctl("origin-pull", "delete", ZONE, host_id, "--hosts")
        lab.brinkctl("settings", "set", ZONE, "tls_client_auth", "off")


def test_strict_verifies_against_the_zones_own_trust(lab):
    lab.brinkctl("settings", "set", ZONE, "tls_client_auth", "on")
    try:
        assert get(lab)[0] == 526, "the edge does not know the private authority"
        one = lab.brinkctl("origin-trust", "add", ZONE, lab.made.folder / "ca.pem")["id"]
        assert get(lab) == (200, "CN=operator.test")
        [listed] = lab.brinkctl("origin-trust", "list", ZONE)
        assert listed["id"] == one and "Private CA" in listed["issuer"]
        lab.brinkctl("origin-trust", "delete", ZONE, one)
        assert get(lab)[0] == 526, "no connection of before is used"
        other = lab.brinkctl("origin-trust", "add", ZONE, lab.public.folder / "ca.pem")["id"]
        assert get(lab)[0] == 526
        lab.brinkctl("origin-trust", "delete", ZONE, other)
    finally:
        lab.brinkctl("settings", "set", ZONE, "tls_client_auth", "off")


def test_no_leaf_is_taken_as_an_authority(lab):
    pem, _ = issue(lab.made, "leaf.test")
    done = lab.brinkctl("origin-trust", "add", ZONE, pem, check=False)
    assert done.returncode == 1 and "is not one of an authority" in done.stderr
    assert lab.brinkctl("origin-trust", "list", ZONE) == []


@pytest.mark.parametrize("change, said", [
    (lambda folder: ("a.test.pem", "b.test.key"), "its private key belongs to another certificate"),
    (lambda folder: ("none.pem", "a.test.key"), "the file cannot be read"),
    (lambda folder: ("a.test.pem", "a.test.pem"), "private key"),
    (lambda folder: ((folder / "a.test.key").chmod(0o644), ("a.test.pem", "a.test.key"))[1],
     "can be read or written by others"),
], ids=["another key", "no file", "no key in it", "for everybody"])
def test_an_operators_certificate_that_will_not_do_is_named_by_the_check(lab, change, said):
    made = lab.public
    for name in ("a.test", "b.test"):
        issue(made, name)
    (made.folder / "a.test.pem").chmod(0o600)
    pem, key = (made.folder / name for name in change(made.folder))
    config = lab.state / "edge.conf"
    done = subprocess.run([EDGE, "--config", config, f"--tls.origin-pull-certificate={pem}",
                           f"--tls.origin-pull-key={key}", "--check"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and said in done.stderr + done.stdout, done.stderr
