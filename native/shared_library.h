// A shared library that is looked for at run time, and functions of it by name.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace satin {

class SharedLibrary {
 public:
  // The first of these names that loads. `purpose` says in an error what it is for.
  SharedLibrary(const std::vector<std::string>& names, const std::string& purpose) : purpose(purpose) {
    for (const std::string& name : names)
      if ((handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) != nullptr) return;
    const char* reason = dlerror();
    throw std::runtime_error("Expected " + purpose + " but found none: " + (reason == nullptr ? "" : reason) + ".");
  }

  template <typename Function>
  Function* function(const char* name) const {
    void* address = dlsym(handle, name);
    if (address == nullptr) throw std::runtime_error("Expected the function " + std::string(name) + " in " + purpose + " but found none.");
    return reinterpret_cast<Function*>(address);
  }

 private:
  std::string purpose;
  void* handle = nullptr;  // never closed: what was loaded from it stays
};

}  // namespace satin
