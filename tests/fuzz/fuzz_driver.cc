// Runs a target over the inputs of a corpus, then over random changes of them. The same arguments
// give the same inputs. With BATON_FUZZ_FEEDBACK, inputs that reach new code are changed further.
//
//   x_fuzz [--runs N] [--seconds N] [--seed N] FILE_OR_FOLDER...
//
// A file that ends in .jsonl holds one input a line. $BATON_TEST_FULL: at least five minutes. What
// ends the program, takes ten seconds, or 2 GiB, is left in ./fuzz-failure.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/feedback.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/mutator.h"

// Every report ends in SIGABRT, which leaves the input behind.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:handle_abort=0:max_allocation_size_mb=2048:hard_rss_limit_mb=3072";
}
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

namespace baton {
namespace {

using Clock = std::chrono::steady_clock;

// Far above what the largest corpus file takes.
constexpr unsigned kInputSecondsMax = 10;
constexpr long kResidentKilobytesMax = 2 << 20;
constexpr int64_t kFullSeconds = 300;

struct Arguments {
  uint64_t runs = 3000;
  int64_t seconds = 0;  // goes on until they have passed
  uint64_t seed = 1;
  std::vector<std::string> paths;
};

std::string_view current_input;  // what a signal handler leaves behind

void KeepInput() {
  const int file = open("fuzz-failure", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  const ssize_t written = write(file, current_input.data(), current_input.size());
  if (written >= 0) close(file);
}

void OnSignal(int signal) {
  KeepInput();
  constexpr std::string_view kText = "the input is in ./fuzz-failure\n";
  const ssize_t written = write(STDERR_FILENO, kText.data(), kText.size());
  _exit(written < 0 ? 1 : 128 + signal);
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::vector<std::string> ReadCorpus(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) files.emplace_back(path);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::string bytes = ReadFile(file);
    if (file.extension() != ".jsonl") {
      corpus.push_back(std::move(bytes));
      continue;
    }
    std::istringstream lines(bytes);
    for (std::string line; std::getline(lines, line);) corpus.push_back(line);
  }
  return corpus;
}

void RunOne(const std::string& input) {
  current_input = input;
  alarm(kInputSecondsMax);
  FuzzOneInput(input);
  alarm(0);
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  Promise(usage.ru_maxrss < kResidentKilobytesMax, "no input takes 2 GiB");
}

Arguments ReadArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (i + 1 < argc && name == "--runs") {
      arguments.runs = std::strtoull(argv[++i], nullptr, 10);
    } else if (i + 1 < argc && name == "--seconds") {
      arguments.seconds = std::strtoll(argv[++i], nullptr, 10);
    } else if (i + 1 < argc && name == "--seed") {
      arguments.seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      arguments.paths.emplace_back(name);
    }
  }
  const char* full = std::getenv("BATON_TEST_FULL");
  if (full != nullptr && *full != '\0') {
    arguments.seconds = std::max(arguments.seconds, kFullSeconds);
  }
  return arguments;
}

int Run(const Arguments& arguments) {
  const std::vector<std::string> corpus = ReadCorpus(arguments.paths);
  if (corpus.empty()) {
    std::cerr << "usage: x_fuzz [--runs N] [--seconds N] [--seed N] FILE_OR_FOLDER...\n";
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) {
    std::signal(signal, OnSignal);
  }
  const auto begin = Clock::now();
  const auto seconds = [&] {
    return std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count();
  };
  for (const std::string& input : corpus) RunOne(input);
  (void)TookNewPath();
  Mutator mutator(corpus, arguments.seed);
  uint64_t runs = 0;
  uint64_t kept = 0;
  for (; runs < arguments.runs || seconds() < arguments.seconds; ++runs) {
    const std::string input = mutator.Next();
    RunOne(input);
    if (!TookNewPath()) continue;
    mutator.Keep(input);
    ++kept;
  }
  std::cout << corpus.size() << " inputs and " << runs << " changes of them in " << seconds()
            << " s";
  if (PlacesReached() > 0) std::cout << "; " << kept << " kept, " << PlacesReached() << " places";
  std::cout << '\n';
  return 0;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Run(baton::ReadArguments(argc, argv)); }
