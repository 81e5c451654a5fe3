#include "ctl/cli/lookup.h"

namespace brink::ctl::cli {
namespace {

Json zones_named(Session& session, const std::string& name) {
  return session.call("GET", "/client/v4/zones?name=" + percent_encode(name));
}

}  // namespace

Json find_account(Session& session, const Arguments& arguments) {
  const Json accounts = session.list("/client/v4/accounts");
  if (!arguments.has("account")) {
    if (accounts.size() == 1) return accounts.front();
    throw Stop(Exit::kUsage, "there are " + std::to_string(accounts.size()) +
                                 " accounts: name one with --account");
  }
  const std::string wanted = arguments.get("account");
  for (const Json& account : accounts) {
    if (account.value("name", "") == wanted || account.value("id", "") == wanted) return account;
  }
  throw Stop(Exit::kNotFound, "there is no account \"" + wanted + "\"");
}

Json find_zone(Session& session, const std::string& name) {
  const Json found = zones_named(session, name);
  if (found.empty()) throw Stop(Exit::kNotFound, "there is no zone \"" + name + "\"");
  return found.front();
}

Json find_zone_of(Session& session, const std::string& name) {
  std::string suffix = name;
  while (!suffix.empty() && suffix != ".") {
    const Json found = zones_named(session, suffix);
    if (!found.empty()) return found.front();
    const std::size_t dot = suffix.find('.');
    suffix = dot == std::string::npos ? "" : suffix.substr(dot + 1);
  }
  throw Stop(Exit::kNotFound,
             "no zone here contains \"" + name + "\"; create it, or write a full name");
}

std::string zone_path(const Json& zone) {
  return "/client/v4/zones/" + zone.value("id", std::string());
}

}  // namespace brink::ctl::cli
