#include "nccl.hpp"

#include "error.hpp"

#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <cstdlib>
#else
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#endif

namespace lrcn {

#ifdef USE_C10D_NCCL

c10::intrusive_ptr<c10d::Backend> nccl(const c10::intrusive_ptr<c10d::Store>& store, int32_t rank, int32_t size,
                                       std::chrono::milliseconds timeout) {
  // A collective waits for the other ranks, and throws after the timeout: otherwise libtorch's watchdog would abort the
  // process if a rank is missing. These have no other setting; what the user has set stays.
  constexpr int kKeep = 0;
  setenv("TORCH_NCCL_BLOCKING_WAIT", "1", kKeep);
  setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "0", kKeep);
  setenv("TORCH_NCCL_ENABLE_MONITORING", "0", kKeep);
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
}

#else

c10::intrusive_ptr<c10d::Backend> nccl(const c10::intrusive_ptr<c10d::Store>&, int32_t, int32_t,
                                       std::chrono::milliseconds) {
  throw Error(LRCN_DEVICE_UNAVAILABLE,
              "this library was built without the headers of NCCL and CUDA, so several processes cannot use GPUs; "
              "install PyTorch with CUDA by pip, whose packages include them, and build again");
}

#endif

}  // namespace lrcn
