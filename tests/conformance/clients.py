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
