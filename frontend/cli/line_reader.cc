#include "frontend/cli/line_reader.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <iostream>
#include <string_view>
#include <utility>

#include "common/base/check.h"

namespace baton::frontend {
namespace {

constexpr char kPrompt[] = "> ";
constexpr int kHistoryLines = 1000;

// Waits until there is input or Ctrl-C; true if there is input.
bool WaitForInput(int fd, InterruptSignal& interrupt) {
  pollfd waiting[2] = {{fd, POLLIN, 0}, {interrupt.fd(), POLLIN, 0}};
  while (poll(waiting, 2, -1) < 0 && errno == EINTR) {
  }
  return !interrupt.Take();
}

class PipeReader final : public LineReader {
 public:
  PipeReader(int fd, InterruptSignal& interrupt) : fd_(fd), interrupt_(interrupt) {}

  Line Next() override {
    std::cout << kPrompt << std::flush;
    while (true) {
      if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
        Line line{Kind::kLine, buffer_.substr(0, end)};
        buffer_.erase(0, end + 1);
        if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
        return line;
      }
      if (!WaitForInput(fd_, interrupt_)) return End();
      char bytes[4096];
      const ssize_t count = read(fd_, bytes, sizeof(bytes));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      buffer_.append(bytes, static_cast<size_t>(count));
    }
    if (buffer_.empty()) return End();
    return Line{Kind::kLine, std::exchange(buffer_, {})};  // a last line without an end
  }

 private:
  static Line End() {
    std::cout << std::endl;
    return Line{};
  }

  const int fd_;
  InterruptSignal& interrupt_;
  std::string buffer_;
};

class TerminalReader final : public LineReader {
 public:
  explicit TerminalReader(InterruptSignal& interrupt) : interrupt_(interrupt) {
    std::setlocale(LC_CTYPE, "");
    if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
    editor_ = el_init("baton", stdin, stdout, stderr);
    history_ = history_init();
    BATON_CHECK(editor_ != nullptr && history_ != nullptr) << "libedit";
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_wset(editor_, EL_GETCFN, &ReadCharacter);
    el_source(editor_, nullptr);  // the user's ~/.editrc
  }

  ~TerminalReader() override {
    history_end(history_);
    el_end(editor_);
  }

  Line Next() override {
    std::cout << std::flush;
    interrupted_ = false;
    int count = 0;
    const char* text = el_gets(editor_, &count);
    if (interrupted_) {
      std::cout << std::endl;
      return Line{Kind::kInterrupted, ""};
    }
    if (text == nullptr || count <= 0) {
      std::cout << std::endl;
      return Line{};
    }
    std::string line(text, static_cast<size_t>(count));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    HistEvent event;
    if (!line.empty()) history(history_, &event, H_ENTER, line.c_str());
    return Line{Kind::kLine, std::move(line)};
  }

 private:
  static char* Prompt(EditLine*) { return const_cast<char*>(kPrompt); }

  // One character from the terminal, decoded; -1 ends the line.
  static int ReadCharacter(EditLine* editor, wchar_t* character) {
    TerminalReader* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    std::mbstate_t state{};
    while (true) {
      if (!WaitForInput(STDIN_FILENO, self->interrupt_)) {
        self->interrupted_ = true;
        return -1;
      }
      char byte = 0;
      const ssize_t count = read(STDIN_FILENO, &byte, 1);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return static_cast<int>(count);
      // What the kernel leaves of a Ctrl-D pressed while no line was read. libedit binds it to the
      // keys that the terminal's raw mode lacks, "insert the next key as it is" among them.
      if (byte == '\0') continue;
      const size_t length = std::mbrtowc(character, &byte, 1, &state);
      if (length == static_cast<size_t>(-2)) continue;  // the sequence goes on
      if (length == static_cast<size_t>(-1)) *character = L'?';
      return 1;
    }
  }

  InterruptSignal& interrupt_;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  bool interrupted_ = false;
};

}  // namespace

std::unique_ptr<LineReader> OpenLineReader(InterruptSignal& interrupt) {
  if (isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {
    return std::make_unique<TerminalReader>(interrupt);
  }
  return OpenPipeReader(STDIN_FILENO, interrupt);
}

std::unique_ptr<LineReader> OpenPipeReader(int fd, InterruptSignal& interrupt) {
  return std::make_unique<PipeReader>(fd, interrupt);
}

}  // namespace baton::frontend
