// The rules of one phase of a zone: a blob in the zone's table (table_key.h), rendered by the
// control side (l7/render), read through rules_view.h, run by l7/rewrite. Position-independent,
// little-endian, starts at a multiple of 8 and has a multiple of 8 octets.
//
//   OFFSET SIZE  MEANING
//   0      4     kRulesMagic
//   4      2     layout version
//   6      1     RulePhase
//   7      1     zero
//   8      4     size of the whole blob
//   12     2     rules
//   14     2     different names of headers that they change, kRuleNamesMax at most
//   16     4     changes of headers
//   20     4     steps of all programs
//   24     4     octets of data
//   28     4     zero
//   32     28*   RuleEntry, in the order in which they are looked at
//   ..     8*    TextRef: names of headers, lower case, sorted
//   ..     28*   ChangeEntry
//   ..     8*    Step
//   ..     -     data: texts, numbers, sets; nothing in it is aligned
//
// A program is a run of steps for a stack of values. Jumps lead forward only, so that no step is
// taken twice: a program ends after as many steps as it has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brink::l7::route {

inline constexpr std::uint32_t kRulesMagic = 0x31555242;  // "BRU1"
inline constexpr std::uint16_t kRulesLayoutVersion = 1;

inline constexpr std::size_t kRulesMax = 1024;        // of one phase
inline constexpr std::size_t kRuleNamesMax = 128;     // different headers that one phase changes
inline constexpr std::size_t kRuleChangesMax = 1024;  // changes of one phase
inline constexpr std::size_t kRuleStepsMax = 8192;    // of all programs of one phase
inline constexpr std::size_t kRuleStackMax = 64;      // values at a time

enum class RulePhase : std::uint8_t {
  kFirewall,  // before anything is sent: block
  kRequest,   // headers to the origin
  kResponse,  // headers to the client
};
inline constexpr std::size_t kRulePhaseCount = 3;

enum class RuleType : std::uint8_t { kText, kNumber, kFlag, kAddress };

// What a program can ask for; how each is called is in l7/render/rule_fields.
enum class RuleField : std::uint8_t {
  kCertChainRfc9440,
  kCertChainRfc9440TooLarge,
  kCertFingerprintSha1,
  kCertFingerprintSha256,
  kCertIssuerDn,
  kCertIssuerSerial,
  kCertIssuerSki,
  kCertNotAfter,
  kCertNotBefore,
  kCertPresented,
  kCertRevoked,
  kCertRfc9440,
  kCertRfc9440TooLarge,
  kCertSerial,
  kCertSki,
  kCertSubjectDn,
  kCertVerified,
  kHost,
  kFullUri,
  kMethod,
  kUri,
  kPath,
  kQuery,
  kVersion,
  kResponseCode,
  kUserAgent,
  kClientAddress,
  kTls,
  kClientCountry,
};
inline constexpr std::size_t kRuleFieldCount =
    static_cast<std::size_t>(RuleField::kClientCountry) + 1;

enum class StepKind : std::uint8_t {
  // Put a value on the stack.
  kField,   // a: RuleField
  kText,    // c: where, b: octets
  kNumber,  // c: where, 8 octets
  kFlag,    // a: 0 or 1
  // Put what becomes of the text on top in its place.
  kLower,
  kUpper,
  kLength,
  kToText,  // of any value
  // Put one value in the place of two.
  kStartsWith,
  kEndsWith,
  kConcat,
  kXor,
  // Put a flag in the place of the value on top.
  kCompareText,     // a: Comparison, c: where, b: octets
  kCompareNumber,   // a: Comparison, c: where, 8 octets
  kCompareFlag,     // a: Comparison, kEqual or kNotEqual; b: 0 or 1
  kCompareAddress,  // a: Comparison, c: where, 16 octets
  kContains,        // c: where, b: octets
  kWildcard,        // a: 1: case is ignored, and the texts are lower case; c: b TextRefs, the texts
                    // around the asterisks: the first begins the value, the last ends it
  kInTexts,         // c: b TextRefs, sorted by octets, none twice
  kInNumbers,       // c: b pairs of 8 octets, first and last; sorted, apart from each other
  kInAddresses,     // c: b pairs of 16 octets, likewise
  kNot,
  // Leave the flag on top.
  kJumpIfTrue,   // c: how many steps forward, from 1
  kJumpIfFalse,  // likewise
  kDrop,         // takes the value on top away
};
inline constexpr std::size_t kStepKindCount = static_cast<std::size_t>(StepKind::kDrop) + 1;

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual
};
inline constexpr std::size_t kComparisonCount =
    static_cast<std::size_t>(Comparison::kGreaterOrEqual) + 1;

struct Step {
  StepKind kind;
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::uint32_t c = 0;  // places are octets from the start of the data
};
static_assert(sizeof(Step) == 8);

struct TextRef {
  std::uint32_t at = 0;  // from the start of the data
  std::uint32_t size = 0;
};
static_assert(sizeof(TextRef) == 8);

struct ProgramRef {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};
static_assert(sizeof(ProgramRef) == 8);

// What a blocked request is answered with.
enum class BlockContent : std::uint8_t { kDefaultPage, kJson, kHtml, kPlain, kXml };
inline constexpr std::size_t kBlockContentCount = static_cast<std::size_t>(BlockContent::kXml) + 1;

//   OFFSET SIZE  MEANING
//   0      8     its condition
//   8      4     first ChangeEntry
//   12     2     number of them; of kFirewall 0
//   14     2     of kFirewall: status of the answer, 400..499; else 0
//   16     8     of kFirewall: the answer's content
//   24     1     of kFirewall: BlockContent
//   25     3     zero
struct RuleEntry {
  ProgramRef condition;
  std::uint32_t first_change = 0;
  std::uint16_t change_count = 0;
  std::uint16_t status = 0;
  TextRef content;
  BlockContent content_type = BlockContent::kDefaultPage;
  std::uint8_t reserved[3] = {};
};
static_assert(sizeof(RuleEntry) == 28);

enum class ChangeKind : std::uint8_t { kSet, kAdd, kRemove };

//   OFFSET SIZE  MEANING
//   0      1     ChangeKind
//   1      1     1: the value is what the program gives; 0: it is the text
//   2      2     number of the name, lower case
//   4      8     the name as it is sent
//   12     8     the value
//   20     8     the program
struct ChangeEntry {
  ChangeKind kind = ChangeKind::kSet;
  std::uint8_t has_program = 0;
  std::uint16_t name = 0;
  TextRef shown_name;
  TextRef value;
  ProgramRef program;
};
static_assert(sizeof(ChangeEntry) == 28);

struct RulesLayout {
  std::uint32_t magic;
  std::uint16_t layout_version;
  RulePhase phase;
  std::uint8_t reserved;
  std::uint32_t size_bytes;
  std::uint16_t rule_count;
  std::uint16_t name_count;
  std::uint32_t change_count;
  std::uint32_t step_count;
  std::uint32_t data_size;
  std::uint32_t reserved_2;
};
static_assert(sizeof(RulesLayout) == 32);

}  // namespace brink::l7::route
