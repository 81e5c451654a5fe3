// Makes an image of one zone for tests of whole programs, with routes for its proxied names, and
// saves it or publishes it to a running brink-edge as the control process would.
// Usage: lab_image (file PATH | publish SOCKET) VERSION APEX ZONE_FILE
//                  [--timeouts-ms CONNECT,ACKNOWLEDGE,READ] [NAME=ORIGIN[,ORIGIN]...]
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "dataplane/base/unique_fd.h"
#include "dataplane/ipc/control_message.h"
#include "dataplane/snapshot/image.h"
#include "dns/render/builder_sink.h"
#include "dns/render/render.h"
#include "dns/zone/text.h"
#include "dns/zone/zone.h"
#include "dns/zone/zone_file.h"
#include "l7/render/route_blob.h"

namespace {

using namespace brink;
using Routes = std::map<dns::zone::Wire, std::vector<std::uint8_t>>;

int fail(const base::Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  return 1;
}

base::Result<Routes> parse_routes(const std::string& apex, const std::vector<std::string>& words) {
  Routes routes;
  l7::render::RouteSpec timeouts;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--timeouts-ms" && i + 1 < words.size()) {
      if (std::sscanf(words[++i].c_str(), "%u,%u,%u", &timeouts.connect_timeout_ms,
                      &timeouts.ack_timeout_ms, &timeouts.read_timeout_ms) != 3) {
        return base::Error{"not three numbers", words[i], ""};
      }
      continue;
    }
    const std::size_t equals = word.find('=');
    const auto name = dns::zone::name_from_text(word.substr(0, equals));
    if (!name) return name.error();
    l7::render::RouteSpec spec = timeouts;
    spec.zone_name = apex;
    std::istringstream origins(word.substr(equals + 1));
    for (std::string text; std::getline(origins, text, ',');) {
      const auto address = base::IpAddress::parse(text);
      if (!address) return base::Error{"not an address", text, ""};
      spec.origins.push_back(*address);
    }
    routes[name.value()] = l7::render::render_route(spec);
  }
  return routes;
}

base::Result<void> render(snapshot::Builder& builder, const std::string& apex_text,
                          const std::string& path, const Routes& routes) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto apex = dns::zone::name_from_text(apex_text);
  if (!apex) return apex.error();
  std::vector<dns::zone::ResourceRecord> records;
  const auto parsed = dns::zone::parse_zone_file(text.str(), apex.value(), 300,
                                                 [&records](const dns::zone::ZoneFileRecord& r) {
                                                   records.push_back(r.record);
                                                   return base::Result<void>{};
                                                 });
  if (!parsed) return parsed.error();
  const auto zone = dns::zone::Zone::build(apex.value(), records);
  if (!zone) return zone.error();
  dns::render::BuilderSink sink(builder);
  return dns::render::render_zone(sink, zone.value(), [&](const dns::zone::Wire& name) {
    const auto route = routes.find(name);
    return route == routes.end() ? std::vector<std::uint8_t>{} : route->second;
  });
}

base::Result<void> publish(snapshot::Builder& builder, const std::string& socket,
                           std::uint64_t version) {
  std::uint64_t size = 0;
  const auto sealed = snapshot::build_sealed(builder, version, 0, size);
  if (!sealed) return sealed.error();
  const auto connected = ipc::connect_control(socket);
  if (!connected) return connected.error();
  const base::UniqueFd fd(connected.value());
  ipc::ControlMessage message;
  message.type = ipc::MessageType::kPublishImage;
  message.sequence = 1;
  message.snapshot_version = version;
  message.image_size_bytes = size;
  const auto sent = ipc::send_control(fd.get(), message, sealed.value().get());
  if (!sent) return sent;
  const auto reply = ipc::receive_control(fd.get());
  if (!reply) return reply.error();
  if (reply.value()->message.status != ipc::PublishStatus::kPublished) {
    return base::Error{reply.value()->message.reason, "brink-edge refused", ""};
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 5 || (words[0] != "file" && words[0] != "publish")) {
    std::fprintf(stderr,
                 "usage: lab_image (file PATH | publish SOCKET) VERSION APEX ZONE_FILE "
                 "[--timeouts-ms CONNECT,ACKNOWLEDGE,READ] [NAME=ORIGIN[,ORIGIN]...]\n");
    return 2;
  }
  const std::uint64_t version = std::strtoull(words[2].c_str(), nullptr, 10);
  base::HashKey key;
  for (std::size_t i = 0; i < sizeof key.bytes; ++i) {
    key.bytes[i] = static_cast<std::uint8_t>(i * 7 + version);
  }
  snapshot::Builder builder(key);
  const auto routes = parse_routes(words[3], {words.begin() + 5, words.end()});
  if (!routes) return fail(routes.error());
  const auto rendered = render(builder, words[3], words[4], routes.value());
  if (!rendered) return fail(rendered.error());
  if (words[0] == "publish") {
    const auto published = publish(builder, words[1], version);
    return published ? 0 : fail(published.error());
  }
  const auto image = snapshot::Image::build(builder, version, 0);
  if (!image) return fail(image.error());
  const auto saved = image.value().save(words[1]);
  return saved ? 0 : fail(saved.error());
}
