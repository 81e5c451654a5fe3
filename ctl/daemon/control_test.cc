// What Control hands to an edge is what an edge accepts: a verified image with verified routes.
#include "ctl/daemon/control.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>

#include "ctl/store/store.h"
#include "dataplane/ipc/control_message.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/view.h"
#include "l7/route/route.h"
#include "l7/route/zone_table.h"

namespace brink::ctl::daemon {
namespace {

void wait_for(int fd) {
  pollfd watched{fd, POLLIN, 0};
  ASSERT_EQ(::poll(&watched, 1, 5000), 1);
}

TEST(Control, HandsOverAnImageThatVerifies) {
  char pattern[] = "/tmp/brink_control_XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  const auto line =
      read_command_line({"--store", folder + "/c.db", "--api-socket", folder + "/c.sock",
                         "--listen", "off", "--edge-socket", folder + "/e.sock", "--edge-address",
                         "192.0.2.1", "--name-server", "ns1.brink.test"});
  ASSERT_TRUE(line.ok()) << line.error().message();
  {
    auto store = store::Store::open(folder + "/c.db", store::Access::kReadWrite);
    model::Zone zone;
    zone.id = model::Id::random(model::system_entropy());
    zone.name = model::DomainName::parse("example.com").value();
    zone.status = model::ZoneStatus::kActive;
    zone.settings["ssl"] = {"\"strict\"", {}};
    store.value()->insert_zone(zone);
    auto record = model::make_record(
        {}, zone, {.name = "www", .type = "A", .content = "203.0.113.10", .proxied = true});
    store.value()->insert_record(zone, record.value());
  }

  const base::UniqueFd listener(ipc::listen_control(folder + "/e.sock").value());
  auto control = Control::start(line.value().config);
  ASSERT_TRUE(control.ok()) << control.error().message();
  wait_for(listener.get());
  const base::UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
  wait_for(peer.get());
  ipc::ControlMessage welcome;
  welcome.type = ipc::MessageType::kWelcome;
  welcome.sequence = ipc::receive_control(peer.get()).value()->message.sequence;
  ASSERT_TRUE(ipc::send_control(peer.get(), welcome).ok());
  wait_for(peer.get());
  const auto request = *ipc::receive_control(peer.get()).value();
  const base::UniqueFd memfd(request.descriptor);
  const auto image = snapshot::Image::receive(memfd.get(), request.message.payload_size_bytes, {});
  ASSERT_TRUE(image.ok()) << image.error().message();
  EXPECT_EQ(image.value().state().version, request.message.snapshot_version);

  const snapshot::View view = image.value().view();
  snapshot::NameKey key;
  ASSERT_TRUE(snapshot::set_key_from_text(key, view.hash_key(), "www.example.com"));
  const snapshot::Record* record = view.find(key);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(l7::route::verify_route(view.route(*record)), l7::route::RouteError::none);
  l7::route::RouteView route;
  ASSERT_EQ(route.open(view.route(*record)), l7::route::RouteError::none);
  ASSERT_EQ(route.origin_count(), 1U);
  EXPECT_EQ(route.origin(0).address, *base::IpAddress::parse("203.0.113.10"));
  EXPECT_EQ(l7::route::ZoneTable(view, *record).settings().ssl, l7::route::SslMode::kStrict);
  std::filesystem::remove_all(folder);
}

// The start of a node with its store and key file in `folder`.
std::string start_fault(const std::string& folder) {
  const auto line = read_command_line(
      {"--store", folder + "/c.db", "--api-socket", folder + "/c.sock", "--listen", "off",
       "--edge-socket", folder + "/e.sock", "--edge-address", "192.0.2.1", "--name-server",
       "ns1.brink.test", "--key-file", folder + "/key"});
  const auto control = Control::start(line.value().config);
  return control.ok() ? "started" : control.error().message();
}

TEST(Control, MissesTheKeyThatItsStoreWasUsedWith) {
  char pattern[] = "/tmp/brink_control_XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  EXPECT_EQ(start_fault(folder), "started");
  EXPECT_EQ(start_fault(folder), "started");
  std::filesystem::rename(folder + "/key", folder + "/aside");
  EXPECT_NE(start_fault(folder).find("is lost"), std::string::npos);
  {
    std::ofstream(folder + "/key") << std::string(64, '0') << "\n";
    std::filesystem::permissions(folder + "/key", std::filesystem::perms::owner_read);
  }
  EXPECT_NE(start_fault(folder).find("is not the one"), std::string::npos);
  std::filesystem::rename(folder + "/aside", folder + "/key");
  EXPECT_EQ(start_fault(folder), "started");
  std::filesystem::remove_all(folder);
}

TEST(Control, NamesTheStoreThatCannotBeOpened) {
  const auto line = read_command_line({"--store", "/nonexistent/c.db", "--edge-address",
                                       "192.0.2.1", "--name-server", "ns1.brink.test"});
  ASSERT_TRUE(line.ok());
  const auto control = Control::start(line.value().config);
  ASSERT_FALSE(control.ok());
  EXPECT_EQ(control.error().where, "/nonexistent/c.db");
}

}  // namespace
}  // namespace brink::ctl::daemon
