#include "common/obs/service_options.h"

namespace baton {
namespace {

constexpr const char* kInherited = "A listening socket that was inherited, instead.";

}  // namespace

void AddListenOptions(OptionTable& table, std::string& listen, int& listen_fd) {
  table.Add({.name = "listen", .help = "Address of the gRPC services.", .value_name = "HOST:PORT"},
            listen);
  table.Add({.name = "listen-fd", .help = kInherited}, listen_fd);
}

void AddAdminOptions(OptionTable& table, std::string& admin_listen, int& admin_listen_fd) {
  table.Add(
      {.name = "admin-listen", .help = "Address of probes and metrics.", .value_name = "HOST:PORT"},
      admin_listen);
  table.Add({.name = "admin-listen-fd", .help = kInherited}, admin_listen_fd);
}

void AddLogOptions(OptionTable& table, LogLevel& level, LogFormat& format) {
  table.AddChoice({.name = "log-level", .help = "Least severe lines that are written."}, level,
                  {{"debug", LogLevel::kDebug},
                   {"info", LogLevel::kInfo},
                   {"warning", LogLevel::kWarning},
                   {"error", LogLevel::kError}});
  table.AddChoice(
      {.name = "log-format", .help = "auto is text on a terminal, JSON elsewhere."}, format,
      {{"auto", LogFormat::kAuto}, {"text", LogFormat::kText}, {"json", LogFormat::kJson}});
}

}  // namespace baton
