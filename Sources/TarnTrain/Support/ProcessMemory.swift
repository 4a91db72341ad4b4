import Foundation

/// What this program takes of the machine's memory.
public enum ProcessMemory {
  /// The most memory this program has held at once, in bytes: its peak resident set.
  public static var peakBytes: Int {
    var usage = rusage()
    #if os(macOS)
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss)
    #else
      getrusage(RUSAGE_SELF, &usage)
      // Linux counts in units of 1024 bytes.
      return Int(usage.ru_maxrss) * 1024
    #endif
  }
}
