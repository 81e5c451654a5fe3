// brinkctl zone edit: a zone in the user's editor.
#include <cstdio>

#include "ctl/cli/output.h"
#include "ctl/cli/terminal.h"
#include "ctl/cli/transaction.h"
#include "ctl/cli/zone_change.h"
#include "ctl/cli/zone_state.h"

namespace brink::ctl::cli {
namespace {

constexpr char kHint[] =
    ";; Save and leave the editor: what you changed is shown before it is done. Without a TTL a\n"
    ";; record's is automatic; cf_tags=cf-proxied:true behind ; makes it proxied.\n";

// One session with the editor, from the first text to the last.
class Edit {
 public:
  Edit(Session& session, ZoneState zone, bool is_agreed)
      : session_(session), zone_(std::move(zone)), text_(kHint + zone_.text), agreed_(is_agreed) {}

  // What somebody wrote outlives a fault: the zone may have changed, the server be gone.
  void run() {
    try {
      write_and_commit();
    } catch (const Stop& stop) {
      if (!is_unsaved_ || !has_terminal()) throw;
      const std::string path = keep_text(text_, suffix());
      throw Stop(stop.code, std::string(stop.what()) + "; your text is kept in " + path +
                                "; to see what it has of its own: brinkctl zone export " +
                                zone_.name.text() + " | diff - " + path);
    }
  }

 private:
  [[nodiscard]] std::string suffix() const { return "." + zone_.name.text() + ".zone"; }

  void write_and_commit() {
    while (true) {
      std::string edited = edit_text(text_, suffix());
      is_unsaved_ = is_unsaved_ || edited != text_;
      text_ = std::move(edited);
      auto wanted = parse_zone_text(text_, zone_.name);
      if (!wanted) {
        again_or_stop(zone_.name.text() + ".zone, " + wanted.error().message());
      } else if (try_commit(wanted.value())) {
        return;
      }
    }
  }

  // False: the user writes on.
  bool try_commit(const Entries& wanted) {
    const Difference change = difference(zone_.entries, wanted);
    if (change.empty()) {
      print_result(0);
      return true;
    }
    if (!session_.json()) print(to_text(change, wants_colour()));
    if (!is_confirmed()) return false;
    try {
      commit_zone(session_, zone_, wanted, zone_.name.text() + ".zone");
    } catch (const Stop& stop) {
      if (stop.code != Exit::kRefused) throw;
      again_or_stop(stop.what());
      return false;
    } catch (const ZoneChanged& changed) {
      take_over(wanted, changed);
      return false;
    }
    print_result(change.removed.size() + change.changed.size() + change.added.size());
    return true;
  }

  bool is_confirmed() {
    if (agreed_) return true;
    if (!has_terminal()) {
      throw Stop(Exit::kUsage, "nobody can be asked here, nothing was changed; add --yes");
    }
    const char answer = ask("Do this? [y]es, [e]dit again, [q]uit:", "yeq");
    if (answer == 'q') give_up();
    return answer == 'y';
  }

  void again_or_stop(const std::string& reason) {
    if (!has_terminal()) throw Stop(Exit::kRefused, reason + "; nothing was changed");
    std::fprintf(stderr, "brinkctl: %s\n", reason.c_str());
    if (ask("[e]dit again, [q]uit:", "eq") != 'e') give_up();
  }

  [[noreturn]] void give_up() {
    is_unsaved_ = false;
    throw Stop(Exit::kRefused, "nothing was changed");
  }

  // The user's change goes on from what the zone is now, and is looked at again.
  void take_over(const Entries& wanted, const ZoneChanged& changed) {
    const std::string meanwhile = "the zone has changed meanwhile:\n" +
                                  to_text(changed.meanwhile, has_terminal() && wants_colour());
    if (!has_terminal()) throw Stop(Exit::kRefused, meanwhile + "nothing was changed; edit again");
    again_or_stop(meanwhile + "your change can be taken over to what it is now");
    text_ = kHint + text_of(rebased(zone_, wanted, changed.now));
    zone_ = changed.now;
  }

  void print_result(std::size_t count) {
    if (session_.json()) return print_json({{"zone", zone_.name.text()}, {"changed", count}});
    print(count == 0 ? "nothing has changed\n"
                     : "zone " + zone_.name.text() + ": " + std::to_string(count) +
                           (count == 1 ? " record" : " records") + " changed\n");
  }

  Session& session_;
  ZoneState zone_;
  std::string text_;
  bool is_unsaved_ = false;  // the user has changed the text and not given it up
  const bool agreed_;
};

}  // namespace

void edit_zone(Session& session, const Arguments& arguments) {
  ZoneState zone = read_zone(session, arguments.positional[0]);
  if (Transaction::find(session, zone.name.text())) {
    throw Stop(Exit::kUsage, "a transaction of " + zone.name.text() +
                                 " is open; end it with brinkctl zone commit or zone abort");
  }
  Edit(session, std::move(zone), arguments.has("yes")).run();
}

}  // namespace brink::ctl::cli
