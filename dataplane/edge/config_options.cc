// Every option of brink-edge with its default and a word of help: what help, the manual and the
// reader of settings are made from.
#include <boost/program_options.hpp>

#include "dataplane/edge/config.h"

namespace brink::edge {
namespace {

namespace po = boost::program_options;
using Strings = std::vector<std::string>;

// Seven plain HTTP ports that browsers and CDNs customarily use.
const Strings kHttpPorts = {"80", "8080", "8880", "2052", "2082", "2086", "2095"};
// And six for HTTPS.
const Strings kHttpsPorts = {"443", "2053", "2083", "2087", "2096", "8443"};

}  // namespace

po::options_description setting_options() {
  po::options_description all("Settings (file: [section] name = value)", 100);
  const auto text = [] { return po::value<std::string>(); };
  const auto list = [] { return po::value<Strings>()->composing(); };
  auto add = all.add_options();
  add("eal.hugepages", text()->default_value("auto"), "auto, required or off");
  add("eal.memory-mb", text()->default_value("256"), "memory for packets");
  add("eal.file-prefix", text()->default_value("brink"), "name under /var/run/dpdk");
  add("eal.telemetry", text()->default_value("no"), "DPDK's telemetry socket");
  add("eal.log-level", text()->default_value("4"), "of DPDK: 1 to 8");
  add("port.device", text(), "auto:IFACE, a PCI address, or net_DRIVER,ARGUMENTS");
  add("port.rx-descriptors", text()->default_value("1024"), "of each receive queue");
  add("port.tx-descriptors", text()->default_value("1024"), "of each transmit queue");
  add("port.mtu", text()->default_value("0"), "0 leaves it");
  add("port.vlan", text()->default_value("0"), "0: untagged");
  add("port.promiscuous", text()->default_value("no"), "take frames for other stations");
  add("topology.main-cpu", text()->default_value("0"), "CPU of housekeeping");
  add("topology.worker", list(), "CPU:ROLES, repeatable; ROLES dns, l7 or dns+l7");
  add("topology.idle", text()->default_value("adaptive"), "poll or adaptive");
  add("topology.idle-sleep-max-us", text()->default_value("500"),
      "longest sleep of an idle worker");
  add("address.own-v4", text(), "of the box, with prefix length; source to origins");
  add("address.own-v6", text(), "likewise");
  add("address.gateway-v4", text(), "next hop for what is not on the link");
  add("address.gateway-v6", text(), "likewise");
  add("address.neighbour", list(), "ADDRESS=MAC, repeatable: known, never asked for");
  add("service.dns", list(), "address that answers DNS, repeatable");
  add("service.proxied", list(), "address that answers HTTP, repeatable");
  add("service.http-port", list()->default_value(kHttpPorts, "80 and six more"), "repeatable");
  add("service.https-port", list()->default_value(kHttpsPorts, "443 and five more"),
      "repeatable, none: no HTTPS");
  add("service.dot-port", text()->default_value("none"),
      "for DNS over TLS, 853 as a rule; none: there is none");
  add("service.proxy-protocol-from", list(),
      "network of relays whose connections begin with a PROXY header, repeatable");
  add("service.origin-port-first", text()->default_value("32768"), "to 65535: the workers' ports");
  add("exception.device", text()->default_value("tap"), "tap, virtio-user or none");
  add("exception.interface", text()->default_value("brink0"), "name of the kernel's interface");
  add("exception.configure", text()->default_value("yes"), "give it our addresses and routes");
  add("exception.host-rate", text()->default_value("20000"), "packets/s to the box, 0 no limit");
  add("exception.link-rate", text()->default_value("1000"), "ARP and NDP/s, 0 no limit");
  add("exception.echo-rate", text()->default_value("1000"), "echo replies/s of a worker");
  add("dns.udp-size", text()->default_value("1232"), "largest UDP response");
  add("dns.identity", text()->default_value(""), "name of this node for who asks by NSID");
  add("dns.version", text()->default_value(""), "answer to version.bind and version.server");
  add("dns.cookie-secret-file", text()->default_value(""),
      "secrets of DNS cookies, the same on every node; without it drawn at the start");
  add("tls.key-file", text()->default_value(""),
      "the key file of brink-control, which private keys of certificates are sealed with");
  add("tls.ticket-key-file", text()->default_value(""),
      "secret of session tickets, the same on every node; without it drawn at the start");
  add("tls.origin-trust-file", text()->default_value("/etc/ssl/certs/ca-certificates.crt"),
      "authorities that sign certificates of origins, PEM, empty none");
  add("tls.origin-pull-certificate", text()->default_value(""),
      "chain in PEM that origins are shown of zones with tls_client_auth and none of their own");
  add("tls.origin-pull-key", text()->default_value(""), "its private key, PKCS #8 in PEM");
  add("tls.dot-certificate", text()->default_value(""),
      "certificate of DNS over TLS with its chain, PEM");
  add("tls.dot-key", text()->default_value(""), "its private key, PEM");
  add("tls.dot-host", text()->default_value(""),
      "instead of both: the host whose certificate it shows to who asks for no other");
  add("tls.handshake-s", text()->default_value("30"), "until a handshake must be done");
  add("tls.handshakes-per-prefix", text()->default_value("200"),
      "handshakes a second that one IPv4 /24 or IPv6 /56 may begin with a worker, 0 no limit");
  add("tls.handshakes-burst", text()->default_value("1000"), "of them at once");
  add("tls.buffer-mb", text()->default_value("8"), "decrypted octets that wait, of a worker");
  add("dns.rate-limit", text()->default_value("0"),
      "like UDP answers a second of a worker to one network, 0 no limit");
  add("dns.source-limit", text()->default_value("0"),
      "all UDP answers a second of a worker to one network, 0 no limit");
  add("dns.negative-limit", text()->default_value("0"),
      "negative UDP answers a second of a worker to anybody, 0 no limit");
  add("dns.total-limit", text()->default_value("0"),
      "all UDP answers a second of a worker to anybody, 0 no limit");
  add("dns.rate-slip", text()->default_value("2"),
      "one in so many beyond it is sent truncated, 0 none");
  add("dns.rate-prefix-v4", text()->default_value("24"), "bits that make a network");
  add("dns.rate-prefix-v6", text()->default_value("56"), "likewise");
  add("dns.rate-exempt", list(), "network that has no limit, repeatable");
  add("dns.whoami", text()->default_value(""), "name that answers with the client's address");
  add("dns.tcp-connections", text()->default_value("4096"), "over TCP of a worker, 0 none");
  add("dns.tcp-per-client", text()->default_value("128"),
      "of them from one IPv4 address or IPv6 /64; as many over TLS");
  add("dns.tcp-idle-s", text()->default_value("10"),
      "until one without a query is closed, over TLS, too");
  add("dns.tcp-buffer-mb", text()->default_value("16"), "their TCP buffers of a worker");
  add("dns.dot-connections", text()->default_value("1024"), "over TLS of a worker");
  add("dns.dot-buffer-mb", text()->default_value("16"), "their TCP buffers of a worker");
  add("l7.clients", text()->default_value("4096"), "client connections of a worker");
  add("l7.requests", text()->default_value("1024"), "requests in flight of a worker");
  add("l7.origins", text()->default_value("2048"), "origin connections of a worker");
  add("l7.http2-clients", text()->default_value("1024"),
      "of a worker's connections, those over HTTP/2; 0: it is not offered");
  add("l7.encoders", text()->default_value("32"),
      "response bodies that a worker compresses at once, in each of gzip, br and zstd; 0: none");
  add("l7.decoders", text()->default_value("4"),
      "response bodies that a worker decodes at once, in each of gzip and br; 0: none");
  add("l7.buffer-mb", text()->default_value("64"), "TCP buffers of a worker");
  add("l7.body-max-mb", text()->default_value("512"), "largest request body, whatever zones allow");
  add("l7.origin-connections", text()->default_value("0"),
      "of a worker to one origin address, 0 no limit");
  add("l7.origin-requests", text()->default_value("0"), "in flight there, 0 no limit");
  add("l7.origin-pending", text()->default_value("0"),
      "of them, waiting for a new connection, 0 no limit");
  add("l7.retry-percent", text()->default_value("20"),
      "of an origin address' requests that may be retries");
  add("l7.retry-floor", text()->default_value("10"), "retries there in 10 s that always may be");
  add("l7.eject-failures", text()->default_value("5"),
      "failed connections in a row that take an origin address out, 0 never");
  add("l7.eject-max-s", text()->default_value("10"), "the longest until it is tried again");
  add("l7.race-ms", text()->default_value("250"),
      "until an origin's other address family is tried as well, 0 never");
  add("l7.zone-statistics", text()->default_value("512"),
      "zones that a worker counts each by its name, a power of two from 8 on; 0: none");
  add("l7.origin-statistics", text()->default_value("512"), "likewise origins");
  add("l7.country-database", text()->default_value(""),
      "file in MaxMind's format that says which country an address is of, empty none");
  add("l7.error-page", text()->default_value(""),
      "file with the page for errors that the edge answers with, empty: its own");
  add("l7.drain-s", text()->default_value("5"), "how long a stop waits for clients");
  add("l7.colo", text()->default_value("LAB"), "three letters, in the ray id");
  add("l7.node", text()->default_value("edge"), "name of this node in traces");
  add("path.control-socket", text()->default_value("/run/brink/edge.sock"),
      "socket that brink-control connects to");
  add("path.stats", text()->default_value("/run/brink/edge.stats"), "statistics segment");
  add("path.image", text()->default_value("/var/lib/brink/edge.image"),
      "last image; the log of changes since lies beside it");
  add("snapshot.log-sync", text()->default_value("always"),
      "when changes reach the disk: always (before they are acknowledged), interval or never");
  add("snapshot.log-sync-interval-ms", text()->default_value("1000"), "with log-sync = interval");
  add("snapshot.log-size-max-mb", text()->default_value("256"),
      "a larger log is compacted into the image");
  add("snapshot.memory-max-mb", text()->default_value("0"),
      "of one copy of the image, 0 no limit: changes beyond it are refused");
  add("log.level", text()->default_value("info"), "debug, info, warning or error");
  add("log.access", text()->default_value(""),
      "file with a line for each HTTP request, empty none");
  add("log.access-buffer-mb", text()->default_value("4"),
      "lines of a worker that wait for the disk, a power of two");
  return all;
}

po::options_description general_options() {
  po::options_description all("Commands");
  auto add = all.add_options();
  add("help,h", "print this");
  add("check", "read the settings, start nothing");
  add("config,c", po::value<std::string>(), "settings file");
  return all;
}

}  // namespace brink::edge
