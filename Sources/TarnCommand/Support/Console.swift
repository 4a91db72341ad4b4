import Foundation
import Tarn

/// The terminal: results on standard output, everything else where it does not disturb them.
struct Console: Sendable {
  let isJSON: Bool
  let isQuiet: Bool
  let seed: UInt64

  init(_ common: CommonOptions) {
    (isJSON, isQuiet, seed) = (common.json, common.quiet, common.seed)
  }

  /// Whether a person sees standard output, so that colour is welcome.
  var hasColour: Bool {
    !isJSON && isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
  }

  /// Whether a moving progress bar is seen.
  var showsProgress: Bool { !isQuiet && isatty(STDERR_FILENO) == 1 }

  /// Says something on the way: on standard error where standard output is kept for JSON.
  func note(_ text: String) {
    if isQuiet { return }
    write(text + "\n", to: isJSON ? .standardError : .standardOutput)
  }

  /// A line of caution, on standard error.
  func warn(_ text: String) { write("tarn: \(text)\n", to: .standardError) }

  /// Where the time went: on standard error, unless it is in the JSON.
  func show(_ profile: Profile) {
    if isJSON { return }
    let process = Text.count(ProcessMemory.peakBytes / 1_000_000)
    write("\n\(profile), the program up to \(process) MB\n\n", to: .standardError)
  }

  /// Says what went wrong.
  func complain(_ error: any Error) { warn(Failure.text(of: error)) }

  /// Prints the answer.
  func finish(_ answer: some Answer, _ profile: Profile? = nil) throws {
    guard isJSON else {
      let text = isQuiet ? String(answer.text.drop { $0.isNewline }) : answer.text
      return try result(text + "\n")
    }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // JSON has no such numbers.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let data = try encoder.encode(Seeded(answer: answer, seed: seed, profile: profile))
    try result(String(decoding: data, as: UTF8.self) + "\n")
  }

  /// Prints a piece of an answer that comes piece by piece.
  func piece(_ text: String) throws { try result(text) }

  /// Prints one line of an answer that comes line by line.
  func line(_ text: String) throws { try result(text + "\n") }

  /// The answer itself must not be lost in silence, on a full disk for instance.
  private func result(_ text: String) throws {
    do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
      throw DataError(
        .unwritable, file: "standard output",
        reason: "the result could not be written: \(error.localizedDescription)")
    }
  }

  private func write(_ text: String, to file: FileHandle) {
    // A reader that has gone away (`tarn … | head`) is no failure.
    try? file.write(contentsOf: Data(text.utf8))
  }
}

/// An answer with the seed, unless it names its own: that of the run it tells of.
private struct Seeded<Content: Answer>: Encodable {
  let answer: Content
  let seed: UInt64
  let profile: Profile?

  private enum CodingKeys: CodingKey { case seed, profile }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(seed, forKey: .seed)
    try container.encodeIfPresent(profile, forKey: .profile)
    try answer.encode(to: encoder)
  }
}
