import Foundation
import Tarn

/// What every lesson needs beside the mathematics: how long to run, and where its pictures go.
public enum Lesson {
  /// Whether only a few steps are wanted: the environment has `TARN_QUICK=1`.
  public static let isQuick = ProcessInfo.processInfo.environment["TARN_QUICK"] == "1"

  /// How much to do: `full`, or `quick` when a few steps are enough.
  public static func amount(_ full: Int, quick: Int) -> Int { isQuick ? quick : full }

  /// Where files go: the folder `TARN_OUT`, or `tarn-examples` among the temporary files.
  public static func folder() throws -> URL {
    let chosen = ProcessInfo.processInfo.environment["TARN_OUT"].map { URL(fileURLWithPath: $0) }
    let temporary = FileManager.default.temporaryDirectory.appendingPathComponent("tarn-examples")
    let folder = chosen ?? temporary
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// The file or folder given on the command line.
  public static var argument: URL? {
    CommandLine.arguments.dropFirst().first.map { URL(fileURLWithPath: $0) }
  }

  /// The folder `NAME` of the folder `TARN_DATA`, if there is one.
  public static func data(_ name: String) -> URL? {
    let folder = ProcessInfo.processInfo.environment["TARN_DATA"].map { $0 + "/" + name }
    guard let folder, FileManager.default.fileExists(atPath: folder) else { return nil }
    return URL(fileURLWithPath: folder)
  }

  /// What `body` gives; if it throws, prints the error and ends the program.
  public static func orExit<Result>(_ body: () throws -> Result) -> Result {
    do { return try body() } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      exit(66)
    }
  }

  /// Writes a picture as `NAME.svg` and says where it is.
  public static func show(_ figure: some Figure, as name: String) throws {
    let file = try folder().appendingPathComponent(name + ".svg")
    try figure.write(to: file.path)
    print("picture: \(file.path)")
  }

  private static let isTerminal = isatty(STDOUT_FILENO) == 1

  /// Prints some lines; on a terminal, over the lines printed last.
  public static func animate(_ text: String, isFirst: Bool) {
    let lines = text.count { $0 == "\n" } + 1
    print(isTerminal && !isFirst ? "\u{1B}[\(lines)A\(text)" : text)
    fflush(nil)
  }
}

extension Double {
  /// The number with so many digits after the point.
  public func digits(_ count: Int) -> String { String(format: "%.\(count)f", self) }
}

extension Tensor {
  /// The numbers, row by row.
  public var numbers: [Double] { array(of: Double.self) }
}
