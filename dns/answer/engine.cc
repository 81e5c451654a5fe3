#include "dns/answer/engine.h"

#include <algorithm>

#include "dataplane/base/check.h"
#include "dns/answer/chaos.h"
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
    case Outcome::kRefused:
      return Counter::kDnsRefused;
    case Outcome::kServFail:
      return Counter::kDnsServFail;
  }
  return Counter::kDnsServFail;
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

// A response without records. An opcode that is not implemented gets only its header back.
std::uint16_t refuse(const Message& in, const wire::Query& query, Rcode rcode,
                     std::uint16_t udp_size, const EdnsOptions& options) noexcept {
  Response response(in.message, query, in.capacity, udp_size, options);
  response.set_rcode(rcode);
  return response.finish();
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
    if (slot.query.verdict != Verdict::kQuery) continue;
    snapshot::set_key(slot.key, view.hash_key(), in.message + wire::kHeaderSize,
                      slot.query.name_size, in.capacity - wire::kHeaderSize);
    view.prefetch_bucket(slot.key.hash);
  }
  for (std::size_t i = 0; i < count; ++i) {
    Slot& slot = slots_[i];
    if (slot.query.verdict != Verdict::kQuery) continue;
    slot.candidate = view.candidate(slot.key.hash);
    view.prefetch_record(slot.candidate);
  }
  // Sets that are not inline are one step further away.
  for (std::size_t i = 0; i < count; ++i) {
    const Slot& slot = slots_[i];
    if (slot.query.verdict != Verdict::kQuery) continue;
    const snapshot::Record& record = view.record(slot.candidate);
    if (record.inline_type != slot.query.type && record.rrsets != 0) view.prefetch_rrsets(record);
  }
  for (std::size_t i = 0; i < count; ++i) {
    answer(view, transport, slots_[i], messages[i], counters);
  }
}

// What was asked for by an option; most queries have none.
void Engine::answer_options(const wire::Query& query, Transport transport, const Message& in,
                            ipc::WorkerCounters& counters, EdnsOptions& out) const noexcept {
  if (query.cookie_size != 0 && cookie_secrets_ != nullptr && in.client != nullptr) {
    const std::span shown(in.message + query.cookie_at, query.cookie_size);
    const bool good = guard::is_good_cookie(*cookie_secrets_, shown, *in.client, unix_seconds_);
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
  if (query.wants_keepalive && transport == Transport::kStream) {
    out.put_u16(wire::kOptionKeepalive, options_.keepalive_100ms);
  }
}

std::uint16_t Engine::answer_chaos(const wire::Query& query, const Message& in,
                                   const EdnsOptions& options,
                                   ipc::WorkerCounters& counters) const noexcept {
  Response response(in.message, query, std::min<std::size_t>(query.udp_size, in.capacity - kSlack),
                    options_.udp_size_max, options);
  const ServerNames names{options_.identity, options_.version};
  const bool told = answer::answer_chaos(query, in.message + wire::kHeaderSize, names, response);
  if (!told) response.set_rcode(Rcode::kRefused);
  response.set_authoritative(told);
  counters.add(told ? Counter::kDnsNoError : Counter::kDnsRefused);
  return response.finish();
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
  counters.add(Counter::kDnsAnswers);
  EdnsOptions options;
  if (query.edns) answer_options(query, transport, in, counters, options);
  Rcode early = rcode_of(query.verdict);
  const bool question = query.verdict == Verdict::kQuery;
  if (question) early = refuse_type(query, transport);
  if (question && early == Rcode::kNoError && query.klass == wire::kClassChaos) {
    in.size = answer_chaos(query, in, options, counters);
    return;
  }
  if (question && early == Rcode::kNoError && query.klass != wire::kClassIn)
    early = Rcode::kRefused;
  if (early != Rcode::kNoError || !question) {
    counters.add(early == Rcode::kNoError ? Counter::kDnsNoData : counter_of(early));
    in.size = refuse(in, query, early, options_.udp_size_max, options);
    return;
  }

  const std::size_t room = in.capacity - kSlack;
  const std::size_t limit =
      transport == Transport::kStream
          ? room
          : std::min<std::size_t>(std::min(query.udp_size, options_.udp_size_max), room);
  Response response(in.message, query, limit, options_.udp_size_max, options);
  const snapshot::Record& candidate = view.record(slot.candidate);
  const bool hit = slot.candidate != 0 && view.is_hit(candidate, slot.key);
  const snapshot::Lookup found =
      hit ? snapshot::Lookup{&candidate, &candidate, true} : view.lookup(slot.key);
  const Outcome outcome = resolve(view, query, found, slot.key, response);
  if (outcome == Outcome::kRefused) response.set_rcode(Rcode::kRefused);
  if (outcome == Outcome::kServFail) response.set_rcode(Rcode::kServFail);
  if (response.truncated()) counters.add(Counter::kDnsTruncated);
  counters.add(counter_of(outcome));
  in.size = response.finish();
}

}  // namespace brink::dns::answer
