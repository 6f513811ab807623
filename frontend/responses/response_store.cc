#include "frontend/responses/response_store.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "frontend/responses/response_object.h"

namespace baton::frontend {
namespace {

// The entries of JSON arrays as one array; an empty text is an empty array.
void AppendEntries(std::string_view array, std::string* out) {
  if (array.size() <= 2) return;
  if (!out->empty()) *out += ',';
  *out += array.substr(1, array.size() - 2);
}

}  // namespace

std::string StoredResponse::Json() const {
  const std::lock_guard lock(mutex_);
  return json_;
}

bool StoredResponse::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

std::string StoredResponse::ConversationJson() const {
  std::string entries;
  AppendEntries(begin_.earlier_items_json, &entries);
  AppendEntries(begin_.input_items_json, &entries);
  const std::lock_guard lock(mutex_);
  AppendEntries(output_json_, &entries);
  return "[" + entries + "]";
}

size_t StoredResponse::bytes() const {
  const std::lock_guard lock(mutex_);
  return json_.size() + output_json_.size() + event_bytes_ + begin_.input_items_json.size() +
         begin_.earlier_items_json.size();
}

void StoredResponse::SetCancel(std::function<void()> cancel) {
  const std::lock_guard lock(mutex_);
  if (!finished_) cancel_ = std::move(cancel);
}

void StoredResponse::Update(std::string json) {
  const std::lock_guard lock(mutex_);
  if (!concluded_) json_ = std::move(json);
}

void StoredResponse::AppendEvents(std::string_view events) {
  std::vector<std::shared_ptr<ResponseSink>> followers;
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    size_t begin = 0;
    while (begin < events.size()) {
      size_t end = events.find("\n\n", begin);
      end = end == std::string_view::npos ? events.size() : end + 2;
      // Beyond the bound the events are not kept, and can only be followed live.
      const bool fits = event_bytes_ + (end - begin) <= kEventBytesMax;
      events_.emplace_back(fits ? events.substr(begin, end - begin) : std::string_view());
      event_bytes_ += events_.back().size();
      begin = end;
    }
    followers = followers_;
  }
  for (const std::shared_ptr<ResponseSink>& follower : followers) follower->Write(events);
}

void StoredResponse::Conclude(std::string json, std::string output_json) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_ || std::exchange(concluded_, true)) return;
    json_ = std::move(json);
    output_json_ = std::move(output_json);
  }
  if (!begin_.background) End("");
}

void StoredResponse::End(std::string json) { EndWith(std::move(json), "response.failed"); }

void StoredResponse::EndWith(std::string json, std::string_view event_type) {
  std::vector<std::shared_ptr<ResponseSink>> followers;
  std::string last;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
    if (!std::exchange(concluded_, true)) {
      json_ = std::move(json);
      last = TellOfEnd(event_type);
    }
    cancel_ = nullptr;
    followers = std::exchange(followers_, {});
  }
  for (const std::shared_ptr<ResponseSink>& follower : followers) {
    if (!last.empty()) follower->Write(last);
    follower->Finish();
  }
}

std::string StoredResponse::TellOfEnd(std::string_view event_type) {
  if (!begin_.background) return "";  // nobody can follow
  ResponseEvents numbers(static_cast<int64_t>(events_.size()));
  std::string all;
  const auto tell = [&](std::string_view type, const std::string& json) {
    std::string event;
    numbers.AppendResponse(type, json, &event);
    all += event;
    event_bytes_ += event.size();
    events_.push_back(std::move(event));
  };
  if (events_.empty()) tell("response.created", begin_.json);
  tell(event_type, json_);
  return all;
}

bool StoredResponse::Cancel(std::string json) {
  std::function<void()> cancel;
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return false;
    cancel = std::exchange(cancel_, nullptr);
  }
  EndWith(std::move(json), "response.incomplete");  // clients know no other name for it
  if (cancel) cancel();
  return true;
}

void StoredResponse::Follow(int64_t starting_after, std::shared_ptr<ResponseSink> sink) {
  sink->BeginStream(200, {{"content-type", "text/event-stream; charset=utf-8"},
                          {"cache-control", "no-cache"},
                          {"x-accel-buffering", "no"}});
  // Under the lock, so that nothing comes between what was and what is to come.
  const std::lock_guard lock(mutex_);
  const size_t first = starting_after < 0 ? 0 : static_cast<size_t>(starting_after) + 1;
  std::string past;
  for (size_t i = first; i < events_.size(); ++i) past += events_[i];
  if (!past.empty()) sink->Write(past);
  if (finished_ || followers_.size() >= kFollowersMax) {
    sink->Finish();
  } else {
    followers_.push_back(std::move(sink));
  }
}

absl::StatusOr<std::shared_ptr<StoredResponse>> ResponseStore::Add(StoredResponse::Begin begin) {
  const std::lock_guard lock(mutex_);
  if (by_id_.contains(begin.id)) {
    return WithField(
        InvalidArgument(absl::StrCat("a response with id '", begin.id, "' is kept already")),
        "request_id");
  }
  if (!MakeRoom()) {
    return ResourceExhausted("too many responses are being made in the background");
  }
  order_.push_front(std::make_shared<StoredResponse>(std::move(begin)));
  by_id_.emplace(order_.front()->id(), order_.begin());
  return order_.front();
}

bool ResponseStore::MakeRoom() {
  size_t bytes = 0;
  for (const auto& response : order_) bytes += response->bytes();
  auto oldest = order_.end();
  while ((order_.size() >= limits_.responses_max || bytes > limits_.bytes_max) &&
         oldest != order_.begin()) {
    --oldest;
    if (!(*oldest)->finished()) continue;
    bytes -= (*oldest)->bytes();
    by_id_.erase((*oldest)->id());
    oldest = order_.erase(oldest);
  }
  return order_.size() < limits_.responses_max;
}

std::shared_ptr<StoredResponse> ResponseStore::Find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return order_.front();
}

std::shared_ptr<StoredResponse> ResponseStore::Remove(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  std::shared_ptr<StoredResponse> response = *found->second;
  order_.erase(found->second);
  by_id_.erase(found);
  return response;
}

}  // namespace baton::frontend
