#include "step_graphs.hpp"

#include <c10/core/CachingDeviceAllocator.h>
#include <torch/headeronly/version.h>

#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 13
#include <ATen/accelerator/Graph.h>
#endif

#include <sstream>
#include <utility>

namespace lrcn {
namespace {

#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 13
using Graph = at::accelerator::Graph;
constexpr bool kAvailable = true;
#else
/// Older libtorch declares these only with CUDA's toolkit.
struct Graph {
  void capture_begin(c10::MempoolId_t) {}
  void capture_end() {}
  void replay() {}
  c10::MempoolId_t pool() const { return {0, 0}; }
};
constexpr bool kAvailable = false;
#endif

constexpr int kWarmUps = 3;         // libraries choose kernels and allocate in the first steps
constexpr size_t kRecordings = 16;  // each keeps its own gradients

std::string key_of(const std::string& settings, StagedBatch& batch) {
  std::ostringstream key;
  key << settings << batch.crop_side << ' ' << batch.with_image_step;
  for (const auto* tensor : batch.tensors()) key << ' ' << tensor->scalar_type() << tensor->sizes();
  return key.str();
}

}  // namespace

struct StepGraphs::Recording {
  int seen = 0;
  bool failed = false;
  std::unique_ptr<Graph> graph;
  StagedBatch batch;
  at::Tensor learning_rates, numbers;
  std::vector<at::Tensor> gradients;
};

StepGraphs::StepGraphs(at::Device device, Gradients gradients)
    : device_(device), gradients_(std::move(gradients)) {}
StepGraphs::~StepGraphs() = default;

bool StepGraphs::available() { return kAvailable; }

void StepGraphs::record(Recording& recording, const StagedBatch& batch, const at::Tensor& learning_rates,
                        const Step& step) {
  recording.batch = batch;
  for (auto* tensor : recording.batch.tensors()) *tensor = tensor->clone();
  recording.learning_rates = learning_rates.clone();
  auto graph = std::make_unique<Graph>();
  // Memory cached from earlier steps would add to the recording's own.
  at::getDeviceAllocator(device_.type())->emptyCache();
  graph->capture_begin(pool_);
  try {
    recording.numbers = step(recording.batch, recording.learning_rates);
  } catch (...) {
    try {
      graph->capture_end();
    } catch (const std::exception&) {  // the first error is what matters
    }
    throw;
  }
  graph->capture_end();
  pool_ = graph->pool();
  recording.gradients = gradients_.get();
  recording.graph = std::move(graph);
}

at::Tensor StepGraphs::run(const std::string& settings, StagedBatch batch, const at::Tensor& learning_rates,
                           const Step& step) {
  auto& slot = recordings_[key_of(settings, batch)];
  if (!slot) slot = std::make_unique<Recording>();
  auto& recording = *slot;
  if (!recording.graph) {
    if (recording.failed || recorded_ == kRecordings || ++recording.seen <= kWarmUps) {
      return step(batch, learning_rates);
    }
    try {
      record(recording, batch, learning_rates, step);
      ++recorded_;
    } catch (const c10::Error&) {
      recording = Recording{};
      recording.failed = true;
      gradients_.set({});
      return step(batch, learning_rates);
    }
  }
  const auto given = batch.tensors(), fixed = recording.batch.tensors();
  for (size_t index = 0; index < given.size(); ++index) fixed[index]->copy_(*given[index], /*non_blocking=*/true);
  recording.learning_rates.copy_(learning_rates, /*non_blocking=*/true);
  recording.graph->replay();
  gradients_.set(recording.gradients);
  return recording.numbers.clone();
}

}  // namespace lrcn
