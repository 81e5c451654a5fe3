"""EdgeLab: a lab whose brink-edge serves images made by tests/lab_image, without a control process."""
import subprocess

from lab import BUILD, LAB_ARGUMENTS, Lab
from stats import Stats

DNS4, DNS6 = "192.0.2.129", "2001:db8:a::129"
WEB4, WEB6 = "192.0.2.140", "2001:db8:a::140"
OWN4, OWN6 = "192.0.2.2", "2001:db8:e::2"

ZONE = """@ 300 SOA ns1 host {version} 7200 3600 604800 300
@ 300 NS ns1
ns1 300 A 192.0.2.129
www 300 A 192.0.2.140
www 300 AAAA 2001:db8:a::140
app 300 A 192.0.2.141
version 60 TXT "{version}"
"""
ROUTES = ["www.example.com.=203.0.113.10", "app.example.com.=203.0.113.74"]


class EdgeLab(Lab):
    def image(self, how, target, version):
        zone = self.state / "zone"
        zone.write_text(ZONE.format(version=version))
        subprocess.run([BUILD / "tests/lab_image", how, target, str(version), "example.com.", zone,
                        *ROUTES], check=True, timeout=30)

    def start(self, *arguments, version=1):
        """Arguments of `lab edge-start`. version 0: serve what image is there, or none."""
        if version:
            self.image("file", self.state / "edge.image", version)
        self.script("edge-start", *arguments, "--", *LAB_ARGUMENTS)

    def publish(self, version):
        self.image("publish", self.state / "edge.sock", version)

    def segment(self):
        return Stats(self.state / "edge.stats")

    def log(self):
        return (self.state / "edge.log").read_text()

    def dig(self, server, name, kind="A"):
        return self.exec("client", "kdig", f"@{server}", name, kind, "+short", "+timeout=2",
                         "+retry=1").strip()

    def get(self, name, address, path="/", *options):
        where = f"[{address}]" if ":" in address else address
        return self.exec("client", "curl", "-sS", "-g", "--max-time", "20", "--resolve",
                         f"{name}:80:{where}", f"http://{name}{path}", *options)
