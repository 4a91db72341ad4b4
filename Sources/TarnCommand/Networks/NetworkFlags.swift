import ArgumentParser
import Foundation
import Tarn

/// How a network of the zoo or a file is made ready.
struct NetworkFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The file with the weights. (default: published ones from the cache)", valueName: "file"))
  var weights: String?

  @Option(
    help: ArgumentHelp("A text with the name of a class on each line.", valueName: "file"))
  var labels: String?

  @Option(help: "Scale the shorter side to so many pixels before the middle is cut out.")
  var resize: Int?

  @Option(help: "Cut so many pixels a side out of the middle.")
  var crop: Int?

  @Option(help: "How pixels between pixels are found.")
  var interpolation: Preprocessing.Interpolation?

  @Option(help: ArgumentHelp("What is taken off each channel.", valueName: "r,g,b"))
  var mean: Numbers?

  @Option(help: ArgumentHelp("What each channel is divided by after that.", valueName: "r,g,b"))
  var deviation: Numbers?

  @Option(help: "What bytes are multiplied by first. (1/255 for most networks, 1 for Caffe's)")
  var scale: Double?

  @Option(help: "Which channel comes first.")
  var channels: Preprocessing.ChannelOrder?

  func validate() throws {
    for (name, value) in [("resize", resize), ("crop", crop)] {
      if let value, !(1...16_384).contains(value) {
        throw ValidationError("--\(name) \(value): give a number from 1 to 16384.")
      }
    }
    for (name, numbers) in [("mean", mean), ("deviation", deviation)] {
      if let numbers, numbers.values.count != 3 {
        throw ValidationError("--\(name): give three numbers with commas between.")
      }
    }
    if let deviation, deviation.values.contains(0) {
      throw ValidationError("--deviation: nothing can be divided by 0.")
    }
    if let scale, !scale.isFinite || scale == 0 {
      throw ValidationError("--scale \(scale): give a number other than 0.")
    }
  }

  /// `rule` with what was given.
  func changed(_ rule: Preprocessing) -> Preprocessing {
    var rule = rule
    if let resize { rule.resize = .shortSide(resize) }
    if let crop { rule.crop = [crop, crop] }
    rule.interpolation = interpolation ?? rule.interpolation
    rule.mean = mean?.values ?? rule.mean
    rule.deviation = deviation?.values ?? rule.deviation
    rule.scale = scale ?? rule.scale
    rule.channelOrder = channels ?? rule.channelOrder
    return rule
  }

  /// Whether anything but the file of weights is given.
  var saysHow: Bool {
    labels != nil || resize != nil || crop != nil || interpolation != nil || mean != nil
      || deviation != nil || scale != nil || channels != nil
  }
}

extension Preprocessing.Interpolation: ExpressibleByArgument {}
extension Preprocessing.ChannelOrder: ExpressibleByArgument {}

/// Numbers with commas between: `0.5,0.5,0.5`.
struct Numbers: ExpressibleByArgument, Hashable {
  var values: [Double]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Double($0) }.filter(\.isFinite)
    guard values.count == parts.count else { return nil }
  }
}
