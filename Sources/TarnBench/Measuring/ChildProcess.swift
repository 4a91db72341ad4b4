import Foundation

/// A program run to its end.
package enum ChildProcess {
  /// A program that could not be run or failed.
  package struct Failure: Error, CustomStringConvertible {
    package var program: String
    package var reason: String
    package var description: String { "\(program): \(reason)" }
  }

  /// Runs `program` and gives what it prints. Its standard error is this process's.
  package static func output(_ program: String, _ arguments: [String]) throws -> String {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw failure(program, "no pipe", errno) }
    defer { close(ends[0]) }
    let child: pid_t
    do {
      defer { close(ends[1]) }
      child = try start(program, arguments, output: ends[1], closing: ends[0])
    }
    let text = FileHandle(fileDescriptor: ends[0], closeOnDealloc: false).readDataToEndOfFile()
    try wait(child, program)
    return String(decoding: text, as: UTF8.self)
  }

  /// Runs `program`, throwing away what it prints, and gives the time from start to end.
  package static func time(_ program: String, _ arguments: [String]) throws -> Duration {
    let null = open("/dev/null", O_WRONLY)
    guard null >= 0 else { throw failure("/dev/null", "it cannot be opened", errno) }
    defer { close(null) }
    let clock = ContinuousClock()
    let begin = clock.now
    try wait(start(program, arguments, output: null, closing: nil), program)
    return clock.now - begin
  }

  private static func start(
    _ program: String, _ arguments: [String], output: Int32, closing: Int32?
  ) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    if let closing { posix_spawn_file_actions_addclose(&actions, closing) }
    let words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    let variables =
      ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { variables.forEach { free($0) } }
    var child = pid_t()
    let code = posix_spawn(&child, program, &actions, nil, words, variables)
    guard code == 0 else { throw failure(program, "it could not be started", code) }
    return child
  }

  private static func wait(_ child: pid_t, _ program: String) throws {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw failure(program, "it was lost", errno) }
    }
    guard status == 0 else {
      let signal = status & 0x7f
      throw Failure(
        program: program,
        reason: signal == 0
          ? "it ended with code \(status >> 8 & 0xff)" : "it was stopped by signal \(signal)")
    }
  }

  private static func failure(_ program: String, _ what: String, _ code: Int32) -> Failure {
    Failure(program: program, reason: "\(what): \(String(cString: strerror(code)))")
  }
}
