#include "memory_limits.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <string>

namespace lrcn {
namespace {

using std::filesystem::path;

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

/// Files of a cgroup version; in version 1, fields that begin with total_ include descendants.
struct Layout {
  const char *mount, *limit, *usage, *inactive_file, *active_file, *mapped_file;
};

constexpr Layout kVersion1{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                           "total_inactive_file",  "total_active_file",     "total_mapped_file"};
constexpr Layout kVersion2{"sys/fs/cgroup", "memory.max",  "memory.current",
                           "inactive_file", "active_file", "file_mapped"};

uint64_t difference(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

/// Reads a file of lines with a name and a number.
std::map<std::string, uint64_t> read_table(const path& file) {
  std::map<std::string, uint64_t> table;
  std::ifstream in(file);
  std::string line, name;
  for (uint64_t value; std::getline(in, line);) {
    if (std::istringstream(line) >> name >> value) table[name] = value;
  }
  return table;
}

uint64_t left_on_machine(const path& root) {
  auto kibibytes = read_table(root / "proc/meminfo");
  if (!kibibytes.contains("MemAvailable:")) return kUnlimited;
  return (kibibytes["MemAvailable:"] + kibibytes["SwapFree:"]) * 1024;
}

uint64_t left_in_group(const path& group, const Layout& layout) {
  uint64_t limit = 0, usage = 0;
  // The limit may be "max".
  if (!(std::ifstream(group / layout.limit) >> limit)) return kUnlimited;
  if (!(std::ifstream(group / layout.usage) >> usage)) return kUnlimited;
  auto bytes = read_table(group / "memory.stat");
  // The page cache counts as used, but is reclaimable except mapped files, the running code.
  const auto cache = bytes[layout.inactive_file] + bytes[layout.active_file];
  return difference(limit, difference(usage, difference(cache, bytes[layout.mapped_file])));
}

/// The cgroup and its ancestors, which limit it too. In a container the path may be the host's and not exist here: then
/// the mount itself is the container's cgroup.
uint64_t left_in_groups(const path& mount, path group, const Layout& layout) {
  uint64_t left = left_in_group(mount, layout);
  for (; !group.empty(); group = group.parent_path()) left = std::min(left, left_in_group(mount / group, layout));
  return left;
}

}  // namespace

uint64_t memory_left(const path& root) {
  uint64_t left = left_on_machine(root);
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // ID:CONTROLLERS:PATH, with no controllers in version 2.
    std::istringstream fields(line);
    std::string id, controllers, group;
    std::getline(std::getline(std::getline(fields, id, ':'), controllers, ':'), group);
    const auto& layout = controllers.empty() ? kVersion2 : kVersion1;
    if (!controllers.empty() && ("," + controllers + ",").find(",memory,") == std::string::npos) continue;
    left = std::min(left, left_in_groups(root / layout.mount, path(group).relative_path(), layout));
  }
  return left;
}

}  // namespace lrcn
