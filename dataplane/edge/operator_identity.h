// The operator's own certificate for origins (Authenticated Origin Pulls, the global level): shown
// where a zone asks for it and neither it nor the host has another. Cold.
#pragma once

#include <string>

#include "dataplane/base/result.h"
#include "l7/credentials/credentials.h"

namespace brink::edge {

// Both files in PEM; both paths empty: there is none. An Error names the file and what is wrong
// with it: it is not there, others may read the key, it is no certificate or key of PKCS #8.
// Whether they belong together is another question.
base::Result<l7::credentials::OperatorIdentity> read_operator_identity(
    const std::string& certificate_path, const std::string& key_path);

// Whether they belong together; there is nothing to say of none. Makes a TLS engine for it.
base::Result<void> check_operator_identity(const l7::credentials::OperatorIdentity& identity);

}  // namespace brink::edge
