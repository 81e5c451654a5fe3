// IdleEstimate: for how long a connection to one origin may have been idle and still be used.
// Learned from the idle times after which the origin closed connections, and from what it says of
// itself (Keep-Alive: timeout=), and kept well below: a request must not cross the origin's own
// close.
//
// One close may have another reason, a reload for example: it is believed for a minute, and for ten
// when a second one agrees. After that it is found out anew. A value; one worker, one thread.
#pragma once

#include <optional>
#include <string_view>

#include "dataplane/base/clock.h"

namespace brink::l7::origin {

class IdleEstimate {
 public:
  // The origin closed, or was found closed, after so long without a request. What is too short for
  // a timeout counts as none.
  void note_closed(base::Duration idle, base::Time now) noexcept;
  // The origin says that it closes after so long.
  void note_stated(base::Duration timeout, base::Time now) noexcept;

  // Four fifths of the least of both; max() when neither is known.
  [[nodiscard]] base::Duration usable(base::Time now) const noexcept;

 private:
  base::Duration closed_after_{};
  base::Duration stated_{};
  base::Time closed_until_{};  // until then it is believed
  base::Time stated_until_{};
};

// The timeout of a Keep-Alive field's value (RFC 2068 19.7.1.1 as servers write it), if it has one.
std::optional<base::Duration> keep_alive_timeout(std::string_view value) noexcept;

}  // namespace brink::l7::origin
