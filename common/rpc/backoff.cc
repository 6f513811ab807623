#include "common/rpc/backoff.h"

#include <algorithm>
#include <cmath>

namespace baton {

Duration Backoff::Next() {
  const double grown = ToSeconds(options_.first) * std::pow(options_.factor, attempts_);
  const double full = std::min(grown, ToSeconds(options_.limit));
  if (grown < ToSeconds(options_.limit)) ++attempts_;
  const double drawn = std::uniform_real_distribution<double>(full / 2, full)(random_);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(drawn));
}

}  // namespace baton
