"""ddclient, as packaged, over TLS: the address of a record follows the one that it is told."""
import sys

from clients import HERE, run

sys.path.insert(0, str(HERE.parent / "integration"))
from test_control_access import TlsControl  # noqa: E402

NAME = "home.dd.example"


def update(control, token, address):
    conf = control.folder / "ddclient.conf"
    conf.write_text(f"""
daemon=0
ssl=yes
ssl_ca_file={control.folder}/api.pem
protocol=cloudflare, zone=dd.example, server=127.0.0.1:{control.port}/client/v4, \\
login=token, password={token} {NAME}
""")
    conf.chmod(0o600)
    return run("ddclient", "-daemon=0", "-foreground", "-verbose", "-noquiet", "-force", "-file", conf,
               "-cache", control.folder / "ddclient.cache", "-use=ip", f"-ip={address}")


def test_an_address_follows(tmp_path):
    control = TlsControl(tmp_path)
    try:
        zone = control.ctl_json("zone", "create", "dd.example")["id"]
        token = control.token("ddclient", "--permissions", "Zone Read,DNS Write", "--zones", "dd.example")
        control.ctl("record", "set", NAME, "A", "198.51.100.1")
        for address in ("198.51.100.7", "203.0.113.9"):
            said = update(control, token, address)
            assert f"IPv4 address set to {address}" in said, said
            records = control.curl(f"/client/v4/zones/{zone}/dns_records?name={NAME}", token=token)[2]
            assert [record["content"] for record in records["result"]] == [address]
    finally:
        assert control.stop() == 0
