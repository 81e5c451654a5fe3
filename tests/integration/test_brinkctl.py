"""brinkctl as a real program against a real brink-control, without an edge."""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

from control_process import BRINKCTL, BUILD, ROOT, Control

ZONE = """$ORIGIN example.com.
@ 300 IN MX 10 mail
www 1 IN A 203.0.113.1 ; the shop cf_tags=cf-proxied:true,team:web
www 1 IN A 203.0.113.2 ; cf_tags=cf-proxied:true
mail 600 IN A 203.0.113.25 ; cf_tags=cf-proxied:false
old 300 IN TXT "gone soon"
"""


@pytest.fixture
def control(tmp_path):
    running = Control(tmp_path)
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0, "did not stop cleanly"


@pytest.fixture
def zone(control, tmp_path):
    path = tmp_path / "example.com.zone"
    path.write_text(ZONE)
    assert control.ctl("zone", "import", str(path), "--create").returncode == 0
    return "example.com"


def run(control, *arguments, editor=None, folder=None, **environment):
    """brinkctl without a terminal, with state and temporary files in a folder of the test's."""
    folder = folder or control.folder
    (folder / "tmp").mkdir(exist_ok=True)
    more = {"XDG_STATE_HOME": str(folder / "state"), "TMPDIR": str(folder / "tmp"), **environment}
    if editor:
        more["EDITOR"] = editor
    clean = {name: value for name, value in os.environ.items() if name not in ("VISUAL", "EDITOR")}
    return subprocess.run([BRINKCTL, "--socket", control.socket, *arguments], capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL, env=clean | more)


def records(control, zone="example.com"):
    return sorted((record["name"], record["type"], record["content"], record["ttl"],
                   record["proxied"], record["comment"], tuple(record["tags"]))
                  for record in control.ctl_json("record", "list", zone))


def version(control):
    return control.ctl_json("status")["store"]["version"]


def script(tmp_path, text):
    path = tmp_path / "editor.sh"
    path.write_text("#!/bin/sh\nset -eu\n" + text)
    path.chmod(0o755)
    return str(path)


# --- zone edit


def test_an_edit_is_one_change_and_keeps_what_it_does_not_touch(control, zone):
    before = {record["content"]: record for record in control.ctl_json("record", "list", zone)}
    first = version(control)
    done = run(control, "zone", "edit", zone, "--yes",
               editor="sed -i -e '$a new 120 A 203.0.113.7' -e s/203.0.113.1/203.0.113.9/ "
                      "-e /gone/d")
    assert done.returncode == 0, done.stderr
    assert version(control) == first + 1, "one transaction"
    after = {record["content"]: record for record in control.ctl_json("record", "list", zone)}
    moved = after["203.0.113.9"]
    assert moved["id"] == before["203.0.113.1"]["id"], "changed in place"
    assert (moved["comment"], moved["tags"], moved["proxied"]) == ("the shop", ["team:web"], True)
    assert after["203.0.113.7"]["ttl"] == 120
    assert '"gone soon"' not in after
    assert after["203.0.113.25"] == before["203.0.113.25"]
    assert re.search(r"^- www.*203\.0\.113\.1 .*\n\+ www.*203\.0\.113\.9 ", done.stdout, re.M)
    assert "\x1b" not in done.stdout, "no colours where there is no terminal"
    assert "3 records changed" in done.stdout
    assert os.listdir(control.folder / "tmp") == []


def test_ttl_flags_comments_and_tags_can_be_edited(control, zone):
    done = run(control, "zone", "edit", zone, "--yes", editor=(
        "sed -i -e /mail.*IN.A/s/600/900/ -e '/113.2 /s/cf-proxied:true/cf-proxied:false/' "
        "-e 's/the shop/the store/' -e s/team:web/team:ops/"))
    assert done.returncode == 0, done.stderr
    assert ("mail.example.com", "A", "203.0.113.25", 900, False, None, ()) in records(control)
    assert ("www.example.com", "A", "203.0.113.2", 1, False, None, ()) in records(control)
    assert ("www.example.com", "A", "203.0.113.1", 1, True, "the store",
            ("team:ops",)) in records(control)


def test_nothing_edited_is_no_change(control, zone):
    first = version(control)
    done = run(control, "zone", "edit", zone, editor="true")
    assert done.returncode == 0, done.stderr
    assert "nothing has changed" in done.stdout
    assert version(control) == first


def test_the_file_of_an_edit_is_private_and_goes_away(control, zone, tmp_path):
    run(control, "zone", "edit", zone, editor=script(
        tmp_path, f'stat -c "%a %n" "$1" >{tmp_path}/seen\n'))
    seen = (tmp_path / "seen").read_text()
    assert seen.startswith("600 " + str(control.folder / "tmp")), seen
    assert os.listdir(control.folder / "tmp") == []


@pytest.mark.parametrize("edit, code, words", [
    ("sed -i 's/203.0.113.25/203.0.113.256/'", 1, ["example.com.zone, line ", "203.0.113.256"]),
    ("sed -i '$a x.example.org. A 203.0.113.1'", 1, ["line ", "is not in zone example.com"]),
    ("sed -i '$a www 300 CNAME x'", 1, ["example.com.zone, line ", "nothing was changed"]),
    ("sed -i /SOA/d", 1, ["SOA", "settings set"]),
    (r"sed -i '/\tNS\t/d'", 1, ["no name servers"]),
    ("false", 1, ["\"false\"", "nothing was changed"]),
])
def test_a_bad_edit_says_what_is_wrong_and_changes_nothing(control, zone, edit, code, words):
    first = records(control)
    done = run(control, "zone", "edit", zone, "--yes", editor=edit)
    assert done.returncode == code, done.stdout + done.stderr
    assert records(control) == first
    for word in words:
        assert word in done.stderr, done.stderr
    assert os.listdir(control.folder / "tmp") == []


def test_an_edit_without_a_terminal_wants_yes(control, zone):
    first = records(control)
    done = run(control, "zone", "edit", zone, editor="sed -i /gone/d")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert "- old.example.com." in done.stdout
    assert records(control) == first


def test_an_edit_is_refused_when_the_zone_changes_meanwhile(control, zone, tmp_path):
    editor = script(tmp_path, f"""
{BRINKCTL} --socket {control.socket} record add late.example.com A 203.0.113.77
sed -i /gone/d "$1"
""")
    done = run(control, "zone", "edit", zone, "--yes", editor=editor)
    assert done.returncode == 1
    assert "changed meanwhile" in done.stderr
    assert re.search(r"^\+ late\.example\.com\.", done.stderr, re.M), "shows what"
    assert '"gone soon"' in [record[2] for record in records(control)], "nothing was done"


def test_a_settings_change_meanwhile_does_not_stand_in_the_way(control, zone, tmp_path):
    editor = script(tmp_path, f"""
{BRINKCTL} --socket {control.socket} settings set {zone} brotli off >/dev/null
sed -i /gone/d "$1"
""")
    assert run(control, "zone", "edit", zone, "--yes", editor=editor).returncode == 0
    assert '"gone soon"' not in [record[2] for record in records(control)]


def test_own_name_servers_take_the_place_of_the_assigned_ones(control, zone):
    done = run(control, "zone", "edit", zone, "--yes",
               editor=r"sed -i '/\tNS\t/s/ns1.brink.test/ns9.example.net/'")
    assert done.returncode == 0, done.stderr
    servers = {record["content"] for record in control.ctl_json("record", "list", zone)
               if record["type"] == "NS"}
    assert servers == {"ns9.example.net", "ns2.brink.test"}


def test_a_batch_is_refused_when_the_serial_is_another(control, zone):
    path = "/zones/" + control.ctl_json("zone", "show", zone)["id"] + "/dns_records/batch"
    posts = [{"type": "A", "name": "b", "content": "203.0.113.1"}]
    refused = control.api("POST", path, 409, json={"if_serial": 1, "posts": posts})
    assert refused["errors"][0]["code"] == 12030
    serial = int(re.search(r"SOA\t\S+ \S+ (\d+)", control.ctl("zone", "export", zone).stdout)[1])
    assert control.api("POST", path, json={"if_serial": serial, "posts": posts})["success"]


class Terminal:
    """brinkctl on a terminal of its own."""

    def __init__(self, control, *arguments, rows=30, columns=100, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        more = {"XDG_STATE_HOME": str(control.folder / "state"), "TERM": "xterm"} | environment
        self.process = subprocess.Popen(
            [BRINKCTL, "--socket", control.socket, *arguments], stdin=slave, stdout=slave,
            stderr=slave, env=dict(os.environ, **more), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""

    def wait_for(self, wanted, seconds=20):
        deadline = time.monotonic() + seconds
        while not re.search(wanted, self.text):
            assert time.monotonic() < deadline, self.text
            if not self.read():
                break
        assert re.search(wanted, self.text), self.text

    def read(self):
        if not select.select([self.master], [], [], 0.2)[0]:
            return True
        try:
            part = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += part.decode()
        return bool(part)

    def write(self, text):
        os.write(self.master, text.encode())

    def end(self):
        while self.read():
            pass
        os.close(self.master)
        return self.process.wait(20)


def test_on_a_terminal_it_asks_and_lets_edit_again(control, zone, tmp_path):
    editor = script(tmp_path, f"""
if [ ! -e {tmp_path}/twice ]; then
  touch {tmp_path}/twice
  sed -i 's/203.0.113.25/nonsense/' "$1"
else
  sed -i 's/nonsense/203.0.113.26/' "$1"
fi
""")
    terminal = Terminal(control, "zone", "edit", zone, EDITOR=editor, VISUAL="")
    terminal.wait_for(r"line \d+.*nonsense[\s\S]*\[e\]dit again")
    terminal.write("e\n")
    terminal.wait_for(r"Do this\?")
    assert "\x1b[31m- mail" in terminal.text and "\x1b[32m+ mail" in terminal.text
    terminal.write("y\n")
    terminal.wait_for("1 record changed")
    assert terminal.end() == 0
    assert "203.0.113.26" in [record[2] for record in records(control)]


def test_on_a_terminal_an_edit_is_taken_over_to_what_changed_meanwhile(control, zone, tmp_path):
    editor = script(tmp_path, f"""
if [ ! -e {tmp_path}/twice ]; then
  touch {tmp_path}/twice
  {BRINKCTL} --socket {control.socket} record add late.example.com A 203.0.113.77 >/dev/null 2>&1
  sed -i /gone/d "$1"
fi
""")
    terminal = Terminal(control, "zone", "edit", zone, EDITOR=editor, VISUAL="")
    terminal.wait_for(r"Do this\?")
    terminal.write("y\n")
    terminal.wait_for("changed meanwhile")
    terminal.wait_for(r"\[e\]dit again")
    terminal.text = ""
    terminal.write("e\n")
    terminal.wait_for(r"Do this\?")
    assert "late" not in terminal.text, "what the others did is no change of the user's"
    terminal.write("y\n")
    assert terminal.end() == 0
    contents = [record[2] for record in records(control)]
    assert "203.0.113.77" in contents and '"gone soon"' not in contents


def kept_file(text):
    return re.search(r"your text is kept in (\S+\.zone);", text.replace("\r", "").replace("\n", " "))[1]


def test_on_a_terminal_the_text_outlives_a_change_that_cannot_be_taken_over(control, zone, tmp_path):
    editor = script(tmp_path, f"""
{BRINKCTL} --socket {control.socket} record delete old.example.com TXT >/dev/null 2>&1
sed -i -e 's/gone soon/here to stay/' -e '$a late A 203.0.113.8' "$1"
""")
    terminal = Terminal(control, "zone", "edit", zone, EDITOR=editor, VISUAL="", TMPDIR=str(tmp_path))
    terminal.wait_for(r"Do this\?")
    terminal.write("y\n")
    terminal.wait_for(r"\[e\]dit again")
    terminal.write("e\n")
    terminal.wait_for(r"zone export example\.com")
    assert terminal.end() == 1
    assert "not there any more" in terminal.text
    kept = kept_file(terminal.text)
    text = pathlib.Path(kept).read_text()
    assert "here to stay" in text and "late A 203.0.113.8" in text
    assert os.stat(kept).st_mode & 0o777 == 0o600


def test_on_a_terminal_the_text_outlives_the_server_but_not_a_quit(control, zone, tmp_path):
    editor = script(tmp_path, 'sed -i /gone/d "$1"\n')
    for answer, code in (("q", 1), ("y", 3)):
        terminal = Terminal(control, "zone", "edit", zone, EDITOR=editor, VISUAL="",
                            TMPDIR=str(tmp_path))
        terminal.wait_for(r"Do this\?")
        if answer == "y":
            control.stop()
        terminal.write(answer + "\n")
        assert terminal.end() == code
        kept = list(tmp_path.glob("brinkctl-*.zone"))
        assert len(kept) == (answer == "y")
    assert str(kept[0]) == kept_file(terminal.text)


# --- transactions


def test_lists_say_which_state_they_show_while_a_transaction_is_open(control, zone):
    before = run(control, "record", "list", zone)
    assert before.stderr == ""
    assert run(control, "record", "list", zone, "--pending").returncode == 4
    run(control, "zone", "begin", zone)
    run(control, "record", "set", "mail.example.com", "A", "203.0.113.99")
    run(control, "record", "delete", "old.example.com", "TXT")
    for words in (["list", zone], ["show", "mail.example.com"]):
        served = run(control, "record", *words)
        assert served.returncode == 0
        assert "203.0.113.25" in served.stdout and "203.0.113.99" not in served.stdout
        assert "as it is served" in served.stderr and "2 pending" in served.stderr
        pending = run(control, "record", *words, "--pending")
        assert (pending.returncode, pending.stderr) == (0, ""), pending.stderr
        assert "203.0.113.99" in pending.stdout and "203.0.113.25" not in pending.stdout

    def names(*options):
        listed = run(control, "record", "list", zone, "--pending", "--json", *options)
        return sorted({record["name"] for record in json.loads(listed.stdout)})
    assert "old.example.com" not in names() and "www.example.com" in names()
    assert names("--type", "a", "--proxied", "off") == ["mail.example.com"]
    assert names("--content", "113.99") == names("--name", "MAIL") == ["mail.example.com"]
    gone = run(control, "record", "show", "old.example.com", "--pending")
    assert gone.returncode == 4
    run(control, "zone", "commit", zone)
    assert run(control, "record", "list", zone).stderr == ""



def test_a_transaction_collects_and_commits_as_one(control, zone):
    before, first = records(control), version(control)
    assert run(control, "zone", "begin", zone).returncode == 0
    for words in (["set", "www.example.com", "A", "203.0.113.50", "--proxied"],
                  ["add", "a.example.com", "AAAA", "2001:db8::5", "--comment", "six"],
                  ["set", "mail.example.com", "A", "--ttl", "120"],
                  ["delete", "old.example.com", "TXT"]):
        done = run(control, "record", *words)
        assert done.returncode == 0, done.stderr
        assert "pending" in done.stdout
    assert records(control) == before, "nothing is done yet"
    shown = run(control, "zone", "diff", zone).stdout
    assert re.search(r"^\+ a\.example\.com\.\s.*six", shown, re.M)
    assert re.search(r"^- old\.example\.com\.", shown, re.M)
    as_json = json.loads(run(control, "zone", "diff", zone, "--json").stdout)
    assert as_json["added"][0]["content"] == "2001:db8::5"
    state = [path for path in (control.folder / "state").rglob("*.json")]
    assert [oct(path.stat().st_mode & 0o777) for path in state] == ["0o600"]

    done = run(control, "zone", "commit", zone)
    assert done.returncode == 0, done.stderr
    assert version(control) == first + 1, "one transaction"
    after = records(control)
    assert [record[2] for record in after if record[0] == "www.example.com"] == ["203.0.113.50"]
    assert ("mail.example.com", "A", "203.0.113.25", 120, False, None, ()) in after
    assert ("a.example.com", "AAAA", "2001:db8::5", 1, False, "six", ()) in after
    assert not [record for record in after if record[1] == "TXT"]
    assert run(control, "zone", "diff", zone).returncode == 4, "it has ended"


def test_begin_twice_is_an_error_with_its_remedy(control, zone):
    assert run(control, "zone", "begin", zone).returncode == 0
    again = run(control, "zone", "begin", zone)
    assert again.returncode == 1
    assert "zone commit" in again.stderr and "zone abort" in again.stderr
    assert run(control, "zone", "edit", zone, editor="true").returncode == 2
    assert run(control, "zone", "abort", zone).returncode == 0
    assert run(control, "zone", "begin", zone).returncode == 0


def test_abort_drops_what_was_collected(control, zone):
    before = records(control)
    run(control, "zone", "begin", zone)
    run(control, "record", "delete", "www.example.com", "--all")
    assert run(control, "zone", "abort", zone).returncode == 0
    assert run(control, "zone", "commit", zone).returncode == 4
    assert run(control, "zone", "abort", zone).returncode == 4
    assert records(control) == before
    assert run(control, "record", "delete", "old.example.com", "TXT").stdout.startswith("deleted")


def test_a_commit_is_refused_when_the_zone_has_changed_since(control, zone, tmp_path):
    run(control, "zone", "begin", zone)
    run(control, "record", "delete", "old.example.com", "TXT")
    other = tmp_path / "other"
    other.mkdir()
    assert run(control, "record", "add", "late.example.com", "A", "203.0.113.77",
               folder=other).stdout.startswith("NAME"), "another user's command is done at once"
    refused = run(control, "zone", "commit", zone)
    assert refused.returncode == 1
    assert re.search(r"^\+ late\.example\.com\.", refused.stderr, re.M)
    assert "--rebase" in refused.stderr and "zone abort" in refused.stderr
    done = run(control, "zone", "commit", zone, "--rebase")
    assert done.returncode == 0, done.stderr
    contents = [record[2] for record in records(control)]
    assert "203.0.113.77" in contents and '"gone soon"' not in contents


def test_a_rebase_does_not_undo_what_somebody_else_did(control, zone, tmp_path):
    run(control, "zone", "begin", zone)
    run(control, "record", "set", "mail.example.com", "A", "203.0.113.26")
    other = tmp_path / "other"
    other.mkdir()
    run(control, "record", "set", "mail.example.com", "A", "203.0.113.27", folder=other)
    refused = run(control, "zone", "commit", zone, "--rebase")
    assert refused.returncode == 1
    assert "203.0.113.25" in refused.stderr
    assert "203.0.113.27" in [record[2] for record in records(control)]


def test_a_commit_that_the_rules_refuse_names_the_record_and_stays_open(control, zone):
    before = records(control)
    run(control, "zone", "begin", zone)
    run(control, "record", "add", "fine.example.com", "A", "203.0.113.3")
    run(control, "record", "add", "www.example.com", "CNAME", "x.example.net")
    refused = run(control, "zone", "commit", zone)
    assert refused.returncode == 1
    assert "www.example.com. 1 IN CNAME" in refused.stderr
    assert records(control) == before, "all or nothing"
    assert run(control, "record", "delete", "www.example.com", "CNAME").returncode == 0
    assert run(control, "zone", "commit", zone).returncode == 0


# --- settings and check


def test_settings_are_listed_shown_and_set(control, zone):
    table = run(control, "settings", "list", zone).stdout
    assert re.search(r"^brotli +default +on$", table, re.M)
    assert re.search(r"^dns\.soa\.expire +- +\d+$", table, re.M)
    assert run(control, "settings", "set", zone, "brotli", "off").stdout == "off\n"
    assert re.search(r"^brotli +set +off$", run(control, "settings", "list", zone).stdout, re.M)
    assert run(control, "settings", "set", zone, "min_tls_version", "1.2").stdout == "1.2\n"
    assert run(control, "settings", "set", zone, "max_upload", "200").stdout == "200\n"
    assert run(control, "settings", "set", zone, "dns.soa.expire", "700000").returncode == 0
    assert run(control, "settings", "show", zone, "dns.soa.expire").stdout == "700000\n"
    assert json.loads(run(control, "settings", "show", zone, "dns.soa").stdout)["expire"] == 700000
    assert run(control, "settings", "set", zone, "dns.flatten_all_cnames", "true").returncode == 0
    every = json.loads(run(control, "settings", "list", zone, "--json").stdout)
    assert (every["max_upload"], every["dns.flatten_all_cnames"]) == (200, True)


@pytest.mark.parametrize("words, code, said", [
    (["brotli", "perhaps"], 1, "brotli"),
    (["no_such_thing", "on"], 1, "no_such_thing"),
    (["dns.no_such_thing", "1"], 4, "settings list"),
    (["dns.soa.expire", "1"], 1, "soa.expire"),
])
def test_wrong_settings_are_refused_by_name(control, zone, words, code, said):
    done = run(control, "settings", "set", zone, *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr


def check(*paths):
    return subprocess.run([BRINKCTL, "check", *map(str, paths)], capture_output=True, text=True,
                          timeout=60)


def test_check_knows_every_kind_of_file(tmp_path):
    examples = ROOT / "docs/examples"
    done = check(examples / "control.conf", examples / "edge.conf", examples / "example.com.zone")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "settings of brink-control" in done.stdout
    assert "settings of brink-edge" in done.stdout
    assert "zone example.com" in done.stdout


@pytest.mark.parametrize("name, text, words", [
    ("control.conf", "edge-address = 192.0.2.1\n\nname-server = ns1.brink.test\nttl-min = 99999\n",
     ["line 4", "ttl-min", "99999", "from 2 to 86400"]),
    ("control.conf", "edge-address = 192.0.2.1\nedge-adress = 192.0.2.2\n",
     ["line 2", "edge-adress"]),
    ("control.conf", "edge-address = 192.0.2.1\nwhatever\n", ["line 2", "whatever"]),
    ("edge.conf", "[port]\ndevice = auto:eth0\nmtu = huge\n", ["line 3", "port.mtu", "huge"]),
    ("edge.conf", "[port]\ndevice = eth0 or so\n", ["line 2", "port.device", "auto:"]),
    ("edge.conf", "[port]\nspeed = 1\n", ["line 2", "port.speed"]),
    ("edge.conf", "[port]\ndevice auto:eth0\n", ["line 2", "device auto:eth0"]),
    ("edge.conf", "[port]\ndevice = auto:eth0\n\n[topology]\nworker = 1:http\n",
     ["line 5", "topology.worker", "1:http"]),
    ("example.com.zone", "a 300 A 203.0.113.1\nb A 203.0.113\n", ["line 2", "203.0.113"]),
])
def test_check_names_file_line_value_and_remedy(tmp_path, name, text, words):
    path = tmp_path / name
    path.write_text(text)
    done = check(path)
    assert done.returncode == 1, done.stdout + done.stderr
    for word in [str(path), *words]:
        assert word in done.stdout, done.stdout
    assert "1 of 1 file" in done.stderr


def test_check_of_what_is_not_there(tmp_path):
    assert check(tmp_path / "none.conf").returncode == 6


# --- completion


def test_completion_knows_the_servers_names_and_is_silent_without(control, zone):
    def words(*line):
        done = run(control, "completion", "words", "--", *line)
        assert done.returncode == 0 and done.stderr == ""
        return [text.split("\t")[0] for text in done.stdout.splitlines()]

    socket = ["--socket", control.socket]
    assert words(*socket, "zone", "show", "") == [zone]
    assert words(*socket, "record", "show", "w") == ["www.example.com"]
    assert words(*socket, "record", "set", "--zone=exa") == ["--zone=" + zone]
    assert words(*socket, "settings", "show", zone, "brot") == ["brotli"]
    assert words("--socket", "/nonexistent", "zone", "show", "") == []


def bash(control, line):
    """What bash offers for a line, by the completion of brinkctl."""
    done = subprocess.run(["bash", "--norc", "-c", r"""
source <(brinkctl completion bash)
compopt() { :; }
COMP_LINE=$1 COMP_POINT=${#1}
_brinkctl
printf '%s\n' "${COMPREPLY[@]}"
""", "bash", line], capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, PATH=f"{BRINKCTL.parent}:{os.environ['PATH']}"))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split()


def test_bash_completes(control, zone):
    assert "record" in bash(control, "brinkctl ")
    assert bash(control, "brinkctl zone exp") == ["export"]
    assert bash(control, f"brinkctl --socket {control.socket} zone show ex") == [zone]
    assert bash(control, f"brinkctl --socket {control.socket} record set --zone=ex") == [zone]
    assert bash(control, "brinkctl --socket /nonexistent zone show ") == []


def test_zsh_completes(control, zone):
    """A zsh on a terminal, and the tab key."""
    master, slave = pty.openpty()
    home = control.folder / "home"
    home.mkdir()
    (home / ".zshrc").write_text(
        f"PATH={BRINKCTL.parent}:$PATH\nPS1='ready> '\nautoload -U compinit\ncompinit -u -D\n"
        "source <(brinkctl completion zsh)\n")
    shell = subprocess.Popen(["zsh", "-i"], stdin=slave, stdout=slave, stderr=slave,
                             start_new_session=True,
                             env=dict(os.environ, ZDOTDIR=str(home), TERM="dumb"))
    os.close(slave)
    text = ""

    def wait_for(wanted):
        nonlocal text
        deadline = time.monotonic() + 20
        while wanted not in text:
            assert time.monotonic() < deadline, text
            if select.select([master], [], [], 0.2)[0]:
                text += os.read(master, 65536).decode(errors="replace")

    try:
        wait_for("ready> ")
        os.write(master, f"brinkctl --socket {control.socket} zone show exa\t".encode())
        wait_for("example.com")
    finally:
        shell.kill()
        shell.wait()
        os.close(master)


# --- the manual


def test_the_manual_is_built_from_the_same_table():
    page = (BUILD / "docs/man/brinkctl.1").read_text().replace("\\-", "-")
    shown = subprocess.run([BRINKCTL, "--help"], capture_output=True, text=True).stdout
    commands = re.findall(r"^  ([a-z].*?)  ", shown, re.M)
    assert len(commands) > 40
    for command in commands:
        assert f".SS brinkctl {command}\n" in page, command


# --- top and progress


def test_top_without_an_edge_says_so(control):
    done = run(control, "top", "--once")
    assert done.returncode == 1
    assert "edge.stats" in done.stderr
    assert run(control, "top", "-i", "fast").returncode == 2


class SlowServer:
    """A server at a UNIX socket that takes a request slowly, or answers it with what it is told."""

    def __init__(self, folder, answers):
        import socket
        self.path = str(folder / "slow.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.answers = answers
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += peer.recv(4096)
                target = head.split()[1].decode()
                length = re.search(rb"content-length: (\d+)", head, re.I)
                left = int(length[1]) if length else 0
                left -= len(head.split(b"\r\n\r\n", 1)[1])
                while left > 0:
                    left -= len(peer.recv(65536))
                    time.sleep(0.02)
                body = json.dumps({"success": True, "errors": [], "messages": [],
                                   "result": self.answers(target)}).encode()
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(body) + body)


class Elsewhere:
    def __init__(self, folder, socket):
        self.folder, self.socket = folder, socket


def readings():
    count = 0

    def stats(target):
        nonlocal count
        count += 1
        counters = {"rx_packets": 1000 * count, "dns_queries": 1000 * count,
                    "drop_dns_short": 10 * count}
        return {"process_id": 4711, "started_unix_ms": 1, "heartbeat_age_ms": 5,
                "snapshot": {"version": 9, "age_s": 60, "names": 3},
                "workers": [{"worker": 0, "cpu": 1, "roles": ["dns"], "busy_cycles": 300 * count,
                             "idle_cycles": 100 * count, "tcp_connections": 0,
                             "counters": counters}],
                "counters": counters}
    return stats


def test_top_shows_rates_and_leaves_the_terminal_as_it_was(tmp_path):
    server = SlowServer(tmp_path, readings())
    terminal = Terminal(Elsewhere(tmp_path, server.path), "top", "-i", "0.2", rows=20, columns=60)
    terminal.wait_for(r"drop_dns_short")
    assert "75.0%" in terminal.text and "version 9, published 1m 0s ago" in terminal.text
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.text).splitlines()
    assert max(map(len, lines)) <= 60, "nothing wider than the terminal"
    terminal.text = ""
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 30, 0, 0))
    terminal.wait_for(r"\x1b\[H")
    terminal.write("\x03")
    terminal.wait_for(r"\x1b\[\?25h\x1b\[\?1049l")
    assert terminal.end() == 0
    server.listener.close()


def test_top_is_for_scripts_too(tmp_path):
    server = SlowServer(tmp_path, readings())
    where = Elsewhere(tmp_path, server.path)
    once = json.loads(run(where, "top", "--once", "-i", "0.2", "--json").stdout)
    assert once["rates"]["queries"] > 100
    assert once["workers"][0]["busy_percent"] == 75
    assert once["workers"][0]["cycles_per_packet"] == 0
    assert "drop_dns_short" in run(where, "top", "--once", "-i", "0.2").stdout
    assert run(where, "top").returncode == 2, "no terminal"
    live = subprocess.Popen([BRINKCTL, "--socket", server.path, "top", "-i", "0.2", "--json"],
                            stdout=subprocess.PIPE, text=True)
    lines = [json.loads(live.stdout.readline()) for _ in range(2)]
    live.send_signal(signal.SIGTERM)
    assert live.wait(10) == 0
    live.stdout.close()
    assert all(line["process_id"] == 4711 for line in lines)
    server.listener.close()


def test_an_import_shows_how_much_is_sent_on_a_terminal_only(tmp_path):
    def answers(target):
        return {"recs_added": 1, "total_records_parsed": 1} if "import" in target else [
            {"id": "0" * 32, "name": "example.com"}]

    path = tmp_path / "example.com.zone"
    path.write_text("".join(f"h{i} 300 A 203.0.113.1\n" for i in range(150000)))
    server = SlowServer(tmp_path, answers)
    where = Elsewhere(tmp_path, server.path)
    terminal = Terminal(where, "zone", "import", str(path))
    terminal.wait_for(r"\d\d?\.\d%  .* of 3\.\d MiB sent")
    assert terminal.end() == 0
    done = run(where, "zone", "import", str(path))
    assert done.returncode == 0 and done.stderr == ""
    server.listener.close()
