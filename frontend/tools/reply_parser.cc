#include "frontend/tools/reply_parser.h"

#include <utility>

#include "frontend/tools/harmony_splitter.h"
#include "frontend/tools/tool_splitter.h"
#include "frontend/tools/whole_reply_call.h"

namespace baton::frontend {

// Collects what the splitters say.
class ReplyParser::Message : public ReplySink {
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

  const ToolSet& tools_;
  const bool parallel_calls_;
  bool takes_nothing_ = false;  // the tool of the last call
  MessageDelta delta_;
  uint32_t begun_ = 0;
  uint32_t ended_ = 0;
};

namespace {

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

ReplyParser::ReplyParser(const ReplyPlan& plan)
    : message_(std::make_unique<Message>(plan.tools, plan.parallel_calls)) {
  const ToolFormat* const tools = plan.tool_format;
  if (tools == nullptr || tools->in_channels) {
    splitters_.push_back(std::make_unique<PlainText>(*message_));
  } else {
    splitters_.push_back(std::make_unique<ToolSplitter>(*tools, plan.tools, *message_));
  }
  if (tools != nullptr && plan.takes_whole_reply) {
    splitters_.push_back(
        std::make_unique<WholeReplyCall>(*tools, plan.tools, *message_, *splitters_.back()));
  }
  if (plan.in_channels()) {
    const bool with_calls = tools != nullptr;
    auto harmony = std::make_unique<HarmonySplitter>(with_calls, *message_, *splitters_.back());
    harmony_ = harmony.get();
    splitters_.push_back(std::move(harmony));
  } else if (plan.reasoning != nullptr) {
    auto reasoning = std::make_unique<ReasoningSplitter>(*plan.reasoning, plan.reasoning_start,
                                                         *message_, *splitters_.back());
    reasoning_ = reasoning.get();
    splitters_.push_back(std::move(reasoning));
  }
}

ReplyParser::~ReplyParser() = default;

void ReplyParser::Push(std::string_view text) { splitters_.back()->Push(text); }

void ReplyParser::Finish(ReplyEnd end) { splitters_.back()->Finish(end); }

MessageDelta ReplyParser::Take() { return message_->Take(); }

bool ReplyParser::in_reasoning() const {
  return (reasoning_ != nullptr && reasoning_->inside()) ||
         (harmony_ != nullptr && harmony_->in_reasoning());
}

uint32_t ReplyParser::call_count() const { return message_->call_count(); }

bool ReplyParser::all_calls_whole() const { return message_->all_whole(); }

}  // namespace baton::frontend
