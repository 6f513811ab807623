#include "common/base/status_macros.h"
#include "worker/model/architecture.h"

namespace baton::worker {

#define BATON_ARCH(name) absl::Status Register_##name(ArchitectureRegistry& registry);
#include "worker/model/architectures.def"
#undef BATON_ARCH

absl::StatusOr<ArchitectureRegistry> ArchitectureRegistry::Builtin() {
  ArchitectureRegistry registry;
#define BATON_ARCH(name) RETURN_IF_ERROR(Register_##name(registry));
#include "worker/model/architectures.def"
#undef BATON_ARCH
  return registry;
}

}  // namespace baton::worker
