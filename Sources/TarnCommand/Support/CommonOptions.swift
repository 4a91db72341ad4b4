import ArgumentParser

/// What every verb takes.
struct CommonOptions: ParsableArguments {
  @Flag(help: "Print one JSON object on standard output and nothing else there.")
  var json = false

  @Option(help: "Where the random numbers start.")
  var seed: UInt64 = 1

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

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): give a number from 1 to 1024.")
    }
  }
}
