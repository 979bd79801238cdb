#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "error.hpp"
#include "lrcn.h"

namespace c10d {
class ProcessGroup;
class Store;
}  // namespace c10d

namespace lrcn {

/// A process group over c10d: one backend for collectives between steps, on the CPU, and one for gradients, on the
/// engine's device, so that neither waits for the other.
class Group {
 public:
  explicit Group(const lrcn_group_options& options);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  int32_t rank() const { return rank_; }
  int32_t size() const { return size_; }
  /// Creates the gradients' backend for an engine's device; call on that engine's thread.
  void use(const at::Device& device);

  // Between steps, with tensors on the CPU; each waits for all ranks.
  void all_reduce(const at::Tensor& values);
  std::vector<at::Tensor> all_gather(const at::Tensor& bytes);  // of any lengths, uint8
  at::Tensor broadcast(const at::Tensor& bytes);                // rank 0's, uint8

  // Within a step, with tensors on the engine's device.
  c10::intrusive_ptr<c10d::ProcessGroup> gradients() const;
  void reduce(const at::Tensor& values);
  std::vector<at::Tensor> gather(const at::Tensor& values);  // of one shape

  /// Runs collective work, and says of its exceptions that another rank is the likely cause.
  template <class Task>
  auto together(Task&& task) {
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
  /// This process's round at a store that may hold former ones.
  std::string find_round();
  /// Waits until all ranks have arrived.
  std::vector<Arrival> arrivals(const std::string& own_address);
  [[noreturn]] static void explain(const std::exception& error);
  /// Whether a key is in the store before a deadline.
  bool has(const std::string& key, std::chrono::steady_clock::time_point end);
  void linger() const;

  int32_t rank_, size_;
  bool keeps_store_;
  std::chrono::milliseconds timeout_;
  std::string place_;  // of the store
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::ProcessGroup> control_, gradients_;
};

}  // namespace lrcn
