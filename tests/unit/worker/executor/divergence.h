// How far the distributions of two runs of a model lie apart.
//
//   Divergence sum;
//   sum.Add(exact_logits, other_logits);          // of one position
//   sum.mean_kl();
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace baton::worker {

class Divergence {
 public:
  void Add(const std::vector<float>& exact, const std::vector<float>& other) {
    const std::vector<double> p = LogSoftmax(exact);
    const std::vector<double> q = LogSoftmax(other);
    double kl = 0;
    for (size_t i = 0; i < p.size(); ++i) kl += std::exp(p[i]) * (p[i] - q[i]);
    kl_ += kl;
    worst_kl_ = std::max(worst_kl_, kl);
    if (Best(p) == Best(q)) ++same_best_;
    ++positions_;
  }

  // Kullback-Leibler, of the exact distribution from the other, in nats.
  double mean_kl() const { return kl_ / static_cast<double>(positions_); }
  double worst_kl() const { return worst_kl_; }
  // How often the most likely token is the same.
  double agreement() const {
    return static_cast<double>(same_best_) / static_cast<double>(positions_);
  }

 private:
  static std::vector<double> LogSoftmax(const std::vector<float>& logits) {
    const double max = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float logit : logits) sum += std::exp(logit - max);
    std::vector<double> result(logits.size());
    for (size_t i = 0; i < logits.size(); ++i) result[i] = logits[i] - max - std::log(sum);
    return result;
  }
  static int64_t Best(const std::vector<double>& v) {
    return std::max_element(v.begin(), v.end()) - v.begin();
  }

  double kl_ = 0;
  double worst_kl_ = 0;
  int64_t same_best_ = 0;
  int64_t positions_ = 0;
};

}  // namespace baton::worker
