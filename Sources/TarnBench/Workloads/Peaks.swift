import CTarnKernels

/// What this machine can do at best, to hold the others against.
let peaks: [Workload] = [
  Workload(
    "peak-arithmetic", "multiplications with additions in registers", gigaOperations: 20
  ) { { tarn_peak_arithmetic(20_000_000_000) } },
  Workload("peak-memory", "reading 1 GB", gigaBytes: 1) {
    // Kept to the end of the process.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_000_000_000, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 1)
    return { tarn_peak_read(memory.baseAddress, Int64(memory.count)) }
  },
]
