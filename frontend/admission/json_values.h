#pragma once

#include <cstddef>
#include <string_view>

namespace baton::frontend {

// What a request body may ask of the memory: each object, array or text of a parsed document costs
// some hundred bytes, whatever it is written with ("[]," is three), and each copy of it again.
// 200,000 messages of a chat are within; numbers, such as the tokens of a prompt, are not counted.
inline constexpr size_t kJsonValuesMax = 1'000'000;

// Whether `body`, read as JSON, holds more than `values_max` objects, arrays and texts (names of
// members are texts). Counted in one pass, without parsing; what is no JSON gives some answer.
//
// Threading: any thread.
bool HoldsMoreJsonValues(std::string_view body, size_t values_max);

}  // namespace baton::frontend
