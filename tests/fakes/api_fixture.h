// A test's frontend, from parsed HTTP request to HTTP answer: one model or none, and workers that
// the test plays.
//
//   class AnswerTest : public ApiFixture { ... StartGeneration(context_, endpoint, request, sink)
//   };
//
// Threading: of the test, but for the threads that check constraints.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <utility>

#include "frontend/answer/running_answers.h"
#include "frontend/generation/api_context.h"
#include "tests/fakes/byte_model.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/scripted_workers.h"

namespace baton::frontend {

class ApiFixture : public ::testing::Test {
 protected:
  struct Served {
    std::optional<ModelCard> card = ByteModelCard();  // nothing: no model
    uint32_t context_length = 1024;
    size_t in_flight_max = 2;
  };

  ApiFixture() : ApiFixture(Served()) {}
  explicit ApiFixture(Served served)
      : source_(served.card, served.context_length),
        limiter_({.in_flight_max = served.in_flight_max}),
        constraints_({.thread_count = 1}) {
    models_.Refresh();
  }

  // Constraints are checked in order, on one thread: this one comes behind that of the last
  // request.
  void AwaitChecks() {
    std::promise<void> checked;
    constraints_.Check(*models_.Find(""),
                       ConstraintSpec::Regex("x{" + std::to_string(++check_count_) + "}"),
                       [&](const absl::Status&) { checked.set_value(); });
    checked.get_future().wait();
  }

  FakeClock clock_;
  MetricsRegistry registry_;
  Lifecycle lifecycle_{clock_};
  StreamMetrics stream_metrics_{registry_};
  ApiMetrics api_metrics_{registry_, {}};

 private:
  class Source : public ModelSource {
   public:
    Source(std::optional<ModelCard> card, uint32_t context_length)
        : card_(std::move(card)), context_length_(context_length) {}

    absl::StatusOr<v1::ListModelsReply> ListModels() override {
      v1::ListModelsReply reply;
      if (card_.has_value()) *reply.add_models() = ByteModelEntry(context_length_);
      return reply;
    }
    absl::StatusOr<ModelCard> FetchModelCard(const v1::FetchModelCardRequest&) override {
      return *card_;
    }

   private:
    const std::optional<ModelCard> card_;
    const uint32_t context_length_;
  };
  Source source_;
  int check_count_ = 0;

 protected:
  ModelCatalog models_{source_, {}, clock_};
  ConcurrencyLimiter limiter_;
  ConstraintValidator constraints_;
  RunningAnswers running_;
  ScriptedWorkers fleet_;
  ApiOptions options_;
  ApiContext context_{.options = options_,
                      .models = models_,
                      .generation = {fleet_, fleet_, stream_metrics_},
                      .limiter = limiter_,
                      .constraints = constraints_,
                      .metrics = api_metrics_,
                      .registry = registry_,
                      .lifecycle = lifecycle_,
                      .running = running_,
                      .clock = clock_};
};

}  // namespace baton::frontend
