#pragma once

#include <vector>

namespace baton {

// Bucket limits of histograms, one list per kind of quantity, so that dashboards can compare.
// vLLM's limits where vLLM has the quantity; finer ones below where it is too coarse.

// Time to first token, seconds.
std::vector<double> FirstTokenSecondsBuckets();

// Between tokens, and per output token, seconds: vLLM's, with 1 to 7.5 ms added.
std::vector<double> TokenSecondsBuckets();

// Phases of a request and the whole of it, seconds.
std::vector<double> RequestSecondsBuckets();

// Work that takes microseconds to milliseconds: routing, tokenising, one step. 10 us to 1 s.
std::vector<double> ShortSecondsBuckets();

// Counts in 1-2-5 steps up to the first that is not below `max`. REQUIRES: max >= 1.
std::vector<double> CountBuckets(double max);

// Shares from 0 to 1 in tenths.
std::vector<double> RatioBuckets();

}  // namespace baton
