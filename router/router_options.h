// The flags of baton-router.
//
// Threading: plain data, filled by main.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/config/option_table.h"
#include "common/obs/log.h"

namespace baton::router {

struct RouterOptions {
  std::vector<std::string> workers;
  std::string listen = "127.0.0.1:7100";
  int listen_fd = -1;
  std::string admin_listen = "127.0.0.1:7101";
  int admin_listen_fd = -1;
  std::string policy = "product";
  uint32_t waiting_max = 1024;
  uint64_t index_blocks_max = 4 << 20;
  Duration reservation_lifetime = std::chrono::seconds(5);
  Duration drain_timeout = std::chrono::seconds(10);
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kAuto;
};

// Names every field for LoadConfig.
void DescribeOptions(OptionTable& table, RouterOptions& options);

}  // namespace baton::router
