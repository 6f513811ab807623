#include "frontend/tools/reply_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "frontend/tools/harmony_splitter.h"
#include "frontend/tools/reasoning_splitter.h"
#include "frontend/tools/tool_splitter.h"
#include "frontend/tools/whole_reply_call.h"

namespace baton::frontend {

namespace {

// Collects what the splitters say.
class Message : public ReplySink {
 public:
  Message(const ToolSet& tools, bool parallel_calls)
      : tools_(tools), parallel_calls_(parallel_calls) {}

  void OnReasoning(std::string_view text) override { delta_.reasoning += text; }
  void OnContent(std::string_view text) override { delta_.content += text; }

  void OnCallBegin(std::string_view name, std::string_view id) override {
    ++begun_;
    const ToolSet::Tool* const tool = tools_.Find(name);
    takes_nothing_ = tool != nullptr && tool->takes_nothing;
    if (IsDropped()) return;
    // Whatever the model writes: a tool without parameters gets {}.
    delta_.calls.push_back({.index = begun_ - 1,
                            .name = std::string(name),
                            .id = std::string(id),
                            .arguments = takes_nothing_ ? "{}" : ""});
  }

  void OnArguments(std::string_view json) override {
    if (!takes_nothing_) AddArguments(json);
  }

  void OnCallEnd() override { ++ended_; }

  MessageDelta Take() { return std::exchange(delta_, {}); }
  uint32_t call_count() const { return parallel_calls_ ? begun_ : std::min(begun_, 1U); }
  bool all_whole() const { return begun_ > 0 && (parallel_calls_ ? begun_ == ended_ : ended_ > 0); }

 private:
  void AddArguments(std::string_view json) {
    if (IsDropped() || json.empty()) return;
    if (delta_.calls.empty()) {
      delta_.calls.push_back({.index = begun_ - 1, .name = {}, .id = {}, .arguments = {}});
    }
    delta_.calls.back().arguments += json;
  }

  bool IsDropped() const { return !parallel_calls_ && begun_ > 1; }

  MessageDelta delta_;
  const ToolSet& tools_;
  const bool parallel_calls_;
  bool takes_nothing_ = false;  // the tool of the last call
  uint32_t begun_ = 0;
  uint32_t ended_ = 0;
};

// The end of the line: text without calls.
class PlainText : public ReplySplitter {
 public:
  explicit PlainText(ReplySink& sink) : sink_(sink) {}
  void Push(std::string_view text) override { sink_.OnContent(text); }
  void Finish(ReplyEnd) override {}

 private:
  ReplySink& sink_;
};

}  // namespace

// Each splitter feeds the one that was made before it.
struct ReplyParser::Parts {
  explicit Parts(const ReplyPlan& plan) : message(plan.tools, plan.parallel_calls) {
    const ToolFormat* const tools = plan.tool_format;
    if (tools == nullptr || tools->in_channels) {
      first = &plain.emplace(message);
    } else {
      first = &calls.emplace(*tools, plan.tools, message);
    }
    if (tools != nullptr && plan.takes_whole_reply) {
      first = &whole.emplace(*tools, plan.tools, message, *first);
    }
    if (plan.in_channels()) {
      first = &harmony.emplace(/*with_calls=*/tools != nullptr, message, *first);
    } else if (plan.reasoning != nullptr) {
      first = &reasoning.emplace(*plan.reasoning, plan.reasoning_start, message, *first);
    }
  }

  ReplySplitter* first = nullptr;  // of those that still do something
  Message message;
  std::optional<PlainText> plain;
  std::optional<ToolSplitter> calls;
  std::optional<ReasoningSplitter> reasoning;
  std::optional<HarmonySplitter> harmony;
  std::optional<WholeReplyCall> whole;
};

ReplyParser::ReplyParser(const ReplyPlan& plan) : parts_(std::make_unique<Parts>(plan)) {}

ReplyParser::~ReplyParser() = default;
ReplyParser::ReplyParser(ReplyParser&&) noexcept = default;
ReplyParser& ReplyParser::operator=(ReplyParser&&) noexcept = default;

void ReplyParser::Push(std::string_view text) {
  parts_->first->Push(text);
  parts_->first = parts_->first->successor();
}

void ReplyParser::Finish(ReplyEnd end) { parts_->first->Finish(end); }

MessageDelta ReplyParser::Take() { return parts_->message.Take(); }

bool ReplyParser::in_reasoning() const { return parts_->first->in_reasoning(); }

uint32_t ReplyParser::call_count() const { return parts_->message.call_count(); }

bool ReplyParser::all_calls_whole() const { return parts_->message.all_whole(); }

}  // namespace baton::frontend
