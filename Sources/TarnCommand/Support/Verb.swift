import ArgumentParser
import Foundation
import Tarn

/// What a verb has to say in the end: JSON for programs, text for people.
protocol Answer: Encodable {
  var text: String { get }
  /// 0 where all was done that was asked for.
  var exitCode: Int32 { get }
}

extension Answer {
  var exitCode: Int32 { 0 }
}

/// One verb of the command. It gives an answer or throws; printing and exit codes are done here.
protocol Verb: ParsableCommand {
  associatedtype Result: Answer
  var common: CommonOptions { get }
  func answer(_ console: Console) throws -> Result
}

extension Verb {
  func run() throws {
    try conclude(common) { console in
      let (result, profile) = try profiled(common, console) { try answer(console) }
      try console.finish(result, profile)
      return result.exitCode
    }
  }
}

/// Runs what a verb does and ends the program as the command's errors and exit codes have it.
func conclude(_ common: CommonOptions, _ body: (Console) throws -> Int32) throws {
  Signals.unblock()
  let console = Console(common)
  if let threads = common.threads { Machine.threads = threads }
  let code: Int32
  do {
    code = try Diagnostic.catching { try body(console) }
  } catch let error as ValidationError {
    throw error
  } catch {
    console.complain(error)
    code = Failure.exitCode(of: error)
  }
  if code != 0 { throw ExitCode(code) }
}

/// What `body` gives, with a profile where one is asked for: written to its file, and shown.
func profiled<Result>(
  _ common: CommonOptions, _ console: Console, _ body: () throws -> Result
) throws -> (result: Result, profile: Profile?) {
  guard let file = common.profile else { return (try body(), nil) }
  let (result, profile) = try Profiler.record(body)
  try profile.writeTrace(to: file)
  console.show(profile)
  return (result, profile)
}

extension Profile {
  /// Writes the trace; no name, no file.
  func writeTrace(to file: String) throws {
    if file.isEmpty { return }
    do { try trace.write(to: URL(fileURLWithPath: file)) } catch {
      throw DataError(
        .unwritable, file: file,
        reason: "the trace could not be written: \(error.localizedDescription)")
    }
  }
}

/// How errors end the program.
enum Failure {
  /// 66 missing input, 65 bad data, 1 anything else; wrong usage (64) is the argument parser's.
  static func exitCode(of error: any Error) -> Int32 {
    switch error {
    case let error as DataError: error.exitCode
    case let error as CocoaError where error.code == .fileReadNoSuchFile: 66
    default: 1
    }
  }

  static func text(of error: any Error) -> String {
    switch error {
    case let error as any CustomStringConvertible: error.description
    default: error.localizedDescription
    }
  }
}
