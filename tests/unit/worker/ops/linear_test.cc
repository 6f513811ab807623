#include "worker/ops/linear.h"

#include <dnnl.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/ops_testing.h"

namespace baton::worker {
namespace {

struct Problem {
  int64_t inputs;
  int64_t outputs;
  LinearKind kind = LinearKind::kPlain;
  bool bias = false;
  Activation activation = Activation::kNone;
};

constexpr double kLimit = 0.75;  // of clamped activations

// Weights and inputs of a problem, and what the layer gives by sums in double.
class Layer {
 public:
  Layer(const Problem& problem, DType dtype, int64_t rows_max)
      : problem_(problem),
        dtype_(dtype),
        weights_(RandomFloats(static_cast<size_t>(parts() * problem.outputs * problem.inputs), 1,
                              1.0f / std::sqrt(static_cast<float>(problem.inputs)))),
        bias_(RandomFloats(static_cast<size_t>(parts() * problem.outputs), 2)),
        x_(RandomFloats(static_cast<size_t>(rows_max * problem.inputs), 3)) {}

  PackedLinear Pack(ComputeThreads& threads) const {
    std::vector<LinearPart> list;
    const int64_t size = problem_.outputs * problem_.inputs;
    for (int64_t part = 0; part < parts(); ++part) {
      LinearPart& added = list.emplace_back(F32Part(weights_, problem_.outputs, problem_.inputs));
      added.data = reinterpret_cast<const std::byte*>(weights_.data() + part * size);
      if (problem_.bias) {
        added.bias = absl::MakeConstSpan(bias_).subspan(
            static_cast<size_t>(part * problem_.outputs), static_cast<size_t>(problem_.outputs));
      }
    }
    return PackOrDie(list, problem_.kind, dtype_, threads);
  }

  TestMatrix Input(int64_t first_row, int64_t rows) const {
    const auto begin = x_.begin() + first_row * problem_.inputs;
    return TestMatrix(dtype_, rows, problem_.inputs,
                      std::vector<float>(begin, begin + rows * problem_.inputs));
  }

  double Expect(int64_t row, int64_t output) const {
    const double first = Activated(Sum(row, output, 0));
    if (problem_.kind == LinearKind::kPlain) return first;
    const double up = Sum(row, output, 1);
    if (problem_.activation != Activation::kClampedSwiglu) return first * up;
    return first * (std::clamp(up, -kLimit, kLimit) + 1);
  }

 private:
  double Activated(double x) const {
    switch (problem_.activation) {
      case Activation::kNone:
        return x;
      case Activation::kSilu:
        return x / (1 + std::exp(-x));
      case Activation::kGeluTanh:
        return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
      case Activation::kGeluErf:
        return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
      case Activation::kClampedSwiglu:
        return std::min(x, kLimit) / (1 + std::exp(-1.702 * std::min(x, kLimit)));
    }
    return x;
  }

  int64_t parts() const { return problem_.kind == LinearKind::kGated ? 2 : 1; }

  double Sum(int64_t row, int64_t output, int64_t part) const {
    const int64_t line = part * problem_.outputs + output;
    double sum = problem_.bias ? bias_[static_cast<size_t>(line)] : 0;
    for (int64_t k = 0; k < problem_.inputs; ++k) {
      sum += double{RoundedTo(dtype_, x_[static_cast<size_t>(row * problem_.inputs + k)])} *
             RoundedTo(dtype_, weights_[static_cast<size_t>(line * problem_.inputs + k)]);
    }
    return sum;
  }

  Problem problem_;
  DType dtype_;
  std::vector<float> weights_;
  std::vector<float> bias_;
  std::vector<float> x_;
};

using Case = std::tuple<CpuIsa, DType>;

class LinearTest : public testing::TestWithParam<Case> {
 protected:
  CpuIsa isa() const { return std::get<0>(GetParam()); }
  DType dtype() const { return std::get<1>(GetParam()); }
};

TEST_P(LinearTest, MatchesSumsInDouble) {
  ComputeThreads threads({.thread_count = 2, .isa = isa()});
  const Problem problems[] = {{576, 960},
                              {576, 33, LinearKind::kPlain, true},
                              {1536, 576},
                              {64, 1},
                              {2, 130},
                              {1002, 100},
                              {48, 40, LinearKind::kPlain, true, Activation::kGeluErf},
                              {576, 1536, LinearKind::kGated, false, Activation::kSilu},
                              {48, 40, LinearKind::kGated, true, Activation::kSilu},
                              {48, 70, LinearKind::kGated, true, Activation::kGeluTanh},
                              {48, 70, LinearKind::kGated, false, Activation::kGeluErf},
                              {48, 70, LinearKind::kGated, true, Activation::kClampedSwiglu},
                              {48, 70, LinearKind::kGated, false, Activation::kNone}};
  for (const Problem& problem : problems) {
    const Layer layer(problem, dtype(), 70);
    const PackedLinear packed = layer.Pack(threads);
    for (const int64_t rows : {1, 2, 7, 70}) {
      TestMatrix x = layer.Input(0, rows);
      TestMatrix out(DType::kF32, rows, problem.outputs);
      threads.Run([&](const ComputeSlice& slice) {
        Linear({.x = x.view(),
                .weights = &packed,
                .out = out.view(),
                .activation = problem.activation,
                .activation_limit = static_cast<float>(kLimit)},
               slice);
      });
      for (int64_t row = 0; row<rows; row += rows> 7 ? 23 : 1) {
        for (int64_t output = 0; output < problem.outputs; output += 3) {
          const double expected = layer.Expect(row, output);
          ASSERT_NEAR(out.At(row, output), expected, 2e-5 + 1e-5 * std::abs(expected))
              << "K=" << problem.inputs << " N=" << problem.outputs << " M=" << rows << " at "
              << row << "," << output;
        }
      }
    }
  }
}

// The same row, alone or among others, anywhere, on any number of threads: the same bits.
TEST_P(LinearTest, RowsAreIndependentOfTheBatch) {
  ComputeThreads one({.thread_count = 1, .isa = isa()});
  ComputeThreads two({.thread_count = 2, .isa = isa()});
  ComputeThreads three({.thread_count = 3, .isa = isa()});
  for (const Problem& problem : {Problem{576, 960}, Problem{1536, 200},
                                 Problem{576, 96, LinearKind::kGated, false, Activation::kSilu}}) {
    const Layer layer(problem, dtype(), 200);
    const PackedLinear packed = layer.Pack(two);
    TestMatrix x = layer.Input(0, 200);
    TestMatrix alone(DType::kF32, 200, problem.outputs);
    one.Run([&](const ComputeSlice& slice) {
      for (int64_t row = 0; row < 200; ++row) {
        Linear({.x = x.view().Rows(row, 1),
                .weights = &packed,
                .out = alone.view().Rows(row, 1),
                .activation = problem.activation},
               slice);
      }
    });
    std::vector<int64_t> batches;
    for (int64_t rows = 1; rows <= 26; ++rows) batches.push_back(rows);
    batches.insert(batches.end(), {31, 32, 48, 70, 96, 97, 128, 193});
    for (const int64_t rows : batches) {
      const int64_t first = 200 - rows;
      for (ComputeThreads* threads : {&one, &two, &three}) {
        TestMatrix out(DType::kF32, rows, problem.outputs);
        threads->Run([&](const ComputeSlice& slice) {
          Linear({.x = x.view().Rows(first, rows),
                  .weights = &packed,
                  .out = out.view(),
                  .activation = problem.activation},
                 slice);
        });
        for (int64_t row = 0; row < rows; ++row) {
          ASSERT_TRUE(out.SameRow(row, alone, first + row))
              << "M=" << rows << " row=" << row << " threads=" << threads->thread_count();
        }
      }
    }
  }
}

TEST_P(LinearTest, AddsTheResidualInPlaceAndRoundsToBf16) {
  ComputeThreads threads({.thread_count = 2, .isa = isa()});
  const Problem problem{64, 100};
  const Layer layer(problem, dtype(), 5);
  const PackedLinear packed = layer.Pack(threads);
  TestMatrix x = layer.Input(0, 5);
  const std::vector<float> before = RandomFloats(500, 9);
  TestMatrix plain(DType::kF32, 5, 100);
  TestMatrix added(DType::kF32, 5, 100, before);
  TestMatrix rounded(DType::kBf16, 5, 100);
  threads.Run([&](const ComputeSlice& slice) {
    Linear({.x = x.view(), .weights = &packed, .out = plain.view()}, slice);
    Linear({.x = x.view(), .weights = &packed, .out = added.view(), .residual = added.view()},
           slice);
    Linear({.x = x.view(), .weights = &packed, .out = rounded.view()}, slice);
  });
  for (int64_t row = 0; row < 5; ++row) {
    for (int64_t col = 0; col < 100; ++col) {
      EXPECT_EQ(added.At(row, col),
                plain.At(row, col) + before[static_cast<size_t>(row * 100 + col)]);
      EXPECT_EQ(rounded.At(row, col), ToFloat(ToBf16(plain.At(row, col))));
    }
  }
}

// A view of every second row: rows are found by their stride.
TEST_P(LinearTest, FollowsStrides) {
  ComputeThreads threads({.thread_count = 2, .isa = isa()});
  const Problem problem{64, 70};
  const Layer layer(problem, dtype(), 8);
  const PackedLinear packed = layer.Pack(threads);
  TestMatrix x = layer.Input(0, 8);
  const Matrix dense = x.view();
  TestMatrix all(DType::kF32, 8, 70);
  TestMatrix wide(DType::kF32, 4, 140);
  threads.Run([&](const ComputeSlice& slice) {
    Linear({.x = dense, .weights = &packed, .out = all.view()}, slice);
    Linear({.x = Matrix(dense.data(), dtype(), 4, 64, 128),
            .weights = &packed,
            .out = wide.view().Cols(70, 70)},
           slice);
  });
  for (int64_t row = 0; row < 4; ++row) {
    for (int64_t col = 0; col < 70; ++col) {
      EXPECT_EQ(wide.At(row, 70 + col), all.At(2 * row, col));
    }
  }
}

std::string NameOfCase(const testing::TestParamInfo<Case>& info) {
  return std::string(NameOf(std::get<0>(info.param))) + "_" +
         std::string(NameOf(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(Isas, LinearTest,
                         testing::Combine(testing::ValuesIn(SupportedIsas()),
                                          testing::Values(DType::kBf16, DType::kF32)),
                         NameOfCase);

// oneDNN's bf16 matmul over the very same packed bytes: its panels are ours, with the inputs
// filled up to a multiple of 32.
std::vector<float> MatmulOfOneDnn(const PackedLinear& packed, const Matrix& x) {
  using dnnl::memory;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const int64_t outputs = packed.panel_count() * PackedLinear::kPanelCols;
  const memory::desc x_desc({x.rows(), x.cols()}, memory::data_type::bf16, memory::format_tag::ab);
  const memory::desc any({x.cols(), outputs}, memory::data_type::bf16, memory::format_tag::any);
  const memory::desc out_desc({x.rows(), outputs}, memory::data_type::f32, memory::format_tag::ab);
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(x_desc, any, out_desc), engine);
  const auto panels = static_cast<size_t>(packed.panel_count());
  std::vector<std::byte> bytes(description.weights_desc().get_size());
  for (size_t panel = 0; panel < panels; ++panel) {
    std::memcpy(bytes.data() + panel * (bytes.size() / panels),
                packed.weights() + panel * packed.panel_bytes(), packed.panel_bytes());
  }
  std::vector<float> out(static_cast<size_t>(x.rows() * outputs));
  const memory weights(description.weights_desc(), engine, bytes.data());
  dnnl::matmul(description)
      .execute(stream, {{DNNL_ARG_SRC, memory(x_desc, engine, x.data())},
                        {DNNL_ARG_WEIGHTS, weights},
                        {DNNL_ARG_DST, memory(out_desc, engine, out.data())}});
  stream.wait();
  return out;
}

TEST(LinearOracleTest, EqualsOneDnnBitForBit) {
  if (!SupportsCpuIsa(CpuIsa::kAvx512)) GTEST_SKIP() << "this processor has no AVX-512 BF16";
  ComputeThreads threads({.thread_count = 2});
  for (const auto& [inputs, outputs] : std::vector<std::pair<int64_t, int64_t>>{{64, 64},
                                                                                {576, 960},
                                                                                {1536, 576},
                                                                                {576, 3072},
                                                                                {1000, 128},
                                                                                {1002, 64},
                                                                                {1024, 64},
                                                                                {1280, 64},
                                                                                {1504, 64},
                                                                                {2048, 256},
                                                                                {4096, 64}}) {
    const Layer layer({inputs, outputs}, DType::kBf16, 512);
    const PackedLinear packed = layer.Pack(threads);
    for (const int64_t rows : {1, 3, 8, 32, 128, 512}) {
      TestMatrix x = layer.Input(0, rows);
      TestMatrix out(DType::kF32, rows, outputs);
      threads.Run([&](const ComputeSlice& slice) {
        Linear({.x = x.view(), .weights = &packed, .out = out.view()}, slice);
      });
      const std::vector<float> expected = MatmulOfOneDnn(packed, x.view());
      EXPECT_EQ(std::memcmp(expected.data(), out.view().data(), expected.size() * sizeof(float)), 0)
          << "K=" << inputs << " N=" << outputs << " M=" << rows;
    }
  }
}

}  // namespace
}  // namespace baton::worker
