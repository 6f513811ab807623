// Where workers are: a static list, DNS names that are asked again and again, or both.
//
//   ASSIGN_OR_RETURN(WorkerNames names, WorkerNames::Parse({"10.0.0.1:7000",
//   "dns:///workers:7000"})); std::vector<std::string> addresses = names.Resolve();
//
// Threading: immutable; Resolve blocks on DNS and belongs on a thread that may wait.
// Errors:    Parse gives INVALID_ARGUMENT for what is neither HOST:PORT nor dns:///NAME:PORT. A
// name
//            that does not resolve is left out: a rollout may have no address for a moment.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::router {

class WorkerNames {
 public:
  // More workers than this are not dialled.
  static constexpr size_t kAddressesMax = 1024;

  static absl::StatusOr<WorkerNames> Parse(std::span<const std::string> names);

  // True when an address may come or go.
  bool dynamic() const { return !dns_.empty(); }

  // host:port of every worker, sorted, without repetition, kAddressesMax at most.
  std::vector<std::string> Resolve() const;

 private:
  struct DnsName {
    std::string host;
    std::string port;
  };

  std::vector<std::string> fixed_;
  std::vector<DnsName> dns_;
};

}  // namespace baton::router
