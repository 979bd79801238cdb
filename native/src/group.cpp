#include "group.hpp"

#include <arpa/inet.h>
#include <c10/util/Flags.h>
#include <netdb.h>
#include <sys/socket.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

C10_DECLARE_int(caffe2_log_level);

namespace lrcn {
namespace {

constexpr int kFatalAlone = 3;

using std::chrono::milliseconds;

/// How long ranks that see a failure wait for each other's word of it, to find out who says nothing.
constexpr milliseconds kRollCall{3000};
/// How long the store is kept after that, for those that began to wait a little later.
constexpr milliseconds kLinger{1000};

/// The address of this machine from which another one is reached; nothing is sent.
std::string address_towards(const std::string& host, int32_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    const int descriptor = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
    if (descriptor < 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    std::array<char, NI_MAXHOST> name{};
    const bool known = connect(descriptor, each->ai_addr, each->ai_addrlen) == 0 &&
                       getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
                       getnameinfo(reinterpret_cast<sockaddr*>(&own), length, name.data(), name.size(), nullptr, 0,
                                   NI_NUMERICHOST) == 0;
    close(descriptor);
    if (known) return name.data();
  }
  return {};
}

c10::intrusive_ptr<c10d::Backend> gloo(const c10::intrusive_ptr<c10d::Store>& store, const lrcn_group_options& options,
                                       milliseconds timeout) {
  using Gloo = c10d::ProcessGroupGloo;
  auto settings = Gloo::Options::create(timeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");  // as in PyTorch
  const auto own = address_towards(options.address, options.port);
  settings->devices.push_back(interface != nullptr ? Gloo::createDeviceForInterface(interface)
                              : own.empty()        ? Gloo::createDefaultDevice()
                                                   : Gloo::createDeviceForHostname(own));
  return c10::make_intrusive<Gloo>(store, options.rank, options.world_size, settings);
}

c10::intrusive_ptr<c10d::ProcessGroup> process_group(const c10::intrusive_ptr<c10d::Store>& base, const char* name,
                                                     const lrcn_group_options& options, milliseconds timeout) {
  const auto store = c10::make_intrusive<c10d::PrefixStore>(name, base);
  auto group = c10::make_intrusive<c10d::ProcessGroup>(store, options.rank, options.world_size);
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, gloo(store, options, timeout));
  group->setGroupName(name);
  return group;
}

std::string left_key(int32_t rank) { return "left/" + std::to_string(rank); }

/// One line of an exception of libtorch or Gloo, without where in their sources it was.
std::string first_line(const std::string& text) {
  const auto line = text.substr(0, text.find('\n'));
  const auto place = line.rfind("] ", line.find(": ") == std::string::npos ? std::string::npos : line.find(": "));
  return line.starts_with("[") && place != std::string::npos ? line.substr(place + 2) : line;
}

}  // namespace

Group::Group(const lrcn_group_options& options)
    : rank_(options.rank),
      size_(options.world_size),
      device_(at::kCPU),
      keeps_store_(options.hosted == 0 && options.rank == 0),
      timeout_(std::chrono::seconds(options.timeout)),
      place_(std::string(options.address) + ":" + std::to_string(options.port)) {
  // What c10d warns of, with a trace of its calls, is said here in a line.
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = kFatalAlone;
  c10d::TCPStoreOptions settings;
  settings.port = static_cast<uint16_t>(options.port);
  settings.isServer = keeps_store_;
  settings.waitWorkers = false;
  settings.timeout = timeout_;
  // Deno exports functions of libuv's names, for Node's addons, which libtorch would call instead of its own.
  settings.useLibUV = false;
  try {
    store_ = c10::make_intrusive<c10d::PrefixStore>(options.prefix,
                                                    c10::make_intrusive<c10d::TCPStore>(options.address, settings));
    store_->set("here/" + std::to_string(rank_), std::vector<uint8_t>{1});
  } catch (const std::exception& error) {
    throw Error(LRCN_GROUP_FAILED, "the store at " + place_ + " cannot be reached: " + first_line(error.what()));
  }
  const auto end = std::chrono::steady_clock::now() + timeout_;
  for (int32_t other = 0; other < size_; ++other) {
    bool came = false;
    try {
      came = has("here/" + std::to_string(other), end);
    } catch (const std::exception&) {
      throw Error(LRCN_GROUP_FAILED, gone());
    }
    if (came) continue;
    linger();
    throw Error(LRCN_GROUP_FAILED, "rank " + std::to_string(other) + " has not come within " +
                                       std::to_string(options.timeout) + " s");
  }
  together([&] {
    control_ = process_group(store_, "control", options, timeout_);
    gradients_ = process_group(store_, "gradients", options, timeout_);
  });
}

Group::~Group() = default;

c10::intrusive_ptr<c10d::ProcessGroup> Group::gradients() const { return gradients_; }

void Group::all_reduce(const at::Tensor& values) {
  together([&] {
    std::vector<at::Tensor> tensors{values};
    control_->allreduce(tensors)->wait();
  });
}

std::vector<at::Tensor> Group::all_gather(const at::Tensor& bytes) {
  return together([&] {
    auto lengths = at::zeros({size_}, at::kLong);
    lengths[rank_] = bytes.numel();
    all_reduce(lengths);
    // Padded to the longest: Gloo gathers equal lengths.
    const auto padded = at::zeros({lengths.max().item<int64_t>()}, at::kByte);
    padded.narrow(0, 0, bytes.numel()).copy_(bytes);
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int32_t other = 0; other < size_; ++other) outputs[0].push_back(at::empty_like(padded));
    std::vector<at::Tensor> inputs{padded};
    control_->allgather(outputs, inputs)->wait();
    std::vector<at::Tensor> parts;
    for (int32_t other = 0; other < size_; ++other) {
      parts.push_back(outputs[0][static_cast<size_t>(other)].narrow(0, 0, lengths[other].item<int64_t>()));
    }
    return parts;
  });
}

at::Tensor Group::broadcast(const at::Tensor& bytes) {
  return together([&] {
    auto length = at::full({1}, bytes.numel(), at::kLong);
    std::vector<at::Tensor> lengths{length};
    control_->broadcast(lengths)->wait();
    std::vector<at::Tensor> tensors{rank_ == 0 ? bytes : at::empty({length.item<int64_t>()}, at::kByte)};
    if (tensors[0].numel() > 0) control_->broadcast(tensors)->wait();
    return tensors[0];
  });
}

void Group::reduce(const at::Tensor& values) {
  together([&] {
    std::vector<at::Tensor> tensors{values};
    gradients_->allreduce(tensors)->wait();
  });
}

std::vector<at::Tensor> Group::gather(const at::Tensor& values) {
  return together([&] {
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int32_t other = 0; other < size_; ++other) outputs[0].push_back(at::empty_like(values));
    std::vector<at::Tensor> inputs{values};
    gradients_->allgather(outputs, inputs)->wait();
    return outputs[0];
  });
}

void Group::leave(const std::string& reason) noexcept {
  try {
    store_->set(left_key(rank_), std::vector<uint8_t>(reason.begin(), reason.end()));
  } catch (...) {
    // The store went with rank 0: the others see that themselves.
  }
}

void Group::explain(const std::string& what) {
  // Whoever sees the failure says so; who died or hangs says nothing, and who ended by an error of its own has said why.
  leave("");
  std::string missing;
  const auto add = [&](const std::string& text) { missing += (missing.empty() ? "" : "; ") + text; };
  const auto end = std::chrono::steady_clock::now() + kRollCall;
  for (int32_t other = 0; other < size_; ++other) {
    if (other == rank_) continue;
    const auto name = "rank " + std::to_string(other);
    try {
      if (!has(left_key(other), end)) {
        add(name + " does not answer");
        continue;
      }
      const auto said = store_->get(left_key(other));
      if (!said.empty()) add(name + " ended: " + std::string(said.begin(), said.end()));
    } catch (const std::exception&) {
      add(gone());
      break;
    }
  }
  linger();
  throw Error(LRCN_GROUP_FAILED, missing.empty() ? first_line(what) : missing);
}

std::string Group::gone() const {
  return "the store at " + place_ + " is gone, and with it the process that kept it";
}

void Group::linger() const { std::this_thread::sleep_for(keeps_store_ ? kLinger : milliseconds(0)); }

bool Group::has(const std::string& key, std::chrono::steady_clock::time_point end) {
  // Not by the store's own wait, which prints a warning when it is in vain.
  while (!store_->check({key})) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

}  // namespace lrcn
