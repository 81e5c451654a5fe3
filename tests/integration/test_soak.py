"""The soak, for 20 seconds with bodies of 16 MiB; `scripts/soak` has it run for ten minutes with bodies of
1 GiB. BRINK_SOAK_SECONDS and BRINK_SOAK_MIB say otherwise."""
import os

import pytest

from lab import Lab
from soak import MEBIBYTE, Soak

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

SECONDS = float(os.environ.get("BRINK_SOAK_SECONDS", 20))
LONG_MIB = int(os.environ.get("BRINK_SOAK_MIB", 16))
# A page here and there that was not touched before is no leak.
GROWTH_MAX = 16 * MEBIBYTE


def test_no_error_but_the_origins_own(tmp_path):
    with Lab() as lab:
        soak = Soak(lab, tmp_path, LONG_MIB * MEBIBYTE)
        pid = lab.edge_pid()
        soak.run(SECONDS)
        print(soak.report())
        assert soak.errors == []
        assert lab.edge_pid() == pid and lab.counter("http2_faults") == 0
        assert set(soak.done) >= {"changes", "origin killed", "long body --http1.1", "long body --http2"}
        assert soak.grown() < GROWTH_MAX
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")
