// The branches of a oneOf: the engine admits it only where they exclude each other, and sees less
// of that than there is.
//
// Threading: pure functions, any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/json/json.h"

namespace baton {

// Where a property has another constant value in each of the branches, it becomes required, so that
// no value fits two of them.
void SeparateBranches(OrderedJson& branches);

// Whether it can be seen that no value fits two of the branches.
bool BranchesExcludeEachOther(const OrderedJson& branches);

// A oneOf whose branches exclude each other says what an anyOf says.
void MoveToAnyOf(OrderedJson& schema);

}  // namespace baton
