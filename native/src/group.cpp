#include "group.hpp"

#include "nccl.hpp"

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
#include <sstream>
#include <thread>

C10_DECLARE_int(caffe2_log_level);

namespace lrcn {
namespace {

constexpr int kFatalAlone = 3;

using std::chrono::milliseconds;

/// How long the store is kept if a rank has not arrived, for ranks that started to wait a little later.
constexpr milliseconds kLinger{1000};

/// This machine's address on the route to another one; nothing is sent.
std::string address_towards(const std::string& host, int32_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    const int descriptor = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
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

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

c10::intrusive_ptr<c10d::Backend> gloo(const c10::intrusive_ptr<c10d::Store>& store, const lrcn_group_options& options,
                                       const std::string& own, milliseconds timeout) {
  using Gloo = c10d::ProcessGroupGloo;
  auto settings = Gloo::Options::create(timeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");  // as in PyTorch
  settings->devices.push_back(interface != nullptr ? Gloo::createDeviceForInterface(interface)
                              : own.empty()        ? Gloo::createDefaultDevice()
                                                   : Gloo::createDeviceForHostname(own));
  return c10::make_intrusive<Gloo>(store, options.rank, options.world_size, settings);
}

c10::intrusive_ptr<c10d::ProcessGroup> process_group(const c10::intrusive_ptr<c10d::Store>& base, const char* name,
                                                     const lrcn_group_options& options, const std::string& own,
                                                     milliseconds timeout) {
  const auto store = c10::make_intrusive<c10d::PrefixStore>(name, base);
  auto group = c10::make_intrusive<c10d::ProcessGroup>(store, options.rank, options.world_size);
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, gloo(store, options, own, timeout));
  group->setGroupName(name);
  return group;
}

std::string named(int32_t rank) { return "rank " + std::to_string(rank); }

/// The first line of an exception of libtorch or Gloo, without its source location and Gloo's advice.
std::string first_line(const std::string& text) {
  auto line = text.substr(0, text.find('\n'));
  line = line.substr(0, line.find(". This is typically caused"));
  const auto place = line.rfind("] ", line.find(": ") == std::string::npos ? std::string::npos : line.find(": "));
  return line.starts_with("[") && place != std::string::npos ? line.substr(place + 2) : line;
}

}  // namespace

/// A rank's entry on arrival.
struct Group::Arrival {
  int32_t size;         // world size as this rank knows it
  std::string address;  // at which others reach it

  std::vector<uint8_t> bytes() const {
    const auto text = std::to_string(size) + ' ' + address;
    return {text.begin(), text.end()};
  }
  static Arrival parse(const std::vector<uint8_t>& bytes) {
    std::istringstream text(std::string(bytes.begin(), bytes.end()));
    Arrival arrival{};
    text >> arrival.size >> arrival.address;
    return arrival;
  }
};

Group::Group(const lrcn_group_options& options)
    : rank_(options.rank),
      size_(options.world_size),
      keeps_store_(options.hosted == 0 && options.rank == 0),
      timeout_(std::chrono::seconds(options.timeout)),
      place_(std::string(options.address) + ":" + std::to_string(options.port)) {
  // c10d's warnings come with stack traces; errors here are one line.
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = kFatalAlone;
  c10d::TCPStoreOptions settings;
  settings.port = static_cast<uint16_t>(options.port);
  settings.isServer = keeps_store_;
  settings.waitWorkers = false;
  settings.timeout = timeout_;
  // Deno exports functions of libuv's names, for Node's addons, which libtorch would call instead of its own.
  settings.useLibUV = false;
  try {
    const auto store = c10::make_intrusive<c10d::TCPStore>(options.address, settings);
    store_ = c10::make_intrusive<c10d::PrefixStore>(options.prefix, store);
    if (options.hosted != 0) store_ = c10::make_intrusive<c10d::PrefixStore>(find_round(), store_);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(LRCN_GROUP_FAILED, "the store at " + place_ + " cannot be reached: " + first_line(error.what()));
  }
  auto own = address_towards(options.address, options.port);
  for (const auto& [size, address] : arrivals(own)) {
    // The store's address may be a local name of this machine; other machines reach it by another.
    if (is_loopback(own) && !is_loopback(address)) own = address_towards(address, options.port);
  }
  together([&] {
    control_ = process_group(store_, "control", options, own, timeout_);
    gradients_ = process_group(store_, "gradients", options, own, timeout_);
  });
}

Group::~Group() = default;

void Group::use(const at::Device& device) {
  if (device.is_cpu()) return;
  using Type = c10d::ProcessGroup::BackendType;
  together([&] {
    const auto store = c10::make_intrusive<c10d::PrefixStore>("nccl", gradients_->getStore());
    gradients_->setBackend(device.type(), Type::NCCL, nccl(store, rank_, size_, timeout_));
  });
}

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

std::string Group::find_round() {
  // A store that outlives the processes has entries of former attempts, whose processes may still run, and torchrun's
  // restart count is not the same on all machines. So each process arrives with its own token, and rank 0 opens a round
  // with tokens that it has not seen before.
  const auto end = std::chrono::steady_clock::now() + timeout_;
  const auto text = [](const std::vector<uint8_t>& bytes) { return std::string(bytes.begin(), bytes.end()); };
  const auto bytes = [](const std::string& text) { return std::vector<uint8_t>(text.begin(), text.end()); };
  const auto late = [&](int32_t rank) {
    return Error(LRCN_GROUP_FAILED,
                 named(rank) + " has not joined within " + std::to_string(timeout_.count() / 1000) + " s");
  };
  if (rank_ > 0) {
    const auto token = std::to_string(rank_) + "-" + std::to_string(store_->add("tokens", 1));
    store_->set("wants/" + std::to_string(rank_), bytes(token));
    if (!has("round of/" + token, end)) throw late(0);
    return text(store_->get("round of/" + token));
  }
  const auto round = std::to_string(store_->add("rounds", 1));
  std::vector<std::string> tokens;
  for (int32_t other = 1; other < size_; ++other) {
    const auto wants = "wants/" + std::to_string(other);
    // A process may have been restarted meanwhile with another token: the last one counts.
    for (;;) {
      if (!has(wants, end) || std::chrono::steady_clock::now() >= end) throw late(other);
      auto token = text(store_->get(wants));
      if (store_->add("taken/" + token, 0) == 0) {
        tokens.push_back(std::move(token));
        break;
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  for (const auto& token : tokens) {
    store_->add("taken/" + token, 1);
    store_->set("round of/" + token, bytes(round));
  }
  return round;
}

std::vector<Group::Arrival> Group::arrivals(const std::string& own_address) {
  const auto key = [](int32_t rank) { return "here/" + std::to_string(rank); };
  const auto end = std::chrono::steady_clock::now() + timeout_;
  std::vector<Arrival> all;
  std::string missing;
  try {
    if (store_->add("came/" + std::to_string(rank_), 1) > 1) {
      throw Error(LRCN_GROUP_FAILED, "another process has joined as " + named(rank_) + ", now or in a former run with "
                                     "the same store");
    }
    store_->set(key(rank_), Arrival{size_, own_address}.bytes());
    for (int32_t other = 0; other < size_; ++other) {
      if (!has(key(other), end)) {
        missing += (missing.empty() ? "" : ", ") + named(other);
        continue;
      }
      all.push_back(Arrival::parse(store_->get(key(other))));
      if (all.back().size == size_) continue;
      linger();
      throw Error(LRCN_GROUP_FAILED, named(other) + " expects " + std::to_string(all.back().size) +
                                         " processes, and " + named(rank_) + " expects " + std::to_string(size_));
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {
    throw Error(LRCN_GROUP_FAILED, "the store at " + place_ + " is gone, and with it the process that hosted it");
  }
  if (missing.empty()) return all;
  linger();
  throw Error(LRCN_GROUP_FAILED,
              missing + (missing.find(',') == std::string::npos ? " has" : " have") + " not joined within " +
                  std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout_).count()) + " s");
}

void Group::explain(const std::exception& error) {
  const std::string what = error.what();
  // Not a failure of another rank: report it as what it is.
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
      dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr || is_out_of_memory(what)) {
    throw;
  }
  throw Error(LRCN_GROUP_FAILED, "another process has ended or does not answer (" + first_line(what) + "); see its output");
}

void Group::linger() const { std::this_thread::sleep_for(keeps_store_ ? kLinger : milliseconds(0)); }

bool Group::has(const std::string& key, std::chrono::steady_clock::time_point end) {
  // The store's own wait would print a warning on timeout.
  while (!store_->check({key})) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

}  // namespace lrcn
