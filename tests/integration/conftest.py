"""The lab as a fixture: up once for a run, gone after it."""
import os

import pytest

from lab import Lab


@pytest.fixture(scope="session")
def lab():
    if os.geteuid() != 0:
        pytest.skip("the lab needs root")
    lab = Lab()
    lab.script("up")
    yield lab
    lab.script("down")
