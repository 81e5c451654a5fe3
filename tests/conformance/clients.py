"""What the tests here share: real clients of the API, as packaged, and a brink-control to talk to."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from control_process import BUILD, CONTROL, Control  # noqa: E402,F401

SDK = "cloudflare@7.3.0"


def sdk_folder():
    """Where the npm package is installed; fetched once for a build folder."""
    folder = BUILD / "conformance" / SDK
    if not (folder / "node_modules").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", SDK],
                              capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"npm cannot install {SDK}: {done.stderr}"
    return folder


def run(*command, environment=None, timeout=60):
    """What a client said; fails with all of it when its exit code is not 0."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout, env=os.environ | (environment or {}))
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def make_certificates(folder, zone):
    """Keys and certificates made for this run: `ca`, `leaf` for a zone and `request`, each a name below
    the folder with .pem and .key."""
    def openssl(*arguments):
        run("openssl", *arguments)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch")
    openssl("req", "-x509", *new_key, "-days", "3650", "-subj", "/O=Conformance/CN=Test CA",
            "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    for name, subject in (("leaf", f"/CN={zone}"), ("request", "/C=DE/O=Conformance/CN=client")):
        openssl("req", *new_key, "-subj", subject, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
    (folder / "leaf.cnf").write_text(f"subjectAltName=DNS:{zone},DNS:*.{zone}\nbasicConstraints=critical,CA:FALSE\n")
    openssl("x509", "-req", "-in", folder / "leaf.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-set_serial", "4711", "-days", "90", "-extfile", folder / "leaf.cnf", "-out", folder / "leaf.pem")
    return {name: (folder / name).read_text() for name in
            ("ca.pem", "ca.key", "leaf.pem", "leaf.key", "request.csr")}
