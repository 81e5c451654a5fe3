// brinkctl token ...
#include <cstdio>

#include "ctl/cli/lookup.h"
#include "ctl/cli/output.h"

namespace brink::ctl::cli {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    std::string part = text.substr(start, comma - start);
    part.erase(0, part.find_first_not_of(' '));
    if (!part.empty()) parts.push_back(std::move(part));
    start = comma + 1;
  }
  return parts;
}

std::string tokens_path(Session& session, const Arguments& arguments) {
  return "/client/v4/accounts/" + text_of(find_account(session, arguments), "id") + "/tokens";
}

// By id or name.
Json find_token(Session& session, const std::string& path, const std::string& wanted) {
  Json found;
  for (const Json& token : session.list(path)) {
    if (text_of(token, "id") == wanted) return token;
    if (text_of(token, "name") != wanted) continue;
    if (!found.is_null()) {
      throw Stop(Exit::kUsage, "several tokens are called \"" + wanted +
                                   "\": write the id, see brinkctl token list");
    }
    found = token;
  }
  if (found.is_null()) throw Stop(Exit::kNotFound, "there is no token \"" + wanted + "\"");
  return found;
}

std::string groups_of(const Json& policy) {
  std::string text;
  for (const Json& group : policy["permission_groups"]) {
    text += (text.empty() ? "" : ", ") + text_of(group, "name");
  }
  return text;
}

std::string resources_of(const Json& policy) {
  std::string text;
  for (const auto& [name, value] : policy["resources"].items()) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

void print_token(Session& session, const Json& token) {
  if (session.json()) return print_json(token);
  print("name        " + text_of(token, "name") + "\nid          " + text_of(token, "id") +
        "\nstatus      " + text_of(token, "status") + "\nissued      " +
        text_of(token, "issued_on") + "\nmodified    " + text_of(token, "modified_on") +
        "\nnot before  " + text_of(token, "not_before") + "\nexpires     " +
        text_of(token, "expires_on") + "\n");
  if (token.contains("user")) print("user        " + text_of(token["user"], "email") + "\n");
  if (!token["condition"].empty()) print("condition   " + token["condition"].dump() + "\n");
  for (const Json& policy : token["policies"]) {
    print("allows      " + groups_of(policy) + "\n  on        " + resources_of(policy) + "\n");
  }
}

void list(Session& session, const Arguments& arguments) {
  const Json tokens = session.list(tokens_path(session, arguments));
  if (session.json()) return print_json(tokens);
  std::vector<Row> rows;
  for (const Json& token : tokens) {
    rows.push_back({text_of(token, "name"), text_of(token, "status"), text_of(token, "expires_on"),
                    token.contains("user") ? text_of(token["user"], "email") : "-",
                    text_of(token, "id")});
  }
  print(table({"NAME", "STATUS", "EXPIRES", "USER", "ID"}, rows));
}

void show(Session& session, const Arguments& arguments) {
  const std::string path = tokens_path(session, arguments);
  print_token(session, find_token(session, path, arguments.positional[0]));
}

// The zones named with --zones, else all of the account.
Json zone_resources(Session& session, const Arguments& arguments) {
  Json resources = Json::object();
  for (const std::string& zone : split(arguments.get("zones"))) {
    resources["com.cloudflare.api.account.zone." + text_of(find_zone(session, zone), "id")] = "*";
  }
  if (resources.empty()) resources["com.cloudflare.api.account.zone.*"] = "*";
  return resources;
}

// A policy for each kind of resource that the permissions are about.
Json policies_for(Session& session, const Arguments& arguments, const std::string& path,
                  const std::string& account) {
  const Json groups = session.call("GET", path + "/permission_groups");
  std::map<std::string, Json> by_scope;
  for (const std::string& wanted : split(arguments.get("permissions"))) {
    const Json* found = nullptr;
    for (const Json& group : groups) {
      if (group.value("name", "") == wanted) found = &group;
    }
    if (found == nullptr) {
      throw Stop(Exit::kUsage,
                 "there is no permission \"" + wanted + "\"; see brinkctl token permissions");
    }
    by_scope[(*found)["scopes"][0].get<std::string>()].push_back({{"id", (*found)["id"]}});
  }
  if (arguments.has("operator")) by_scope["brink.node"].push_back({{"name", "Node Write"}});
  Json policies = Json::array();
  for (const auto& [scope, permissions] : by_scope) {
    Json resources = {{scope, "*"}};
    if (scope == "com.cloudflare.api.account") resources = {{scope + "." + account, "*"}};
    if (scope == "com.cloudflare.api.account.zone") resources = zone_resources(session, arguments);
    policies.push_back(
        {{"effect", "allow"}, {"permission_groups", permissions}, {"resources", resources}});
  }
  if (policies.empty()) {
    throw Stop(Exit::kUsage, "a token needs --permissions \"Zone Read,DNS Write\" or --operator");
  }
  return policies;
}

// The secret goes to standard output, alone, so that a script can take it.
void print_secret(Session& session, const std::string& secret, const Json& json) {
  if (session.json()) return print_json(json);
  print(secret + "\n");
  std::fputs("brinkctl: this is the only time that the token is shown\n", stderr);
}

void create(Session& session, const Arguments& arguments) {
  const Json account = find_account(session, arguments);
  const std::string path = "/client/v4/accounts/" + text_of(account, "id") + "/tokens";
  Json body = {{"name", arguments.positional[0]},
               {"policies", policies_for(session, arguments, path, text_of(account, "id"))}};
  if (arguments.has("expires")) body["expires_on"] = arguments.get("expires");
  if (arguments.has("not-before")) body["not_before"] = arguments.get("not-before");
  if (arguments.has("from")) body["condition"]["request_ip"]["in"] = split(arguments.get("from"));
  if (arguments.has("not-from")) {
    body["condition"]["request_ip"]["not_in"] = split(arguments.get("not-from"));
  }
  const Json token = session.call("POST", path, body);
  print_secret(session, text_of(token, "value"), token);
}

void remove(Session& session, const Arguments& arguments) {
  const std::string path = tokens_path(session, arguments);
  const Json token = find_token(session, path, arguments.positional[0]);
  const Json result = session.call("DELETE", path + "/" + text_of(token, "id"));
  if (session.json()) return print_json(result);
  print("deleted token " + text_of(token, "name") + "\n");
}

void roll(Session& session, const Arguments& arguments) {
  const std::string path = tokens_path(session, arguments);
  const Json token = find_token(session, path, arguments.positional[0]);
  const Json secret =
      session.call("PUT", path + "/" + text_of(token, "id") + "/value", Json::object());
  print_secret(session, secret.get<std::string>(), secret);
}

// The rest of it stays as it is.
void set_status(Session& session, const Arguments& arguments, const char* status) {
  const std::string path = tokens_path(session, arguments);
  const std::string one =
      path + "/" + text_of(find_token(session, path, arguments.positional[0]), "id");
  Json token = session.call("GET", one);
  token["status"] = status;
  print_token(session, session.call("PUT", one, token));
}

void disable(Session& session, const Arguments& arguments) {
  set_status(session, arguments, "disabled");
}

void enable(Session& session, const Arguments& arguments) {
  set_status(session, arguments, "active");
}

void verify(Session& session, const Arguments&) {
  const Json result = session.call("GET", "/client/v4/user/tokens/verify");
  if (session.json()) return print_json(result);
  print("token " + text_of(result, "id") + " is " + text_of(result, "status") + ", expires " +
        text_of(result, "expires_on") + "\n");
}

void permissions(Session& session, const Arguments& arguments) {
  const Json groups = session.call("GET", tokens_path(session, arguments) + "/permission_groups");
  if (session.json()) return print_json(groups);
  std::vector<Row> rows;
  for (const Json& group : groups) {
    rows.push_back({text_of(group, "name"), group["scopes"][0].get<std::string>()});
  }
  print(table({"PERMISSION", "ON"}, rows));
}

}  // namespace

const std::vector<Command>& token_commands() {
  static const Option kAccount = {"account", "ACCOUNT", "name or id, when there are several"};
  static const std::vector<Command> kCommands = {
      {"token", "list", "", 0, 0, "The API tokens of an account.", {kAccount}, list},
      {"token", "show", "TOKEN", 1, 1, "One API token, by name or id.", {kAccount}, show},
      {"token",
       "create",
       "NAME",
       1,
       1,
       "Makes an API token and prints its secret, once.\n"
       "Permissions on zones hold for --zones, else for all zones of the account.",
       {kAccount,
        {"permissions", "LIST", "as \"Zone Read,DNS Write\"; see brinkctl token permissions"},
        {"zones", "LIST", "names of the zones that it is for"},
        {"operator", "", "it may do everything on this node, as the socket may"},
        {"not-before", "TIME", "when it begins to count, as 2027-01-31T00:00:00Z"},
        {"expires", "TIME", "when it ceases to count"},
        {"from", "LIST", "networks that it may be used from, as 192.0.2.0/24"},
        {"not-from", "LIST", "networks that it may not be used from"}},
       create},
      {"token", "disable", "TOKEN", 1, 1, "An API token counts no more.", {kAccount}, disable},
      {"token", "enable", "TOKEN", 1, 1, "A disabled API token counts again.", {kAccount}, enable},
      {"token", "delete", "TOKEN", 1, 1, "Deletes an API token.", {kAccount}, remove},
      {"token",
       "roll",
       "TOKEN",
       1,
       1,
       "Gives an API token a new secret and prints it, once. The old one is worth nothing.",
       {kAccount},
       roll},
      {"token", "verify", "", 0, 0, "Whether the token in use counts.", {}, verify},
      {"token", "permissions", "", 0, 0, "What tokens can be given.", {kAccount}, permissions},
  };
  return kCommands;
}

}  // namespace brink::ctl::cli
