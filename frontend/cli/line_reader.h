// Where the lines of a conversation come from: a terminal with editing and history, or a pipe.
//
//   const std::unique_ptr<LineReader> reader = OpenLineReader(interrupt);
//   for (LineReader::Line line = reader->Next(); line.kind != LineReader::Kind::kEnd; ...)
//
// Both show the prompt "> ". Ctrl-C gives up the line that is being typed; in a pipe it is the end.
//
// Threading: used by main. Ownership: the interrupt outlives the reader.
#pragma once

#include <memory>
#include <string>

#include "frontend/cli/interrupt_signal.h"

namespace baton::frontend {

class LineReader {
 public:
  enum class Kind { kLine, kInterrupted, kEnd };
  struct Line {
    Kind kind = Kind::kEnd;
    std::string text;  // without the line end
  };

  virtual ~LineReader() = default;
  virtual Line Next() = 0;
};

// A terminal reader when both standard streams are terminals.
std::unique_ptr<LineReader> OpenLineReader(InterruptSignal& interrupt);

// Reads lines from `fd`, writing prompts to standard output. For pipes, and for tests.
std::unique_ptr<LineReader> OpenPipeReader(int fd, InterruptSignal& interrupt);

}  // namespace baton::frontend
