#include "error_file.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace satin {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "\"";
}

}  // namespace

void writeErrorFile(const std::string& sentence) {
  const char* path = std::getenv("TORCHELASTIC_ERROR_FILE");
  if (path == nullptr || *path == '\0') return;
  std::FILE* file = std::fopen(path, "wx");
  if (file == nullptr) return;
  const std::string message = quoted(sentence);
  std::fprintf(file, "{\"message\":{\"message\":%s,\"extraInfo\":{\"py_callstack\":%s,\"timestamp\":\"%lld\"}}}", message.c_str(),
               message.c_str(), static_cast<long long>(std::time(nullptr)));
  std::fclose(file);
}

}  // namespace satin
