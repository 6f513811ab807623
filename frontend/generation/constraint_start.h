// The last step before a request is scheduled: its constraint is known to be good.
//
// Threading: `done` is called exactly once: by the caller, or on a thread `grammar-N`.
// Ownership: `specs` stay where they are until `done` is called.
// Errors:    those of ConstraintValidator::Check.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/constraint/constraint_spec.h"
#include "frontend/generation/constraint_validator.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

// Puts the constraint into `specs`. Without one, all is well at once.
void CheckBeforeStart(ConstraintValidator& validator, ConstraintValidator::ModelPtr model,
                      const std::optional<ConstraintSpec>& constraint,
                      std::vector<GenerationSpec>& specs, ConstraintValidator::Done done);

}  // namespace baton::frontend
