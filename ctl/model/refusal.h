// Refusal and Outcome: a request that the rules do not allow, with the code that API clients branch
// on. Unlike base::Error (the environment failed) a Refusal is the user's to mend, and is an
// answer.
#pragma once

#include <string>
#include <vector>

#include "dataplane/base/result.h"

namespace brink::ctl::model {

// One link of an error chain: the detail behind a general code.
struct Cause {
  int code = 0;
  std::string message;
};

struct Refusal {
  int http_status = 400;
  int code = 0;
  std::string message;
  std::vector<Cause> chain;

  // One line for a log or an import report: the innermost message.
  [[nodiscard]] const std::string& detail() const {
    return chain.empty() ? message : chain.back().message;
  }
};

// Codes that clients know; the API's documentation lists them all.
inline constexpr int kCodeValidation = 1004;
inline constexpr int kCodeNameInvalid = 9000;
inline constexpr int kCodeTypeInvalid = 9001;
inline constexpr int kCodeTargetNotAllowed = 9003;
inline constexpr int kCodeNotProxiable = 9004;
inline constexpr int kCodeContentInvalid = 9007;
inline constexpr int kCodeTtlInvalid = 9021;
inline constexpr int kCodeCommentInvalid = 9045;
inline constexpr int kCodeZoneExists = 1061;
inline constexpr int kCodeZoneInvalid = 1049;
inline constexpr int kCodeNotFound = 7003;
inline constexpr int kCodeRecordMissing = 81044;
inline constexpr int kCodeSetTooLarge = 81045;
inline constexpr int kCodeHostTaken = 81053;
inline constexpr int kCodeRecordExists = 81057;

// A record that breaks a rule: the general code 1004 with `cause` as its chain.
Refusal invalid_record(int cause, std::string message);

template <typename T>
using Outcome = base::Result<T, Refusal>;

}  // namespace brink::ctl::model
