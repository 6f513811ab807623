#include "worker/model/relaid_rows.h"

#include <algorithm>

namespace baton::worker {
namespace {

constexpr int64_t kInputsAtOnce = 16;  // whose columns make whole lines of the result

constexpr int64_t kBlockElements = 32;
constexpr int64_t kSplitBytes = 16;
constexpr int64_t kJoinedBytes = 17;

// From pairs of neighbours to pairs half a block apart, behind the scale.
void JoinBlock(const std::byte* pairs, std::byte scale, std::byte* to) {
  to[0] = scale;
  const auto element = [&](int i) { return (pairs[i / 2] >> 4 * (i % 2)) & std::byte{15}; };
  for (int i = 0; i < kSplitBytes; ++i) to[1 + i] = element(i) | element(i + 16) << 4;
}

}  // namespace

std::vector<float> TakeColumns(const FileRows& from, const Range& outputs, const Range& inputs,
                               FileIndex column_of, ComputeThreads& threads) {
  std::vector<float> taken(static_cast<size_t>(outputs.count * inputs.count));
  const int64_t groups = (inputs.count + kInputsAtOnce - 1) / kInputsAtOnce;
  threads.Run([&](const ComputeSlice& slice) {
    std::vector<float> rows(static_cast<size_t>(kInputsAtOnce * from.cols));
    const ComputeSlice::Range share = slice.Share(groups);
    for (int64_t group = share.begin; group < share.end; ++group) {
      const int64_t begin = group * kInputsAtOnce;
      const int64_t count = std::min(kInputsAtOnce, inputs.count - begin);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t input = inputs.begin + begin + i;
        DecodeElements(from.format, from.data + static_cast<size_t>(input) * from.row_bytes, 0,
                       from.cols, rows.data() + i * from.cols);
      }
      for (int64_t output = 0; output < outputs.count; ++output) {
        const float* column = rows.data() + column_of(outputs.begin + output);
        float* to = taken.data() + output * inputs.count + begin;
        for (int64_t i = 0; i < count; ++i) to[i] = column[i * from.cols];
      }
    }
  });
  return taken;
}

std::vector<float> TakeRows(const FileRows& from, const Range& outputs, const Range& inputs,
                            FileIndex row_of, ComputeThreads& threads) {
  std::vector<float> taken(static_cast<size_t>(outputs.count * inputs.count));
  threads.Run([&](const ComputeSlice& slice) {
    std::vector<float> row(static_cast<size_t>(from.cols));
    const ComputeSlice::Range share = slice.Share(outputs.count);
    for (int64_t output = share.begin; output < share.end; ++output) {
      const auto file_row = static_cast<size_t>(row_of(outputs.begin + output));
      DecodeElements(from.format, from.data + file_row * from.row_bytes, 0, from.cols, row.data());
      std::copy_n(row.begin() + inputs.begin, inputs.count, taken.begin() + output * inputs.count);
    }
  });
  return taken;
}

std::vector<std::byte> JoinMxfp4(const SplitMxfp4& from, const Range& outputs, const Range& inputs,
                                 FileIndex row_of, ComputeThreads& threads) {
  const int64_t first_block = inputs.begin / kBlockElements;
  const int64_t blocks = inputs.count / kBlockElements;
  std::vector<std::byte> joined(static_cast<size_t>(outputs.count * blocks * kJoinedBytes));
  threads.Run([&](const ComputeSlice& slice) {
    const ComputeSlice::Range share = slice.Share(outputs.count);
    for (int64_t output = share.begin; output < share.end; ++output) {
      const int64_t first = row_of(outputs.begin + output) * from.row_blocks + first_block;
      std::byte* to = joined.data() + output * blocks * kJoinedBytes;
      for (int64_t block = 0; block < blocks; ++block) {
        JoinBlock(from.blocks + (first + block) * kSplitBytes, from.scales[first + block],
                  to + block * kJoinedBytes);
      }
    }
  });
  return joined;
}

}  // namespace baton::worker
