#include "router/membership/worker_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton::router {
namespace {

constexpr std::string_view kDnsPrefix = "dns:///";

// "[::1]:80" for IPv6, "10.0.0.1:80" for IPv4; empty when the address cannot be printed.
std::string NumericAddress(const addrinfo& info, const std::string& port) {
  char host[NI_MAXHOST];
  if (getnameinfo(info.ai_addr, info.ai_addrlen, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) !=
      0) {
    return "";
  }
  return info.ai_family == AF_INET6 ? absl::StrCat("[", host, "]:", port)
                                    : absl::StrCat(host, ":", port);
}

}  // namespace

absl::StatusOr<WorkerNames> WorkerNames::Parse(std::span<const std::string> names) {
  WorkerNames parsed;
  for (const std::string& name : names) {
    const bool dns = name.starts_with(kDnsPrefix);
    const std::string address = dns ? name.substr(kDnsPrefix.size()) : name;
    const size_t colon = address.rfind(':');
    int port = 0;
    if (colon == std::string::npos || colon == 0 ||
        !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 || port > 65535) {
      return InvalidArgument(
          absl::StrCat("workers: name=", name, " is neither HOST:PORT nor dns:///NAME:PORT"));
    }
    if (dns) {
      parsed.dns_.push_back({address.substr(0, colon), address.substr(colon + 1)});
    } else {
      parsed.fixed_.push_back(address);
    }
  }
  return parsed;
}

std::vector<std::string> WorkerNames::Resolve() const {
  std::vector<std::string> addresses = fixed_;
  for (const DnsName& name : dns_) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(name.host.c_str(), name.port.c_str(), &hints, &found) != 0) continue;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
    for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
      std::string address = NumericAddress(*info, name.port);
      if (!address.empty()) addresses.push_back(std::move(address));
    }
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses.size() > kAddressesMax) addresses.resize(kAddressesMax);
  return addresses;
}

}  // namespace baton::router
