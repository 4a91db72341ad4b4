import CTarnKernels

extension Machine {
  /// The most this machine does with the threads of now: 10⁹ f32 operations a second (a fused multiply-add is two), and
  /// 10⁹ bytes a second read from memory. Each is the best of twenty short loops; together they take a tenth of a second.
  public static var peak: (gflops: Double, gbPerSecond: Double) {
    let operations: Int64 = 1_000_000_000
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 27, alignment: 64)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: 1)
    return (
      best(of: Double(operations)) { tarn_peak_arithmetic(operations) },
      best(of: Double(memory.count)) { tarn_peak_read(memory.baseAddress, Int64(memory.count)) }
    )
  }

  /// 10⁹ of `amount` a second.
  private static func best(of amount: Double, _ body: () -> Void) -> Double {
    let taken = (0..<20).map { _ in
      let start = Profiler.nanoseconds()
      body()
      return Profiler.nanoseconds() - start
    }
    return amount / Double(max(1, taken.min() ?? 1))
  }
}
