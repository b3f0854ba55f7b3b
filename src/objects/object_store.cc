#include "objects/object_store.h"

namespace pinflow::objects {

namespace {

// U+10FFFF: no name that is text goes on with more.
constexpr std::string_view kGreatest = "\xF4\x8F\xBF\xBF";

}  // namespace

Result<std::vector<std::string>> ObjectStore::folders(const std::string& prefix) {
  std::vector<std::string> folders;
  std::string after;
  while (true) {
    TRY_ASSIGN(const auto next, list(prefix, after, 1));
    if (next.empty()) return folders;
    const std::string& name = next.front().name;
    const std::size_t slash = name.find('/', prefix.size());
    if (slash == name.npos) {
      after = name;
      continue;
    }
    folders.push_back(name.substr(prefix.size(), slash - prefix.size()));
    after = name.substr(0, slash + 1) + std::string(kGreatest);
  }
}

}  // namespace pinflow::objects
