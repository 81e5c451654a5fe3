// What the manual says of each program beside its options.
#include "ctl/daemon/config.h"
#include "dataplane/edge/config.h"
#include "docs/man/program.h"

namespace brink::manual {

Program brink_control() {
  return {
      "brink-control",
      "record store, API and publisher of a Brink node",
      "Keeps zones and records, serves the API that brinkctl(1) and other clients speak, compiles "
      "snapshots and hands them to brink-edge(8). Runs in the foreground and logs to standard "
      "error. "
      "It may be restarted at any time: what is served is served on.",
      "[--config FILE] [--SETTING VALUE]...",
      "SIGTERM and SIGINT stop it. SIGHUP makes it read the certificate of the API again.",
      "/etc/brink/control.conf",
      "One setting a line, as name = value. A # starts a comment. Settings that may be repeated "
      "are "
      "given once for each value.",
      "edge-address = 192.0.2.1\nedge-address = 2001:db8::1\nname-server = ns1.example.net\n",
      ctl::daemon::general_options(),
      ctl::daemon::setting_options(),
  };
}

Program brink_edge() {
  return {
      "brink-edge",
      "the packet process of a Brink node: DNS server and reverse proxy",
      "Answers DNS and carries HTTP with DPDK workers on cores of their own. It serves the last "
      "image on its disk until brink-control(8) hands over changes. Runs in the foreground and "
      "logs "
      "to standard error.",
      "--config FILE [--SECTION.NAME VALUE]... [-- DPDK ARGUMENTS]",
      "SIGTERM and SIGINT stop it, when clients have got their answers or l7.drain-s is over.",
      "/etc/brink/edge.conf",
      "Sections in brackets, and in them one setting a line, as name = value. A # starts a "
      "comment. "
      "Below, a setting stands as section.name. Settings that are repeatable are given once for "
      "each "
      "value.",
      "[port]\ndevice = auto:eth0\n\n[service]\ndns = 192.0.2.53\n",
      edge::general_options(),
      edge::setting_options(),
  };
}

}  // namespace brink::manual
