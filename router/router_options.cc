#include "router/router_options.h"

namespace baton::router {

void DescribeOptions(OptionTable& table, RouterOptions& options) {
  table.Add({.name = "workers",
             .help = "Workers to watch: HOST:PORT or dns:///NAME:PORT, which is asked again "
                     "every two seconds.",
             .value_name = "ADDRESS"},
            options.workers);
  table.Add({.name = "listen", .help = "Address of the gRPC service.", .value_name = "HOST:PORT"},
            options.listen);
  table.Add({.name = "listen-fd", .help = "A listening socket that was inherited, instead."},
            options.listen_fd);
  table.Add(
      {.name = "admin-listen", .help = "Address of probes and metrics.", .value_name = "HOST:PORT"},
      options.admin_listen);
  table.Add({.name = "admin-listen-fd", .help = "A listening socket that was inherited, instead."},
            options.admin_listen_fd);
  table.Add({.name = "policy", .help = "What a placement costs: product, least_loaded or random."},
            options.policy);
  table.Add(
      {.name = "max-waiting", .help = "A worker with so many requests waiting is given no more."},
      options.waiting_max);
  table.Add({.name = "index-blocks",
             .help = "Bound on the distinct KV blocks remembered per 64 workers."},
            options.index_blocks_max);
  table.Add({.name = "reservation-lifetime",
             .help = "How long a placement counts that its worker never acknowledged."},
            options.reservation_lifetime);
  table.Add({.name = "drain-timeout", .help = "How long running calls may take to end."},
            options.drain_timeout);
  table.AddChoice({.name = "log-level", .help = "Least severe lines that are written."},
                  options.log_level,
                  {{"debug", LogLevel::kDebug},
                   {"info", LogLevel::kInfo},
                   {"warning", LogLevel::kWarning},
                   {"error", LogLevel::kError}});
  table.AddChoice(
      {.name = "log-format", .help = "auto is text on a terminal, JSON elsewhere."},
      options.log_format,
      {{"auto", LogFormat::kAuto}, {"text", LogFormat::kText}, {"json", LogFormat::kJson}});
}

}  // namespace baton::router
