"""A few thousand questions to Brink, NSD, Knot and BIND: where the three agree, so does Brink. The large run is
differential/compare_servers; the folder's README says more."""
import sys

import pytest

from clients import HERE

sys.path.insert(0, str(HERE / "differential"))

import driver  # noqa: E402
import questions  # noqa: E402
import zones  # noqa: E402

QUESTIONS = {"traps": 12_000, "tld": 4_000, "root": 4_000, "traps-nsec": 12_000, "traps-nsec3": 12_000,
             "tld-opt-out": 4_000}
WORLDS = {**zones.WORLDS, "tld": lambda: zones.tld(300), "root": lambda: zones.root(100),
          "tld-opt-out": lambda: zones.signed_tld(300)}


@pytest.mark.parametrize("world", QUESTIONS)
def test_where_three_servers_agree_so_do_we(world):
    made = WORLDS[world]()
    with driver.comparison(made) as comparison:
        signed = any(map(driver.is_signed, made.values()))
        comparison.run(questions.Generator(made, dnssec_share=0.9 if signed else 0.2).take(QUESTIONS[world]))
        assert not comparison.found, comparison.report()
    assert comparison.asked == QUESTIONS[world]
    for field in ("rcode", "answer", "authority"):  # or there would be nothing to agree with
        assert comparison.agreed[field] > comparison.asked * 0.85


def test_a_difference_is_found_and_shown():
    """The comparison itself: a server without a record that the others have."""
    whole = zones.traps()
    with driver.comparison(whole) as comparison:
        lab = comparison.servers["brink"].lab
        lab.brinkctl("record", "delete", "mail.trap.test", "AAAA")
        name = questions.Generator(whole).apexes[0]
        comparison.run([questions.Question(b"\x04mail" + name, 28, size=1232)])
        assert "mail.trap.test. 3600 AAAA 2001:db8::25" in comparison.report()
