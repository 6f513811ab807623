// A ConstraintSpec on the wire.
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT naming the field for a message without a form, or with what no spec
//            can say.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/inference.pb.h"
#include "common/constraint/constraint_spec.h"

namespace baton {

// What `spec` starts behind is one kind of marker, and few and short ones.
absl::Status CheckMarkers(const ConstraintSpec& spec);

v1::Constraint ToMessage(const ConstraintSpec& spec);
absl::StatusOr<ConstraintSpec> FromMessage(const v1::Constraint& message);

}  // namespace baton
