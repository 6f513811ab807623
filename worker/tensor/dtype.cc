#include "worker/tensor/dtype.h"

#include "common/base/check.h"

namespace baton::worker {

size_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kI8:
    case DType::kU8:
      return 1;
    case DType::kF16:
    case DType::kBf16:
      return 2;
    case DType::kF32:
    case DType::kI32:
      return 4;
    case DType::kI64:
      return 8;
  }
  BATON_CHECK(false) << "dtype: value=" << static_cast<int>(dtype);
  return 0;
}

std::string_view NameOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "float32";
    case DType::kF16:
      return "float16";
    case DType::kBf16:
      return "bfloat16";
    case DType::kI8:
      return "int8";
    case DType::kU8:
      return "uint8";
    case DType::kI32:
      return "int32";
    case DType::kI64:
      return "int64";
  }
  BATON_CHECK(false) << "dtype: value=" << static_cast<int>(dtype);
  return {};
}

}  // namespace baton::worker
