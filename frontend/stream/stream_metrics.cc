#include "frontend/stream/stream_metrics.h"

namespace baton::frontend {

StreamMetrics::StreamMetrics(MetricsRegistry& registry)
    : active_generations(registry.AddGauge("baton_frontend_active_generations",
                                           "Prompts that are being answered.")),
      retries_total(registry.AddCounter("baton_frontend_retries_total",
                                        "Requests sent again before their first token.")),
      migrations_total(
          registry.AddCounter("baton_frontend_migrations_total",
                              "Streams that went on at another worker after theirs was lost.")),
      migrated_tokens_total(
          registry.AddCounter("baton_frontend_migrated_tokens_total",
                              "Output tokens that a migration carried to another worker.")),
      lost_total(registry.AddCounter("baton_frontend_lost_generations_total",
                                     "Generations that ended in an error after all retries.")) {}

}  // namespace baton::frontend
