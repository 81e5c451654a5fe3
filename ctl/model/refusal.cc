#include "ctl/model/refusal.h"

namespace brink::ctl::model {

Refusal invalid_record(int cause, std::string message) {
  return Refusal{400, kCodeValidation, "DNS Validation Error", {{cause, std::move(message)}}};
}

}  // namespace brink::ctl::model
