// A few keys and values that all ranks share; rank 0 holds them. No torch headers here.
#pragma once

#include <cstdint>
#include <string>

namespace satin {

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual void set(const std::string& key, const std::string& value) = 0;
  // Whether the key is there; if so `value` is its value. Never waits for one.
  virtual bool find(const std::string& key, std::string& value) = 0;
  // Adds to a number that begins at 0, and returns it.
  virtual int64_t add(const std::string& key, int64_t amount) = 0;
};

}  // namespace satin
