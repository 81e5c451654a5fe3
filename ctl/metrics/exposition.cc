#include "ctl/metrics/exposition.h"

#include <cstdio>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "ctl/metrics/traffic.h"
#include "dataplane/base/log_linear.h"

namespace brink::ctl::metrics {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// Bounds of what a bucket of the exposition holds, as powers of two: only there the finer buckets
// of the statistics begin anew, so that nothing has to be guessed.
constexpr int kTrafficBounds[] = {9, 11, 13, 15, 17, 18, 19, 20, 22, 24};           // of us
constexpr int kLatencyBounds[] = {12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34};  // of ns

constexpr double kPerMicrosecond = 1e6;
constexpr double kPerNanosecond = 1e9;

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// Families one after the other; samples belong to the one that was begun last.
class Writer {
 public:
  explicit Writer(Format format) : format_(format) {}

  void counter(const std::string& name, std::string_view help) {
    begin(name, "counter", help, "_total");
  }
  void gauge(const std::string& name, std::string_view help) { begin(name, "gauge", help, ""); }

  void sample(const Labels& labels, std::uint64_t value) {
    line(suffix_, labels, std::to_string(value));
  }
  void sample(const Labels& labels, double value) { line(suffix_, labels, number_text(value)); }

  // `bounds`: powers of two, in units of which a second has `per_second`.
  void begin_histogram(const std::string& name, std::string_view help) {
    begin(name, "histogram", help, "");
  }
  template <typename Scale>
  void histogram(const Labels& labels, const std::vector<std::uint64_t>& counts, double sum_s,
                 std::span<const int> bounds, double per_second) {
    std::uint64_t sum = 0;
    std::size_t i = 0;
    for (const int bound : bounds) {
      const std::uint64_t end = std::uint64_t{1} << bound;
      for (; i < counts.size() && Scale::upper_bound(i) < end; ++i) sum += counts[i];
      bucket(labels, number_text(static_cast<double>(end) / per_second), sum);
    }
    for (; i < counts.size(); ++i) sum += counts[i];
    bucket(labels, "+Inf", sum);
    line("_sum", labels, number_text(sum_s));
    line("_count", labels, std::to_string(sum));
  }

  std::string take() {
    if (format_ == Format::kOpenMetrics) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  // OpenMetrics names a counter's family without its suffix.
  void begin(const std::string& name, const char* type, std::string_view help, const char* suffix) {
    name_ = name;
    suffix_ = suffix;
    const std::string family = format_ == Format::kOpenMetrics ? name : name + suffix;
    text_ +=
        "# HELP " + family + " " + std::string(help) + "\n# TYPE " + family + " " + type + "\n";
  }
  void bucket(Labels labels, std::string bound, std::uint64_t count) {
    labels.emplace_back("le", std::move(bound));
    line("_bucket", labels, std::to_string(count));
  }
  void line(const char* suffix, const Labels& labels, const std::string& value) {
    text_ += name_ + suffix;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      text_ += i == 0 ? "{" : ",";
      text_ += std::string(labels[i].first) + "=\"" + escaped(labels[i].second) + "\"";
    }
    text_ += (labels.empty() ? " " : "} ") + value + "\n";
  }

  const Format format_;
  std::string text_;
  std::string name_;
  const char* suffix_ = "";
};

std::string_view help_of(std::span<const ipc::CounterInfo> known, const std::string& name) {
  for (const ipc::CounterInfo& info : known) {
    if (info.name == name) return info.help;
  }
  return "counted by a brink-edge of another release";
}

Labels worker_label(const ipc::WorkerSample& worker) {
  return {{"worker", std::to_string(worker.worker)}};
}

constexpr std::string_view kDrop = "drop_";

void write_counters(Writer& out, const ipc::StatsSample& sample) {
  for (std::size_t i = 0; i < sample.names.size(); ++i) {
    const std::string& name = sample.names[i];
    if (name.starts_with(kDrop)) continue;
    out.counter("brink_" + name, help_of(ipc::kCounterInfo, name));
    for (const auto& worker : sample.workers) out.sample(worker_label(worker), worker.counters[i]);
  }
  out.counter("brink_drops", "packets and connections dropped, by reason");
  for (const auto& worker : sample.workers) {
    for (std::size_t i = 0; i < sample.names.size(); ++i) {
      if (!sample.names[i].starts_with(kDrop)) continue;
      Labels labels = worker_label(worker);
      labels.emplace_back("reason", sample.names[i].substr(kDrop.size()));
      out.sample(labels, worker.counters[i]);
    }
  }
}

void write_workers(Writer& out, const ipc::StatsSample& sample) {
  const auto hz = static_cast<double>(sample.header.tsc_hz == 0 ? 1 : sample.header.tsc_hz);
  out.counter("brink_worker_busy_seconds", "time of turns that did work");
  for (const auto& worker : sample.workers) {
    out.sample(worker_label(worker), static_cast<double>(worker.busy_cycles) / hz);
  }
  out.counter("brink_worker_idle_seconds", "time of turns without work, and of sleeps");
  for (const auto& worker : sample.workers) {
    out.sample(worker_label(worker), static_cast<double>(worker.idle_cycles) / hz);
  }
  out.gauge("brink_worker_tcp_connections", "TCP connections that are open");
  for (const auto& worker : sample.workers) {
    out.sample(worker_label(worker), worker.tcp_connections);
  }
}

// Their sum is not kept: it is made of the middles of the buckets, 3 % off at most.
double sum_of(const ipc::LatencySample& latency) {
  double sum = 0;
  for (std::size_t i = 0; i < latency.counts.size(); ++i) {
    const double above = i == 0 ? 0 : static_cast<double>(base::LogLinear::upper_bound(i - 1) + 1);
    const double middle = (above + static_cast<double>(base::LogLinear::upper_bound(i))) / 2;
    sum += middle * static_cast<double>(latency.counts[i]);
  }
  return sum;
}

void write_latencies(Writer& out, const ipc::StatsSample& sample) {
  out.begin_histogram("brink_answer_seconds", "how long the edge had what it answered");
  for (std::size_t i = 0; i < sample.latency_names.size(); ++i) {
    for (const auto& worker : sample.workers) {
      Labels labels = worker_label(worker);
      labels.emplace_back("kind", sample.latency_names[i]);
      out.histogram<base::LogLinear>(labels, worker.latencies[i].counts,
                                     sum_of(worker.latencies[i]) / kPerNanosecond, kLatencyBounds,
                                     kPerNanosecond);
    }
  }
}

struct PortCounter {
  const char* name;
  const char* help;
  std::uint64_t ipc::PortStats::*value;
};
constexpr PortCounter kPortCounters[] = {
    {"brink_port_receive_packets", "frames that the port took in", &ipc::PortStats::rx_packets},
    {"brink_port_receive_bytes", "bytes of those frames", &ipc::PortStats::rx_bytes},
    {"brink_port_receive_missed", "frames lost since no worker took them in time",
     &ipc::PortStats::rx_missed},
    {"brink_port_receive_errors", "frames that were damaged", &ipc::PortStats::rx_errors},
    {"brink_port_receive_no_buffer", "frames lost since the pool was empty",
     &ipc::PortStats::rx_no_mbuf},
    {"brink_port_transmit_packets", "frames that the port sent", &ipc::PortStats::tx_packets},
    {"brink_port_transmit_bytes", "bytes of those frames", &ipc::PortStats::tx_bytes},
    {"brink_port_transmit_errors", "frames that could not be sent", &ipc::PortStats::tx_errors},
};

Labels port_label(const ipc::PortStats& port) {
  return {{"port", std::string(port.name, ::strnlen(port.name, sizeof port.name))}};
}

void write_ports(Writer& out, const std::vector<ipc::PortStats>& all) {
  std::vector<ipc::PortStats> ports;
  for (const auto& port : all) {
    if (port.name[0] != '\0') ports.push_back(port);
  }
  for (const PortCounter& counter : kPortCounters) {
    out.counter(counter.name, counter.help);
    for (const auto& port : ports) out.sample(port_label(port), port.*counter.value);
  }
  out.gauge("brink_port_up", "whether the port has a link");
  for (const auto& port : ports) out.sample(port_label(port), std::uint64_t{port.link_up});
}

void write_snapshot(Writer& out, const ipc::StatsHeader& header) {
  const auto seconds = [](std::uint64_t unix_ns) {
    return static_cast<double>(unix_ns) / kPerNanosecond;
  };
  out.gauge("brink_edge_start_time_seconds", "when brink-edge started, since 1970");
  out.sample({}, seconds(header.started_unix_ns));
  out.gauge("brink_edge_heartbeat_time_seconds", "when its main thread was last seen, since 1970");
  out.sample({}, seconds(header.heartbeat_unix_ns));
  out.gauge("brink_snapshot_version", "version of what is served");
  out.sample({}, header.snapshot_version);
  out.gauge("brink_snapshot_publish_time_seconds", "when it was published, since 1970");
  out.sample({}, seconds(header.snapshot_published_unix_ns));
  out.gauge("brink_snapshot_zones", "zones that are served");
  out.sample({}, header.snapshot_zones);
  out.gauge("brink_snapshot_names", "names that are served");
  out.sample({}, header.snapshot_names);
  out.gauge("brink_snapshot_size_bytes", "memory of one copy of the image");
  out.sample({}, header.snapshot_size_bytes);
  out.counter("brink_snapshot_transactions", "transactions published since the start");
  out.sample({}, header.snapshot_transactions);
  out.counter("brink_snapshot_refused", "images and transactions that were refused");
  out.sample({}, header.snapshot_refused);
}

// The status classes of a response are one family, told apart by `code`; what else is counted has
// one each. Octets are called as Prometheus calls them.
constexpr std::string_view kResponses = "responses_";

std::string traffic_family(const std::string& prefix, const std::string& name) {
  if (name == "bytes_in") return prefix + "receive_bytes";
  if (name == "bytes_out") return prefix + "transmit_bytes";
  return prefix + name;
}

void write_traffic(Writer& out, const ipc::StatsSample& sample, TrafficKind kind) {
  const bool is_zone = kind == TrafficKind::kZones;
  const std::string_view label = is_zone ? "zone" : "origin";
  const std::string prefix = "brink_" + std::string(label) + "_";
  const std::span<const ipc::CounterInfo> known =
      is_zone ? std::span<const ipc::CounterInfo>(ipc::kZoneCounterInfo) : ipc::kOriginCounterInfo;
  const auto rows = add_up(sample, kind);
  const auto& names = counter_names(sample, kind);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].starts_with(kResponses)) continue;
    out.counter(traffic_family(prefix, names[i]), help_of(known, names[i]));
    for (const TrafficRow& row : rows) out.sample({{label, row.name}}, row.counters[i]);
  }
  out.counter(prefix + "responses", "requests answered, by class of status");
  for (const TrafficRow& row : rows) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].starts_with(kResponses)) continue;
      out.sample({{label, row.name}, {"code", names[i].substr(kResponses.size())}},
                 row.counters[i]);
    }
  }
  out.begin_histogram(prefix + (is_zone ? "request_seconds" : "response_seconds"),
                      is_zone
                          ? "from a request's head to the end of its response"
                          : "from a request's being given to a connection to its response's head");
  for (const TrafficRow& row : rows) {
    out.histogram<ipc::TrafficScale>({{label, row.name}}, row.times,
                                     static_cast<double>(row.time_sum_us) / kPerMicrosecond,
                                     kTrafficBounds, kPerMicrosecond);
  }
}

}  // namespace

Format format_for(std::string_view accept) {
  return accept.find("application/openmetrics-text") == std::string_view::npos
             ? Format::kPrometheus
             : Format::kOpenMetrics;
}

std::string_view content_type_of(Format format) {
  return format == Format::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string exposition(const ipc::StatsSample* sample, Format format) {
  Writer out(format);
  out.gauge("brink_edge_up", "whether the statistics of brink-edge can be read");
  out.sample({}, std::uint64_t{sample != nullptr});
  if (sample != nullptr) {
    write_snapshot(out, sample->header);
    write_workers(out, *sample);
    write_latencies(out, *sample);
    write_ports(out, sample->ports);
    write_traffic(out, *sample, TrafficKind::kZones);
    write_traffic(out, *sample, TrafficKind::kOrigins);
    write_counters(out, *sample);
  }
  return out.take();
}

}  // namespace brink::ctl::metrics
