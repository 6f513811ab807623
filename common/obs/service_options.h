// The options that all servers have, with one name and one help text each.
//
//   AddListenOptions(table, options.listen, options.listen_fd);
//   AddAdminOptions(table, options.admin_listen, options.admin_listen_fd);
//   AddLogOptions(table, options.log_level, options.log_format);
//
// Threading: used by main. Ownership: the fields outlive the table.
#pragma once

#include <string>

#include "common/config/option_table.h"
#include "common/obs/log.h"

namespace baton {

// Of the gRPC services.
void AddListenOptions(OptionTable& table, std::string& listen, int& listen_fd);

// Of probes and metrics.
void AddAdminOptions(OptionTable& table, std::string& admin_listen, int& admin_listen_fd);

void AddLogOptions(OptionTable& table, LogLevel& level, LogFormat& format);

}  // namespace baton
