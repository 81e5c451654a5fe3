// Overwriting secrets in memory. Best effort: it reaches the copies that are named to it, not those
// that a library, a parser or a growing string made on the way. Any thread.
#pragma once

#include <span>
#include <string>

namespace brink::secret {

// Not left out by the compiler, even if nobody reads the octets again.
void wipe(std::span<char> octets);
// Overwrites the text, then empties it.
void wipe(std::string& secret);

// Wipes a text that it does not own when it goes; the text has to outlive it.
class WipedAtEnd {
 public:
  explicit WipedAtEnd(std::string& secret) : secret_(secret) {}
  ~WipedAtEnd() { wipe(secret_); }
  WipedAtEnd(const WipedAtEnd&) = delete;
  WipedAtEnd& operator=(const WipedAtEnd&) = delete;

 private:
  std::string& secret_;
};

}  // namespace brink::secret
