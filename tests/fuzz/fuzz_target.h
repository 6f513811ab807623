// What a fuzz target defines, and what it may ask of the code under test.
//
// Threading: a target runs on one thread.
// Errors:    a broken promise ends the program; the driver keeps the input.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "absl/status/status.h"

namespace baton {

// Feeds one input, damaged or not, to the code under test. Defined by each target.
void FuzzOneInput(std::string_view input);

inline void Promise(bool kept, std::string_view what) {
  if (kept) return;
  std::cerr << "broken promise: " << what << '\n';
  std::abort();
}

// A refusal blames the file, and says more than that it is bad.
inline void PromiseRefusal(const absl::Status& status) {
  const bool blames_file =
      absl::IsInvalidArgument(status) || absl::IsUnimplemented(status) || absl::IsNotFound(status);
  if (!blames_file || status.message().size() < 16) std::cerr << status << '\n';
  Promise(blames_file && status.message().size() >= 16, "a precise refusal");
}

}  // namespace baton
