// Transaction: changes of a zone that are collected before they are done.
//
// They lie in a file of the user's, not on the server: nothing there has to be kept for clients
// that never come back, to expire or to outlive a restart, and two users do not meet. What makes it
// safe is that the zone as it was at the beginning lies beside them: a commit is one batch, refused
// when the zone is another one by then.
#pragma once

#include <optional>
#include <string>

#include "ctl/cli/command.h"
#include "ctl/cli/zone_state.h"

namespace brink::ctl::cli {

class Transaction {
 public:
  // Of this zone on this server; nothing when none is open. Throws Stop.
  static std::optional<Transaction> find(Session& session, const std::string& zone);
  // Stop(kRefused) when one is open already.
  static Transaction begin(Session& session, ZoneState zone);

  [[nodiscard]] const ZoneState& before() const { return before_; }
  [[nodiscard]] const Entries& wanted() const { return wanted_; }

  // Each leaves the file as it was when it throws Stop.
  void want(Entries wanted);
  void rebase(const ZoneState& now);
  void end();

 private:
  Transaction(std::string path, ZoneState before, Entries wanted)
      : path_(std::move(path)), before_(std::move(before)), wanted_(std::move(wanted)) {}
  void write(bool is_new) const;

  std::string path_;
  ZoneState before_;
  Entries wanted_;
};

// Removes what is kept of it, readable or not. Stop(kNotFound) when none is open.
void abandon_transaction(Session& session, const std::string& zone);

}  // namespace brink::ctl::cli
