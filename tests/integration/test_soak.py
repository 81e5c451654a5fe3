"""The soak, for 20 seconds and with bodies of 64 MiB; `scripts/soak` has it run for ten minutes with bodies of
1 GiB. BRINK_SOAK_SECONDS and BRINK_SOAK_MIB say otherwise."""
import os

import pytest

from lab import Lab
from soak import MEBIBYTE, OVER_HTTP1, OVER_HTTP2, Soak

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

SECONDS = float(os.environ.get("BRINK_SOAK_SECONDS", 20))
LONG_MIB = int(os.environ.get("BRINK_SOAK_MIB", 64))
# A page here and there that was not touched before is no leak.
GROWTH_MAX = 16 * MEBIBYTE


@pytest.fixture(scope="module")
def soak(tmp_path_factory):
    with Lab() as lab:
        yield Soak(lab, tmp_path_factory.mktemp("soak"), LONG_MIB * MEBIBYTE)


@pytest.mark.parametrize("host", [OVER_HTTP1, OVER_HTTP2])
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_long_body_each_way(soak, version, host):
    resident = soak.lab.edge_rss()
    soak.store_long(version, host)
    assert soak.lab.edge_rss() - resident < 2 * GROWTH_MAX


def test_no_error_but_the_origins_own(soak):
    lab, pid = soak.lab, soak.lab.edge_pid()
    soak.run(SECONDS)
    print(soak.report())
    assert soak.errors == []
    assert lab.edge_pid() == pid and lab.counter("http2_faults") == 0
    assert set(soak.done) >= {"changes", "origin killed", "long body --http1.1", "long body --http2"}
    assert soak.grown() < GROWTH_MAX
    lab.edge_stop()
    assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")
