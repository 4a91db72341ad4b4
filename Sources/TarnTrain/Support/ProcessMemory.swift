import Foundation

/// What this program takes of the machine's memory.
public enum ProcessMemory {
  /// The most memory this program has held at once, in bytes: its peak resident set.
  public static var peakBytes: Int {
    var usage = rusage()
    #if canImport(Glibc)
      // Linux counts in units of 1024 bytes.
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Int(usage.ru_maxrss) * 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss)
    #endif
  }
}
