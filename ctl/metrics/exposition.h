// The edge's statistics as text for Prometheus: its text format 0.0.4, and OpenMetrics 1.0, which
// differ in how counters are called and in the last line. What there is, and its labels, is
// described in docs/metrics.md. Any thread; pure.
#pragma once

#include <string>
#include <string_view>

#include "dataplane/ipc/stats_segment.h"

namespace brink::ctl::metrics {

enum class Format { kPrometheus, kOpenMetrics };

// Of the two the one that an Accept field asks for.
Format format_for(std::string_view accept);
std::string_view content_type_of(Format format);

// `sample` null: the edge cannot be read, which is told as brink_edge_up 0.
std::string exposition(const ipc::StatsSample* sample, Format format);

}  // namespace brink::ctl::metrics
