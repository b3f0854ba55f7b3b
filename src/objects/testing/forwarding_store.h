#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "objects/object_store.h"

namespace pinflow::objects::testing {

// Does what another store does, which outlives it: for stores of tests that differ in a call or two.
class ForwardingStore : public ObjectStore {
 public:
  explicit ForwardingStore(ObjectStore& inner) : inner_(inner) {}
  Result<void> put(const std::string& name, std::string_view bytes) override { return inner_.put(name, bytes); }
  Result<void> put_new(const std::string& name, std::string_view bytes) override { return inner_.put_new(name, bytes); }
  Result<void> put_file(const std::string& name, const disk::Path& local) override {
    return inner_.put_file(name, local);
  }
  Result<std::string> get(const std::string& name) override { return inner_.get(name); }
  Result<ObjectInfo> describe(const std::string& name) override { return inner_.describe(name); }
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& after,
                                       std::size_t limit) override {
    return inner_.list(prefix, after, limit);
  }
  Result<void> remove(const std::string& name) override { return inner_.remove(name); }
  Result<disk::Path> local_copy(const std::string& name) override { return inner_.local_copy(name); }
  Result<disk::Path> scratch(std::string_view suffix) override { return inner_.scratch(suffix); }

 protected:
  ObjectStore& inner_;
};

}  // namespace pinflow::objects::testing
