#include "frontend/llama/llama_line_end.h"

namespace baton::frontend {

LlamaLineEnd::Output LlamaLineEnd::Push(std::string_view piece, double predict_ms) {
  bool line_over = false;
  for (size_t i = 0; i < piece.size(); ++i) {
    const char byte = piece[i];
    if (in_indent_) {
      if (byte == ' ' || byte == '\t') {
        ++indent_;
        continue;
      }
      if (indent_ < limits_.n_indent) return {.shown_bytes = i, .over = true};
      in_indent_ = false;
    }
    if (byte != '\n') continue;
    line_over = true;
    in_indent_ = true;
    indent_ = 0;
  }
  const bool late =
      limits_.t_max_predict_ms > 0 && predict_ms > static_cast<double>(limits_.t_max_predict_ms);
  return {.shown_bytes = piece.size(), .over = line_over && late};
}

}  // namespace baton::frontend
