// The file in which torchrun looks for the reason of a process that failed, for one that JavaScript cannot write any more.
// No torch headers here.
#pragma once

#include <string>

namespace satin {

// Writes to TORCHELASTIC_ERROR_FILE, in the form of src/distributed/error-file.ts, unless the file exists.
void writeErrorFile(const std::string& sentence);

}  // namespace satin
