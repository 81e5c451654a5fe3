// The table of brink-control's settings: their names, defaults and help, once for the file, the
// command line and --help.
#include <boost/program_options.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "ctl/daemon/config.h"

namespace brink::ctl::daemon {
namespace {

namespace po = boost::program_options;

constexpr char kDefaultFile[] = "/etc/brink/control.conf";

}  // namespace

po::options_description setting_options() {
  using Texts = std::vector<std::string>;
  po::options_description options("Settings (command line or file; the command line wins)");
  auto add = options.add_options();
  const auto text = [&](const char* name, const char* initial, const char* help) {
    add(name, po::value<std::string>()->default_value(initial), help);
  };
  const auto number = [&](const char* name, std::uint64_t initial, const char* help) {
    add(name, po::value<std::uint64_t>()->default_value(initial), help);
  };
  text("store", "/var/lib/brink/control.db", "file of the record store");
  text("api-socket", "/run/brink/control.sock", "UNIX socket of the API; its mode is 0660");
  text("listen", "127.0.0.1:8053", "TCP address of the API; \"off\" for none");
  text("metrics-listen", "off",
       "ADDRESS:PORT where /metrics is for Prometheus, over HTTP and without credentials; \"off\"");
  text("api-certificate", "", "PEM file with the certificate of that address and its issuers; TLS");
  text("api-key", "", "PEM file with its key");
  text("api-tls-min", "1.2", "smallest TLS version: 1.2 or 1.3");
  text("api-plain-anywhere", "off",
       "\"on\": plain HTTP on any address, where others can read the tokens that pass");
  number("user-requests-max", 1200, "API requests of a user or token in a period");
  number("user-requests-period-s", 300, "that period");
  number("address-requests-max", 200, "API requests of a client address a second");
  number("login-failures-max", 30, "wrong credentials from a client address in a period");
  text("key-file", "",
       "key that secrets in the store are encrypted with, made at the first start; STORE.key");
  number("audit-entries-max", 1'000'000, "entries of the audit log that are kept");
  number("audit-age-max-days", 365, "age from which on they are deleted");
  text("edge-socket", "/run/brink/edge.sock", "control socket of brink-edge");
  text("stats-file", "/run/brink/edge.stats", "statistics segment of brink-edge");
  add("edge-address", po::value<Texts>()->composing(),
      "anycast address that proxied names answer with; repeat for more (IPv4 and IPv6)");
  add("name-server", po::value<Texts>()->composing(),
      "name of a name server that zones are delegated to; repeat for more");
  add("edge-address-set", po::value<Texts>()->composing(),
      "another set of anycast addresses, separated by blanks, for part of the zones; repeat for "
      "more");
  add("name-server-set", po::value<Texts>()->composing(),
      "another set of name servers, separated by blanks, for part of the zones; repeat for more");
  text("apex-ns-records", "served",
       "a zone's own NS records at its apex: served in place of the assigned name servers, or "
       "ignored");
  text("https-records", "on",
       "on: proxied names that have a certificate have HTTPS records; off: edges serve no HTTPS on "
       "port 443");
  add("unproxiable-target", po::value<Texts>()->composing(),
      "exact, exact-or-sub or sub, and a name: no proxied CNAME may point there; repeat for more");
  text("unproxiable-defaults", "on", "whether the built-in list of such names holds as well");
  number("comment-size-max", 500, "characters of a record's comment");
  number("tags-max", 20, "tags of a record");
  number("text-size-max", 2048, "octets of content of a TXT record");
  number("text-total-max", 8192, "octets of content of all TXT records of a name");
  number("records-per-page-max", 50'000, "records in one page of a list");
  number("zones-per-page-max", 1000, "zones in one page of a list");
  number("ttl-min", 60, "smallest TTL of a record, seconds");
  number("ttl-max", 86400, "largest TTL of a record, seconds");
  number("connections-max", 1000, "API connections at a time");
  number("import-size-max", 256 * 1024, "octets of a zone file imported over TCP");
  number("import-size-max-socket", 512 * 1024 * 1024,
         "octets of a zone file imported over the UNIX socket");
  number("batch-max", 3500, "operations of one batch");
  number("acknowledge-timeout-ms", 30'000, "how long the edge may take to publish an image");
  number("reconnect-interval-ms", 500, "pause between attempts to reach the edge");
  number("edge-job-timeout-s", 600, "how long the edge may take to compact or verify its image");
  number("history-versions-max", 10'000, "versions of the store that can be gone back to");
  number("history-age-max-days", 30, "age from which on they are forgotten");
  add("resolver", po::value<Texts>()->composing(),
      "DNS resolver, ADDRESS or ADDRESS:PORT, asked for names outside the served zones; repeat for "
      "more; those of /etc/resolv.conf unless given");
  add("origin-allow", po::value<Texts>()->composing(),
      "prefix that such names may lead to although it is not public; repeat for more");
  number("resolve-timeout-ms", 1500, "how long a resolver may take before it is asked again");
  number("resolve-attempts", 3, "questions to each resolver before an answer is given up");
  number("resolve-wait-ms", 2000, "how long a change waits for the addresses of names it brings");
  number("resolve-ttl-min", 30, "seconds: resolved addresses are asked for again no sooner");
  number("resolve-ttl-max", 3600, "seconds: and no later");
  number("resolve-stale-max", 86'400, "seconds that addresses are kept while resolving them fails");
  number("resolve-names-max", 10'000, "names outside that are resolved");
  number("resolve-in-flight-max", 100, "questions under way at a time");
  number("flatten-ttl-max", 300, "largest TTL, seconds, of answers that carry resolved addresses");
  number("activation-first", 60, "seconds from a zone's making to the check of its delegation");
  number("activation-interval-max", 21'600, "largest interval of these checks, seconds");
  number("activation-failures-max", 4,
         "failed checks in a row after which an active zone has moved");
  number("activation-rate-max", 300, "checks a minute");
  number("dnssec-validity", 1'296'000, "seconds that DNSSEC signatures are valid");
  number("dnssec-period", 604'800, "seconds after which they are made anew");
  number("dnssec-ksk-lifetime", 0,
         "seconds until key-signing and combined keys are replaced; 0: when it is asked for");
  number("dnssec-zsk-lifetime", 0, "likewise of zone-signing keys");
  number("dnssec-propagation", 300,
         "seconds until every server of the zones, others' too, has a change");
  number("dnssec-parent-ttl", 86'400, "largest TTL, seconds, of DS records at parents");
  text("log-level", "info", "trace, debug, info, warning, error or critical");
  return options;
}

po::options_description general_options() {
  po::options_description options("General");
  options.add_options()("help,h", "print this text")("version", "print the version")(
      "routes", "print the API's endpoints and the permissions that they need")(
      "check", "read and validate the settings, then exit")(
      "config", po::value<std::string>()->default_value(kDefaultFile),
      "settings file: key = value, # starts a comment");
  return options;
}

}  // namespace brink::ctl::daemon
