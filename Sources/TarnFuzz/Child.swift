import CTarnFuzz
import Foundation
import Tarn

/// The process that feeds one reader. Everything it finds is in the counts, or ends it.
enum Child {
  /// The longest that an input may take, in nanoseconds.
  static let longest: UInt64 = 1_000_000_000

  private nonisolated(unsafe) static var reader = Reader.all[0]
  private nonisolated(unsafe) static var counts: UnsafeMutablePointer<tarn_fuzz_counts>?
  private nonisolated(unsafe) static var artifacts = ""

  /// Runs libFuzzer with `arguments`; its status.
  static func run(_ reader: Reader, counts path: String, artifacts: String, _ arguments: [String])
    -> Int32
  {
    guard let counts = tarn_fuzz_counts_at(path) else {
      print("\(path) cannot be made")
      return 1
    }
    (Self.reader, Self.counts, Self.artifacts) = (reader, counts, artifacts)
    defer { Workplace.clear() }
    var words = (["tarn-fuzz"] + arguments).map { strdup($0) } + [nil]
    return tarn_fuzz_run(
      Int32(words.count - 1), &words,
      { bytes, count in Child.feed(UnsafeRawBufferPointer(start: bytes, count: count)) },
      { bytes, count, room, seed in
        bytes.map { Child.change($0, count, room, UInt64(seed)) } ?? 0
      })
  }

  private static func change(
    _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ room: Int, _ seed: UInt64
  ) -> Int {
    let old = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let new = reader.mutation.changed(old, room: room, seed: seed) else { return 0 }
    UnsafeMutableRawBufferPointer(start: bytes, count: room).copyBytes(from: new)
    return new.count
  }

  private static func feed(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    guard let counts else { return -1 }
    var (outcome, time, taken) = measured(bytes)
    counts.pointee.inputs += 1
    switch outcome {
    case .read: counts.pointee.read += 1
    case .refused: counts.pointee.refused += 1
    }
    if counts.pointee.faults > 0 { fatalError("a sanitizer's report in the process of HDF5") }
    let room = reader.room.bytes(for: bytes.count)
    if taken > room {
      // What is made once, tables and caches, is not the input's.
      taken = min(taken, measured(bytes).taken)
    }
    if taken > room {
      counts.pointee.greedy += 1
      keep(bytes, "greedy-\(taken)-\(counts.pointee.inputs)")
    }
    // Other work on the machine may have taken the time.
    if time > longest { time = min(time, measured(bytes).time) }
    if time > longest {
      counts.pointee.slow += 1
      keep(bytes, "slow-\(time / 1_000_000)-\(counts.pointee.inputs)")
    } else {
      counts.pointee.slowest = max(counts.pointee.slowest, Int64(time))
    }
    counts.pointee.largest = max(counts.pointee.largest, Int64(taken))
    counts.pointee.fullest = max(counts.pointee.fullest, Int64(1000 * taken / room))
    return 0
  }

  private static func measured(
    _ bytes: UnsafeRawBufferPointer
  ) -> (outcome: Reader.Outcome, time: UInt64, taken: Int) {
    tarn_fuzz_begin()
    let start = DispatchTime.now().uptimeNanoseconds
    let outcome = reader.feed(bytes)
    return (outcome, DispatchTime.now().uptimeNanoseconds - start, Int(tarn_fuzz_taken()))
  }

  /// Writes down an input that took too much.
  private static func keep(_ bytes: UnsafeRawBufferPointer, _ what: String) {
    try? Data(bytes).write(to: URL(fileURLWithPath: "\(artifacts)\(what)"))
  }
}
