"""Large imports, which are compiled while they are being stored: with the answer all of the file is served, and
where there is none, all of it or nothing is stored, and served."""
import os
import random
import re
import subprocess
import threading
import time

import pytest

from crash_lab import NXDOMAIN, CrashLab, Resolver
from lab import BRINKCTL

SEED = os.environ.get("BRINK_CRASH_SEED") or str(random.randrange(1 << 32))
KILLS = int(os.environ.get("BRINK_CRASH_POINTS", 4))
COUNT = 40_000  # names
ASKED = 400


@pytest.fixture(scope="module")
def lab():
    print(f"BRINK_CRASH_SEED={SEED}")
    with CrashLab() as lab:
        lab.start_edge()
        lab.start_control()
        lab.brinkctl("zone", "create", "other.test", "--activate")
        yield lab


@pytest.fixture
def zone(lab, request):
    """A zone of the test's own, empty and served."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-50:].strip("-") + ".test"
    lab.brinkctl("zone", "create", name, "--activate")
    yield name
    lab.brinkctl("zone", "delete", name)


@pytest.fixture
def file(tmp_path):
    """A zone file in no order, with what it says of each name."""
    numbers = list(range(COUNT))
    random.Random(SEED).shuffle(numbers)
    path = tmp_path / "zone"
    path.write_text("".join(f'h{number} 300 IN TXT "t{number}"\n' for number in numbers))
    return path


def import_command(lab, zone, file):
    return [BRINKCTL, "--socket", str(lab.state / "control.sock"), "--json", "zone", "import", str(file), "--zone", zone]


def import_file(lab, zone, file):
    return subprocess.run(import_command(lab, zone, file), capture_output=True, text=True)


def stored(lab, zone):
    """How many records the zone has."""
    api = lab.api()
    identity = api.get(f"/client/v4/zones?name={zone}")[0]["id"]
    return api.call("GET", f"/client/v4/zones/{identity}/dns_records?per_page=5")["result_info"]["total_count"]


def served(lab, zone, count=ASKED):
    """Of some of the file's names, the answers by number."""
    numbers = random.sample(range(COUNT), count)
    resolver = Resolver(lab)
    try:
        answers = resolver.ask_all([(zone, f"h{number}") for number in numbers])
    finally:
        resolver.close()
    return {number: answers[zone, f"h{number}"] for number in numbers}


def expect_all(answers):
    wrong = {number: answer for number, answer in answers.items() if answer != ("TXT", f"t{number}")}
    assert not wrong, list(wrong.items())[:5]


def expect_none(answers):
    assert set(answers.values()) == {NXDOMAIN}


def test_all_of_it_is_served_with_the_answer(lab, zone, file):
    transactions = lab.wait_in_step()["transactions_published"]
    done = import_file(lab, zone, file)
    expect_all(served(lab, zone))
    assert done.returncode == 0, done.stderr
    assert stored(lab, zone) == COUNT
    assert lab.wait_in_step()["transactions_published"] == transactions + 1
    # Changes go on from there, and whoever compiles all of it anew finds the same.
    lab.brinkctl("record", "add", f"late.{zone}", "TXT", "t")
    lab.control_stop()
    lab.start_control("--name-server", "ns.another.example")
    lab.wait_in_step()
    expect_all(served(lab, zone))
    lab.verify()


@pytest.mark.parametrize("fault", ["h7 300 IN CNAME x\n", "h8 300 IN A nothing\n"])
def test_a_fault_at_its_end_leaves_nothing(lab, zone, file, fault):
    before = lab.wait_in_step()["wanted_version"]
    file.write_text(file.read_text() + fault)
    done = import_file(lab, zone, file)
    assert done.returncode != 0
    assert f"line {COUNT + 1}" in done.stderr
    assert stored(lab, zone) == 0
    expect_none(served(lab, zone))
    assert lab.wait_in_step()["wanted_version"] == before


def test_an_edge_that_dies_meanwhile_gets_it_when_it_is_back(lab, zone, file):
    chance = random.Random(f"{SEED} edge")
    importing = subprocess.Popen(import_command(lab, zone, file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0.05, 0.6))
    lab.kill(lab.edge_pid())
    lab.start_edge()
    assert importing.wait() == 0
    lab.wait_in_step()
    assert stored(lab, zone) == COUNT
    expect_all(served(lab, zone))
    lab.verify()


def test_a_client_that_leaves_has_it_imported_all_the_same(lab, zone, file):
    before = lab.wait_in_step()["wanted_version"]
    importing = subprocess.Popen(import_command(lab, zone, file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    importing.kill()
    importing.wait()
    lab.brinkctl("record", "add", "behind.other.test", "TXT", "t")  # what comes after it
    assert lab.wait_in_step()["wanted_version"] > before
    count = stored(lab, zone)
    assert count in (0, COUNT)
    (expect_all if count else expect_none)(served(lab, zone))


def test_changes_of_other_zones_come_through_beside_it(lab, zone, file):
    importing = threading.Thread(target=import_file, args=(lab, zone, file))
    importing.start()
    resolver, rounds = Resolver(lab), 0
    while importing.is_alive() or rounds < 3:
        name = f"beside{rounds}"
        lab.brinkctl("record", "add", f"{name}.other.test", "TXT", f"round {rounds}")
        assert resolver.ask("other.test", name) == ("TXT", f"round {rounds}")
        rounds += 1
    importing.join()
    resolver.close()
    expect_all(served(lab, zone))
    assert stored(lab, zone) == COUNT


def test_a_kill_in_the_middle_leaves_all_of_it_or_nothing(lab, zone, file):
    chance = random.Random(f"{SEED} kill")
    start = time.monotonic()
    assert import_file(lab, zone, file).returncode == 0
    takes = time.monotonic() - start
    found = set()
    for _ in range(KILLS):
        lab.brinkctl("zone", "delete", zone)
        lab.brinkctl("zone", "create", zone, "--activate")
        importing = subprocess.Popen(import_command(lab, zone, file), stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 1.2 * takes))
        lab.kill(lab.control_pid())
        acknowledged = importing.wait() == 0
        lab.start_control()
        lab.wait_in_step()
        count = stored(lab, zone)
        found.add(count)
        assert count == COUNT or (count == 0 and not acknowledged)
        (expect_all if count else expect_none)(served(lab, zone))
    print(f"found {found} records after {KILLS} kills")
    lab.verify()
