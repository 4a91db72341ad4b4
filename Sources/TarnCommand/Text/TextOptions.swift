import ArgumentParser
import Tarn

/// What every verb on texts takes: the same as other verbs, with char-rnn's seed.
struct TextCommonOptions: ParsableArguments {
  @Flag(help: "Print one JSON object on standard output and nothing else there.")
  var json = false

  @Option(help: "Where the random numbers start.")
  var seed: UInt64 = 123

  @Option(help: "Threads to compute with. (default: all cores, or TARN_THREADS)")
  var threads: Int?

  @Flag(help: "Say only the result.")
  var quiet = false

  @Option(
    defaultAsFlag: "",
    help: ArgumentHelp(
      "Say where the time went, on standard error; with a file, for chrome://tracing too.",
      valueName: "file.json"))
  var profile: String?

  func validate() throws { try options.validate() }

  var options: CommonOptions {
    var options = CommonOptions()
    (options.json, options.seed, options.threads) = (json, seed, threads)
    (options.quiet, options.profile) = (quiet, profile)
    return options
  }
}

extension TextModelCard.Kind: ExpressibleByArgument {}

/// Numbers with commas between: `0.5,0.8,1`.
struct Temperatures: ExpressibleByArgument, Hashable {
  var values: [Double]

  init(_ values: [Double]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }.filter { $0 >= 0 && $0.isFinite }
    guard numbers.count == parts.count, (1...8).contains(numbers.count) else { return nil }
    values = numbers
  }

  var defaultValueDescription: String { values.map { Text.number($0) }.joined(separator: ",") }
}

/// Refuses numbers outside a range, naming the option.
func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
  guard let value, !range.contains(value) else { return }
  throw ValidationError(
    "--\(name) \(value): give a number from \(range.lowerBound) to \(range.upperBound).")
}

/// Refuses numbers that are not sound, naming the option.
func check(
  _ name: String, _ value: Double?, _ words: String, _ isSound: (Double) -> Bool
) throws {
  guard let value, !value.isFinite || !isSound(value) else { return }
  throw ValidationError("--\(name) \(value): give a number \(words).")
}
