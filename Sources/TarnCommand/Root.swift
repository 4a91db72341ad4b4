import ArgumentParser
import Tarn

/// The command: verbs that train networks, use them and look into them.
@main
struct Root: ParsableCommand {
  static let version = RunDescription.currentLibraryVersion

  static let configuration = CommandConfiguration(
    commandName: "tarn", abstract: "Trains neural networks, uses them and looks into them.",
    discussion: """
      Begin with `tarn demo`. Every verb takes --json, --seed, --threads and --quiet.
      Exit codes: 0 done, 64 wrong usage, 65 bad data, 66 missing input, 1 anything else.
      """,
    version: version,
    subcommands: [
      Demo.self, Train.self, Sample.self, Evaluate.self, Predict.self, Explain.self,
      RunVerb.self, SummaryVerb.self, Inspect.self, Convert.self, WeightsVerb.self, DataVerb.self,
      Bench.self, Doctor.self,
    ])
}
