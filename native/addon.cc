// What JavaScript sees of the engine, in one list. `src/engine/addon.ts` has their types, and a test compares the two.
#include "napi_convert.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <pthread.h>
#endif

namespace satin {

// tensor.cc
napi_value fromData(Arguments&), readData(Arguments&), release(Arguments&), shapeOf(Arguments&), dtypeOf(Arguments&);
napi_value deviceOf(Arguments&), liveTensors(Arguments&), readCount(Arguments&), mockReadCount(Arguments&);
// pending_read.cc
napi_value beginRead(Arguments&), finishRead(Arguments&);
// device.cc
napi_value toDevice(Arguments&), cards(Arguments&), synchronise(Arguments&), setTensorFloat32(Arguments&);
// graph.cc
napi_value prepareRecording(Arguments&), beginRecording(Arguments&), endRecording(Arguments&), abandonRecording(Arguments&);
napi_value replayGraph(Arguments&), releaseGraph(Arguments&);
// call_operator.cc
napi_value findOperator(Arguments&), call(Arguments&), callInPlace(Arguments&);
// autograd.cc
napi_value gradients(Arguments&), setGradEnabled(Arguments&), setRequiresGrad(Arguments&), requiresGrad(Arguments&);
// reduced_gradients.cc
napi_value reducedGradients(Arguments&);
// torchscript_load.cc
napi_value loadScript(Arguments&), runScript(Arguments&), scriptInputs(Arguments&), releaseScript(Arguments&);
// torchscript_trace.cc
napi_value traceScript(Arguments&);
// tcp_store.cc
napi_value openStore(Arguments&), storeSet(Arguments&), storeFind(Arguments&), storeAdd(Arguments&);
// process_group.cc
napi_value distributedBackends(Arguments&), joinGroup(Arguments&), leaveRanks(Arguments&), allReduceNumbers(Arguments&);
napi_value allReduceMeans(Arguments&), broadcastTensors(Arguments&), allGather(Arguments&), recordEndOfJob(Arguments&);
// rank_watchdog.cc
napi_value watchRanks(Arguments&), holdTermination(Arguments&), endOfTheRanks(Arguments&), announceEndOfRanks(Arguments&);
// noise.cc
napi_value noise(Arguments&);
// resample.cc
napi_value resample(Arguments&), resampleJpeg(Arguments&), sizeOfJpeg(Arguments&), jpegDecoder(Arguments&);
// allocator.cc
napi_value memory(Arguments&), setMemoryLimits(Arguments&), limitMemory(Arguments&), emptyCache(Arguments&), poisonRecycled(Arguments&);
// runtime.cc
napi_value setThreads(Arguments&), engine(Arguments&), takeWarnings(Arguments&), parallelWidth(Arguments&);
void startEngine();

namespace {

bool onMainThread() {
#ifdef __linux__
  return syscall(SYS_gettid) == getpid();
#else
  return pthread_main_np() == 1;
#endif
}

napi_value initialise(napi_env env, napi_value exports) {
  // A worker that ends would take the whole process with it: libtorch's state belongs to one thread.
  if (!onMainThread()) {
    napi_throw_error(env, "ENGINE", "Satin's engine works on the main thread only; it was loaded in a worker.");
    return nullptr;
  }
  try {
    startEngine();
    define(env, exports, "setErrorClasses", setErrorClasses);
    define(env, exports, "fromData", fromData);
    define(env, exports, "readData", readData);
    define(env, exports, "release", release);
    define(env, exports, "shapeOf", shapeOf);
    define(env, exports, "dtypeOf", dtypeOf);
    define(env, exports, "deviceOf", deviceOf);
    define(env, exports, "liveTensors", liveTensors);
    define(env, exports, "readCount", readCount);
    define(env, exports, "mockReadCount", mockReadCount);
    define(env, exports, "beginRead", beginRead);
    define(env, exports, "finishRead", finishRead);
    define(env, exports, "toDevice", toDevice);
    define(env, exports, "cards", cards);
    define(env, exports, "synchronise", synchronise);
    define(env, exports, "setTensorFloat32", setTensorFloat32);
    define(env, exports, "prepareRecording", prepareRecording);
    define(env, exports, "beginRecording", beginRecording);
    define(env, exports, "endRecording", endRecording);
    define(env, exports, "abandonRecording", abandonRecording);
    define(env, exports, "replayGraph", replayGraph);
    define(env, exports, "releaseGraph", releaseGraph);
    define(env, exports, "findOperator", findOperator);
    define(env, exports, "call", call);
    define(env, exports, "callInPlace", callInPlace);
    define(env, exports, "gradients", gradients);
    define(env, exports, "reducedGradients", reducedGradients);
    define(env, exports, "setGradEnabled", setGradEnabled);
    define(env, exports, "setRequiresGrad", setRequiresGrad);
    define(env, exports, "requiresGrad", requiresGrad);
    define(env, exports, "loadScript", loadScript);
    define(env, exports, "runScript", runScript);
    define(env, exports, "scriptInputs", scriptInputs);
    define(env, exports, "releaseScript", releaseScript);
    define(env, exports, "traceScript", traceScript);
    define(env, exports, "distributedBackends", distributedBackends);
    define(env, exports, "openStore", openStore);
    define(env, exports, "storeSet", storeSet);
    define(env, exports, "storeFind", storeFind);
    define(env, exports, "storeAdd", storeAdd);
    define(env, exports, "joinGroup", joinGroup);
    define(env, exports, "leaveRanks", leaveRanks);
    define(env, exports, "watchRanks", watchRanks);
    define(env, exports, "holdTermination", holdTermination);
    define(env, exports, "endOfTheRanks", endOfTheRanks);
    define(env, exports, "announceEndOfRanks", announceEndOfRanks);
    define(env, exports, "allReduceNumbers", allReduceNumbers);
    define(env, exports, "allReduceMeans", allReduceMeans);
    define(env, exports, "broadcastTensors", broadcastTensors);
    define(env, exports, "allGather", allGather);
    define(env, exports, "recordEndOfJob", recordEndOfJob);
    define(env, exports, "noise", noise);
    define(env, exports, "resample", resample);
    define(env, exports, "resampleJpeg", resampleJpeg);
    define(env, exports, "sizeOfJpeg", sizeOfJpeg);
    define(env, exports, "jpegDecoder", jpegDecoder);
    define(env, exports, "memory", memory);
    define(env, exports, "setMemoryLimits", setMemoryLimits);
    define(env, exports, "limitMemory", limitMemory);
    define(env, exports, "emptyCache", emptyCache);
    define(env, exports, "poisonRecycled", poisonRecycled);
    define(env, exports, "setThreads", setThreads);
    define(env, exports, "engine", engine);
    define(env, exports, "takeWarnings", takeWarnings);
    define(env, exports, "parallelWidth", parallelWidth);
  } catch (const std::exception& error) {
    napi_throw_error(env, "ENGINE", error.what());
  } catch (...) {
    napi_throw_error(env, "ENGINE", "The engine could not start.");
  }
  return exports;
}

}  // namespace
}  // namespace satin

NAPI_MODULE(satin, satin::initialise)
