// RETURN_IF_ERROR and ASSIGN_OR_RETURN: the two ways an error leaves a function early.
//
//   RETURN_IF_ERROR(file.Read(header));
//   ASSIGN_OR_RETURN(BlockLease lease, pool.Acquire(4));
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RETURN_IF_ERROR(expression)                                         \
  do {                                                                      \
    if (::absl::Status baton_status_ = (expression); !baton_status_.ok()) { \
      return baton_status_;                                                 \
    }                                                                       \
  } while (false)

#define BATON_CONCAT_INNER(a, b) a##b
#define BATON_CONCAT(a, b) BATON_CONCAT_INNER(a, b)

#define ASSIGN_OR_RETURN(lhs, expression) \
  BATON_ASSIGN_OR_RETURN(BATON_CONCAT(baton_status_or_, __LINE__), lhs, expression)

#define BATON_ASSIGN_OR_RETURN(result, lhs, expression) \
  auto result = (expression);                           \
  if (!result.ok()) return std::move(result).status();  \
  lhs = std::move(result).value()
