#pragma once

#include <cstdint>
#include <filesystem>

namespace lrcn {

/// Bytes that this process can still allocate before the OOM killer acts: the minimum over the machine and each cgroup
/// of the process. Unreadable limits are ignored; UINT64_MAX if there is none.
///
/// root: where /proc and /sys are.
uint64_t memory_left(const std::filesystem::path& root = "/");

}  // namespace lrcn
