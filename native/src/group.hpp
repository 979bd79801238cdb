#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "lrcn.h"
#include "pulse.hpp"

namespace c10d {
class ProcessGroup;
class Store;
}  // namespace c10d

namespace lrcn {

/// Processes that work together, by libtorch's own process groups: one for what is said between steps, on the CPU, and one
/// for gradients, on the engine's device. So neither ever waits for the other's turn.
class Group {
 public:
  explicit Group(const lrcn_group_options& options);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  int32_t rank() const { return rank_; }
  int32_t size() const { return size_; }
  /// Makes ready for gradients on an engine's device, on that engine's thread.
  void use(const at::Device& device);

  // Between steps, with tensors on the CPU; each waits until all ranks have come.
  void all_reduce(const at::Tensor& values);
  std::vector<at::Tensor> all_gather(const at::Tensor& bytes);  // of any lengths, uint8
  at::Tensor broadcast(const at::Tensor& bytes);                // rank 0's, uint8
  /// Lets the others' errors say why this rank is gone.
  void leave(const std::string& reason);

  // Within a step, with tensors on the engine's device.
  c10::intrusive_ptr<c10d::ProcessGroup> gradients() const;
  void reduce(const at::Tensor& values);
  std::vector<at::Tensor> gather(const at::Tensor& values);  // of one shape

  /// Runs what needs the other ranks; what it throws becomes an error that says which of them is missing.
  template <class Task>
  auto together(Task&& task) {
    pulse_->arrive();
    try {
      return task();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      explain(error);
    }
  }

 private:
  struct Arrival;
  /// The round of processes that this one belongs to, at a store that may have met others before.
  std::string find_round();
  /// Waits until all ranks have come.
  std::vector<Arrival> arrivals(const std::string& own_address);
  [[noreturn]] void explain(const std::exception& error);
  /// Whether the store has a key, or gets it in time.
  bool has(const std::string& key, std::chrono::steady_clock::time_point end);
  void linger() const;

  int32_t rank_, size_;
  bool keeps_store_;
  std::chrono::milliseconds timeout_;
  std::string place_;  // of the store
  c10::intrusive_ptr<c10d::Store> store_;
  std::optional<Pulse> pulse_;
  c10::intrusive_ptr<c10d::ProcessGroup> control_, gradients_;
};

}  // namespace lrcn
