#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "ctl/metrics/exposition.h"
#include "ctl/metrics/server.h"
#include "ctl/metrics/traffic.h"

namespace brink::ctl::metrics {
namespace {

ipc::TrafficSample slot(const std::string& name, std::uint64_t requests, std::uint64_t us) {
  ipc::TrafficSample sample;
  sample.name = name;
  sample.counters = {requests, 0, requests};
  sample.times.resize(ipc::TrafficScale::kBuckets);
  sample.times[ipc::TrafficScale::bucket_of(us)] = requests;
  sample.time_sum_us = requests * us;
  return sample;
}

ipc::WorkerSample worker(std::uint32_t index) {
  ipc::WorkerSample sample{};
  sample.worker = index;
  sample.counters = {7, 3};
  return sample;
}

// Two workers: a.example on both, b.example on one, and what had no slot.
ipc::StatsSample sample_of_two() {
  ipc::StatsSample sample{};
  sample.header.tsc_hz = 2'000'000'000;
  sample.names = {"http_requests", "drop_tx_full"};
  sample.zone_names = {"requests", "responses_1xx", "responses_2xx"};
  sample.origin_names = {"requests", "responses_1xx", "responses_2xx"};
  sample.workers = {worker(0), worker(1)};
  sample.workers[0].busy_cycles = 1'000'000'000;
  sample.workers[0].zones = {slot("", 0, 0), slot("a.example", 2, 1500), slot("b.example", 9, 10)};
  sample.workers[1].zones = {slot("", 100, 5), slot("a.example", 20, 100)};
  sample.workers[0].origins = {slot("", 0, 0), slot("[2001:db8::1]:443", 1, 7)};
  return sample;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(TrafficRows, AddUpWorkersAndComeInOrderOfRequests) {
  const auto rows = add_up(sample_of_two(), TrafficKind::kZones);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].name, "a.example");
  EXPECT_EQ(rows[0].counters[0], 22U);
  EXPECT_EQ(rows[0].time_sum_us, 5000U);
  EXPECT_EQ(rows[1].name, "b.example");
  EXPECT_EQ(rows[2].name, kOther) << "the rest is last, however much it is";
  EXPECT_EQ(add_up(sample_of_two(), TrafficKind::kOrigins).size(), 1U) << "and not shown when none";
}

TEST(Exposition, SaysWhatWasCounted) {
  const auto sample = sample_of_two();
  const std::string text = exposition(&sample, Format::kPrometheus);
  EXPECT_TRUE(has_line(text, "brink_edge_up 1"));
  EXPECT_TRUE(has_line(text, "# TYPE brink_http_requests_total counter"));
  EXPECT_TRUE(has_line(text, "brink_http_requests_total{worker=\"1\"} 7"));
  EXPECT_TRUE(has_line(text, "brink_drops_total{worker=\"0\",reason=\"tx_full\"} 3"));
  EXPECT_TRUE(has_line(text, "brink_worker_busy_seconds_total{worker=\"0\"} 0.5"));
  EXPECT_TRUE(has_line(text, "brink_zone_requests_total{zone=\"a.example\"} 22"));
  EXPECT_TRUE(has_line(text, "brink_zone_requests_total{zone=\"other\"} 100"));
  EXPECT_TRUE(has_line(text, "brink_zone_responses_total{zone=\"b.example\",code=\"2xx\"} 9"));
  EXPECT_TRUE(has_line(text, "brink_origin_requests_total{origin=\"[2001:db8::1]:443\"} 1"));
}

TEST(Exposition, CountsIntoBucketsOfWholeSeconds) {
  const auto sample = sample_of_two();
  const std::string text = exposition(&sample, Format::kPrometheus);
  const std::string name = "brink_zone_request_seconds";
  EXPECT_TRUE(has_line(text, "# TYPE " + name + " histogram"));
  EXPECT_TRUE(has_line(text, name + "_bucket{zone=\"a.example\",le=\"0.000512\"} 20"));
  EXPECT_TRUE(has_line(text, name + "_bucket{zone=\"a.example\",le=\"0.002048\"} 22"));
  EXPECT_TRUE(has_line(text, name + "_bucket{zone=\"a.example\",le=\"+Inf\"} 22"));
  EXPECT_TRUE(has_line(text, name + "_sum{zone=\"a.example\"} 0.005"));
  EXPECT_TRUE(has_line(text, name + "_count{zone=\"a.example\"} 22"));
}

TEST(Exposition, NamesFamiliesAsItsFormatDoes) {
  const auto sample = sample_of_two();
  const std::string text = exposition(&sample, Format::kOpenMetrics);
  EXPECT_TRUE(has_line(text, "# TYPE brink_http_requests counter"));
  EXPECT_TRUE(has_line(text, "brink_http_requests_total{worker=\"0\"} 7"));
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
  EXPECT_EQ(exposition(&sample, Format::kPrometheus).find("# EOF"), std::string::npos);
}

TEST(Exposition, TellsOfAnEdgeThatCannotBeRead) {
  const std::string text = exposition(nullptr, Format::kPrometheus);
  EXPECT_TRUE(has_line(text, "brink_edge_up 0"));
  EXPECT_EQ(text.find("brink_zone"), std::string::npos);
}

TEST(Exposition, EscapesLabels) {
  ipc::StatsSample sample = sample_of_two();
  sample.workers[0].zones = {slot("a\"b\\c\nd", 1, 1)};
  const std::string text = exposition(&sample, Format::kPrometheus);
  EXPECT_NE(text.find("zone=\"a\\\"b\\\\c\\nd\""), std::string::npos);
}

TEST(Formats, AreChosenByAccept) {
  EXPECT_EQ(format_for(""), Format::kPrometheus);
  EXPECT_EQ(format_for("text/plain;version=0.0.4, */*"), Format::kPrometheus);
  EXPECT_EQ(format_for("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"),
            Format::kOpenMetrics);
}

// ---- the server ----

std::string ask(std::uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string answer;
  char piece[4096];
  for (ssize_t n = ::read(fd, piece, sizeof piece); n > 0; n = ::read(fd, piece, sizeof piece)) {
    answer.append(piece, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return answer;
}

class MetricsServer : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = "/tmp/brink-metrics-" + std::to_string(::getpid());
    auto made = ipc::StatsSegment::create(path_, 1, 1, {.zones = 8, .origins = 8});
    ASSERT_TRUE(made.ok());
    segment_ = std::move(made).value();
    auto started =
        Server::start({.listen = {*base::IpAddress::parse("127.0.0.1"), 0}, .stats_path = path_});
    ASSERT_TRUE(started.ok()) << started.error().message();
    server_ = std::move(started).value();
  }
  std::string get(const std::string& target, const std::string& lines = "") {
    return ask(server_->port(), "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n");
  }

  std::string path_;
  std::unique_ptr<ipc::StatsSegment> segment_;
  std::unique_ptr<Server> server_;
};

TEST_F(MetricsServer, AnswersWithWhatTheEdgeCountsNow) {
  segment_->worker(0).counters.add(ipc::Counter::kHttpRequests, 41);
  const std::string first = get("/metrics");
  EXPECT_EQ(first.rfind("HTTP/1.1 200 ", 0), 0U) << first;
  EXPECT_NE(first.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
            std::string::npos);
  EXPECT_NE(first.find("brink_http_requests_total{worker=\"0\"} 41\n"), std::string::npos);
  segment_->worker(0).counters.add(ipc::Counter::kHttpRequests);
  EXPECT_NE(get("/metrics").find("brink_http_requests_total{worker=\"0\"} 42\n"),
            std::string::npos);
}

TEST_F(MetricsServer, SpeaksOpenMetricsToWhoAsks) {
  const std::string answer = get("/metrics", "Accept: application/openmetrics-text\r\n");
  EXPECT_NE(answer.find("Content-Type: application/openmetrics-text; version=1.0.0"),
            std::string::npos);
  EXPECT_TRUE(answer.ends_with("# EOF\n"));
}

TEST_F(MetricsServer, HasNothingElse) {
  EXPECT_EQ(get("/").rfind("HTTP/1.1 404 ", 0), 0U);
  EXPECT_EQ(ask(server_->port(), "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                .rfind("HTTP/1.1 405 ", 0),
            0U);
  const std::string head = ask(server_->port(), "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(MetricsServer, TellsOfAnEdgeThatIsAway) {
  segment_.reset();
  const std::string answer = get("/metrics");
  EXPECT_EQ(answer.rfind("HTTP/1.1 200 ", 0), 0U);
  EXPECT_NE(answer.find("brink_edge_up 0\n"), std::string::npos);
}

TEST_F(MetricsServer, AnAddressThatIsTakenIsAnErrorThatNamesTheSetting) {
  const auto second = Server::start(
      {.listen = {*base::IpAddress::parse("127.0.0.1"), server_->port()}, .stats_path = path_});
  // With SO_REUSEADDR two listeners still exclude each other.
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message().find("metrics-listen"), std::string::npos);
}

}  // namespace
}  // namespace brink::ctl::metrics
