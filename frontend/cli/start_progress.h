// What `baton serve` shows while its programs come up: a banner, a bar on a terminal, the time to
// ready.
//
// Threading: used by main. Ownership: writes to the stream it is given.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace baton::frontend {

class StartProgress {
 public:
  // `terminal`: redraw one line; otherwise only whole lines are written.
  StartProgress(std::ostream& out, bool terminal, Clock& clock);

  void Banner(std::string_view model, std::string_view path, int workers);

  // The body of a worker's /startupz: {"phase": …, "bytes": …, "total": …}.
  void Loading(std::string_view startupz);

  void Ready(std::string_view url);

  // Clears the bar, before something else is written.
  void Clear();

 private:
  std::ostream& out_;
  const bool terminal_;
  Clock& clock_;
  const MonotonicTime start_;
  std::string shown_;  // the bar on the terminal, if any
};

}  // namespace baton::frontend
