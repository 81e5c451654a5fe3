// The generators' port: DPDK port 0 with one queue, in whatever form the command line names it.
#pragma once

#include <cstdint>

struct rte_mempool;

namespace brink::perf {

// Starts DPDK with the arguments behind "--" and port 0 with it; waits ten seconds for its link.
// The pool has 16,383 packets. Throws std::runtime_error with what is wrong.
rte_mempool* start_port(char* program, int count, char** arguments);
void stop_port();

}  // namespace brink::perf
