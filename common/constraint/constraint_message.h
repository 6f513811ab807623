// A ConstraintSpec on the wire.
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT naming the field for a message without a form, or with what no spec
//            can say.
#pragma once

#include "absl/status/statusor.h"
#include "baton/v1/inference.pb.h"
#include "common/constraint/constraint_spec.h"

namespace baton {

v1::Constraint ToMessage(const ConstraintSpec& spec);
absl::StatusOr<ConstraintSpec> FromMessage(const v1::Constraint& message);

}  // namespace baton
