// The rules of a phase, run on one message. Sans-IO: facts in, an answer or changes of headers out.
// Hot; any thread; memory is the caller's. Every loop is bounded by the blob: rules, changes and
// steps are each looked at once, and a step costs time linear in the texts that it looks at.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "l7/rewrite/facts.h"
#include "l7/rewrite/header_edits.h"
#include "l7/rewrite/text_arena.h"
#include "l7/route/rules_view.h"

namespace brink::l7::rewrite {

// Octets of text that the rules of one phase may put together for one message.
inline constexpr std::size_t kTextRoom = 64 * 1024;

// What a worker needs to run rules: one of these, for one message at a time.
struct Workspace {
  HeaderEdits edits;
  std::array<char, kTextRoom> text;

  Workspace() noexcept {}  // NOLINT: only what is written is ever read
};

enum class RunVerdict : std::uint8_t {
  kPassed,
  kBlocked,   // by a rule of the firewall
  kTooLarge,  // texts were asked for that the workspace has no room for
  kBroken,    // the blob is none: a rendering bug
};

// What a blocked client gets.
struct Block {
  std::uint16_t status = 403;
  std::string_view content_type;  // empty: the edge's own page
  std::string_view content;
};

// The firewall: the first rule that holds blocks. `block` borrows from the blob.
RunVerdict run_firewall(const route::RulesView& rules, const Facts& facts, Workspace& work,
                        Block& block) noexcept;

// Headers: every rule that holds makes its changes, in order. work.edits then has them; it borrows
// from facts, blob and workspace.
RunVerdict run_header_rules(const route::RulesView& rules, const Facts& facts,
                            Workspace& work) noexcept;

}  // namespace brink::l7::rewrite
