#pragma once

#include <cstdint>
#include <filesystem>

namespace lrcn {

/// Bytes that this process can still take before the kernel ends it or another: the least of what the machine and each
/// control group of the process have left. What cannot be read sets no limit; with none at all, UINT64_MAX.
///
/// root: where /proc and /sys are.
uint64_t memory_left(const std::filesystem::path& root = "/");

}  // namespace lrcn
