// Where a text of llama.cpp's native route ends besides its stops and its length: at a line that is
// indented less than `n_indent`, or at the end of a line when `t_max_predict_ms` are over. Editors
// ask for both, so that a completion stays in its block and comes in time.
//
// Threading: thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton::frontend {

class LlamaLineEnd {
 public:
  struct Limits {
    int64_t n_indent = 0;           // blanks that each line but the first begins with; 0: any
    int64_t t_max_predict_ms = -1;  // from the first token; 0 and less: any time
  };

  explicit LlamaLineEnd(Limits limits) : limits_(limits) {}

  struct Output {
    size_t shown_bytes;  // of the piece
    bool over;           // the text ends there
  };

  // Takes the next piece; `predict_ms` is the time since the first token.
  Output Push(std::string_view piece, double predict_ms);

 private:
  Limits limits_;
  bool in_indent_ = false;  // of a line but the first
  int64_t indent_ = 0;
};

}  // namespace baton::frontend
