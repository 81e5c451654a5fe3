// What the configuration says to each part of brink-control. Pure; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "ctl/api/server.h"
#include "ctl/api/service.h"
#include "ctl/compile/compile.h"
#include "ctl/daemon/activation_keeper.h"
#include "ctl/daemon/config.h"
#include "ctl/daemon/dnssec_keeper.h"
#include "ctl/daemon/outside_keeper.h"

namespace brink::ctl::daemon {

api::Settings api_settings(const Config& config);
api::ServerOptions server_options(const Config& config);
compile::Options compile_options(const Config& config);
OutsideKeeper::Options outside_options(const Config& config);
ActivationKeeper::Options activation_options(const Config& config);
DnssecKeeper::Options dnssec_options(const Config& config);

dnssec::Policy dnssec_policy(const Config& config);
// Which addresses may be connected to for somebody else's names.
resolve::AddressFilter origin_filter(const Config& config);

// Whatever the same records are compiled to depends on this; of other settings and programs only a
// whole image will do.
std::vector<std::uint8_t> compile_fingerprint(const Config& config);

}  // namespace brink::ctl::daemon
