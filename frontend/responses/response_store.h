// Responses that clients may come back for: to read them, to follow one that is made in the
// background, to cancel it, or to go on from it.
//
// A store of this process only: with several frontends, clients must come back to the same one.
// Bounded by number and by bytes; what has not been touched for longest goes first, unless it is
// still being made.
//
// Threading: thread-safe. Callbacks of sinks run without a lock held.
// Errors:    RESOURCE_EXHAUSTED when all that is kept is still being made.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/base/strings.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

// One response that is kept.
class StoredResponse {
 public:
  struct Begin {
    std::string id;
    std::string json;                // the response object as it begins
    std::string input_items_json;    // what its request brought: an array
    std::string earlier_items_json;  // of the responses before it: an array, or empty
    bool background = false;
  };

  explicit StoredResponse(Begin begin) : begin_(std::move(begin)), json_(begin_.json) {}

  const std::string& id() const { return begin_.id; }
  bool background() const { return begin_.background; }
  const std::string& input_items_json() const { return begin_.input_items_json; }

  std::string Json() const;
  bool finished() const;
  // Input and output of this response and all before it: an array.
  std::string ConversationJson() const;
  size_t bytes() const;

  // The maker's side. `events` holds whole events of the stream.
  void SetCancel(std::function<void()> cancel);
  void Update(std::string json);
  void AppendEvents(std::string_view events);
  // What it came to; `output_json`, an array, is what a later request goes on from. Ends what is
  // not made in the background.
  void Conclude(std::string json, std::string output_json);
  // After the last event. Without a conclusion before it the response failed: `json` is its object,
  // and those who follow are told so.
  void End(std::string json);

  // The clients' side. False: it was finished before. Those who follow get `json`, too.
  bool Cancel(std::string json);
  // Sends the kept events after `starting_after` and then those to come, until the end.
  void Follow(int64_t starting_after, std::shared_ptr<ResponseSink> sink);

 private:
  static constexpr size_t kFollowersMax = 64;
  static constexpr size_t kEventBytesMax = size_t{64} << 20;

  void EndWith(std::string json, std::string_view event_type);
  // The events of an end that the maker did not tell of; keeps them.
  std::string TellOfEnd(std::string_view event_type);

  const Begin begin_;

  mutable std::mutex mutex_;
  std::string json_;
  std::string output_json_ = "[]";
  std::vector<std::string> events_;  // by sequence number
  size_t event_bytes_ = 0;
  bool concluded_ = false;
  bool finished_ = false;
  std::function<void()> cancel_;
  std::vector<std::shared_ptr<ResponseSink>> followers_;
};

class ResponseStore {
 public:
  struct Limits {
    size_t responses_max = 0;  // 0: nothing is kept
    size_t bytes_max = size_t{256} << 20;
  };

  explicit ResponseStore(Limits limits) : limits_(limits) {}

  bool enabled() const { return limits_.responses_max > 0; }

  // REQUIRES: enabled().
  absl::StatusOr<std::shared_ptr<StoredResponse>> Add(StoredResponse::Begin begin);
  // Null if it is not kept.
  std::shared_ptr<StoredResponse> Find(std::string_view id);
  std::shared_ptr<StoredResponse> Remove(std::string_view id);

 private:
  using Order = std::list<std::shared_ptr<StoredResponse>>;

  // Makes room for one more; false if that is not possible.
  bool MakeRoom();

  const Limits limits_;
  std::mutex mutex_;
  Order order_;  // the last touched first
  absl::flat_hash_map<std::string, Order::iterator, StringHash, StringEqual> by_id_;
};

}  // namespace baton::frontend
