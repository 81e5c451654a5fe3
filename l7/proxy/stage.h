// Stage: the L7 stage of one worker. It takes the TCP stack's events, reads requests, finds their
// route in the snapshot, drives them to origins and back, and enforces every timeout. Clients speak
// HTTP/1, or HTTP/2 where TLS agreed on it.
//
// The worker's turn:
//     for each TCP packet:  stack.receive(...);
//     stack.advance(now);
//     stage.run(view, now);          // drains stack.next_event()
//     while (room) stack.next_segment(...)
//
// One thread; nothing is shared. It owns every connection of its stack. It allocates nothing, calls
// no clock and blocks nowhere; all of its memory is the arena given at construction. Nothing of the
// snapshot is kept beyond run(): a request copies its route.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dataplane/base/index_ring.h"
#include "dataplane/base/clock.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/ipc/latency.h"
#include "dataplane/ipc/traffic.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/transport/transport.h"
#include "l7/balancer/balancer.h"
#include "l7/country/database.h"
#include "l7/http2/session.h"
#include "l7/origin/idle_pool.h"
#include "l7/origin/origin_table.h"
#include "l7/origin/source_ports.h"
#include "l7/proxy/body_coding.h"
#include "l7/proxy/edge_error.h"
#include "l7/proxy/exchange.h"
#include "l7/proxy/forwarded_head.h"
#include "l7/proxy/index_list.h"
#include "l7/proxy/stage_config.h"
#include "l7/rewrite/rules.h"

namespace brink::l7::proxy {

class Stage {
 public:
  // Bytes of memory a stage of this configuration needs, aligned to 64.
  static std::size_t memory_size(const StageConfig& config) noexcept;

  // `memory` (at least memory_size(config) bytes, 64-byte aligned), `transport`, `counters` and
  // what `config` borrows outlive the stage.
  Stage(const StageConfig& config, std::span<std::byte> memory, transport::Transport& transport,
        ipc::WorkerCounters& counters) noexcept;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // One turn: events, requests, timeouts. `view` is used during the call only.
  void run(const snapshot::View& view, base::Time now) noexcept;

  // When run() must be called at the latest although no packet came; Time::max() when idle.
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // Unix time minus base::Time's epoch; call when the wall clock was stepped.
  void set_wall_offset(base::Duration offset) noexcept { config_.wall_offset = offset; }

  // Where the time that requests took is noted; null: nowhere. It outlives the stage.
  void set_latency(ipc::TurnLatency* latency) noexcept { latency_ = latency; }

  // Where zones and origins are counted; null: nowhere. They outlive the stage.
  void set_traffic(ipc::TrafficTables* traffic) noexcept { traffic_ = traffic; }

  // From now on every response ends its connection and idle connections are closed. The caller
  // stops the stack's accepting and waits for client_count() == 0.
  void drain() noexcept { draining_ = true; }

  [[nodiscard]] std::uint32_t client_count() const noexcept { return clients_.used(); }
  [[nodiscard]] std::uint32_t exchange_count() const noexcept { return exchanges_.used(); }
  [[nodiscard]] std::uint32_t origin_count() const noexcept { return origins_.used(); }
  [[nodiscard]] std::uint32_t idle_origin_count() const noexcept { return pool_.size(); }

 private:
  // A fixed array with a stack of free indexes.
  template <typename T>
  struct Slots {
    std::span<T> items;
    std::span<std::uint32_t> free_indexes;
    std::uint32_t free_count = 0;

    T& operator[](std::uint32_t i) noexcept { return items[i]; }
    [[nodiscard]] std::uint32_t used() const noexcept {
      return static_cast<std::uint32_t>(items.size()) - free_count;
    }
    std::uint32_t acquire() noexcept {
      return free_count == 0 ? kNoIndex : free_indexes[--free_count];
    }
    void give_back(std::uint32_t i) noexcept { free_indexes[free_count++] = i; }
  };

  // The arrays cut out of the arena; all empty when only their size is asked for.
  struct Parts {
    Slots<Client> clients;
    Slots<Exchange> exchanges;
    std::span<log::Notes> notes;
    std::span<BodyCoding> codings;
    std::span<std::uint32_t> resting;
    std::span<std::uint32_t> watched;
    Slots<OriginConnection> origins;
    std::span<origin::IdlePool::Entry> idle_entries;
    std::span<std::uint32_t> idle_buckets;
    std::span<origin::OriginRecord> records;
    std::span<IndexList::Link> race_links;
    std::span<std::uint32_t> ready;
    Slots<http2::ServerSession> sessions;
    std::span<std::uint32_t> flush;
    Slots<http2::ClientSession> origin_sessions;
    std::span<std::uint32_t> origin_flush;
    std::span<std::uint32_t> early;
    std::span<std::uint8_t> blocks;
    std::span<std::uint32_t> next_block;
    std::span<char> scratch;
    std::span<char> page;
    std::span<rewrite::Workspace> rules;
    std::span<char> buffers;
    std::size_t size_bytes = 0;
  };
  static Parts carve(std::byte* base, const StageConfig& config) noexcept;
  Stage(const StageConfig& config, const Parts& parts, transport::Transport& transport,
        ipc::WorkerCounters& counters) noexcept;

  // What a parsed request asks for; decided before its bytes are consumed, done after.
  // own: the answer is composed.
  enum class Decision : std::uint8_t { forward, error, own };

  // ---- stage.cc: events and slots ----
  void on_event(const transport::Event& event) noexcept;
  void on_accepted(tcp::ConnectionId id) noexcept;
  void begin_client(std::uint32_t c) noexcept;
  void on_client_event(std::uint32_t c, const transport::Event& event) noexcept;
  void on_origin_event(std::uint32_t o, const transport::Event& event) noexcept;
  void fail_client(std::uint32_t c) noexcept;
  void on_idle_origin_event(std::uint32_t o, const transport::Event& event) noexcept;
  void push_ready(std::uint32_t c) noexcept { ready_.push(c, clients_[c].ready); }
  void take_ready() noexcept;
  std::uint32_t acquire_exchange(std::uint32_t c) noexcept;
  void free_exchange(std::uint32_t x) noexcept;
  void free_client(std::uint32_t c) noexcept;
  void free_origin(std::uint32_t o) noexcept;
  void drop_origin(std::uint32_t o, bool orderly) noexcept;
  void lose_client(std::uint32_t x) noexcept;
  void abort_client(std::uint32_t c) noexcept;
  std::uint64_t next_random() noexcept;
  [[nodiscard]] std::uint32_t index_of(const Exchange& exchange) const noexcept {
    return static_cast<std::uint32_t>(&exchange - exchanges_.items.data());
  }
  std::span<char> in_buffer(std::uint32_t x) noexcept;
  std::span<char> out_buffer(std::uint32_t x) noexcept;

  // ---- stage_proxy_protocol.cc: what is said of clients before their first byte ----
  [[nodiscard]] bool is_relay(const base::IpAddress& address) const noexcept;
  void on_relay_event(std::uint32_t c, const transport::Event& event) noexcept;
  void read_proxy_header(std::uint32_t c) noexcept;
  void refuse_relay(std::uint32_t c) noexcept;
  [[nodiscard]] bool announces_clients(const Exchange& exchange) const noexcept;
  bool announce_client(const Exchange& exchange) noexcept;
  void drop_own_origins(std::uint32_t c) noexcept;

  // ---- stage_client.cc: requests in, answers and ends ----
  void read_client(std::uint32_t c) noexcept;
  void read_request(std::uint32_t x) noexcept;
  void begin_request(std::uint32_t x, std::size_t consume) noexcept;
  Decision decide(std::uint32_t x, EdgeError& error) noexcept;
  Decision decide_route(std::uint32_t x, EdgeError& error) noexcept;
  bool build_origin_request(std::uint32_t x) noexcept;
  bool compose_answer(std::uint32_t x, const AnswerHead& head, std::string_view body) noexcept;
  void compose_trace(std::uint32_t x) noexcept;
  template <typename WriteHead>
  bool compose(std::uint32_t x, std::string_view body, WriteHead write_head) noexcept;
  static constexpr std::size_t kWebsocketKeySize = 24;
  std::string_view websocket_key(std::span<char, kWebsocketKeySize> out) noexcept;
  void compose_redirect(std::uint32_t x, std::string_view scheme) noexcept;
  void refuse_origins_of_this_edge(Exchange& exchange) noexcept;
  void count_error(EdgeError error) noexcept;
  void answer_error(std::uint32_t x, EdgeError error) noexcept;
  void answer_composed(std::uint32_t x) noexcept;
  void answer_overload(std::uint32_t c) noexcept;
  ZoneFields zone_fields(const Exchange& exchange) const noexcept;
  ConnectionField connection_field(const Exchange& exchange) const noexcept;
  void release_origin(std::uint32_t x) noexcept;
  void complete(std::uint32_t x) noexcept;
  void finish(std::uint32_t x) noexcept;
  void give_up_client(std::uint32_t x) noexcept;
  void linger(std::uint32_t c) noexcept;
  void make_ray(Exchange& exchange) noexcept;

  // ---- stage_choice.cc: which origin address may have the request ----
  void start_origin(std::uint32_t x, EdgeError otherwise) noexcept;
  bool use_origin(std::uint32_t x, std::size_t i, EdgeError& why) noexcept;
  bool may_request(const Exchange& exchange, std::uint32_t record, EdgeError& why) noexcept;
  bool may_connect(std::uint32_t record, EdgeError& why) noexcept;
  void charge(Exchange& exchange, std::uint32_t record) noexcept;
  void discharge(Exchange& exchange) noexcept;
  void begin_pending(Exchange& exchange) noexcept;
  void end_pending(Exchange& exchange) noexcept;
  void note_connected(std::uint32_t o) noexcept;
  void note_unconnected(std::uint32_t o, EdgeError error) noexcept;
  void note_idle_end(std::uint32_t record, base::Duration idle) noexcept;
  void note_keep_alive(const Exchange& exchange) noexcept;
  base::Duration usable_idle(std::uint32_t record) noexcept;

  // ---- stage_race.cc: two address families of one origin ----
  [[nodiscard]] std::uint32_t of_family(const Exchange& exchange, bool v4) const noexcept;
  void begin_race(std::uint32_t x) noexcept;
  void take_races() noexcept;
  void start_rival(std::uint32_t x) noexcept;
  void race_won(std::uint32_t x, std::uint32_t o) noexcept;
  void race_lost(std::uint32_t x, std::uint32_t o, EdgeError error) noexcept;
  void promote_rival(std::uint32_t x) noexcept;
  void drop_rival(std::uint32_t x) noexcept;

  // ---- stage_origin.cc: connecting ----
  std::uint32_t take_pooled(const origin::OriginKey& key, base::Duration max_idle) noexcept;
  void use_pooled(std::uint32_t x, std::uint32_t o) noexcept;
  std::uint32_t open_connection(std::uint32_t x, const base::Endpoint& remote) noexcept;
  void attach(std::uint32_t x, std::uint32_t o) noexcept;
  [[nodiscard]] origin::OriginKey key_of(const Exchange& exchange,
                                         const base::Endpoint& remote) const noexcept;
  void connect_fresh(std::uint32_t x, const base::Endpoint& remote) noexcept;
  void origin_connected(std::uint32_t x) noexcept;
  void origin_ready(std::uint32_t x) noexcept;
  void connect_failed(const Exchange& exchange) noexcept;
  void origin_failed(std::uint32_t x, EdgeError error) noexcept;
  void origin_ended(std::uint32_t x, const transport::Event& event) noexcept;
  void cut_short(std::uint32_t x) noexcept;

  // ---- stage_relay.cc: moving bytes ----
  void drive(std::uint32_t x) noexcept;
  void drive_relay(std::uint32_t x) noexcept;
  bool flush_pending(Exchange& exchange) noexcept;
  bool drive_request(std::uint32_t x) noexcept;
  void drive_response(std::uint32_t x) noexcept;
  bool read_response(std::uint32_t x) noexcept;
  bool begin_response(std::uint32_t x, std::size_t consume) noexcept;
  [[nodiscard]] bool is_granted(const Exchange& exchange) const noexcept;
  bool leads_back(std::uint32_t x) noexcept;
  void begin_tunnel(std::uint32_t x, std::size_t head_size) noexcept;
  bool write_response(std::uint32_t x, const ResponseContext& context, bool wanted,
                      std::size_t& size) noexcept;
  void send_response(std::uint32_t x, std::size_t size) noexcept;
  void queue_scratch(std::uint32_t x, std::size_t size) noexcept;

  // ---- stage_coding.cc: content codings ----
  std::string_view read_codings(Exchange& exchange) noexcept;
  void take_promise_back(Exchange& exchange) noexcept;
  bool plan_coding(std::uint32_t x, compress::Plan& plan) noexcept;
  RelayState pump_coded(Exchange& exchange, std::span<std::uint8_t> room, std::size_t& written,
                        bool& progressed) noexcept;
  void note_coded(BodyCoding& coding) noexcept;
  void rest_coded(std::uint32_t x) noexcept;
  void watch_coded(std::uint32_t x) noexcept;
  RelayState send_coded(Exchange& exchange, bool& progressed) noexcept;
  std::span<const std::uint8_t> frame_coded(const Exchange& exchange, std::size_t size,
                                            RelayState state) noexcept;
  void take_coded() noexcept;

  // ---- stage_http2.cc: clients over HTTP/2 ----
  bool open_session(std::uint32_t c) noexcept;
  void close_session(std::uint32_t c) noexcept;
  void on_session_event(std::uint32_t c, const transport::Event& event) noexcept;
  void read_session(std::uint32_t c) noexcept;
  void push_flush(std::uint32_t c) noexcept { flush_.push(c, clients_[c].flushing); }
  void flush_session(std::uint32_t c) noexcept;
  void count_end(http2::EndReason reason) noexcept;
  void take_stream_events(std::uint32_t c) noexcept;
  void on_stream_event(std::uint32_t c, const http2::Event& event) noexcept;
  void begin_stream(std::uint32_t c, const http2::Event& event) noexcept;
  void refuse_stream(std::uint32_t c, const http2::Event& event) noexcept;
  std::uint32_t acquire_stream(std::uint32_t c, const http2::Event& event) noexcept;
  void take_body(std::uint32_t c, std::uint32_t x, const http2::Event& event) noexcept;
  void lose_stream(std::uint32_t x, const http2::Event& event) noexcept;
  void reset_stream(std::uint32_t x, http2::ErrorCode code) noexcept;
  void respond(std::uint32_t x, const http2::HeadWriter& head, bool has_body) noexcept;
  void respond_composed(std::uint32_t x, const http2::HeadWriter& head,
                        std::string_view body) noexcept;
  void drop_inbox(Exchange& exchange) noexcept;
  template <typename To>
  RelayState pump_request(Exchange& exchange, To& to, bool& progressed) noexcept;
  void drive_stream_response(std::uint32_t x) noexcept;
  void check_session(std::uint32_t c) noexcept;
  static http2::BodyPart pull_body(void* stage, http2::StreamId stream, std::uint64_t tag,
                                   std::span<char> room) noexcept;
  http2::BodyPart pull_answer(Exchange& exchange, std::span<char> room) noexcept;
  http2::BodyPart pull_response(Exchange& exchange, std::span<char> room) noexcept;
  RelayState pump_into(Exchange& exchange, std::span<char> room, std::size_t& size,
                       bool& progressed) noexcept;
  http2::ServerSession& session_of(const Exchange& exchange) noexcept {
    return sessions_[clients_[exchange.client].session];
  }

  // ---- stage_origin_session.cc: origins over HTTP/2 ----
  void begin_origin_session(std::uint32_t x) noexcept;
  void close_origin_session(std::uint32_t o) noexcept;
  void join_origin(std::uint32_t x, std::uint32_t o) noexcept;
  http2::StreamId open_stream(std::uint32_t x, std::uint32_t o) noexcept;
  void leave_origin(std::uint32_t x, bool orderly) noexcept;
  void detach_stream(std::uint32_t x) noexcept;
  void retire_origin(std::uint32_t o) noexcept;
  void on_origin_session_event(std::uint32_t o, const transport::Event& event) noexcept;
  void read_origin_session(std::uint32_t o) noexcept;
  void push_origin_flush(std::uint32_t o) noexcept {
    origin_flush_.push(o, origins_[o].flushing);
  }
  void flush_origin_session(std::uint32_t o) noexcept;
  bool offer_origin(std::uint32_t o) noexcept;
  void settle_origin(std::uint32_t o) noexcept;
  void take_origin_events(std::uint32_t o) noexcept;
  void on_origin_stream_event(std::uint32_t o, const http2::Event& event) noexcept;
  void take_response(std::uint32_t x, const http2::Event& event) noexcept;
  void take_response_body(std::uint32_t o, std::uint32_t x, const http2::Event& event) noexcept;
  void end_response(std::uint32_t x, const http2::Event& event) noexcept;
  void lose_origin_stream(std::uint32_t x, const http2::Event& event) noexcept;
  void keep_trailers(std::uint32_t x, const http::Fields& trailers) noexcept;
  const http2::HeadWriter* write_trailers(std::uint32_t x) noexcept;
  static http2::BodyPart pull_request(void* stage, http2::StreamId stream, std::uint64_t tag,
                                      std::span<char> room) noexcept;
  template <typename To>
  RelayState pump_response(Exchange& exchange, To& to, bool& progressed) noexcept;
  http2::ClientSession& origin_session_of(const Exchange& exchange) noexcept {
    return origin_sessions_[origins_[exchange.origin].session];
  }

  // ---- stage_security.cc: TLS with clients and origins ----
  [[nodiscard]] bool is_https_port(std::uint16_t port) const noexcept;
  bool secure_client(std::uint32_t c) noexcept;
  void client_secured(std::uint32_t c) noexcept;
  void note_unfinished_handshake(const Client& client) noexcept;
  bool read_certificate(std::uint32_t c) noexcept;
  const rewrite::ClientCertificate* forwarded_certificate(const Exchange& exchange) noexcept;
  [[nodiscard]] bool is_misdirected(const Exchange& exchange) noexcept;
  [[nodiscard]] std::string_view wrong_scheme(const Exchange& exchange) const noexcept;
  [[nodiscard]] std::uint64_t security_of(const Exchange& exchange) const noexcept;
  void choose_origin_scheme(Exchange& exchange) noexcept;
  [[nodiscard]] bool may_use_http2(const Exchange& exchange) const noexcept;
  void secure_origin(std::uint32_t x) noexcept;
  void origin_secured(std::uint32_t x) noexcept;
  void origin_security_failed(std::uint32_t x) noexcept;

  // ---- stage_log.cc: the access log ----
  void note_arrival(Exchange& exchange) noexcept;
  void note_request(std::uint32_t x, std::size_t head_size) noexcept;
  void note_error(Exchange& exchange, EdgeError error) noexcept;
  void close_entry(Exchange& exchange) noexcept;
  void log_exchange(std::uint32_t x) noexcept;

  // ---- stage_error_page.cc ----
  std::string_view page_text(const Exchange& exchange, const EdgeErrorInfo& info) const noexcept;
  std::string_view custom_page(const Exchange& exchange, EdgeError error) noexcept;

  // ---- stage_traffic.cc: what zones and origins are counted by ----
  ipc::TrafficSlot* zone_slot(std::string_view zone) noexcept;
  ipc::TrafficSlot* origin_slot(const base::Endpoint& origin) noexcept;
  void count_zone(const Exchange& exchange) noexcept;
  void count_handshake(const tls::ConnectionInfo& agreed) noexcept;
  void count_origin(const base::Endpoint& origin, ipc::OriginCounter which) noexcept;
  void count_origin_request(const Exchange& exchange) noexcept;
  void count_origin_response(const Exchange& exchange) noexcept;

  // ---- stage_rules.cc: the zone's rules ----
  const rewrite::ClientCertificate* certificate_of(const Exchange& exchange,
                                                   const route::ZoneTable& table) noexcept;
  rewrite::Facts request_facts(const Exchange& exchange) const noexcept;
  Decision run_request_rules(std::uint32_t x, EdgeError& error) noexcept;
  Decision block_request(std::uint32_t x, const rewrite::Block& block, EdgeError& error) noexcept;
  bool keep_facts(std::uint32_t x) noexcept;
  bool run_response_rules(std::uint32_t x) noexcept;

  // ---- stage_timers.cc ----
  void sweep() noexcept;
  void check_client(std::uint32_t c) noexcept;
  void check_exchange(std::uint32_t x) noexcept;
  void check_relay(std::uint32_t x) noexcept;

  StageConfig config_;
  transport::Transport& transport_;
  ipc::WorkerCounters& counters_;
  ipc::TurnLatency* latency_ = nullptr;
  ipc::TrafficTables* traffic_ = nullptr;
  const snapshot::View* view_ = nullptr;  // during run() only, like the next
  const country::Database* countries_ = nullptr;
  base::Time now_{};
  base::Time next_sweep_{};
  bool draining_ = false;
  std::uint64_t random_state_;
  std::uint64_t client_number_ = 0;  // the last one given
  std::uint32_t buffer_size_;

  Slots<Client> clients_;
  Slots<Exchange> exchanges_;
  std::span<log::Notes> notes_;  // one an exchange
  std::span<BodyCoding> codings_;  // likewise; empty without coders
  base::IndexRing resting_;  // exchanges whose coder goes on in the next turn
  base::IndexRing watched_;  // exchanges whose coder may have to be flushed, by BodyCoding::look_at
  bool encodes_ = false;
  bool decodes_ = false;
  std::size_t promised_decoders_ = 0;  // to exchanges whose response has not begun
  Slots<OriginConnection> origins_;
  std::span<char> buffers_;  // two a exchange: in, out
  std::span<char> scratch_;
  std::span<char> page_;  // of the error that is at hand
  std::span<rewrite::Workspace> rules_;  // one, for the head that is at hand
  base::IndexRing ready_;  // clients that may have a request to read
  Slots<http2::ServerSession> sessions_;
  BlockPool inbox_blocks_;
  base::IndexRing flush_;  // clients whose session may have something to write
  Slots<http2::ClientSession> origin_sessions_;
  base::IndexRing origin_flush_;  // origins likewise
  std::optional<http2::HeadWriter> trailers_;  // that a session is about to take
  std::span<std::uint32_t> early_;  // exchanges answered before their request was there
  std::uint32_t early_size_ = 0;
  const http::RequestHead* request_ = nullptr;  // of the request that is being decided
  http::RequestHead parsed_request_;
  const http::ResponseHead* response_ = nullptr;  // likewise
  http::ResponseHead parsed_response_;

  balancer::PassiveHealth health_;
  origin::IdlePool pool_;
  origin::OriginTable records_;
  IndexList racing_;  // origins that connect alone, though there is another family, by race_at
  origin::SourcePorts ports_;
};

}  // namespace brink::l7::proxy
