#include "dns/answer/engine.h"

#include <algorithm>

#include "dataplane/base/check.h"
#include "dns/answer/resolve.h"
#include "dns/answer/response.h"

namespace brink::dns::answer {
namespace {

using ipc::Counter;
using wire::Rcode;
using wire::Verdict;

// Questions that no zone answers, though they parse.
Rcode refuse_type(const wire::Query& query, Transport transport) noexcept {
  switch (query.type) {
    case wire::kTypeOpt:
    case wire::kTypeTsig:
    case wire::kTypeTkey:
      return Rcode::kFormErr;
    case wire::kTypeAxfr:  // RFC 5936 4.2: not over UDP; and to nobody over TCP
      return transport == Transport::kUdp ? Rcode::kNotImp : Rcode::kRefused;
    case wire::kTypeIxfr:  // over UDP the SOA tells the client to come back over TCP (RFC 1995 2)
      return transport == Transport::kUdp ? Rcode::kNoError : Rcode::kRefused;
    default:
      return Rcode::kNoError;
  }
}

// Why there is no answer (RFC 8914); 0: the response code says it all.
std::uint16_t error_of(const wire::Query& query, Rcode rcode) noexcept {
  if (rcode == Rcode::kNotImp) return wire::kErrorNotSupported;
  if (rcode != Rcode::kRefused) return 0;
  if (query.type == wire::kTypeAxfr || query.type == wire::kTypeIxfr) return wire::kErrorProhibited;
  return query.klass == wire::kClassIn ? wire::kErrorNotAuthoritative : wire::kErrorProhibited;
}

Counter counter_of(Rcode rcode) noexcept {
  switch (rcode) {
    case Rcode::kNoError:
      return Counter::kDnsNoError;
    case Rcode::kFormErr:
      return Counter::kDnsFormErr;
    case Rcode::kServFail:
      return Counter::kDnsServFail;
    case Rcode::kNxDomain:
      return Counter::kDnsNxDomain;
    case Rcode::kNotImp:
      return Counter::kDnsNotImp;
    case Rcode::kRefused:
      return Counter::kDnsRefused;
    case Rcode::kYxDomain:
      return Counter::kDnsYxDomain;
    case Rcode::kBadVers:
      return Counter::kDnsBadVers;
    case Rcode::kBadCookie:
      return Counter::kDnsBadCookie;
  }
  return Counter::kDnsServFail;
}

Counter counter_of(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kData:
      return Counter::kDnsNoError;
    case Outcome::kNoData:
      return Counter::kDnsNoData;
    case Outcome::kReferral:
      return Counter::kDnsReferral;
    case Outcome::kNxDomain:
      return Counter::kDnsNxDomain;
    case Outcome::kTooLong:
      return Counter::kDnsYxDomain;
    case Outcome::kRefused:
      return Counter::kDnsRefused;
    case Outcome::kServFail:
      return Counter::kDnsServFail;
  }
  return Counter::kDnsServFail;
}

Counter counter_of(guard::RateLimit limit) noexcept {
  switch (limit) {
    case guard::RateLimit::kNone:
    case guard::RateLimit::kLike:
      break;
    case guard::RateLimit::kSource:
      return Counter::kDropDnsSource;
    case guard::RateLimit::kNegative:
      return Counter::kDropDnsNegative;
    case guard::RateLimit::kTotal:
      return Counter::kDropDnsCeiling;
  }
  return Counter::kDropDnsRate;
}

// Answers between the fetching of what one is made of and its writing, where that is a proof, of a
// dozen lines: less than a latency of the memory is too few, and what does not fit the queues of
// the caches stops everything.
constexpr std::size_t kAhead = 4;

void fetch_sources(const Slot& slot) noexcept {
  for (std::uint8_t i = 0; i < slot.source_count; ++i) snapshot::View::prefetch(slot.sources[i]);
}

// Whether it is certain before anything is written: neither there nor covered, delegated or
// redirected.
bool is_no_name(const snapshot::Lookup& found) noexcept {
  return found.record == nullptr && found.encloser != nullptr &&
         (found.encloser->flags & (snapshot::kCut | snapshot::kRedirect)) == 0;
}

guard::AnswerKind kind_of(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kData:
      return guard::AnswerKind::kData;
    case Outcome::kNoData:
      return guard::AnswerKind::kNoData;
    case Outcome::kReferral:
      return guard::AnswerKind::kReferral;
    case Outcome::kNxDomain:
      return guard::AnswerKind::kNxDomain;
    case Outcome::kTooLong:
    case Outcome::kRefused:
    case Outcome::kServFail:
      break;
  }
  return guard::AnswerKind::kError;
}

// The name that an answer came from, see RateLimiter::check.
std::uint64_t source_of(const snapshot::Lookup& found, Outcome outcome) noexcept {
  const bool own = outcome == Outcome::kData || outcome == Outcome::kNoData;
  const snapshot::Record* source = own && found.record != nullptr ? found.record : found.encloser;
  return source == nullptr ? 0 : source->name_hash;
}

Rcode rcode_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::kQuery:
    case Verdict::kCookieOnly:
    case Verdict::kDropShort:
    case Verdict::kDropResponse:
      return Rcode::kNoError;
    case Verdict::kFormErr:
      return Rcode::kFormErr;
    case Verdict::kNotImp:
      return Rcode::kNotImp;
    case Verdict::kBadVers:
      return Rcode::kBadVers;
  }
  return Rcode::kServFail;
}

}  // namespace

void Engine::answer_burst(const snapshot::View& view, Transport transport,
                          std::span<Message> messages, ipc::WorkerCounters& counters) noexcept {
  CHECK(messages.size() <= kBurstMax);
  const std::size_t count = messages.size();
  counters.add(Counter::kDnsQueries, count);

  // Parse and hash; every question's bucket is on its way before the first is looked at.
  for (std::size_t i = 0; i < count; ++i) {
    Slot& slot = slots_[i];
    const Message& in = messages[i];
    CHECK(in.capacity >= kCapacityMin);
    wire::parse_query({in.message, in.size}, slot.query);
    slot.source_count = 0;
    if (slot.query.verdict != Verdict::kQuery) continue;
    snapshot::set_key(slot.key, view.hash_key(), in.message + wire::kHeaderSize,
                      slot.query.name_size, in.capacity - wire::kHeaderSize);
    view.prefetch_bucket(slot.key.hash);
    if (expects_missing_) MissingNames::expect(view, slot);
  }
  for (std::size_t i = 0; i < count; ++i) {
    Slot& slot = slots_[i];
    if (slot.query.verdict != Verdict::kQuery) continue;
    slot.candidate = view.candidate(slot.key.hash);
    const bool is_missing = expects_missing_ && slot.candidate == 0;
    view.prefetch_record(is_missing ? view.candidate(slot.parent_hash) : slot.candidate);
  }
  look_up(view, count);
  // What proofs are made of comes while the answers before are written: so the memory is busy all
  // the time, and so are we.
  for (std::size_t i = 0; i < std::min(count, kAhead); ++i) fetch_sources(slots_[i]);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) fetch_sources(slots_[i + kAhead]);
    answer(view, transport, slots_[i], messages[i], counters);
  }
}

void Engine::look_up(const snapshot::View& view, std::size_t count) noexcept {
  Slot* missing[kBurstMax];
  Slot* cuts[kBurstMax];
  std::size_t missing_count = 0, cut_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Slot& slot = slots_[i];
    if (slot.query.verdict != Verdict::kQuery) continue;
    const snapshot::Record& record = view.record(slot.candidate);
    slot.foreseen.count = 0;
    if (slot.candidate == 0 || !view.is_hit(record, slot.key)) {
      missing[missing_count++] = &slot;
      continue;
    }
    slot.found = {&record, &record, true};
    if (slot.query.dnssec_ok && (record.flags & snapshot::kCut) != 0) {
      cuts[cut_count++] = &slot;
      continue;
    }
    // Sets that are not inline are one step further away.
    const bool is_inline = record.inline_type == slot.query.type && !slot.query.dnssec_ok;
    if (!is_inline && record.rrsets != 0) {
      snapshot::View::prefetch(view.rrsets_area(record, slot.query.dnssec_ok));
    }
  }
  if (missing_count + cut_count != 0) {
    std::copy_n(cuts, cut_count, missing + missing_count);
    missing_.look_up(view, {missing, missing_count + cut_count}, missing_count, expects_missing_);
  }
  expects_missing_ = 2 * missing_count > count;
}

// What was asked for by an option; most queries have none. Whether there was a cookie of ours.
bool Engine::answer_options(const wire::Query& query, Transport transport, const Message& in,
                            ipc::WorkerCounters& counters, EdnsOptions& out) const noexcept {
  bool good = false;
  if (query.cookie_size != 0 && cookie_secrets_ != nullptr && in.client != nullptr) {
    const std::span shown(in.message + query.cookie_at, query.cookie_size);
    good = guard::is_good_cookie(*cookie_secrets_, shown, *in.client, unix_seconds_);
    if (shown.size() > guard::kClientCookieSize) {
      counters.add(good ? Counter::kDnsCookieGood : Counter::kDnsCookieBad);
    }
    std::array<std::uint8_t, guard::kCookieSize> fresh;
    guard::make_cookie(*cookie_secrets_, shown, *in.client, unix_seconds_, fresh);
    out.put(wire::kOptionCookie, fresh);
  }
  if (query.wants_nsid && !options_.identity.empty()) {
    const auto* identity = reinterpret_cast<const std::uint8_t*>(options_.identity.data());
    out.put(wire::kOptionNsid, {identity, options_.identity.size()});
  }
  // RFC 7828 3.3.2: only over a stream.
  if (query.wants_keepalive && transport != Transport::kUdp) {
    out.put_u16(wire::kOptionKeepalive, options_.keepalive_100ms);
  }
  return good;
}

// Over it: nothing is sent, or what tells a real client how to get its answer: that it was
// truncated, or a good cookie (RFC 7873 5.2.3).
bool Engine::is_over_rate(const wire::Query& query, const Envelope& envelope, Message& in,
                          guard::AnswerKind kind, std::uint64_t name_hash,
                          ipc::WorkerCounters& counters) noexcept {
  if (!envelope.limited) return false;
  const guard::RateRuling ruling = limiter_->check(*in.client, kind, name_hash, unix_seconds_);
  switch (ruling.verdict) {
    case guard::RateVerdict::kSend:
      return false;
    case guard::RateVerdict::kDrop:
      counters.add(counter_of(ruling.limit));
      in.size = 0;
      return true;
    case guard::RateVerdict::kSlip:
      break;
  }
  counters.add(Counter::kDnsRateSlipped);
  Response response(in.message, query, in.capacity - kSlack, options_.udp_size_max,
                    envelope.options);
  if (query.cookie_size != 0) {
    counters.add(Counter::kDnsBadCookie);
    response.set_rcode(Rcode::kBadCookie);
  } else {
    response.set_truncated();
  }
  in.size = response.finish();
  return true;
}

// What no zone answers: errors, cookies, what the server says of itself, which `fill` puts.
template <typename Fill>
void Engine::answer_without_zone(const wire::Query& query, Envelope& envelope, Rcode rcode,
                                 Message& in, ipc::WorkerCounters& counters,
                                 const Fill& fill) noexcept {
  if (is_over_rate(query, envelope, in, guard::AnswerKind::kError, 0, counters)) return;
  if (const std::uint16_t error = error_of(query, rcode); query.edns && error != 0) {
    envelope.options.put_u16(wire::kOptionError, error);
  }
  Response response(in.message, query, in.capacity - kSlack, options_.udp_size_max,
                    envelope.options);
  if (envelope.padded) response.set_padding(kPaddingBlock);
  fill(response);
  response.set_rcode(rcode);
  const bool is_empty = rcode == Rcode::kNoError && query.verdict != Verdict::kQuery;
  counters.add(Counter::kDnsAnswers);
  counters.add(is_empty ? Counter::kDnsNoData : counter_of(rcode));
  in.size = response.finish();
}

void Engine::refuse(const wire::Query& query, Envelope& envelope, Rcode rcode, Message& in,
                    ipc::WorkerCounters& counters) noexcept {
  answer_without_zone(query, envelope, rcode, in, counters, [](Response&) {});
}

void Engine::answer(const snapshot::View& view, Transport transport, Slot& slot, Message& in,
                    ipc::WorkerCounters& counters) noexcept {
  const wire::Query& query = slot.query;
  if (query.verdict == Verdict::kDropShort || query.verdict == Verdict::kDropResponse) {
    counters.add(query.verdict == Verdict::kDropShort ? Counter::kDropDnsShort
                                                      : Counter::kDropDnsResponse);
    in.size = 0;
    return;
  }
  Envelope envelope;
  const bool known = query.edns && answer_options(query, transport, in, counters, envelope.options);
  envelope.limited =
      limiter_ != nullptr && transport == Transport::kUdp && in.client != nullptr && !known;
  envelope.padded = transport == Transport::kEncryptedStream && query.wants_padding;
  const Rcode early = query.verdict == Verdict::kQuery ? refuse_type(query, transport)
                                                       : rcode_of(query.verdict);
  if (query.verdict != Verdict::kQuery || early != Rcode::kNoError) {
    return refuse(query, envelope, early, in, counters);
  }
  if (query.klass != wire::kClassIn) return answer_class(query, envelope, in, counters);
  answer_from_zones(view, transport, slot, envelope, in, counters);
}

// Of a class other than IN.
void Engine::answer_class(const wire::Query& query, Envelope& envelope, Message& in,
                          ipc::WorkerCounters& counters) noexcept {
  const std::uint8_t* name = in.message + wire::kHeaderSize;
  if (query.klass != wire::kClassChaos || !knows_chaos(query, name, names())) {
    return refuse(query, envelope, Rcode::kRefused, in, counters);
  }
  answer_without_zone(query, envelope, Rcode::kNoError, in, counters, [&](Response& response) {
    answer_chaos(query, name, names(), response);
  });
}

void Engine::answer_from_zones(const snapshot::View& view, Transport transport, Slot& slot,
                               Envelope& envelope, Message& in,
                               ipc::WorkerCounters& counters) noexcept {
  const wire::Query& query = slot.query;
  const std::size_t room = in.capacity - kSlack;
  const std::size_t limit =
      transport != Transport::kUdp
          ? room
          : std::min<std::size_t>(std::min(query.udp_size, options_.udp_size_max), room);
  const snapshot::Lookup& found = slot.found;
  if (!found.exact && in.client != nullptr &&
      is_whoami(query, in.message + wire::kHeaderSize, names())) {
    return answer_without_zone(query, envelope, Rcode::kNoError, in, counters, [&](Response& own) {
      answer_whoami(query, *in.client, names(), own);
    });
  }
  // A flood of names that are not there is not worth its proofs.
  if (is_no_name(found)) {
    const auto kind = guard::AnswerKind::kNxDomain;
    if (is_over_rate(query, envelope, in, kind, found.encloser->name_hash, counters)) return;
    envelope.limited = false;
  }
  Response response(in.message, query, limit, options_.udp_size_max, envelope.options);
  if (envelope.padded) response.set_padding(kPaddingBlock);
  const Outcome outcome = resolve(view, slot, response);
  if (outcome == Outcome::kRefused) {
    return refuse(query, envelope, Rcode::kRefused, in, counters);
  }
  if (is_over_rate(query, envelope, in, kind_of(outcome), source_of(found, outcome), counters)) {
    return;
  }
  if (outcome == Outcome::kTooLong) response.set_rcode(Rcode::kYxDomain);
  if (outcome == Outcome::kServFail) response.set_rcode(Rcode::kServFail);
  if (response.truncated()) counters.add(Counter::kDnsTruncated);
  counters.add(Counter::kDnsAnswers);
  counters.add(counter_of(outcome));
  in.size = response.finish();
}

}  // namespace brink::dns::answer
