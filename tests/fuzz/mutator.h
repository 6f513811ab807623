// Damages inputs the way disks, networks and attackers do: bits, lengths, cuts, repeats, pieces of
// other inputs, and in JSON whole values that stand elsewhere.
//
//   Mutator mutator(corpus, seed);
//   std::string input = mutator.Next();
//   mutator.Keep(input);                  // it was worth more changes
//
// Threading: one thread. The same corpus, seed and calls give the same inputs.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace baton {

class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, uint64_t seed);

  std::string Next();

  // Adds to what inputs are made from; beyond a bound the oldest additions go.
  void Keep(const std::string& input);

 private:
  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }
  void Mutate(std::string& input);
  void MutateBytes(std::string& input);
  void MutateLength(std::string& input);
  void MutateValue(std::string& input);
  std::string OtherValue();

  std::vector<std::string> corpus_;
  size_t original_count_;
  size_t kept_count_ = 0;
  std::mt19937_64 random_;
};

}  // namespace baton
