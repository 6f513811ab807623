// What answers say of the system that made them: `system_fingerprint`. Equal ones mean that the
// same seed gives the same text.
//
// Threading: pure functions, any thread.
#pragma once

#include <string>

#include "frontend/client/model_context.h"

namespace baton::frontend {

struct FingerprintOptions {
  // The build and the model's digest; what the operator says; nothing.
  enum class Mode { kSystem, kCustom, kNone };

  Mode mode = Mode::kSystem;
  std::string custom = {};
};

// Empty: not shown.
std::string SystemFingerprint(const FingerprintOptions& options, const ModelContext& model);

}  // namespace baton::frontend
