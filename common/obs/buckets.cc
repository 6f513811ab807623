#include "common/obs/buckets.h"

#include "common/base/check.h"

namespace baton {

std::vector<double> FirstTokenSecondsBuckets() {
  return {.001, .005, .01, .02, .04, .06, .08, .1, .25, .5,  .75,
          1,    2.5,  5,   7.5, 10,  20,  40,  80, 160, 640, 2560};
}

std::vector<double> TokenSecondsBuckets() {
  return {.001, .002, .003, .005, .0075, .01, .025, .05, .075, .1, .15, .2,
          .3,   .4,   .5,   .75,  1,     2.5, 5,    7.5, 10,   20, 40,  80};
}

std::vector<double> RequestSecondsBuckets() {
  return {.1, .2, .3, .5, .8, 1,   1.5, 2,   2.5, 5,    10,  15,
          20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};
}

std::vector<double> ShortSecondsBuckets() {
  return {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1};
}

std::vector<double> CountBuckets(double max) {
  BATON_CHECK(max >= 1) << "count buckets: max=" << max;
  std::vector<double> limits;
  for (double decade = 1;; decade *= 10) {
    for (const double step : {1.0, 2.0, 5.0}) {
      limits.push_back(step * decade);
      if (limits.back() >= max) return limits;
    }
  }
}

std::vector<double> RatioBuckets() { return {0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1}; }

}  // namespace baton
