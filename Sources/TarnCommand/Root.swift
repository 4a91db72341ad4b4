import ArgumentParser

/// The command: verbs that train, use and look into networks.
@main
struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tarn", abstract: "Trains neural networks, uses them and looks into them.",
    version: "0.1.0")
}
