#include "disk/internal/memory_tree.h"

#include <algorithm>
#include <set>
#include <utility>

namespace pinflow::disk::internal {

namespace {

constexpr std::size_t kSector = 512;

void fill(std::string& bytes, std::size_t begin, std::size_t end, Random& random) {
  const bool zeros = random.chance(0.5);
  for (std::size_t i = begin; i < end; ++i) bytes[i] = zeros ? '\0' : static_cast<char>(random());
}

// How many of `size` unsynced bytes reached the medium: all, none, whole sectors, or any number.
std::size_t kept_of(std::size_t begin, std::size_t size, Random& random) {
  if (size == 0) return 0;
  switch (random.below(4)) {
    case 0:
      return 0;
    case 1:
      return size;
    case 2: {
      const std::size_t end = (begin + random.below(size + 1)) / kSector * kSector;
      return end > begin ? end - begin : 0;
    }
    default:
      return random.below(size + 1);
  }
}

// The size of a file can reach the medium before its content: such sectors show zeros or what lay there
// before.
void lose_sectors(std::string& bytes, std::size_t begin, Random& random) {
  if (!random.chance(0.5)) return;
  for (std::size_t sector = begin / kSector * kSector; sector < bytes.size(); sector += kSector)
    if (random.chance(0.25)) fill(bytes, std::max(sector, begin), std::min(sector + kSector, bytes.size()), random);
}

void settle_all(const NodePtr& node, std::set<const Node*>& seen, Random& random) {
  if (!seen.insert(node.get()).second) return;
  if (!node->is_directory) return node->settle(random);
  node->entries = node->durable_entries;
  for (const auto& [name, child] : node->entries) settle_all(child, seen, random);
}

std::uint64_t bytes_below(const Node& node, std::set<const Node*>& seen) {
  if (!seen.insert(&node).second) return 0;
  std::uint64_t bytes = node.bytes.size();
  for (const auto& [name, child] : node.entries) bytes += bytes_below(*child, seen);
  return bytes;
}

}  // namespace

void Node::truncate(std::size_t size) {
  if (size < common) {
    durable_tail.insert(0, bytes, size, common - size);
    common = size;
  }
  bytes.resize(size);
  for (auto& range : doomed) range = {std::min(range.begin, size), std::min(range.end, size)};
  std::erase_if(doomed, [](const Range& range) { return range.begin == range.end; });
}

void Node::synced() {
  common = bytes.size();
  durable_tail.clear();
}

void Node::sync_failed() {
  if (common < bytes.size()) doomed.push_back({common, bytes.size()});
}

void Node::settle(Random& random) {
  for (const auto& range : doomed)
    if (range.begin < common) fill(bytes, range.begin, std::min(range.end, common), random);
  doomed.clear();
  if (!durable_tail.empty() && random.chance(0.5)) {  // The truncation is forgotten.
    bytes.resize(common);
    bytes += durable_tail;
  } else {
    bytes.resize(common + kept_of(common, bytes.size() - common, random));
    lose_sectors(bytes, common, random);
  }
  synced();
}

MemoryTree::MemoryTree() : root_(std::make_shared<Node>()) {
  root_->is_directory = true;
}

std::vector<std::string> parts_of(const Path& path) {
  std::vector<std::string> parts;
  for (const Path& part : path.lexically_normal().relative_path())
    if (!part.empty() && part != ".") parts.push_back(part.native());
  return parts;
}

NodePtr MemoryTree::find(const Path& path) const {
  NodePtr node = root_;
  for (const std::string& part : parts_of(path)) {
    const auto found = node->entries.find(part);
    if (found == node->entries.end()) return nullptr;
    node = found->second;
  }
  return node;
}

NodePtr MemoryTree::parent_of(const Path& path) const {
  NodePtr folder = find(path.lexically_normal().parent_path());
  return folder && folder->is_directory ? folder : nullptr;
}

void MemoryTree::set_entry(const NodePtr& folder, const std::string& name, NodePtr node, std::uint64_t operation) {
  if (node)
    folder->entries[name] = node;
  else
    folder->entries.erase(name);
  pending_.push_back({folder, name, std::move(node), operation});
}

namespace {
void make_durable(Node& folder, const std::string& name, NodePtr node) {
  if (node)
    folder.durable_entries[name] = std::move(node);
  else
    folder.durable_entries.erase(name);
}
}  // namespace

void MemoryTree::synced(const NodePtr& folder) {
  std::vector<Pending> others;
  for (Pending& change : pending_) {
    if (change.folder == folder)
      make_durable(*folder, change.name, std::move(change.node));
    else
      others.push_back(std::move(change));
  }
  pending_ = std::move(others);
}

void MemoryTree::crash(Random& random) {
  static constexpr double kShares[] = {0.0, 0.5, 0.9, 1.0};
  const double share = kShares[random.below(std::size(kShares))];
  std::map<std::uint64_t, bool> kept;
  for (Pending& change : pending_) {
    const auto [decision, is_new] = kept.try_emplace(change.operation, false);
    if (is_new) decision->second = random.chance(share);
    if (decision->second) make_durable(*change.folder, change.name, std::move(change.node));
  }
  pending_.clear();
  std::set<const Node*> seen;
  settle_all(root_, seen, random);
}

std::uint64_t MemoryTree::used_bytes() const {
  std::set<const Node*> seen;
  return bytes_below(*root_, seen);
}

}  // namespace pinflow::disk::internal
