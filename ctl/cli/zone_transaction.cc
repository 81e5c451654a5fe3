// brinkctl zone begin, diff, commit and abort.
#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"
#include "ctl/cli/terminal.h"
#include "ctl/cli/transaction.h"
#include "ctl/cli/zone_change.h"

namespace brink::ctl::cli {
namespace {

std::string plain_name(std::string name) {
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  const auto parsed = model::DomainName::parse(model::to_ascii(name));
  return parsed ? parsed.value().text() : name;
}

Transaction open_transaction(Session& session, const std::string& zone) {
  auto transaction = Transaction::find(session, zone);
  if (transaction) return *std::move(transaction);
  throw Stop(Exit::kNotFound,
             "no transaction of " + zone + " is open; begin one with brinkctl zone begin " + zone);
}

Json json_of(const Difference& change) {
  Json json = {{"removed", Json::array()}, {"changed", Json::array()}, {"added", Json::array()}};
  for (const Entry& entry : change.removed) json["removed"].push_back(members_of(entry.record));
  for (const Replacement& each : change.changed) {
    json["changed"].push_back(
        {{"before", members_of(each.before.record)}, {"after", members_of(each.after.record)}});
  }
  for (const Entry& entry : change.added) json["added"].push_back(members_of(entry.record));
  return json;
}

void print_change(Session& session, const Difference& change, const std::string& last_line) {
  if (session.json()) return print_json(json_of(change));
  print(to_text(change, wants_colour()) + last_line + "\n");
}

std::string commit_line(const std::string& zone) {
  return "brinkctl zone commit " + zone;
}

}  // namespace

void begin_zone(Session& session, const Arguments& arguments) {
  const Transaction transaction =
      Transaction::begin(session, read_zone(session, arguments.positional[0]));
  const std::string name = transaction.before().name.text();
  if (session.json()) {
    return print_json({{"zone", name}, {"serial", transaction.before().serial}});
  }
  print("transaction of " + name + " begun at serial " +
        std::to_string(transaction.before().serial) +
        ": brinkctl record set, add and delete are collected until " + commit_line(name) + "\n");
}

void diff_zone(Session& session, const Arguments& arguments) {
  const std::string name = plain_name(arguments.positional[0]);
  const Transaction transaction = open_transaction(session, name);
  const Difference change = difference(transaction.before().entries, transaction.wanted());
  print_change(session, change,
               change.empty() ? "nothing has changed" : "not done yet: " + commit_line(name));
}

void commit_changes(Session& session, const Arguments& arguments) {
  const std::string name = plain_name(arguments.positional[0]);
  Transaction transaction = open_transaction(session, name);
  if (arguments.has("rebase")) transaction.rebase(read_zone(session, name));
  Difference done;
  try {
    done = commit_zone(session, transaction.before(), transaction.wanted(), "");
  } catch (const ZoneChanged& changed) {
    throw Stop(Exit::kRefused, "the zone has changed since the transaction began:\n" +
                                   to_text(changed.meanwhile, false) +
                                   "nothing was done; take the changes over "
                                   "to what it is now with " +
                                   commit_line(name) +
                                   " --rebase, or drop them with "
                                   "brinkctl zone abort " +
                                   name);
  }
  transaction.end();
  print_change(session, done, done.empty() ? "nothing has changed" : "done");
}

void abort_zone(Session& session, const Arguments& arguments) {
  const std::string name = plain_name(arguments.positional[0]);
  abandon_transaction(session, name);
  if (session.json()) return print_json({{"zone", name}});
  print("transaction of " + name + " dropped\n");
}

}  // namespace brink::ctl::cli
