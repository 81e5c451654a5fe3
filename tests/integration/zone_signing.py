"""Zones signed elsewhere: by ldns-signzone or dnssec-signzone, with keys made for it."""
import pathlib
import subprocess
import tempfile


def run(*command, cwd):
    ran = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == 0, f"{command[0]}: {ran.stdout}{ran.stderr}"
    return ran.stdout


def signed(name, text, *options, algorithm="ECDSAP256SHA256", keys=1):
    """The zone's text with the signatures of a key of its own, or of a KSK and a ZSK (keys=2), by ldns-signzone.
    `options` are its own: -n for NSEC3, -p for opt-out, -e for when signatures end."""
    with tempfile.TemporaryDirectory(prefix="brink-signing-") as folder:
        path = pathlib.Path(folder) / "zone"
        path.write_text(text)
        made = [run("ldns-keygen", *flags, "-r", "/dev/urandom", "-a", algorithm, name, cwd=folder).strip()
                for flags in ((["-k"],) if keys == 1 else (["-k"], []))]
        run("ldns-signzone", *options, "-o", name, "-f", "signed", "zone", *made, cwd=folder)
        return (pathlib.Path(folder) / "signed").read_text()


def signed_by_bind(name, text, *options, algorithms=("ECDSAP256SHA256",)):
    """The same by dnssec-signzone, with a KSK and a ZSK of every algorithm."""
    with tempfile.TemporaryDirectory(prefix="brink-signing-") as folder:
        (pathlib.Path(folder) / "zone").write_text(text)
        for algorithm in algorithms:
            for flags in ((), ("-f", "KSK")):
                run("dnssec-keygen", "-q", "-a", algorithm, *flags, name, cwd=folder)
        run("dnssec-signzone", "-q", "-S", "-O", "full", "-o", name, "-f", "signed", *options, "zone", cwd=folder)
        return (pathlib.Path(folder) / "signed").read_text()
