#include "router/router_options.h"

#include "common/obs/service_options.h"

namespace baton::router {

void DescribeOptions(OptionTable& table, RouterOptions& options) {
  table.Add({.name = "workers",
             .help = "Workers to watch: HOST:PORT or dns:///NAME:PORT, which is asked again "
                     "every two seconds.",
             .value_name = "ADDRESS"},
            options.workers);
  AddListenOptions(table, options.listen, options.listen_fd);
  AddAdminOptions(table, options.admin_listen, options.admin_listen_fd);
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
  AddLogOptions(table, options.log_level, options.log_format);
}

}  // namespace baton::router
