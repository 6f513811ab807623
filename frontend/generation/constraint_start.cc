#include "frontend/generation/constraint_start.h"

#include <utility>

#include "common/constraint/constraint_message.h"

namespace baton::frontend {

void CheckBeforeStart(ConstraintValidator& validator, ConstraintValidator::ModelPtr model,
                      const std::optional<ConstraintSpec>& constraint,
                      std::vector<GenerationSpec>& specs, ConstraintValidator::Done done) {
  if (!constraint.has_value()) return done(absl::OkStatus());
  const auto message = std::make_shared<const v1::Constraint>(ToMessage(*constraint));
  for (GenerationSpec& spec : specs) spec.constraint = message;
  validator.Check(std::move(model), *constraint, std::move(done));
}

}  // namespace baton::frontend
