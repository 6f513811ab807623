// Says in keywords that the grammar engine enforces what others say: unevaluatedProperties as
// additionalProperties, dependentRequired and if/then/else as alternatives, `not` of types and
// values as what is left. What a schema admits stays the same, or becomes less; never more.
//
// A keyword that cannot be said in another way stays where it is, for the caller to refuse.
//
// Threading: pure functions, any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/constraint/json_schema_terms.h"
#include "common/json/json.h"

namespace baton {

// Of one schema: those within it are left alone. May turn it into `false`.
void RewriteSchema(OrderedJson& schema, const FindSchema& find);

// Counts the patterns that a string must match at once by a schema, along its references: the
// engine takes minutes over some dozens.
class JoinedPatterns {
 public:
  static constexpr size_t kMax = 8;

  // REQUIRES: `find` outlives it.
  explicit JoinedPatterns(const FindSchema& find) : find_(find) {}

  size_t In(const OrderedJson& schema);

 private:
  const FindSchema& find_;
  int parts_left_ = 1000;
};

}  // namespace baton
