// The engine's news as messages of the wire.
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "baton/v1/inference.pb.h"
#include "worker/engine/engine_events.h"

namespace baton::worker {

v1::Accepted AcceptedMessage(const StepEvents::Accepted& event, Epoch epoch);
v1::Tokens ScoredMessage(const StepEvents::Scored& event);
void AddToken(const StepEvents::Token& event, v1::Tokens& tokens);
v1::Finished FinishedMessage(const StepEvents::Finished& event);

// One step's news for one session: one frame, but for very many log-probabilities.
std::vector<v1::SessionFrame> FramesOf(const StepEvents& events, Epoch epoch);

// A call that ends with `status`.
void AddFailure(uint64_t call, const absl::Status& status, v1::SessionFrame& frame);

// Takes `next` into `last`, a frame that still waits to be written, unless that one is large.
bool MergeFrames(v1::SessionFrame& last, v1::SessionFrame& next);

// The same for single events: new tokens of the same choice are joined.
bool MergeEvents(v1::GenerateEvent& last, v1::GenerateEvent& next);

}  // namespace baton::worker
