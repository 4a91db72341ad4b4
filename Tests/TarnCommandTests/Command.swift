import Foundation
import Testing

/// The built program, run in a folder of its own.
final class Command {
  struct Outcome {
    var code: Int32
    var out: String
    var err: String

    /// Standard output as the one JSON object it must be.
    func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
      let value = try JSONSerialization.jsonObject(with: Data(out.utf8))
      return try #require(value as? [String: Any], sourceLocation: sourceLocation)
    }
  }

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-command-\(UUID().uuidString)").resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// It lies beside the tests.
  static var program: URL {
    let bundles = Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }
    let tests = bundles.first?.bundleURL ?? Bundle.main.executableURL ?? Bundle.main.bundleURL
    return tests.deletingLastPathComponent().appendingPathComponent("tarn")
  }

  func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: file(name))
  }

  func bytes(_ name: String) throws -> Data { try Data(contentsOf: file(name)) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }

  func process(
    _ arguments: [String], threads: Int = 1, environment more: [String: String] = [:]
  ) -> (process: Process, out: URL, err: URL) {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("TARN_") }
    environment["TARN_THREADS"] = "\(threads)"
    // Not what was fetched and measured on this machine.
    environment["TARN_CACHE"] = file(".cache").path
    environment.merge(more) { $1 }
    process.environment = environment
    // Files instead of pipes: nothing to drain, whatever is printed.
    let name = UUID().uuidString
    let (out, err) = (file(".\(name).out"), file(".\(name).err"))
    for url in [out, err] { _ = FileManager.default.createFile(atPath: url.path, contents: nil) }
    process.standardOutput = try? FileHandle(forWritingTo: out)
    process.standardError = try? FileHandle(forWritingTo: err)
    process.standardInput = FileHandle.nullDevice
    return (process, out, err)
  }

  /// Runs the program to its end.
  func run(
    _ arguments: String..., threads: Int = 1, environment: [String: String] = [:]
  ) throws -> Outcome {
    try run(arguments, threads: threads, environment: environment)
  }

  func run(
    _ arguments: [String], threads: Int = 1, environment: [String: String] = [:]
  ) throws -> Outcome {
    let (process, out, err) = process(arguments, threads: threads, environment: environment)
    try process.run()
    process.waitUntilExit()
    return try outcome(process, out, err)
  }

  func outcome(_ process: Process, _ out: URL, _ err: URL) throws -> Outcome {
    Outcome(
      code: process.terminationReason == .exit
        ? process.terminationStatus : -process.terminationStatus,
      out: String(decoding: try Data(contentsOf: out), as: UTF8.self),
      err: String(decoding: try Data(contentsOf: err), as: UTF8.self))
  }
}
