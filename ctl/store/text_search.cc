#include "ctl/store/text_search.h"

#include <emmintrin.h>

#include <bit>
#include <cstring>

#include "dataplane/base/check.h"

namespace brink::ctl::store {

std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from) {
  CHECK(!wanted.empty());
  constexpr std::size_t kBlock = sizeof(__m128i);
  const std::size_t last = wanted.size() - 1;
  const __m128i first_octet = _mm_set1_epi8(wanted.front());
  const __m128i last_octet = _mm_set1_epi8(wanted.back());
  std::size_t at = from;
  // Sixteen places at a time: those with the right first and last octet are looked at.
  for (; at + kBlock + last <= text.size(); at += kBlock) {
    const auto load = [&](std::size_t place) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + place));
    };
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(load(at), first_octet),
                                       _mm_cmpeq_epi8(load(at + last), last_octet));
    auto places = static_cast<unsigned>(_mm_movemask_epi8(both));
    for (; places != 0; places &= places - 1) {
      const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(places));
      if (std::memcmp(text.data() + place, wanted.data(), wanted.size()) == 0) return place;
    }
  }
  return text.find(wanted, at);
}

}  // namespace brink::ctl::store
