// Control: everything brink-control consists of, put together.
#pragma once

#include <memory>

#include "ctl/daemon/config.h"
#include "dataplane/base/result.h"

namespace brink::ctl::daemon {

class Control {
 public:
  // Opens the store, starts publishing and serving.
  static base::Result<std::unique_ptr<Control>> start(const Config& config);
  // Reads the API's certificate and key again. What fails is logged, and the old ones stay. Any
  // thread.
  void reload();
  // Answers what is under way and stops. Everything acknowledged is in the store.
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

 private:
  struct Parts;
  explicit Control(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace brink::ctl::daemon
