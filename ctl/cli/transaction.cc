#include "ctl/cli/transaction.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void unwritable(const std::string& path, const std::string& why) {
  throw Stop(Exit::kInputUnreadable,
             path + ": " + why + "; make it writable, or name another folder with XDG_STATE_HOME");
}

std::string state_folder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/brink";
  if (::geteuid() == 0) return "/var/lib/brink/brinkctl";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') {
    throw Stop(Exit::kUsage, "there is no place for transactions: set HOME or XDG_STATE_HOME");
  }
  return std::string(home) + "/.local/state/brink";
}

// One file for each zone of each server.
std::string path_of(const Session& session, const std::string& zone) {
  return state_folder() + "/" + percent_encode(session.server_name()) + "/" + percent_encode(zone) +
         ".json";
}

void make_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  if (!fs::is_directory(folder) && !fs::create_directory(folder, error)) {
    unwritable(folder, error.message());
  }
  fs::permissions(folder, fs::perms::owner_all, error);
}

// The name's absence is what `begin` relies on: O_EXCL, or a rename over what is there.
void write_file(const std::string& path, const std::string& text, bool is_new) {
  make_folder(fs::path(path).parent_path());
  const std::string draft = is_new ? path : path + ".new";
  const int fd = ::open(draft.c_str(), O_CREAT | O_WRONLY | (is_new ? O_EXCL : O_TRUNC), 0600);
  if (fd < 0) unwritable(draft, std::strerror(errno));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (written && (is_new || ::rename(draft.c_str(), path.c_str()) == 0)) return;
  ::unlink(draft.c_str());
  unwritable(draft, std::strerror(error));
}

}  // namespace

std::optional<Transaction> Transaction::find(Session& session, const std::string& zone) {
  const std::string path = path_of(session, zone);
  std::ifstream file(path);
  if (!file) {
    if (fs::exists(path)) unwritable(path, "cannot be read");
    return std::nullopt;
  }
  const Json json = Json::parse(file, nullptr, false);
  const auto broken = [&]() -> Stop {
    return {Exit::kInputUnreadable,
            path +
                ": is no transaction of brinkctl; look at it, then remove it with brinkctl zone "
                "abort " +
                zone};
  };
  if (!json.is_object() || !json.contains("id") || !json.contains("before") ||
      !json.contains("wanted")) {
    throw broken();
  }
  ZoneState before = zone_from_text(text_of(json, "id"), zone, text_of(json, "before"));
  auto wanted = parse_zone_text(text_of(json, "wanted"), before.name);
  if (!wanted) throw broken();
  return Transaction(path, std::move(before), std::move(wanted).value());
}

Transaction Transaction::begin(Session& session, ZoneState zone) {
  const std::string name = zone.name.text();
  const std::string path = path_of(session, name);
  if (fs::exists(path)) {
    throw Stop(Exit::kRefused, "a transaction of " + name +
                                   " is open already; see brinkctl zone diff " + name +
                                   ", then zone commit or zone abort");
  }
  Entries wanted = zone.entries;
  Transaction transaction(path, std::move(zone), std::move(wanted));
  transaction.write(true);
  return transaction;
}

void Transaction::write(bool is_new) const {
  const Json json = {
      {"id", before_.id}, {"before", before_.text}, {"wanted", cli::text_of(wanted_)}};
  write_file(path_, json.dump(1, ' ', false, Json::error_handler_t::replace), is_new);
}

void Transaction::want(Entries wanted) {
  wanted_ = std::move(wanted);
  write(false);
}

void Transaction::rebase(const ZoneState& now) {
  wanted_ = rebased(before_, wanted_, now);
  before_ = now;
  write(false);
}

void Transaction::end() {
  if (::unlink(path_.c_str()) != 0) unwritable(path_, std::strerror(errno));
}

void abandon_transaction(Session& session, const std::string& zone) {
  const std::string path = path_of(session, zone);
  if (::unlink(path.c_str()) == 0) return;
  if (errno != ENOENT) unwritable(path, std::strerror(errno));
  throw Stop(Exit::kNotFound, "no transaction of " + zone +
                                  " is open; begin one with brinkctl zone "
                                  "begin " +
                                  zone);
}

}  // namespace brink::ctl::cli
