#include "common/text/tokenizer/component_registry.h"

#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace baton {

#define BATON_TOKENIZER_COMPONENT(name) absl::Status Register_##name(ComponentRegistry& registry);
#include "common/text/tokenizer/components.def"
#undef BATON_TOKENIZER_COMPONENT

namespace {

absl::Status RegisterAll(ComponentRegistry& registry) {
#define BATON_TOKENIZER_COMPONENT(name) RETURN_IF_ERROR(Register_##name(registry));
#include "common/text/tokenizer/components.def"
#undef BATON_TOKENIZER_COMPONENT
  return absl::OkStatus();
}

}  // namespace

const ComponentRegistry& RegisteredComponents() {
  static const ComponentRegistry registry = [] {
    ComponentRegistry built;
    const absl::Status status = RegisterAll(built);
    BATON_CHECK(status.ok()) << status;
    return built;
  }();
  return registry;
}

}  // namespace baton
