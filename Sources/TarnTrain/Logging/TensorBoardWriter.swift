import Foundation

/// Writes event files that TensorBoard shows: scalars, histograms and texts.
///
/// ```swift
/// let board = try TensorBoardWriter(folder: "run/events")
/// try board.scalar("loss/training", 0.25, step: 100)
/// ```
///
/// Each event goes out when it is written. A run that goes on writes a new file beside the old
/// ones and says at
/// which step it does, so that TensorBoard forgets what the killed run wrote after its last
/// checkpoint.
public final class TensorBoardWriter: Sendable {
  private let file: LogFile

  public var path: String { file.path }

  /// Starts a new event file in `folder`, which is made if it is not there.
  ///
  /// - Parameter step: The step at which a killed run goes on: the first that is written again.
  /// - Throws: ``LogError``.
  public init(folder: String, resumingAt step: Int? = nil) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw LogError(
        path: folder, offset: nil, reason: (error as NSError).localizedDescription,
        remedy: "choose a folder that you may write to")
    }
    let now = Self.now
    file = try Self.newFile(in: folder, time: now)
    try append(TensorBoardEvent.version(time: now))
    if let step { try append(TensorBoardEvent.start(time: now, step: step)) }
  }

  /// Adds a point to the curve `tag`; `/` in it groups curves. It is stored as a 32-bit number.
  ///
  /// - Throws: ``LogError``.
  public func scalar(_ tag: String, _ value: Double, step: Int) throws {
    try append(TensorBoardEvent.scalar(tag, value, time: Self.now, step: step))
  }

  /// Adds the distribution of `values`, in 30 intervals. What is not finite is left out.
  ///
  /// - Throws: ``LogError``.
  public func histogram(_ tag: String, _ values: [Double], step: Int) throws {
    try append(TensorBoardEvent.histogram(tag, values, time: Self.now, step: step))
  }

  /// Adds a text in Markdown.
  ///
  /// - Throws: ``LogError``.
  public func text(_ tag: String, _ text: String, step: Int = 0) throws {
    try append(TensorBoardEvent.text(tag, text, time: Self.now, step: step))
  }

  private func append(_ event: [UInt8]) throws {
    try file.append(TensorBoardEvent.record(event))
  }

  /// Seconds since 1970.
  private static var now: Double { Date().timeIntervalSince1970 }

  /// TensorBoard reads the files of a folder in the order of their names, so the time comes first,
  /// then a number
  /// for files of one second.
  private static func newFile(in folder: String, time: Double) throws -> LogFile {
    let process = ProcessInfo.processInfo
    let host = process.hostName.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" }
    var number = 0
    while true {
      // More digits than there will be files in a second.
      let serial = String(String(1_000_000 + number).dropFirst())
      let name =
        "events.out.tfevents.\(Int(time)).\(serial).\(String(host)).\(process.processIdentifier)"
      let taken = try FileManager.default.contentsOfDirectory(atPath: folder).contains {
        $0.hasPrefix("events.out.tfevents.\(Int(time)).\(serial).")
      }
      if !taken { return try LogFile(path: folder + "/" + name, mode: .new) }
      number += 1
    }
  }
}
