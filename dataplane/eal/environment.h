// Environment: DPDK's environment abstraction layer for the life of the process. Cold; main thread.
#pragma once

#include <memory>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/eal/arguments.h"

namespace brink::eal {

class Environment {
 public:
  // Starts the EAL on the calling thread, which becomes the main lcore and is bound to its CPU.
  // Once a process. Falls back to ordinary memory as config.hugepages allows; see fallback().
  static base::Result<std::unique_ptr<Environment>> start(const EalConfig& config);

  // Ends the EAL and removes its files. All ports must be closed and all lcores idle.
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // What the start fell back to, as a sentence for the log; empty when nothing.
  [[nodiscard]] const std::string& fallback() const { return fallback_; }
  [[nodiscard]] bool hugepages() const { return hugepages_; }

 private:
  Environment() = default;
  std::string fallback_;
  bool hugepages_ = false;
  bool started_ = false;
};

}  // namespace brink::eal
