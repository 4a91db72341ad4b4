import Foundation

/// What this program takes of the machine's memory.
public enum ProcessMemory {
  /// The most memory this program has held at once, in bytes: its peak resident set.
  public static var peakBytes: Int { peak(RUSAGE_SELF) }

  /// The most that one of the programs it ran and waited for has held at once.
  package static var peakBytesOfChildren: Int { peak(RUSAGE_CHILDREN) }

  #if canImport(Glibc)
    private static func peak(_ who: __rusage_who) -> Int {
      var usage = rusage()
      getrusage(__rusage_who_t(who.rawValue), &usage)
      // Linux counts in units of 1024 bytes.
      return Int(usage.ru_maxrss) * 1024
    }
  #else
    private static func peak(_ who: Int32) -> Int {
      var usage = rusage()
      getrusage(who, &usage)
      return Int(usage.ru_maxrss)
    }
  #endif
}
