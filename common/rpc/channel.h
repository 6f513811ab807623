#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "common/base/clock.h"

namespace baton {

// How a connection to a peer behaves. The defaults are those of every hop of ours.
struct ChannelOptions {
  Duration keepalive_time = std::chrono::seconds(10);
  Duration keepalive_timeout = std::chrono::seconds(5);  // then the connection is broken
  int message_bytes_max = 64 << 20;
  // Own TCP connection, not shared with other channels to the same address.
  bool own_connection = false;
};

// A channel to "host:port", "dns:///name:port" or "unix:path". It connects when first used, tries
// again within two seconds after a failure, and uses no HTTP proxy.
//
// Threading: any thread; the channel is thread-safe.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options = {});

}  // namespace baton
