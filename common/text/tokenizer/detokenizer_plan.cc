#include "common/text/tokenizer/detokenizer_plan.h"

#include <utility>

#include "common/base/check.h"
#include "common/text/tokenizer/byte_alphabet.h"
#include "common/text/tokenizer/byte_fallback.h"
#include "common/text/tokenizer/strip_decoder.h"

namespace baton {
namespace {

// Decoders that make more of a vocabulary are run each time instead.
constexpr size_t kTableBytesMax = size_t{256} << 20;

// What a tokenizer without decoder does.
class JoinWithSpaces : public TokenDecoder {
 public:
  void Decode(std::vector<std::string>& tokens) const override {
    for (size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, 1, ' ');
  }
  DecodeScope scope() const override { return DecodeScope::kFirst; }
};

bool IsTokenwise(const TokenDecoder& decoder) {
  return decoder.scope() == DecodeScope::kToken || decoder.scope() == DecodeScope::kFirst;
}

// The text of a token that stands first, or second.
std::string TextAt(const std::vector<const TokenDecoder*>& parts, size_t count,
                   const std::string& token, bool first) {
  std::vector<std::string> tokens(first ? 1 : 2, token);
  for (size_t i = 0; i < count; ++i) parts[i]->Decode(tokens);
  return tokens.back();
}

TokenTable TableOf(const std::vector<std::string>& texts) {
  TokenTable table;
  for (const std::string& text : texts) table.Append(text);
  return table;
}

}  // namespace

DetokenizerPlan::DetokenizerPlan(std::vector<std::string> texts, const std::vector<bool>& exists,
                                 std::unique_ptr<const TokenDecoder> decoder)
    : decoder_(std::move(decoder)) {
  BATON_CHECK(texts.size() == exists.size()) << texts.size();
  for (const bool one : exists) facts_.push_back(one ? kExists : uint8_t{0});
  if (decoder_ == nullptr) decoder_ = std::make_unique<JoinWithSpaces>();
  if (Compile(texts)) return;
  shape_ = Shape::kList;
  strip_max_ = 0;
  first_ = TokenTable();
  rest_ = TableOf(texts);
  texts_ = std::move(texts);
}

bool DetokenizerPlan::Compile(const std::vector<std::string>& texts) {
  std::vector<const TokenDecoder*> parts;
  decoder_->AppendParts(parts);
  size_t tokenwise = 0;
  bool first_differs = false;
  while (tokenwise < parts.size() && IsTokenwise(*parts[tokenwise])) {
    first_differs = first_differs || parts[tokenwise]->scope() == DecodeScope::kFirst;
    ++tokenwise;
  }
  const std::span<const TokenDecoder* const> tail = std::span(parts).subspan(tokenwise);
  const bool bytes = !tail.empty() && tail[0]->scope() == DecodeScope::kBytes;
  const bool runs = !tail.empty() && tail[0]->scope() == DecodeScope::kByteRun;
  if (!CompileTail(tail)) return false;
  size_t table_bytes = 0;
  std::vector<std::string> first(first_differs ? texts.size() : 0);
  std::vector<std::string> rest(texts.size());
  for (size_t id = 0; id < texts.size(); ++id) {
    if ((facts_[id] & kExists) == 0) continue;
    rest[id] = TextAt(parts, tokenwise, texts[id], false);
    if (first_differs) first[id] = TextAt(parts, tokenwise, texts[id], true);
    table_bytes += rest[id].size() + (first_differs ? first[id].size() : 0);
    if (table_bytes > kTableBytesMax) return false;
    if (bytes) {
      rest[id] = BytesOfLetters(rest[id]).value_or(rest[id]);
      if (first_differs) first[id] = BytesOfLetters(first[id]).value_or(first[id]);
    }
    const auto byte = runs ? ByteOfToken(rest[id]) : std::nullopt;
    if (runs && first_differs && ByteOfToken(first[id]) != byte) return false;
    if (byte) {
      facts_[id] = static_cast<uint8_t>(facts_[id] | kRunByte);
      rest[id].assign(1, static_cast<char>(*byte));
      if (first_differs) first[id] = rest[id];
    } else if (IsValidUtf8(rest[id])) {
      facts_[id] = static_cast<uint8_t>(facts_[id] | kWhole);
    }
  }
  rest_ = TableOf(rest);
  first_ = TableOf(first);
  shape_ = (first_differs || runs || strip_max_ > 0) ? Shape::kTokens : Shape::kBytes;
  return true;
}

bool DetokenizerPlan::CompileTail(std::span<const TokenDecoder* const> parts) {
  bool fused = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const DecodeScope scope = parts[i]->scope();
    if (scope == DecodeScope::kFuse) {
      fused = true;
    } else if (i == 0 && scope == DecodeScope::kBytes) {
      fused = true;
    } else if (i == 0 && scope == DecodeScope::kByteRun) {
      continue;
    } else if (const StripDecoder* strip = parts[i]->AsStrip();
               strip != nullptr && fused && strip->stop() == 0 && strip_max_ == 0 &&
               // Of ByteLevel's text a longer character may be spread over tokens.
               (parts[0]->scope() != DecodeScope::kBytes || strip->content().size() == 1)) {
      strip_content_ = strip->content();
      strip_max_ = strip->start();
    } else {
      return false;
    }
  }
  return true;
}

void DetokenizerPlan::AppendStripped(std::string_view text, State& state, std::string& out) const {
  while (!state.strip_done && !text.empty()) {
    if (state.stripped == strip_max_ || text.substr(0, strip_content_.size()) != strip_content_) {
      state.strip_done = true;
      break;
    }
    text.remove_prefix(strip_content_.size());
    ++state.stripped;
  }
  state.assembler.Push(text, out);
}

void DetokenizerPlan::FlushRun(State& state, std::string& out) const {
  AppendStripped(TextOfByteRun(state.byte_run), state, out);
  state.byte_run.clear();
}

void DetokenizerPlan::Push(TokenId id, State& state, std::string& out) const {
  if (!Exists(id)) return;
  if (shape_ == Shape::kBytes || (state.strip_done && state.byte_run.empty())) {
    // The text has begun, and nothing waits for what comes after it.
    const bool whole = facts_[id] == (kExists | kWhole) && !state.assembler.pending();
    if (whole) {
      out.append(rest_[id]);
      return;
    }
  }
  if (shape_ == Shape::kBytes) return state.assembler.Push(rest_[id], out);
  if (shape_ == Shape::kList) {
    state.held.push_back(id);
    return;
  }
  const bool is_first = !state.started && first_.size() > 0;
  state.started = true;
  if ((facts_[id] & kRunByte) != 0) {
    state.byte_run += rest_[id];
    return;
  }
  if (!state.byte_run.empty()) FlushRun(state, out);
  AppendStripped(is_first ? first_[id] : rest_[id], state, out);
}

void DetokenizerPlan::PushList(State& state, std::string& out) const {
  std::vector<std::string> tokens;
  for (const TokenId id : state.held) tokens.push_back(texts_[id]);
  if (!tokens.empty()) decoder_->Decode(tokens);
  for (const std::string& token : tokens) state.assembler.Push(token, out);
}

void DetokenizerPlan::Finish(State& state, std::string& out) const {
  if (!state.byte_run.empty()) FlushRun(state, out);
  PushList(state, out);
  state.assembler.Finish(out);
  state = State();
}

}  // namespace baton
