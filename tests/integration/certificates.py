"""Keys and certificates made for a run of tests, by the openssl program."""
import subprocess

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch")


class Certificates:
    """An authority, below a folder, and what it issues. Everything is PEM."""

    def __init__(self, folder, name="Test CA"):
        self.folder = folder
        self.count = 0
        self.openssl("req", "-x509", *NEW_KEY, "-days", "3650", "-subj", f"/O=Tests/CN={name}",
                     "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
        self.authority = self.read("ca.pem")

    def openssl(self, *arguments):
        subprocess.run(("openssl", *arguments), check=True, capture_output=True, timeout=60)

    def read(self, name):
        return (self.folder / name).read_text()

    def request(self, subject, name="request"):
        """A certificate request; its key is in NAME.key."""
        self.openssl("req", *NEW_KEY, "-subj", subject, "-keyout", self.folder / f"{name}.key",
                     "-out", self.folder / f"{name}.csr")
        return self.read(f"{name}.csr")

    def leaf(self, *hosts, name="leaf"):
        """A new certificate for these hosts, with its key, as the API takes them. They also lie in
        NAME.pem and NAME.key."""
        self.count += 1
        self.request(f"/CN={hosts[0]}", name)
        (self.folder / "leaf.cnf").write_text(
            "subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts) +
            "\nbasicConstraints=critical,CA:FALSE\n")
        self.openssl("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.folder / "ca.pem",
                     "-CAkey", self.folder / "ca.key", "-set_serial", str(4711 + self.count), "-days", "90",
                     "-extfile", self.folder / "leaf.cnf", "-out", self.folder / f"{name}.pem")
        return {"certificate": self.read(f"{name}.pem"), "private_key": self.read(f"{name}.key")}
