// What the HTTP engine of the frontend counts.
//
// Threading: thread-safe counters, made once.
#pragma once

#include "common/obs/metrics.h"
#include "frontend/http/http_options.h"

namespace baton::frontend {

class FrontendHttpMetrics {
 public:
  explicit FrontendHttpMetrics(MetricsRegistry& registry);

  void Count(HttpEvent event) { events_total_.At(event).Increment(); }

 private:
  Counters& events_total_;
};

}  // namespace baton::frontend
